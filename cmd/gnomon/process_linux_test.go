package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/exporters/store"
	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/capture/pcapfile"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Tests whose names begin with TestProcess start the test binary again, as the program; where that cannot be, under an emulator, they are left out.

// scanning is a `gnomon scan --store -` of its own process. It goes on for as long as its capture is not closed.
type scanning struct {
	cmd     *exec.Cmd
	capture *os.File   // our end of the pipe
	mu      sync.Mutex // guards errs
	errs    bytes.Buffer
}

// startScan starts one on a state directory.
func startScan(t *testing.T, dir string) *scanning {
	t.Helper()
	return startProcess(t, "scan", "--store", "--state-dir", dir, "-")
}

// startProcess starts the program as a process of its own that reads a capture from its stdin.
func startProcess(t *testing.T, args ...string) *scanning {
	t.Helper()
	s := &scanning{cmd: exec.CommandContext(t.Context(), os.Args[0], args...)}
	s.cmd.Env = append(os.Environ(), "GNOMON_TEST_AS=gnomon", "GORACE=atexit_sleep_ms=0")
	s.cmd.Stderr = s
	stdin, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.capture = stdin.(*os.File)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// Write implements io.Writer for what the process says on stderr.
func (s *scanning) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.errs.Write(b)
}

func (s *scanning) says() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.errs.String()
}

// feed hands frames over; it returns when all but what a pipe holds has been read.
func (s *scanning) feed(t *testing.T, frames []byte) {
	t.Helper()
	if _, err := s.capture.Write(frames); err != nil {
		t.Fatalf("handing frames over: %v; it says:\n%s", err, s.says())
	}
}

// taken waits until it has read all that was handed over. What it does before it reads it has done then.
func (s *scanning) taken(t *testing.T) {
	t.Helper()
	pipe, err := s.capture.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	until(t, "it reads what it was handed", func() bool {
		waiting := -1
		if err := errors.Join(pipe.Control(func(fd uintptr) { waiting, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) }), err); err != nil {
			t.Fatal(err)
		}
		return waiting == 0
	})
}

// end closes the capture and returns the exit status.
func (s *scanning) end(t *testing.T) int {
	t.Helper()
	if err := s.capture.Close(); err != nil {
		t.Fatal(err)
	}
	return exitStatus(t, s.cmd.Wait())
}

// kill ends the process as a loss of power would end it, as far as it can know.
func (s *scanning) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var ended *exec.ExitError
	if err := s.cmd.Wait(); !errors.As(err, &ended) || ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("it was not killed: %v\n%s", err, s.says())
	}
}

// exitStatus reads the exit status out of what Wait returned.
func exitStatus(t *testing.T, err error) int {
	t.Helper()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return ended.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0
}

// patience is how long something may take that takes no time where nothing else runs: a busy or slow machine is no fault of the program.
const patience = 3 * time.Minute

// until waits for something to become true.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// scanAll scans a capture to its end.
func scanAll(t *testing.T, dir string, frames []byte) {
	t.Helper()
	s := startScan(t, dir)
	s.feed(t, frames)
	if status := s.end(t); status != 0 {
		t.Fatalf("status %d: %s", status, s.says())
	}
}

// demoFrames are the frames of the demonstration.
func demoFrames(t *testing.T) []capture.Frame {
	t.Helper()
	source, err := pcapfile.Open(demo)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = source.Close() }()
	var frames []capture.Frame
	for {
		var batch [64]capture.Frame
		n, err := source.Next(batch[:])
		for _, f := range batch[:n] {
			f.Data = bytes.Clone(f.Data)
			frames = append(frames, f)
		}
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// linkEthernet is LINKTYPE_ETHERNET (https://www.tcpdump.org/linktypes.html).
const linkEthernet = 1

// captureOf is a capture file's text; without frames only its header.
func captureOf(t *testing.T, frames []capture.Frame) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := pcapfile.NewWriter(&buf, linkEthernet)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	return buf.Bytes()
}

