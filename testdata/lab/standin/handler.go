package standin

import (
	_ "embed"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
	"golang.org/x/net/websocket"
)

// page is a document whose script does the requests that its own query lists, and then fetches DonePath.
//
//go:embed page.html
var page []byte

// Paths with a meaning of their own; every other path takes any body and answers as its query asks.
const (
	PagePath = "/page"
	DonePath = "/done"
	WSPath   = "/ws"
)

// handler takes request bodies, counts them, and answers with what the query asks for:
// down (bytes of the response body), chunks (in how many pieces), gap (milliseconds between them).
type handler struct {
	book *truth.Book
	done func()
}

// ServeHTTP answers one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := recordOf(r.Context())
	host := hostOnly(r.Host)
	h.book.Update(func() { rec.Count(host, 1, 0, 0) })
	header := w.Header()
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Cache-Control", "no-store")
	if r.URL.Path == WSPath {
		h.book.Update(func() { rec.Protocol = "websocket" })
		websocket.Server{Handler: func(ws *websocket.Conn) { h.echo(ws, rec, host) }}.ServeHTTP(w, r)
		return
	}
	up, _ := io.Copy(io.Discard, r.Body) // a client that gives up has still sent what it has sent
	h.book.Update(func() { rec.Count(host, 0, up, 0) })
	down := func(n int) { h.book.Update(func() { rec.Count(host, 0, 0, int64(n)) }) }
	switch r.URL.Path {
	case PagePath:
		header.Set("Content-Type", "text/html; charset=utf-8")
		n, _ := w.Write(page)
		down(n)
	case DonePath:
		w.WriteHeader(http.StatusNoContent)
		h.done()
	default:
		header.Set("Content-Type", "application/octet-stream")
		stream(w, r, down)
	}
}

// stream writes the body the query asks for.
func stream(w http.ResponseWriter, r *http.Request, count func(int)) {
	size, chunks, gap := queryInt(r, "down"), max(1, queryInt(r, "chunks")), time.Duration(queryInt(r, "gap"))*time.Millisecond
	if chunks == 1 {
		w.Header().Set("Content-Length", strconv.Itoa(size))
	}
	tick := time.NewTicker(max(gap, time.Millisecond))
	defer tick.Stop()
	for i := range chunks {
		part := size / chunks
		if i == chunks-1 {
			part = size - part*(chunks-1)
		}
		n, err := w.Write(filler(part))
		count(n)
		if err != nil {
			return
		}
		if i < chunks-1 {
			_ = http.NewResponseController(w).Flush()
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
		}
	}
}

// echo answers each message with as many bytes as the message's text names, or with one byte.
func (h *handler) echo(ws *websocket.Conn, rec *truth.Record, host string) {
	for {
		var message []byte
		if err := websocket.Message.Receive(ws, &message); err != nil {
			return
		}
		size, err := strconv.Atoi(strings.TrimSpace(string(message[:min(len(message), 8)])))
		if err != nil || size > 1<<20 {
			size = 1
		}
		h.book.Update(func() { rec.Count(host, 0, int64(len(message)), int64(size)) })
		if err := websocket.Message.Send(ws, filler(size)); err != nil {
			return
		}
	}
}

// filler returns n bytes of text.
func filler(n int) []byte {
	const line = "The quick brown fox measures the shadow of the lazy dog.\n"
	return []byte(strings.Repeat(line, n/len(line)+1)[:n])
}

func queryInt(r *http.Request, key string) int {
	const most = 64 << 20
	n, err := strconv.Atoi(r.URL.Query().Get(key))
	if err != nil || n < 0 {
		return 0
	}
	return min(n, most)
}

func hostOnly(hostPort string) string {
	if host, _, err := net.SplitHostPort(hostPort); err == nil {
		return host
	}
	return hostPort
}
