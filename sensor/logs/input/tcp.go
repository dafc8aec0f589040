package input

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/logs"
)

// tcp takes syslog over connections, plain and over TLS (RFC 5425).
type tcp struct {
	source   *source
	listener net.Listener
}

func listenTCP(s *source) (*tcp, error) {
	l, err := s.listen()
	if err != nil {
		return nil, err
	}
	return &tcp{s, l}, nil
}

var _ reader = (*tcp)(nil)

// run implements reader.
func (t *tcp) run(ctx context.Context) error { return t.source.serve(ctx, t.listener, t.take) }

// close implements reader.
func (t *tcp) close() error { return closed(t.listener.Close()) }

// closed leaves out that something was closed before.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// handshakeWithin bounds how long a client may take to show who it is.
const handshakeWithin = 10 * time.Second

// take takes the messages of a connection to its end.
func (t *tcp) take(ctx context.Context, c net.Conn) {
	defer func() { _ = c.Close() }() // it was only read
	s := t.source
	if secure, ok := c.(*tls.Conn); ok {
		within, cancel := context.WithTimeout(ctx, handshakeWithin)
		err := secure.HandshakeContext(within)
		cancel()
		if err != nil {
			s.problem.note("tls", fmt.Sprintf("taking connections over TLS: the last client that was refused is %s: %v", c.RemoteAddr(), err))
			return
		}
		s.problem.solved("tls")
	}
	st := &stream{}
	f := newFrames(c)
	for {
		message, err := f.next()
		if errors.Is(err, errHalf) {
			s.lose(1)
			continue
		}
		if err != nil && !errors.Is(err, errLong) {
			if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded) {
				s.o.Log.Info("a sender of logs broke off", "source", s.config.Name, "sender", c.RemoteAddr().String(), "error", err)
			}
			break
		}
		if s.message(ctx, st, message, err) != nil {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release(st)
}

// message takes one message, or accounts for one that is too long.
func (s *source) message(ctx context.Context, st *stream, message []byte, long error) error {
	if long == nil && len(message) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.room(ctx); err != nil {
		s.lost++ // nobody can be asked to send it again
		s.moved = true
		return err
	}
	if long != nil {
		s.reject(nil, logs.ErrTooLong)
		return nil
	}
	s.line(st, message)
	return nil
}
