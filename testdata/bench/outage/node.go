package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// keeper is a node that knows which records it has, also after it was killed.
type keeper struct {
	mu  sync.Mutex
	ids map[string]bool
	out *os.File
}

// openKeeper reads what was kept. A last line without its end was not answered for.
func openKeeper(file string) (*keeper, error) {
	out, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the node's records: %w", err)
	}
	k := &keeper{ids: map[string]bool{}, out: out}
	lines := bufio.NewReader(out)
	for {
		id, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return k, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the node's records: %w", err)
		}
		k.ids[strings.TrimSuffix(id, "\n")] = true
	}
}

// node serves until it is killed.
func node(ctx context.Context, address, file string) error {
	k, err := openKeeper(file)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("opening the node: %w", err)
	}
	server := &http.Server{Handler: k, ReadHeaderTimeout: time.Minute}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	return server.Serve(listener)
}

// ServeHTTP answers bulk requests, and at /count how many records there are.
func (k *keeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path == "/count":
		k.mu.Lock()
		defer k.mu.Unlock()
		fmt.Fprint(w, len(k.ids))
	case !strings.HasSuffix(r.URL.Path, "/_bulk"):
		_, _ = io.WriteString(w, `{"_shards":{"failed":0}}`)
	default:
		k.bulk(w, r)
	}
}

func (k *keeper) bulk(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		body = z
	}
	b, err := io.ReadAll(body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	answer, err := k.take(b)
	if err != nil { // what could not be kept is not answered for
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write(answer)
}

// take keeps the records of a request, and says of each whether it is new (201) or there already (409).
func (k *keeper) take(body []byte) (answer []byte, err error) {
	const action, id = `{"create":`, `"_id":"`
	var kept bytes.Buffer
	var items []string
	twice := false
	k.mu.Lock()
	defer k.mu.Unlock()
	for line := range bytes.Lines(body) {
		if !bytes.HasPrefix(line, []byte(action)) {
			continue
		}
		_, after, _ := bytes.Cut(line, []byte(id))
		name, _, _ := bytes.Cut(after, []byte(`"`))
		if k.ids[string(name)] {
			twice = true
			items = append(items, `{"create":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"it is there"}}}`)
			continue
		}
		k.ids[string(name)] = true
		kept.Write(append(name, '\n'))
		items = append(items, `{"create":{"status":201}}`)
	}
	if _, err := k.out.Write(kept.Bytes()); err != nil {
		return nil, fmt.Errorf("keeping records: %w", err)
	}
	return fmt.Appendf(nil, `{"errors":%v,"items":[%s]}`, twice, strings.Join(items, ",")), nil
}

// freeAddress is one on loopback that nobody listens on: the node has to come back where it was.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}
