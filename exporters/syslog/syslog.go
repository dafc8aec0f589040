// Package syslog sends records to other systems as messages in the Common Event Format (CEF) over syslog: RFC 5424 by UDP (RFC 5426), TCP
// (RFC 6587) or TLS (RFC 5425). When to try again is decided in front of it (package spool).
//
// Syslog has no answers: a message counts as stored when the connection has taken it. What was under way when a connection broke is lost if
// it had not arrived, and a batch during which it broke is sent again, so that messages may come twice; externalId, which is event.id, tells
// them apart. Where nothing may be lost, read records from Elasticsearch or from files.
package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Sender sends messages to one server.
type Sender struct {
	config   Config
	over     string
	hostPort string
	tls      *tls.Config
	sent     map[string]bool // datasets
	conn     net.Conn        // nil: there is none now
	gone     *atomic.Bool    // whether the other side has closed conn
	buf      []byte
	message  []byte
}

// Open checks the settings and reads their files. It does not connect: the server may be away now.
func Open(config Config) (*Sender, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	s := &Sender{config: config, sent: map[string]bool{}}
	var err error
	if s.over, s.hostPort, err = config.target(); err != nil {
		return nil, err
	}
	if s.over == overTLS {
		if s.tls, err = config.tlsConfig(); err != nil {
			return nil, err
		}
	}
	for _, d := range config.Datasets {
		s.sent[datasets[d]] = true
	}
	return s, nil
}

var _ exporters.Exporter = (*Sender)(nil)

// Export implements exporters.Exporter. Records of other datasets than those that are sent count as stored.
func (s *Sender) Export(ctx context.Context, batch []event.Event, out []exporters.Outcome) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.over == overUDP {
		return s.datagrams(ctx, batch, out)
	}
	s.buf = s.buf[:0]
	for i := range batch {
		out[i] = exporters.Outcome{State: exporters.Stored}
		if s.sent[batch[i].Event.Dataset] {
			s.message = s.appendMessage(s.message[:0], &batch[i])
			s.buf = s.frame(s.buf, s.message)
		}
	}
	if len(s.buf) == 0 {
		return nil
	}
	return s.write(ctx, s.buf)
}

// datagrams sends one message each. UDP hears of nobody who listens only with the next message.
func (s *Sender) datagrams(ctx context.Context, batch []event.Event, out []exporters.Outcome) error {
	for i := range batch {
		out[i] = exporters.Outcome{State: exporters.Stored}
		if !s.sent[batch[i].Event.Dataset] {
			continue
		}
		s.message = s.appendMessage(s.message[:0], &batch[i])
		if err := s.write(ctx, s.message); err != nil {
			for ; i < len(batch); i++ {
				out[i] = exporters.Outcome{State: exporters.Again, Reason: err.Error()}
			}
			return nil
		}
	}
	return nil
}

// frame puts a message among others on a connection.
func (s *Sender) frame(b, message []byte) []byte {
	if s.config.Framing == framingNewline {
		return append(append(b, message...), '\n') // no message has one in it
	}
	b = append(strconv.AppendInt(b, int64(len(message)), 10), ' ')
	return append(b, message...)
}

// write hands bytes to the connection, and makes one if there is none.
func (s *Sender) write(ctx context.Context, b []byte) error {
	if s.conn != nil && s.gone.Load() {
		s.drop()
	}
	if s.conn == nil {
		if err := s.connect(ctx); err != nil {
			return fmt.Errorf("connecting to %s: %w", s.config.Address, err)
		}
	}
	conn := s.conn
	err := conn.SetWriteDeadline(time.Now().Add(s.config.Timeout))
	stop := context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	if err == nil {
		_, err = conn.Write(b)
	}
	if err != nil {
		s.drop()
		return fmt.Errorf("sending to %s: %w", s.config.Address, err)
	}
	return nil
}

func (s *Sender) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	var err error
	switch s.over {
	case overTLS:
		s.conn, err = (&tls.Dialer{Config: s.tls}).DialContext(ctx, "tcp", s.hostPort)
	default:
		s.conn, err = (&net.Dialer{}).DialContext(ctx, s.over, s.hostPort)
	}
	if err != nil {
		s.conn = nil
		return err
	}
	gone := &atomic.Bool{}
	s.gone = gone
	if s.over != overUDP {
		go func(conn net.Conn) { // a server that goes says so only to who reads
			_, _ = io.Copy(io.Discard, conn)
			gone.Store(true)
		}(s.conn)
	}
	return nil
}

func (s *Sender) drop() {
	_ = s.conn.Close() // it is of no use any more
	s.conn = nil
}

// Close implements exporters.Exporter.
func (s *Sender) Close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	if s.gone.Load() || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Severities of syslog (RFC 5424, table 2).
const (
	syslogWarning = 4
	syslogInfo    = 6
)

// maxHostname bounds HOSTNAME, in characters (RFC 5424, section 6).
const maxHostname = 255

// appendMessage writes a message (RFC 5424, section 6): <PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG. Its text is
// UTF-8 without a byte order mark, which readers of CEF do not expect.
func (s *Sender) appendMessage(b []byte, ev *event.Event) []byte {
	severity := syslogInfo
	if ev.Event.Dataset == event.DatasetFinding {
		severity = syslogWarning
	}
	b = append(b, '<')
	b = strconv.AppendInt(b, int64(s.config.Facility*8+severity), 10)
	b = append(b, ">1 "...)
	b = ev.Timestamp.Time().AppendFormat(b, "2006-01-02T15:04:05.000000Z") // microseconds at most (section 6.2.3)
	b = append(b, ' ')
	b = appendHostname(b, ev)
	b = append(b, " gnomon - "...)
	b = append(b, strings.TrimPrefix(ev.Event.Dataset, "gnomon.")...)
	b = append(b, " - "...)
	return appendCEF(b, ev)
}

// appendHostname writes the sensor's name in printable ASCII, or the sign for none.
func appendHostname(b []byte, ev *event.Event) []byte {
	if ev.Observer == nil || ev.Observer.Name == "" {
		return append(b, '-')
	}
	for i, r := range ev.Observer.Name {
		if i == maxHostname {
			break
		}
		if r <= ' ' || r > '~' {
			r = '_'
		}
		b = append(b, byte(r))
	}
	return b
}
