package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Killed twenty times in mid-replay, a scan that goes back a day after each kill and then over everything again leaves what an undisturbed
// one leaves: every record once, and the same sums.
func TestProcessKilled(t *testing.T) {
	t.Parallel()
	const kills = 20
	head, days := offices(t, kills+1)
	dir := t.TempDir()
	for i := range kills {
		before := stored(t, dir)
		s := startScan(t, dir)
		s.feed(t, slices.Concat(head, days[i], days[i+1]))
		if i%2 == 0 { // right after a commit, while the next is under way; else whenever it is
			until(t, "new records are in the store", func() bool { return stored(t, dir) > before })
		}
		s.kill(t)
	}
	left := len(storedIn(t, dir))
	all := append(head, slices.Concat(days...)...)
	scanAll(t, dir, all)
	undisturbed := sameSensor(t, dir)
	scanAll(t, undisturbed, all)
	sameStore(t, dir, undisturbed)
	if total := len(storedIn(t, dir)); left == 0 || left >= total {
		t.Errorf("the kills left %d records of %d: they came too early or too late", left, total)
	}
	scanAll(t, dir, all) // again: nothing is counted twice
	sameStore(t, dir, undisturbed)
}

// smallDisk is a file system of its own with the state directory of a sensor that has seen a day.
func smallDisk(t *testing.T, day []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("mounting a small file system: %v", err)
		}
		t.Skipf("no permission to mount a small file system (%v): this runs as root", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	scanAll(t, dir, day)
	return dir
}

// fill takes all room but a little.
func fill(t *testing.T, dir string) (ballast string) {
	t.Helper()
	ballast = filepath.Join(dir, "ballast")
	f, err := os.OpenFile(ballast, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	return ballast
}

// On a full disk nothing that was acknowledged is lost: the scan says so and waits, and goes on when there is room.
func TestProcessDiskFull(t *testing.T) {
	t.Parallel()
	head, days := offices(t, 4)
	dir := smallDisk(t, slices.Concat(head, days[0]))
	undisturbed := sameSensor(t, dir)
	scanAll(t, undisturbed, slices.Concat(head, slices.Concat(days...)))

	before := stored(t, dir)
	s := startScan(t, dir)
	s.feed(t, slices.Concat(head, days[0], days[1]))
	until(t, "new records are in the store", func() bool { return stored(t, dir) > before })
	acknowledged := storedIn(t, dir)
	ballast := fill(t, dir)
	s.feed(t, slices.Concat(days[2:]...))
	until(t, "it says that there is no room", func() bool { return strings.Contains(s.says(), "there is no room") })
	now := storedIn(t, dir)
	for id := range acknowledged {
		if now[id] != 1 {
			t.Fatalf("record %s was stored before the disk was full, and is gone", id)
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if status := s.end(t); status != 0 {
		t.Fatalf("status %d: %s", status, s.says())
	}
	sameStore(t, dir, undisturbed)
}

// If a disk stays full to the end, what could not be stored is counted, and the exit status says it.
func TestProcessDiskStaysFull(t *testing.T) {
	t.Parallel()
	head, days := offices(t, 3)
	dir := smallDisk(t, slices.Concat(head, days[0]))
	before := storedIn(t, dir)
	undisturbed := sameSensor(t, dir)
	scanAll(t, undisturbed, slices.Concat(head, slices.Concat(days...)))
	all := storedIn(t, undisturbed)

	s := startScan(t, dir)
	s.feed(t, head)
	s.taken(t) // it has the store and the spool
	ballast := fill(t, dir)
	s.feed(t, slices.Concat(days...))
	status := s.end(t)
	if status != 1 || !strings.Contains(s.says(), "were lost") {
		t.Fatalf("status %d: %s", status, s.says())
	}
	after := storedIn(t, dir)
	for id := range before {
		if after[id] != 1 {
			t.Errorf("record %s was stored before, and is there %d times now", id, after[id])
		}
	}
	lost, kept := lossOf(t, s.says())
	if lost == 0 || lost+kept != len(all) {
		t.Errorf("%d lost and %d kept of %d:\n%s", lost, kept, len(all), s.says())
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	scanAll(t, dir, head) // what is in the spool reaches the store now
	after = storedIn(t, dir)
	if missing := len(all) - len(after); missing > lost {
		t.Errorf("%d records are missing, %d were said to be lost", missing, lost)
	}
}

// lossOf reads how many records were lost and kept out of what a program says.
func lossOf(t *testing.T, text string) (lost, kept int) {
	t.Helper()
	m := regexp.MustCompile(`keeping records in the spool .*: (\d+) were lost, (\d+) kept`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("it does not say how many records were lost: %s", text)
	}
	lost, _ = strconv.Atoi(m[1])
	kept, _ = strconv.Atoi(m[2])
	return lost, kept
}
