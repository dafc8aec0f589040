package input

import (
	"bytes"
	"compress/gzip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/logs"
)

func pack(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (w *world) write(name string, b []byte) {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), b, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// What rotation does to files, and what must come of it: every line once. Each step is read, or not, before the next; between any two the
// sensor may be killed, and then some lines are read again with the identifiers that they had.
func TestRotation(t *testing.T) {
	type step func(w *world)
	add := func(name string, first, n int) step { return func(w *world) { w.append(name, squid(first, n)) } }
	mv := func(from, to string) step { return func(w *world) { w.rename(from, to) } }
	rm := func(name string) step {
		return func(w *world) {
			if err := os.Remove(w.path(name)); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	gz := func(from, to string) step {
		return func(w *world) {
			text, err := os.ReadFile(w.path(from))
			if err != nil {
				w.t.Fatal(err)
			}
			w.write(to, pack(w.t, string(text)))
		}
	}
	cp := func(from, to string) step {
		return func(w *world) {
			text, err := os.ReadFile(w.path(from))
			if err != nil {
				w.t.Fatal(err)
			}
			w.write(to, text)
		}
	}
	truncate := func(name string) step {
		return func(w *world) {
			if err := os.Truncate(w.path(name), 0); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name  string
		files string
		steps []step
		want  int
	}{
		{"growing", "access.log", []step{add("access.log", 0, 50), add("access.log", 50, 50), add("access.log", 100, 1)}, 101},
		{"renamed", "access.log", []step{add("access.log", 0, 50), mv("access.log", "access.log.1"), add("access.log.1", 50, 10), add("access.log", 60, 40)}, 100},
		{"renamed by the day", "access.log", []step{add("access.log", 0, 50), mv("access.log", "access-20261121.log"), add("access-20261121.log", 50, 10), add("access.log", 60, 40)}, 100},
		{"renamed, a pattern", "access*", []step{add("access.log", 0, 50), mv("access.log", "access.old"), add("access.old", 50, 10), add("access.log", 60, 40)}, 100},
		{"renamed twice", "access.log", []step{add("access.log", 0, 50), mv("access.log", "access.log.1"), add("access.log", 50, 50), mv("access.log.1", "access.log.2"),
			mv("access.log", "access.log.1"), add("access.log", 100, 50)}, 150},
		{"compressed", "access.log", []step{add("access.log", 0, 50), mv("access.log", "access.log.1"), add("access.log", 50, 50), gz("access.log.1", "access.log.1.gz"),
			rm("access.log.1"), add("access.log", 100, 10)}, 110},
		{"compressed under another name", "access.log", []step{add("access.log", 0, 50), mv("access.log", "access.log.1"), gz("access.log.1", "access.log.2.gz"), rm("access.log.1"),
			add("access.log", 50, 50)}, 100},
		{"copied and truncated", "access.log", []step{add("access.log", 0, 50), cp("access.log", "access.log.1"), truncate("access.log"), add("access.log", 50, 10)}, 60},
		{"copied, truncated, larger than before", "access.log", []step{add("access.log", 0, 50), cp("access.log", "access.log.1"), truncate("access.log"), add("access.log", 50, 200)}, 250},
		{"copied, truncated, compressed", "access.log", []step{add("access.log", 0, 50), cp("access.log", "access.log.1"), truncate("access.log"), gz("access.log.1", "access.log.1.gz"),
			rm("access.log.1"), add("access.log", 50, 70)}, 120},
		{"a copy that stays", "access*", []step{add("access.log", 0, 50), cp("access.log", "access.bak"), add("access.log", 50, 50)}, 100},
		{"compressed while the other is there", "access.log", []step{add("access.log", 0, 50), gz("access.log", "access.log.1.gz"), truncate("access.log"), add("access.log", 50, 50)}, 100},
		{"taken away and brought back", "access.log", []step{add("access.log", 0, 50), mv("access.log", "elsewhere"), add("other", 0, 1), mv("elsewhere", "access.log"), add("access.log", 50, 50)}, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for mode := range 1 << len(tt.steps) { // which steps are followed by reading, and which by a kill
				w := newWorld(t, Config{Files: []string{tt.files}, Format: "squid-native"})
				set := w.start()
				tt.steps[0](w)
				w.read(set) // a file that nobody has seen before it is rotated away may be out of reach
				for i, step := range tt.steps[1:] {
					step(w)
					if mode>>i&1 == 1 {
						rounds(set)
						w.kill(set)
						set = w.start()
					} else if i%2 == mode&1 {
						w.read(set)
					}
					w.pass(time.Second)
				}
				for range 4 {
					w.read(set)
					w.pass(6 * time.Second)
				}
				w.want(tt.want)
				if mode == 0 {
					w.once()
				}
				if t.Failed() {
					t.Fatalf("in mode %b", mode)
				}
			}
		})
	}
}

// Wherever a line is cut between two looks, it is one line.
func TestLineInParts(t *testing.T) {
	text := squid(0, 3)
	for cut := 0; cut <= len(text); cut += 7 {
		w := newWorld(t, Config{Files: []string{"access.log"}})
		set := w.start()
		w.append("access.log", text[:cut])
		w.read(set)
		w.kill(set)
		set = w.start()
		w.append("access.log", text[cut:])
		w.pass(time.Minute)
		w.read(set)
		w.want(3)
		w.once()
	}
}

// A last line without its end is taken once nobody can be writing it.
func TestLastLine(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		want       int
	}{{"being written", "access.log", 2}, {"rotated away", "access.log.1", 3}, {"brought", "drop/a.log", 3}} {
		t.Run(tt.name, func(t *testing.T) {
			c := Config{Files: []string{"access.log"}, Format: "squid-native"}
			if strings.HasPrefix(tt.file, "drop/") {
				c = Config{Directory: "drop", Format: "squid-native"}
			}
			w := newWorld(t, c)
			if err := os.Mkdir(w.path("drop"), 0o700); err != nil {
				t.Fatal(err)
			}
			set := w.start()
			w.append(tt.file, strings.TrimSuffix(squid(0, 3), "\n"))
			w.read(set)
			w.want(2)
			w.pass(quiet)
			w.read(set)
			w.want(tt.want)
			w.once()
		})
	}
}

// Identical lines are as many records as there are lines, also where a kill came between them.
func TestIdenticalLines(t *testing.T) {
	w := newWorld(t, Config{Files: []string{"access.log"}, Format: "squid-native"})
	line := squid(0, 1)
	set := w.start()
	for i := range 30 {
		w.append("access.log", strings.Repeat(line, 3))
		switch i % 3 {
		case 0:
			w.read(set)
		case 1:
			rounds(set)
			w.kill(set)
			set = w.start()
		}
	}
	w.read(set)
	w.want(90)
}

// If the sink cannot make durable what it was given, no place is kept.
func TestNothingDurable(t *testing.T) {
	w := newWorld(t, Config{Files: []string{"access.log"}, Format: "squid-native"})
	set := w.start()
	w.append("access.log", squid(0, 10))
	rounds(set)
	w.broken = os.ErrPermission
	if err := set.commit(true, set.sources...); err == nil {
		t.Fatal("the place was kept though nothing is durable")
	}
	w.kill(set)
	w.broken = nil
	w.read(w.start())
	w.want(10)
}

// A header is known again after a restart, and every line of a format that has one is read.
func TestHeaderAgain(t *testing.T) {
	w := newWorld(t, Config{Files: []string{"u_ex.log"}, Format: "w3c"})
	set := w.start()
	w.append("u_ex.log", "#Software: x\n#Fields: date time c-ip cs-username cs-host cs-bytes\n2026-12-01 10:00:00 192.0.2.1 mary chat.example 5\n#Comment\n")
	w.read(set)
	w.kill(set)
	set = w.start()
	w.append("u_ex.log", "2026-12-01 10:00:01 192.0.2.1 mary chat.example 6\n")
	w.read(set)
	w.want(2)
	if c := set.Sources()["proxy"]; c.Rejected != 0 || c.Read != 5 || c.Other != 3 {
		t.Errorf("counted %+v", c)
	}
}

// Every line is accounted for, over restarts too.
func TestAccounts(t *testing.T) {
	w := newWorld(t, Config{Files: []string{"access.log"}})
	set := w.start()
	w.append("access.log", squid(0, 20)+strings.ReplaceAll(squid(20, 5), "chat.example", "news.example")+"what is this\n\n")
	w.append("access.log", strings.Repeat("x", 10<<20)+"\n"+squid(25, 1))
	w.append("access.log", strings.Replace(squid(0, 1), "17979", "19979", 1)+strings.Replace(squid(0, 1), "17979", "10979", 1))
	w.read(set)
	w.kill(set)
	c := w.start().Sources()["proxy"]
	if c.Read != 31 || c.Used != 23 || c.NotAI != 5 || c.Other != 1 || c.Rejected != 2 || c.RejectedBy[logs.ErrTooLong.Error()] != 1 || c.Ahead != 1 || c.Old != 1 {
		t.Errorf("counted %+v", c)
	}
	if c.Format != "squid-native" || c.Advice == "" || c.NoUpload != 28 {
		t.Errorf("the upload is told: %+v", c)
	}
	st, err := Read(w.state, "proxy", w.library)
	if err != nil {
		t.Fatal(err)
	}
	if st.Counts.Read != 31 || len(st.Rejected) != 2 || st.Last.IsZero() {
		t.Errorf("others read %+v", st)
	}
	for _, r := range st.Rejected {
		for _, s := range r.Samples {
			if strings.Contains(s.Text, "what") {
				t.Errorf("a rejected line lies on the disk: %q", s.Text)
			}
		}
	}
}

// The beginning is the end of what is there, where that is asked for.
func TestSkipHistory(t *testing.T) {
	w := newWorld(t, Config{Files: []string{"u_ex.log"}, SkipHistory: true})
	w.append("u_ex.log", "#Fields: date time c-ip cs-username cs-host cs-bytes\n2026-12-01 10:00:00 192.0.2.1 mary chat.example 5\n2026-12-01 10:00:0")
	w.append("u_ex.log.1", squid(0, 10))
	w.write("u_ex.log.2.gz", pack(t, squid(10, 10)))
	set := w.start()
	w.read(set)
	w.want(0)
	w.append("u_ex.log", "1 192.0.2.1 mary chat.example 6\n")
	w.read(set)
	w.want(1)
	if c := set.Sources()["proxy"]; c.Read != 1 || c.Rejected != 0 {
		t.Errorf("counted %+v", c)
	}
}
