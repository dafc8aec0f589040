package input

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

const (
	// maxDatagram is the longest that there is.
	maxDatagram = 65535
	// receiveBuffer is what the kernel is asked to keep of datagrams that were not read yet; it gives what net.core.rmem_max allows.
	receiveBuffer = 8 << 20
	// maxSenders bounds how many senders' formats are remembered; beyond it all are forgotten.
	maxSenders = 1024
)

// udp takes syslog in datagrams (RFC 5426). What there is no room for is counted by the kernel.
type udp struct {
	source  *source
	conn    *net.UDPConn
	senders map[netip.AddrPort]*stream
	missed  uint32 // as the kernel said last
}

func listenUDP(s *source) (*udp, error) {
	c, err := (&net.ListenConfig{Control: countOverflow}).ListenPacket(context.Background(), "udp", s.config.Address)
	if err != nil {
		return nil, s.taken(err)
	}
	conn, ok := c.(*net.UDPConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("listening for logs at %s: no UDP", s.config.Address), c.Close())
	}
	_ = conn.SetReadBuffer(receiveBuffer) // as much as is allowed
	return &udp{source: s, conn: conn, senders: map[netip.AddrPort]*stream{}}, nil
}

var _ reader = (*udp)(nil)

// close implements reader.
func (u *udp) close() error { return closed(u.conn.Close()) }

// run implements reader.
func (u *udp) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = u.conn.SetReadDeadline(time.Unix(1, 0)) }) // reading ends
	defer stop()
	b, oob := make([]byte, maxDatagram), make([]byte, 128)
	for {
		n, m, _, from, err := u.conn.ReadMsgUDPAddrPort(b, oob)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) {
				return nil
			}
			return fmt.Errorf("reading datagrams at %s: %w", u.conn.LocalAddr(), err)
		}
		if missed, ok := overflow(oob[:m]); ok {
			u.source.lose(uint64(missed - u.missed))
			u.missed = missed
		}
		if err := u.source.message(ctx, u.sender(from), trim(b[:n]), nil); err != nil {
			return nil // the end
		}
	}
}

// sender is what is remembered of one.
func (u *udp) sender(from netip.AddrPort) *stream {
	from = netip.AddrPortFrom(from.Addr(), 0) // one that sends each message from a new port is still the same
	st := u.senders[from]
	if st == nil {
		if len(u.senders) >= maxSenders {
			clear(u.senders)
		}
		st = &stream{}
		u.senders[from] = st
	}
	return st
}
