package spool

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/exportertest"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// appender writes ids to a file and forgets what it has.
type appender struct{ f *os.File }

func (a *appender) Export(_ context.Context, batch []event.Event, out []exporters.Outcome) error {
	var text strings.Builder
	for i := range batch {
		text.WriteString(batch[i].Event.ID + "\n")
		out[i] = exporters.Outcome{State: exporters.Stored}
	}
	_, err := a.f.WriteString(text.String())
	return err
}

func (a *appender) Close() error { return a.f.Close() }

func openAppender(t testing.TB, path string) *appender {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return &appender{f}
}

// killable names the directory of the process that is to be killed.
const killable = "GNOMON_SPOOL_TEST_DIR"

// offerUntilKilled offers records and says after each group how many are safe.
func offerUntilKilled(t *testing.T, dir string) {
	from, err := strconv.Atoi(os.Getenv("GNOMON_SPOOL_TEST_FROM"))
	if err != nil {
		t.Fatal(err)
	}
	c := testConfig(filepath.Join(dir, "spool"), "out", "later")
	s := openSpool(t, c)
	attach(t, s, "out", openAppender(t, filepath.Join(dir, "out")))
	for n := from; ; {
		size := 1 + n%37
		offer(s, n, size)
		n += size
		if err := s.journal.Flush(); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(os.Stdout, "safe %d\n", n); err != nil {
			return
		}
	}
}

// Killed at any moment, twenty times: what was safe reaches every exporter, once by its id.
func TestKill(t *testing.T) {
	if dir := os.Getenv(killable); dir != "" {
		offerUntilKilled(t, dir)
		return
	}
	dir, safe := t.TempDir(), 0
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		safe = killAfter(t, dir, safe, 1+rnd.IntN(60))
	}
	s := openSpool(t, testConfig(filepath.Join(dir, "spool"), "out", "later"))
	later := newFake(always(exporters.Stored))
	attach(t, s, "out", openAppender(t, filepath.Join(dir, "out")))
	attach(t, s, "later", later)
	closeSpool(t, s)
	text, err := os.ReadFile(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for id := range strings.Lines(string(text)) {
		out[strings.TrimSpace(id)] = true
	}
	for n := range safe {
		ev := exportertest.Event(n)
		if !out[ev.Event.ID] || later.has[ev.Event.ID] == 0 {
			t.Fatalf("record %d of %d that were safe is missing", n, safe)
		}
	}
	for _, e := range s.Stats().Exporters {
		if e.Lost != 0 || e.Waiting != 0 {
			t.Errorf("%+v", e)
		}
	}
	t.Logf("%d records were safe; %d reached the file in %d lines", safe, len(out), strings.Count(string(text), "\n"))
}

// killAfter starts a process, kills it after so many groups and returns how many records are safe.
func killAfter(t *testing.T, dir string, from, groups int) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKill$")
	cmd.Env = append(os.Environ(), killable+"="+dir, "GNOMON_SPOOL_TEST_FROM="+strconv.Itoa(from))
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	safe := from
	lines := bufio.NewReader(pipe)
	for line, err := "", error(nil); err == nil; line, err = lines.ReadString('\n') {
		if _, scan := fmt.Sscanf(line, "safe %d\n", &safe); scan == nil {
			if groups--; groups == 0 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		} else if line != "" && groups > 0 {
			rest, _ := io.ReadAll(lines)
			t.Fatalf("it says: %s%s", line, rest)
		}
	}
	if err := cmd.Wait(); err == nil || groups > 0 {
		t.Fatalf("it was not killed: %v", err)
	}
	return safe
}
