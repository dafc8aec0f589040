package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/capture/pcapfile"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// TestMain lets the test binary be the program, or a sender of frames, inside a network namespace.
func TestMain(m *testing.M) {
	switch os.Getenv("GNOMON_TEST_AS") {
	case "gnomon":
		main()
	case "sender":
		if err := sendFrames(os.Args[1:]); err != nil {
			panic(err)
		}
	case "origin":
		if err := serveOrigin(); err != nil {
			panic(err)
		}
	default:
		m.Run() // its status is the process's
	}
}

// aTurn is how many frames are sent before the next byte on stdin is waited for, where stdin is open.
const aTurn = 200

// sendFrames writes the first frames of a capture to interfaces: COUNT FILE INTERFACE [INTERFACE]. With two interfaces each frame goes
// out of the one that its direction belongs to, as a tap delivers it: addresses of 10.20.0.0/16 are inside.
func sendFrames(args []string) error {
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	file, err := pcapfile.Open(args[1])
	if err != nil {
		return err
	}
	var fds []int
	for _, name := range args[2:] {
		fd, err := rawSocket(name)
		if err != nil {
			return fmt.Errorf("opening %s: %w", name, err)
		}
		fds = append(fds, fd)
	}
	var batch [1]capture.Frame
	pace := time.NewTimer(time.Hour)
	for sent := 0; sent < count; sent++ {
		if sent%aTurn == 0 {
			_, _ = os.Stdin.Read(make([]byte, 1)) // nothing comes where it is closed
		}
		n, err := file.Next(batch[:])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || n == 0 {
			return err
		}
		data, port := batch[0].Data, 0
		if len(fds) == 2 && len(data) > 30 && data[12] == 8 && data[26] == 10 {
			port = 1
		}
		if _, err := unix.Write(fds[port], data); err != nil {
			return err
		}
		pace.Reset(200 * time.Microsecond)
		<-pace.C
	}
	return nil
}

func rawSocket(name string) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr); err != nil {
		return 0, err
	}
	return fd, unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: int(ifr.Uint32())})
}

// namespace makes a network namespace with n pairs of virtual interfaces, in0-out0 and so on. Without permission the test ends: in CI it
// fails.
func namespace(t *testing.T, pairs int) string {
	t.Helper()
	name := "gnomon-test-" + rand.Text() // one of this process's number may be left over from a run that was killed
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("making a network namespace: %v: %s", err, out)
		}
		t.Skipf("no permission to make a network namespace (%v): the live tests run as root", err)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	for i := range pairs {
		in, out := fmt.Sprintf("in%d", i), fmt.Sprintf("out%d", i)
		for _, args := range [][]string{{"link", "add", in, "type", "veth", "peer", "name", out}, {"link", "set", in, "up"}, {"link", "set", out, "up"}} {
			if text, err := exec.Command("ip", append([]string{"-n", name}, args...)...).CombinedOutput(); err != nil {
				t.Fatalf("ip %v: %v: %s", args, err, text)
			}
		}
	}
	return name
}

// inside prepares the test binary to run inside the namespace as somebody.
func inside(ctx context.Context, ns, as string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", ns, os.Args[0]}, args...)...)
	cmd.Env = append(os.Environ(), "GNOMON_TEST_AS="+as)
	return cmd
}

// daemonProcess is a running `gnomon run` whose records arrive on a channel.
type daemonProcess struct {
	cmd    *exec.Cmd
	ready  chan struct{}
	mu     sync.Mutex
	events []timed
	errs   strings.Builder
	ended  chan struct{}
}

type timed struct {
	event.Event
	arrived time.Time
}

func startDaemon(t *testing.T, ns string, args ...string) *daemonProcess {
	t.Helper()
	d := &daemonProcess{ready: make(chan struct{}), ended: make(chan struct{})}
	d.cmd = inside(t.Context(), ns, "gnomon", append([]string{"run", "--json", "--state-dir", t.TempDir()}, args...)...)
	stdout, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	readers.Go(func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			d.mu.Lock()
			d.errs.WriteString(lines.Text() + "\n")
			d.mu.Unlock()
			if strings.Contains(lines.Text(), "msg=started") {
				close(d.ready)
			}
		}
	})
	readers.Go(func() {
		lines := bufio.NewScanner(stdout)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var ev event.Event
			if json.Unmarshal(lines.Bytes(), &ev) == nil {
				d.mu.Lock()
				d.events = append(d.events, timed{ev, time.Now()})
				d.mu.Unlock()
			}
		}
	})
	go func() { readers.Wait(); close(d.ended) }()
	select {
	case <-d.ready:
	case <-d.ended:
		t.Fatalf("the daemon did not start:\n%s", d.says())
	}
	return d
}

// stop ends the daemon with SIGTERM and returns its records.
func (d *daemonProcess) stop(t *testing.T) []timed {
	t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-d.ended
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("the daemon ended with %v:\n%s", err, d.errs.String())
	}
	return d.events
}

// says is what the daemon has said on stderr.
func (d *daemonProcess) says() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.errs.String()
}

