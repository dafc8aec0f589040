package input

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/logs"
)

const (
	// maxBody is the largest body that is taken, as it is sent; maxUnpacked what it may become.
	maxBody     = 32 << 20
	maxUnpacked = 1 << 30
	// maxBodies is how many are held at once; others are asked to come again.
	maxBodies = 4
	// roomWithin is how long a sender waits for room before it is asked to come again.
	roomWithin = 10 * time.Second
	// bodyWithin is how long a request may take.
	bodyWithin = 5 * time.Minute
)

// push takes lines over HTTP: as NDJSON or plain lines, or as a JSON list, with gzip or without.
type push struct {
	source   *source
	listener net.Listener
	secret   [sha256.Size]byte
	open     bool // no secret is asked for
	slots    chan struct{}
	stop     context.Context // that of run: a sender that hangs up does not stop its lines from being taken
}

func listenHTTP(s *source) (*push, error) {
	p := &push{source: s, open: s.config.SecretFile == "", slots: make(chan struct{}, maxBodies)}
	if !p.open {
		secret, err := readSecret(s.config.SecretFile)
		if err != nil {
			return nil, err
		}
		p.secret = sha256.Sum256(secret)
	}
	var err error
	p.listener, err = s.listen()
	return p, err
}

// minSecret is the length of the shortest secret that is taken, in octets.
const minSecret = 16

func readSecret(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the secret of senders: %w; name a file with secret_file", err)
	}
	if text = bytes.TrimSpace(text); len(text) < minSecret {
		return nil, fmt.Errorf("reading the secret of senders in %s: it has %d octets; write at least %d (openssl rand -hex 32)", path, len(text), minSecret)
	}
	return text, nil
}

var _ reader = (*push)(nil)

// close implements reader.
func (p *push) close() error {
	if p.listener == nil {
		return nil
	}
	return closed(p.listener.Close())
}

// run implements reader.
func (p *push) run(ctx context.Context) error {
	p.stop = ctx
	server := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: bodyWithin, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(p.source.problem.log.Handler(), slog.LevelDebug), BaseContext: func(net.Listener) context.Context { return ctx }}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(p.listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("taking logs over HTTP at %s: %w", p.listener.Addr(), err)
	case <-ctx.Done():
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(within); err != nil {
		_ = server.Close() // who has no answer sends again
	}
	return nil
}

// ServeHTTP implements http.Handler. The answer is 200 once what came of the lines is durable.
func (p *push) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !p.knows(r):
		p.source.problem.note("secret", fmt.Sprintf("taking logs over HTTP: the last sender without the right secret is %s", r.RemoteAddr))
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "show the secret: Authorization: Bearer SECRET", http.StatusUnauthorized)
		return
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		fmt.Fprintln(w, "logs are taken here: POST them, a record on each line")
		return
	case r.Method != http.MethodPost && r.Method != http.MethodPut:
		w.Header().Set("Allow", "GET, HEAD, POST, PUT")
		http.Error(w, "POST lines", http.StatusMethodNotAllowed)
		return
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	default:
		p.later(w)
		return
	}
	within, cancel := context.WithTimeout(r.Context(), roomWithin)
	err := p.source.o.Room(within)
	cancel()
	if err != nil {
		p.later(w)
		return
	}
	p.answer(w, r)
}

// later asks a sender to come again.
func (p *push) later(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "10")
	http.Error(w, "there is no room now; send it again", http.StatusServiceUnavailable)
}

// answer takes a body and says what has become of it.
func (p *push) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		p.source.problem.note("body", fmt.Sprintf("taking logs over HTTP: a body is larger than %d MiB; let the sender make its batches smaller", maxBody>>20))
		http.Error(w, "the body is too large; send smaller batches", http.StatusRequestEntityTooLarge)
		return
	case err != nil: // it broke off, and comes again
		http.Error(w, "the body broke off", http.StatusBadRequest)
		return
	}
	if err := p.check(body); err != nil {
		p.source.problem.note("body", fmt.Sprintf("taking logs over HTTP: the last body that could not be read: %v", err))
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.source.problem.solved("body")
	if err := p.take(p.stop, body); err != nil {
		p.later(w)
		return
	}
	fmt.Fprintln(w, "taken")
}

