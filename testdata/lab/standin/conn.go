package standin

import (
	"context"
	"net"

	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
)

// listener hands out connections that count their bytes into a record of the book.
type listener struct {
	net.Listener
	book     *truth.Book
	protocol string // until the first request or the handshake says more
}

// Accept waits for the next connection and opens its record.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	rec := &truth.Record{
		Kind: truth.KindConnection, Transport: "tcp", Protocol: l.protocol,
		Client: addrPort(c.RemoteAddr()), Server: addrPort(c.LocalAddr()),
	}
	l.book.Add(rec)
	return &conn{Conn: c, book: l.book, rec: rec}, nil
}

// conn counts what passes through a socket.
type conn struct {
	net.Conn
	book *truth.Book
	rec  *truth.Record
}

// Read reads and counts.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.book.Update(func() { c.rec.SocketIn += int64(n) })
	return n, err
}

// Write writes and counts.
func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.book.Update(func() { c.rec.SocketOut += int64(n) })
	return n, err
}

// CloseWrite lets crypto/tls and net/http end their half politely.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(*net.TCPConn); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

type recordKey struct{}

// withRecord lets handlers of a connection find its record.
func withRecord(ctx context.Context, rec *truth.Record) context.Context {
	return context.WithValue(ctx, recordKey{}, rec)
}

func recordOf(ctx context.Context) *truth.Record {
	rec, _ := ctx.Value(recordKey{}).(*truth.Record)
	return rec
}
