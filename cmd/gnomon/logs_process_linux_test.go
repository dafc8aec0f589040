package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/exporters/store"
)

// logWriter is a proxy that writes its log and has it rotated.
type logWriter struct {
	t     *testing.T
	dir   string
	file  *os.File
	lines int
	turns int

	flows, up uint64 // what it wrote of AI services
}

func newLogWriter(t *testing.T) *logWriter {
	w := &logWriter{t: t, dir: t.TempDir()}
	w.open()
	return w
}

func (w *logWriter) path(name string) string { return filepath.Join(w.dir, name) }

func (w *logWriter) open() {
	w.t.Helper()
	var err error
	if w.file, err = os.OpenFile(w.path("access.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// write writes n lines, of which one in twenty is of an AI service, and some are there twice.
func (w *logWriter) write(n int) {
	w.t.Helper()
	var b strings.Builder
	for range n {
		w.lines++
		i := w.lines
		host, up := "www.example.com", 1000+i%5000
		if i%20 == 0 {
			host = "chatgpt.com"
			w.flows++
			w.up += uint64(up)
			if i%400 == 0 { // the same line again
				w.flows++
				w.up += uint64(up)
				fmt.Fprint(&b, line(i, up, host))
			}
		}
		fmt.Fprint(&b, line(i, up, host))
	}
	if _, err := w.file.WriteString(b.String()); err != nil {
		w.t.Fatal(err)
	}
}

func line(i, up int, host string) string {
	return fmt.Sprintf("%d.%03d %6d 10.20.%d.%d - TCP_TUNNEL/200 5000 %d CONNECT %s:443 - \"-\"\n", 1795200000+i/1000, i%1000, i%100, i/250%4, i%250, up, host)
}

// rotate renames the log, or copies and truncates it, and compresses the one before.
func (w *logWriter) rotate() {
	w.t.Helper()
	w.turns++
	number := func(n int) string { return w.path("access.log." + strconv.Itoa(n)) }
	if w.turns > 1 {
		w.pack(number(w.turns - 1))
	}
	if w.turns%3 == 0 {
		text, err := os.ReadFile(w.path("access.log"))
		if err = errors.Join(err, os.WriteFile(number(w.turns), text, 0o600), os.Truncate(w.path("access.log"), 0)); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	if err := errors.Join(os.Rename(w.path("access.log"), number(w.turns)), w.file.Close()); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

// pack does what gzip does: the file goes when its compressed form is whole.
func (w *logWriter) pack(path string) {
	w.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	f, err := os.Create(path + ".gz")
	if err != nil {
		w.t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	_, err = z.Write(text)
	if err = errors.Join(err, z.Close(), f.Close(), os.Remove(path)); err != nil {
		w.t.Fatal(err)
	}
}

// startLogs starts the daemon as a process of its own, reading a log and nothing else.
func startLogs(t *testing.T, dir, log string) *scanning {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "gnomon.toml")
	text := fmt.Sprintf("[observer]\nstate_dir = %q\n[dashboard]\nlisten = \"\"\n[metrics]\nenabled = false\n[[logs.source]]\nname = \"proxy\"\nfiles = [%q]\nformat = \"squid-upload\"\n", dir, log)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &scanning{cmd: exec.CommandContext(t.Context(), os.Args[0], "run", "--config", conf)}
	s.cmd.Env = append(os.Environ(), "GNOMON_TEST_AS=gnomon", "GORACE=atexit_sleep_ms=0")
	s.cmd.Stderr = s
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// storeSums are the flows and uploaded bytes that a store's sums know of.
func storeSums(t *testing.T, dir string) (flows, up uint64) {
	t.Helper()
	r, err := store.OpenReader(filepath.Join(dir, "store.db"))
	if err != nil {
		return 0, 0
	}
	defer func() { _ = r.Close() }()
	rows, err := r.Sums(context.Background(), query.Request{})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		flows += row.Flows
		up += row.BytesUp
	}
	return flows, up
}

// untilStored waits until a store's sums know of so many flows, for as long as there are more and more of them: how long millions of lines take
// is the machine's affair, that nothing comes of them for minutes is not.
func untilStored(t *testing.T, dir string, want uint64) {
	t.Helper()
	for have := uint64(0); have < want; {
		before := have
		until(t, fmt.Sprintf("more than %d of %d flows are in the store", before, want), func() bool {
			have, _ = storeSums(t, dir)
			return have > before || have >= want
		})
	}
}

// Killed again and again while a log is written and rotated, the sensor has every line of it once in the end: the sums are exact, and no
// record is there twice.
func TestProcessLogsKilled(t *testing.T) {
	t.Parallel()
	lines, kills := 200_000, 6
	if n, err := strconv.Atoi(os.Getenv("GNOMON_TEST_LOG_LINES")); err == nil {
		lines, kills = n, 20
	}
	w, dir := newLogWriter(t), t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	s := startLogs(t, dir, w.path("access.log"))
	for k := range kills {
		for range 4 {
			w.write(lines / kills / 4)
			if r.IntN(2) == 0 {
				w.rotate()
			}
		}
		want := w.flows * uint64(r.IntN(100)) / 100
		untilStored(t, dir, want)
		s.kill(t)
		if k%2 == 0 { // the log goes on while nobody reads
			w.write(1000)
			w.rotate()
		}
		s = startLogs(t, dir, w.path("access.log"))
	}
	untilStored(t, dir, w.flows)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := exitStatus(t, s.cmd.Wait()); status != 0 {
		t.Fatalf("status %d: %s", status, s.says())
	}
	if flows, up := storeSums(t, dir); flows != w.flows || up != w.up {
		t.Errorf("the sums are %d flows and %d bytes; the log has %d and %d", flows, up, w.flows, w.up)
	}
	if lines < 1_000_000 {
		for id, n := range storedIn(t, dir) {
			if n != 1 {
				t.Errorf("record %s is there %d times", id, n)
			}
		}
	}
	t.Logf("%d lines, %d rotations, %d kills: %d flows, %d bytes up", w.lines, w.turns, kills, w.flows, w.up)
}