// waitFor returns the n-th record that matches, when the daemon has written it.
func (d *daemonProcess) waitFor(t *testing.T, n int, match func(*event.Event) bool) timed {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-look.C {
		d.mu.Lock()
		found := 0
		for i := range d.events {
			if match(&d.events[i].Event) {
				if found++; found == n {
					ev := d.events[i]
					d.mu.Unlock()
					return ev
				}
			}
		}
		d.mu.Unlock()
	}
	t.Fatalf("no %d records that match came within %v:\n%s", n, patience, d.says())
	return timed{}
}

// figures are what must be the same live and from the file.
type figures struct{ up, down uint64 }

// sums adds counted activities up by five-tuple and service.
func sums(events []timed) map[string]figures {
	got := map[string]figures{}
	for i := range events {
		ev := &events[i].Event
		if ev.Gnomon.Service == nil || !*ev.Gnomon.Counted {
			continue
		}
		key := fmt.Sprint(ev.Source.IP, *ev.Source.Port, ev.Destination.IP, ev.Rule.ID)
		f := got[key]
		got[key] = figures{f.up + *ev.Source.Bytes, f.down + *ev.Destination.Bytes}
	}
	return got
}

// offline is what the first count frames of the demonstration show when they are read from a file.
func offline(t *testing.T, count int) map[string]figures {
	t.Helper()
	p := &program{stdout: io.Discard, stderr: io.Discard, version: "test"}
	c, err := p.load()
	if err != nil {
		t.Fatal(err)
	}
	parts, err := p.assemble(&c)
	if err != nil {
		t.Fatal(err)
	}
	f, err := pcapfile.Open(demo)
	if err != nil {
		t.Fatal(err)
	}
	var all collected
	if _, err := parts.runOne(context.Background(), parts.sensor(&c), &firstFrames{File: f, left: count}, &all); err != nil {
		t.Fatal(err)
	}
	return sums(all.events)
}

type collected struct{ events []timed }

// Offer implements sensor.Sink.
func (c *collected) Offer(ev *event.Event) {
	line, err := json.Marshal(ev)
	if err != nil {
		panic(err)
	}
	var copied timed
	if err := json.Unmarshal(line, &copied.Event); err != nil {
		panic(err)
	}
	c.events = append(c.events, copied)
}

// firstFrames ends a capture early.
type firstFrames struct {
	*pcapfile.File
	left int
}

// Next implements capture.Source.
func (f *firstFrames) Next(batch []capture.Frame) (int, error) {
	if f.left == 0 {
		return 0, io.EOF
	}
	n, err := f.File.Next(batch[:min(len(batch), f.left)])
	f.left -= n
	return n, err
}

func isSNI(name string) func(*event.Event) bool {
	return func(ev *event.Event) bool {
		return ev.Gnomon.Evidence != nil && ev.Gnomon.Evidence.Class == "sni" && ev.Destination.Domain == name
	}
}

// A use appears within 5 seconds of its first frame although its flow goes on, and SIGTERM in mid-flow loses nothing: bytes and services are
// those of the same frames read from a file.
func TestLive(t *testing.T) {
	for _, c := range []struct {
		name   string
		pairs  int
		run    []string
		send   []string
		frames int
	}{
		{"one interface", 1, []string{"-i", "in0"}, []string{"out0"}, 1 << 30},
		{"stopped in mid-flow", 1, []string{"-i", "in0"}, []string{"out0"}, 400},
		{"two directions on two interfaces", 2, nil, []string{"out0", "out1"}, 1 << 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			ns := namespace(t, c.pairs)
			args := c.run
			if c.pairs == 2 {
				args = []string{"-c", file(t, "tap.toml", "[[capture.tap]]\ninterfaces = [\"in0\", \"in1\"]\n")}
			}
			want := offline(t, c.frames)
			got, after := watched(t, ns, args, append([]string{strconv.Itoa(c.frames), demo}, c.send...))
			for tries := 1; after > 5*time.Second && tries < 5; tries++ { // a busy machine is late now and then, a sensor that waits always
				got, after = watched(t, ns, args, append([]string{strconv.Itoa(c.frames), demo}, c.send...))
			}
			if after > 5*time.Second {
				t.Errorf("the use appeared %v after its first frame", after)
			}
			if len(want) == 0 {
				t.Fatal("the file shows nothing")
			}
			for key, w := range want {
				if got[key] != w {
					t.Errorf("%s: live %+v, from the file %+v", key, got[key], w)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d uses live, %d from the file", len(got), len(want))
			}
		})
	}
}

// watched is what a daemon says of frames that a sender sends, and how long after its first frame a use appeared.
func watched(t *testing.T, ns string, run, send []string) (map[string]figures, time.Duration) {
	t.Helper()
	d := startDaemon(t, ns, run...)
	if out, err := inside(t.Context(), ns, "sender", send...).CombinedOutput(); err != nil {
		t.Fatalf("sending: %v: %s", err, out)
	}
	first := d.waitFor(t, 1, isSNI("chatgpt.com"))
	return sums(d.stop(t)), first.arrived.Sub(first.Event.Event.Start.Time())
}