// knows says whether a request shows the secret: as it is, as a bearer's, as Splunk's collectors are shown it, or as the password of Basic.
func (p *push) knows(r *http.Request) bool {
	if p.open {
		return true
	}
	shown := r.Header.Get("Authorization")
	if _, password, ok := r.BasicAuth(); ok {
		shown = password
	}
	for _, scheme := range []string{"Bearer ", "Splunk "} {
		if len(shown) > len(scheme) && strings.EqualFold(shown[:len(scheme)], scheme) {
			shown = shown[len(scheme):]
		}
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(shown)))
	return subtle.ConstantTimeCompare(sum[:], p.secret[:]) == 1
}

// check reads a body to its end, so that nothing is taken of one that breaks off or grows too large.
func (p *push) check(body []byte) error {
	r, err := logs.Decompress(bytes.NewReader(body))
	if err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, io.LimitReader(r, maxUnpacked+1))
	if err != nil {
		return fmt.Errorf("unpacking the body: %w", err)
	}
	if n > maxUnpacked {
		return fmt.Errorf("the body unpacks to more than %d MiB; send smaller batches", maxUnpacked>>20)
	}
	return nil
}

// take takes a body that is whole, unless it was taken before, and keeps its place.
func (p *push) take(ctx context.Context, body []byte) error {
	s := p.source
	sum := sha256.Sum256(body)
	s.mu.Lock()
	known := s.bodies.has(sum)
	s.mu.Unlock()
	if !known {
		if err := p.once(ctx, body, sum); err != nil {
			return err
		}
	}
	return s.keep()
}

// once takes the lines of a body, all of them before the state is written.
func (p *push) once(ctx context.Context, body []byte, sum [sha256.Size]byte) error {
	s := p.source
	s.whole.RLock()
	defer s.whole.RUnlock()
	err := p.lines(ctx, body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil { // the sensor is being stopped: the body comes again, and its lines get the identifiers that they had
		s.spoiled = true
		return err
	}
	s.bodies.add(sum)
	s.moved = true
	return nil
}

// lines takes the lines of a body.
func (p *push) lines(ctx context.Context, body []byte) error {
	r, err := logs.Decompress(bytes.NewReader(body))
	if err != nil {
		return err
	}
	lines, st := logs.NewLines(objects(r)), &stream{}
	for {
		line, err := lines.Next()
		switch {
		case errors.Is(err, io.EOF):
			p.source.mu.Lock()
			defer p.source.mu.Unlock()
			p.source.release(st)
			return nil
		case err != nil && !errors.Is(err, logs.ErrTooLong):
			return err
		case err == nil && len(bytes.TrimSpace(line)) == 0, p.tests(line):
			continue
		}
		if err := p.source.message(ctx, st, trim(line), err); err != nil {
			return err
		}
	}
}

// objects is r, or if that is a JSON list of objects, its objects as lines.
func objects(r *bufio.Reader) io.Reader {
	head, _ := r.Peek(64) // what is there
	if head, ok := bytes.CutPrefix(bytes.TrimSpace(head), []byte("[")); ok && bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) {
		return &list{r: r}
	}
	return r
}

// tests says whether a line is what Logpush sends first, to see whether anybody listens, and accounts for it.
func (p *push) tests(line []byte) bool {
	if len(line) > 64 || !bytes.HasPrefix(bytes.ReplaceAll(line, []byte(" "), nil), []byte(`{"content":"test`)) {
		return false
	}
	p.source.mu.Lock()
	defer p.source.mu.Unlock()
	p.source.reject(line, logs.ErrOther)
	return true
}
