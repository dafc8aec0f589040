package afpacket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// namespace moves the test into a network of its own and says if it may; what it says when it may not is in the log, and in CI it
// is a failure. The thread is never unlocked: it ends with the test, and the network with it.
func namespace(t *testing.T) bool {
	t.Helper()
	runtime.LockOSThread()
	err := unix.Unshare(unix.CLONE_NEWNET)
	if err == nil {
		_, err = exec.LookPath("ip")
	}
	if err == nil {
		ip(t, "link set lo up")
		return true
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("making a network namespace: %v; CI has to run this test as root, with iproute2", err)
	}
	t.Logf("this test does nothing here, it needs root and iproute2: %v", err)
	return false
}

// here returns a function by which a subtest, which runs on a thread of its own, enters the network of the test.
func here(t *testing.T) (enter func(t *testing.T)) {
	t.Helper()
	fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return func(t *testing.T) {
		t.Helper()
		runtime.LockOSThread()
		if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			t.Fatal(err)
		}
	}
}

// ip runs a command of iproute2 in the test's network.
func ip(t *testing.T, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
}

// veth makes a pair of interfaces that are up.
func veth(t *testing.T, a, b string) {
	t.Helper()
	ip(t, "link add "+a+" type veth peer name "+b)
	ip(t, "link set "+a+" up")
	up(t, b, a)
}

// up switches an interface on and waits for the carrier, without which the other end sends into the void.
func up(t *testing.T, name, peer string) {
	t.Helper()
	ip(t, "link set "+name+" up")
	for _, end := range []string{name, peer} {
		for deadline := time.Now().Add(patience); ; {
			state, err := State(end)
			if err != nil {
				t.Fatal(err)
			}
			if state.Running {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s gets no carrier", end)
			}
		}
	}
}

// sender sends raw frames on an interface.
type sender struct {
	t  *testing.T
	fd int
	to unix.SockaddrLinklayer
}

func newSender(t *testing.T, name string) *sender {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	state, err := State(name)
	if err != nil {
		t.Fatal(err)
	}
	return &sender{t, fd, unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_IP), Ifindex: state.Index}}
}

func (s *sender) send(frame []byte) {
	s.t.Helper()
	if err := unix.Sendto(s.fd, frame, 0, &s.to); err != nil {
		s.t.Fatalf("sending a frame: %v", err)
	}
}

// marker is how the test's frames are told from those that the kernel sends by itself.
const marker = "gnomon-test-"

// datagram is an Ethernet frame with a UDP datagram from port to port that carries a number. The tag goes in front of the type.
func datagram(from, to uint16, number int, tag ...byte) []byte {
	src, dst := [4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 2}
	if from > to { // the way back
		src, dst = dst, src
	}
	be := binary.BigEndian
	body := append([]byte(marker), byte(number>>8), byte(number))
	f := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
	f = append(f, tag...)
	f = append(f, 0x08, 0x00, 0x45, 0)
	f = be.AppendUint16(f, uint16(28+len(body)))
	f = append(f, 0, 0, 0, 0, 64, 17, 0, 0)
	f = append(append(f, src[:]...), dst[:]...)
	f = be.AppendUint16(be.AppendUint16(f, from), to)
	f = be.AppendUint16(f, uint16(8+len(body)))
	return append(append(f, 0, 0), body...)
}

// seen is a frame of the test as it came out of a source.
type seen struct {
	capture.Frame
	number   int
	from, to uint16
}

// parse finds the number in a frame of the test, however it is wrapped.
func parse(f capture.Frame) (seen, bool) {
	i := bytes.Index(f.Data, []byte(marker))
	if i < 8 || len(f.Data) < i+len(marker)+2 {
		return seen{}, false
	}
	be := binary.BigEndian
	s := seen{Frame: f, number: int(be.Uint16(f.Data[i+len(marker):])), from: be.Uint16(f.Data[i-8:]), to: be.Uint16(f.Data[i-6:])}
	s.Data = bytes.Clone(f.Data)
	return s, true
}

// open opens a capture for a test, with small rings.
func open(t *testing.T, cfg Config) []capture.Source {
	t.Helper()
	if cfg.BlockSize == 0 {
		cfg.BlockSize, cfg.Blocks = blockUnit, 16
	}
	sources, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		if _, err := s.Next(nil); err != nil { // from here on there is a reader, and Close leaves the end to it
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, s := range sources {
			finish(t, s)
		}
	})
	return sources
}

// patience bounds how long a test waits for what should happen at once.
const patience = 2 * time.Minute

// next calls Next once and returns the test's frames among what it gives.
func next(t *testing.T, source capture.Source) (frames []seen, err error) {
	t.Helper()
	var batch [64]capture.Frame
	n, err := source.Next(batch[:])
	for _, f := range batch[:n] {
		if s, ok := parse(f); ok {
			frames = append(frames, s)
		}
	}
	return frames, err
}

// collect reads a source until it has given so many frames of the test.
func collect(t *testing.T, source capture.Source, want int) (frames []seen) {
	t.Helper()
	for deadline := time.Now().Add(patience); len(frames) < want; {
		got, err := next(t, source)
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, got...)
		if time.Now().After(deadline) {
			t.Fatalf("%d frames came, want %d", len(frames), want)
		}
	}
	return frames
}

// finish closes a source and returns what it still held.
func finish(t *testing.T, source capture.Source) (frames []seen) {
	t.Helper()
	if err := source.Close(); err != nil {
		t.Error(err)
	}
	for deadline := time.Now().Add(patience); ; {
		got, err := next(t, source)
		frames = append(frames, got...)
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("the source does not end: %v", err)
		}
	}
}

// numbers are the numbers of frames, in their order.
func numbers(frames []seen) (out []int) {
	for _, f := range frames {
		out = append(out, f.number)
	}
	return out
}

// inOrder wants the frames to be numbered from 0, none missing, none twice.
func inOrder(t *testing.T, frames []seen, want int) {
	t.Helper()
	if len(frames) != want {
		t.Errorf("%d frames, want %d", len(frames), want)
	}
	for i, f := range frames {
		if f.number != i {
			t.Fatalf("frame %d has number %d: %v", i, f.number, numbers(frames))
		}
		if i > 0 && f.Time < frames[i-1].Time {
			t.Errorf("frame %d is older than the one before", i)
		}
	}
}