// offices is the capture of the demonstration several times over, a day apart: a capture's header, and the frames of each day.
func offices(t *testing.T, count int) (head []byte, days [][]byte) {
	t.Helper()
	head = captureOf(t, nil)
	frames := demoFrames(t)
	for range count {
		days = append(days, captureOf(t, frames)[len(head):])
		for i := range frames {
			frames[i].Time += int64(24 * time.Hour)
		}
	}
	return head, days
}

// sameSensor gives a new state directory the identity and the key of another, so that the same input gives the same records.
func sameSensor(t *testing.T, dir string) string {
	t.Helper()
	other := t.TempDir()
	for _, name := range []string{"observer.id", "pseudonym.key"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(other, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return other
}

// stored counts the uses that a store's sums know of; 0 if there is no store yet, or one that is just being made.
func stored(t *testing.T, dir string) uint64 {
	t.Helper()
	r, err := store.OpenReader(filepath.Join(dir, "store.db"))
	if err != nil {
		return 0
	}
	defer func() { _ = r.Close() }()
	rows, err := r.Sums(context.Background(), query.Request{})
	if err != nil {
		t.Fatal(err)
	}
	var flows uint64
	for _, row := range rows {
		flows += row.Flows
	}
	return flows
}

// exists says whether a state directory has a store.
func exists(t *testing.T, dir string) bool {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "store.db"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil && info.Size() > 0
}

// storedIn counts how often each record is in the store of a state directory, by dataset and id; nothing if there is none yet.
func storedIn(t *testing.T, dir string) map[string]int {
	t.Helper()
	got := map[string]int{}
	for _, ev := range recordsIn(t, dir) {
		got[ev.Event.Dataset+" "+ev.Event.ID]++
	}
	return got
}

func recordsIn(t *testing.T, dir string) []event.Event {
	t.Helper()
	if !exists(t, dir) {
		return nil
	}
	r, err := store.OpenReader(filepath.Join(dir, "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	var all []event.Event
	for _, dataset := range []string{event.DatasetActivity, event.DatasetFinding, event.DatasetCoverage} {
		ask := query.RecordRequest{Dataset: dataset, From: time.Unix(0, 0), To: time.Now().AddDate(1, 0, 0)}
		some, err := allRecords(context.Background(), r, ask, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, some...)
	}
	return all
}

// totalsIn adds up what a store's sums say, by service and user.
func totalsIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	r, err := store.OpenReader(filepath.Join(dir, "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	got := map[string]string{}
	for _, by := range [][]query.Dimension{{query.ByService}, {query.ByService, query.ByUser}, {query.ByDay, query.ByStatus}, nil} {
		rows, err := r.Sums(context.Background(), query.Request{From: time.Unix(0, 0), To: time.Now().AddDate(1, 0, 0).Truncate(time.Hour), By: by})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			row.First, row.Last = row.First.UTC(), row.Last.UTC()
			got[fmt.Sprint(by, row.Key)] = fmt.Sprintf("%+v", row)
		}
	}
	return got
}

// sameStore says where two stores differ.
func sameStore(t *testing.T, got, want string) {
	t.Helper()
	have, wanted := storedIn(t, got), storedIn(t, want)
	if len(wanted) == 0 {
		t.Fatal("the undisturbed store is empty")
	}
	for id := range wanted {
		if have[id] != 1 {
			t.Errorf("record %s is there %d times", id, have[id])
		}
	}
	if len(have) != len(wanted) {
		t.Errorf("%d records, undisturbed %d", len(have), len(wanted))
	}
	sums, undisturbed := totalsIn(t, got), totalsIn(t, want)
	for key, w := range undisturbed {
		if sums[key] != w {
			t.Errorf("the sum %s is\n%s\nundisturbed\n%s", key, sums[key], w)
		}
	}
	if len(sums) != len(undisturbed) {
		t.Errorf("%d sums, undisturbed %d", len(sums), len(undisturbed))
	}
}

// filesIn reads all files of a directory and below it.
func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir+"/")] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// oneLine says whether a text is a single line.
func oneLine(s string) bool { return strings.Count(s, "\n") == 1 && strings.HasSuffix(s, "\n") }
