// Package forward is the wire in the middle of the laboratory: an Ethernet switch in user space that joins the veth ends of
// one namespace, can lose, delay, duplicate and reorder frames, and shows every frame to a tap. It does not decide what is
// impaired (see cases) or how frames are stored (see pcapfile).
package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Tap is shown every frame that passes, at the moment it passes, by one goroutine. The frame belongs to the tap.
type Tap func(at time.Time, port int, frame []byte)

// Switch forwards frames between its ports.
//
//	port 0 --\                           /-- port 0
//	port 1 ---+-- impair -- wait -- tap -+-- port 1
//	port 2 --/                           \-- port 2
type Switch struct {
	ports  []*os.File
	macs   map[[6]byte]int // which port an address was last seen on
	impair *Impairer
	tap    Tap
	queue  schedule
	last   atomic.Int64 // Unix time in ns at which a frame last passed
	fault  error        // first unexpected error of a port
	once   sync.Once
}

type arrival struct {
	port  int
	frame []byte
}

// Open binds a raw socket to each link; call it inside the namespace that holds them.
func Open(links []string, rules Rules, tap Tap) (*Switch, error) {
	s := &Switch{macs: map[[6]byte]int{}, impair: NewImpairer(rules), tap: tap}
	for _, link := range links {
		port, err := openPort(link)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.ports = append(s.ports, port)
	}
	return s, nil
}

func openPort(link string) (*os.File, error) {
	dev, err := net.InterfaceByName(link)
	if err != nil {
		return nil, fmt.Errorf("finding link %s: %w", link, err)
	}
	const allProtocols = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8 // in network byte order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a raw socket on %s: %w; run as root", link, err)
	}
	const receiveBuffer = 64 << 20 // a frame dropped here would be an impairment nobody asked for
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: allProtocols, Ifindex: dev.Index}),
	)
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("binding a raw socket to %s: %w", link, err)
	}
	return os.NewFile(uintptr(fd), link), nil
}

// Run forwards until the context ends or the switch is closed, then delivers nothing more.
func (s *Switch) Run(ctx context.Context) error {
	arrivals := make(chan arrival, 256)
	var readers sync.WaitGroup
	for i := range s.ports {
		readers.Go(func() { s.read(ctx, i, arrivals) })
	}
	go func() {
		readers.Wait()
		close(arrivals)
	}()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait := time.Hour
		if at, ok := s.queue.next(); ok {
			wait = time.Until(at)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return s.fault
		case a, ok := <-arrivals:
			if !ok {
				return s.fault
			}
			s.accept(time.Now(), a)
		case <-timer.C:
		}
		s.release(time.Now())
	}
}

// Quiet returns how long no frame has passed.
func (s *Switch) Quiet() time.Duration {
	return time.Since(time.Unix(0, s.last.Load()))
}

// Close closes the ports, which ends Run.
func (s *Switch) Close() error {
	var errs []error
	for _, port := range s.ports {
		errs = append(errs, port.Close())
	}
	return errors.Join(errs...)
}

func (s *Switch) read(ctx context.Context, port int, arrivals chan<- arrival) {
	buf := make([]byte, 1<<16)
	for {
		n, err := s.ports[port].Read(buf)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			s.once.Do(func() { s.fault = fmt.Errorf("reading frames from %s: %w", s.ports[port].Name(), err) })
			return
		}
		select {
		case arrivals <- arrival{port, append([]byte(nil), buf[:n]...)}:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Switch) accept(now time.Time, a arrival) {
	if len(a.frame) < etherHeader {
		return
	}
	s.macs[[6]byte(a.frame[6:12])] = a.port
	for _, p := range s.impair.Pass(a.frame) {
		s.queue.add(passing{at: now.Add(p.Delay), arrival: a, deliver: p.Delivered})
	}
	s.last.Store(now.UnixNano())
}

func (s *Switch) release(now time.Time) {
	for p, ok := s.queue.due(now); ok; p, ok = s.queue.due(now) {
		s.tap(time.Now(), p.port, p.frame)
		s.last.Store(now.UnixNano())
		if p.deliver {
			s.deliver(p.arrival)
		}
	}
}

// deliver sends a frame to the port its destination was seen on, or to all others. A full queue of the
// kernel loses the frame, as a switch would.
func (s *Switch) deliver(a arrival) {
	out, known := s.macs[[6]byte(a.frame[:6])]
	for i, port := range s.ports {
		if i != a.port && (!known || i == out) {
			_, _ = port.Write(a.frame)
		}
	}
}
