package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A second program on a state directory is refused and told which process has it; the first goes on, and reading is possible beside it.
func TestProcessSecond(t *testing.T) {
	t.Parallel()
	head, days := offices(t, 1)
	dir := t.TempDir()
	first := startScan(t, dir)
	first.feed(t, append(head, days[0]...))
	until(t, "records are in the store", func() bool { return stored(t, dir) > 0 })
	status, _, stderr := gnomon(t, "", "scan", "--store", "--state-dir", dir, demo)
	if pid := fmt.Sprintf("process %d has it open", first.cmd.Process.Pid); status != 1 || !oneLine(stderr) || !strings.Contains(stderr, pid) {
		t.Errorf("status %d; stderr is not one line with %q:\n%s", status, pid, stderr)
	}
	if status, _, stderr := gnomon(t, "", "findings", "--state-dir", dir); status != 0 {
		t.Errorf("reading beside it: status %d: %s", status, stderr)
	}
	if status := first.end(t); status != 0 {
		t.Errorf("status %d: %s", status, first.says())
	}
	if status, _, stderr := gnomon(t, "", "scan", "--store", "--state-dir", dir, demo); status != 0 {
		t.Errorf("after the first had ended: status %d: %s", status, stderr)
	}
}

// The same for daemons, which also want a port of their own: one that cannot have it ends, says so in one line and leaves nothing open.
func TestProcessSecondDaemon(t *testing.T) {
	ns := namespace(t, 1)
	first := t.TempDir()
	d := startDaemon(t, ns, "-i", "in0", "--state-dir", first)
	for _, c := range []struct {
		name, dir, says string
	}{
		{"same state directory", first, fmt.Sprintf("process %d has it open", d.cmd.Process.Pid)},
		{"same port", t.TempDir(), "127.0.0.1:8686: bind: address already in use; another program, or another gnomon, has the address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			second := inside(context.Background(), ns, "gnomon", "run", "-i", "in0", "--state-dir", c.dir)
			second.Env = append(second.Env, "GORACE=atexit_sleep_ms=0")
			out, err := second.CombinedOutput()
			if status := exitStatus(t, err); status != 1 || !oneLine(string(out)) || !strings.Contains(string(out), c.says) {
				t.Errorf("status %d; it does not say in one line %q:\n%s", status, c.says, out)
			}
			if c.dir == first {
				return
			}
			if status, _, stderr := gnomon(t, "", "scan", "--store", "--state-dir", c.dir, demo); status != 0 || strings.Contains(stderr, "was not closed") {
				t.Errorf("it left its store open: status %d: %s", status, stderr)
			}
		})
	}
	d.stop(t)
	if status, _, stderr := gnomon(t, "", "scan", "--store", "--state-dir", first, demo); status != 0 || strings.Contains(stderr, "was not closed") {
		t.Errorf("after the first had ended: status %d: %s", status, stderr)
	}
}

// The pages alone, on a port that somebody has.
func TestPortInUse(t *testing.T) {
	dir := t.TempDir()
	if status, _, stderr := gnomon(t, "", "scan", "--store", "--state-dir", dir, demo); status != 0 {
		t.Fatal(stderr)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	before := filesIn(t, dir)
	status, _, stderr := gnomon(t, "", "dashboard", "--state-dir", dir, "--listen", listener.Addr().String())
	if status != 1 || !oneLine(stderr) || !strings.Contains(stderr, listener.Addr().String()+": bind: address already in use; another program") {
		t.Errorf("status %d: %s", status, stderr)
	}
	after := filesIn(t, dir)
	for _, scratch := range []string{"store.db-shm", "store.db-wal"} { // of a reader; the next writer removes them
		delete(after, scratch)
	}
	if !maps.Equal(before, after) {
		t.Error("the state directory has changed")
	}
}

// A state directory that cannot be written to, and one that is no directory: one line that says what to do.
func TestStateDirectory(t *testing.T) {
	file := file(t, "file", "")
	unreadable := filepath.Join(t.TempDir(), "dir")
	if err := os.Mkdir(unreadable, 0o500); err != nil {
		t.Fatal(err)
	}
	denied := "permission denied"
	if os.Geteuid() == 0 { // whom rights do not hold back
		if err := syscall.Mount("tmpfs", unreadable, "tmpfs", syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := syscall.Unmount(unreadable, 0); err != nil {
				t.Error(err)
			}
		})
		denied = "read-only file system"
	}
	for _, c := range []struct {
		name, dir, says string
	}{
		{"read-only", unreadable, denied},
		{"read-only, to be made", filepath.Join(unreadable, "gnomon"), denied + "; name another with --state-dir or observer.state_dir"},
		{"a file", file, "not a directory"},
		{"below a file", filepath.Join(file, "gnomon"), "not a directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, stdout, stderr := gnomon(t, "", "scan", "--store", "--state-dir", c.dir, demo)
			if status != 1 || stdout != "" || !oneLine(stderr) || !strings.Contains(stderr, c.dir) || !strings.Contains(stderr, c.says) {
				t.Errorf("status %d; stderr is not one line with %s and %q:\n%s", status, c.dir, c.says, stderr)
			}
		})
	}
}

// A store that a newer version wrote is refused by every command, and no byte in the state directory changes.
func TestNewerStore(t *testing.T) {
	dir := t.TempDir()
	if status, _, stderr := gnomon(t, "", "scan", "--store", "--state-dir", dir, demo); status != 0 {
		t.Fatal(stderr)
	}
	f, err := os.OpenFile(filepath.Join(dir, "store.db"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	// The user version, https://www.sqlite.org/fileformat2.html, section 1.3.
	if _, err := f.WriteAt([]byte{0, 0, 0, 99}, 60); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	before := filesIn(t, dir)
	for _, args := range [][]string{
		{"scan", "--store", demo},
		{"report", "--last", "7d"},
		{"findings"},
		{"dashboard", "--listen", "127.0.0.1:0"},
	} {
		t.Run(args[0], func(t *testing.T) {
			status, _, stderr := gnomon(t, "", append(args, "--state-dir", dir)...)
			if status != 1 || !oneLine(stderr) || !strings.Contains(stderr, "a newer gnomon wrote it (version 99") {
				t.Errorf("status %d: %s", status, stderr)
			}
			after := filesIn(t, dir)
			for name := range after {
				if after[name] != before[name] {
					t.Errorf("%s has changed", name)
				}
			}
			if len(after) != len(before) {
				t.Errorf("there were %d files, now %d", len(before), len(after))
			}
		})
	}
}
