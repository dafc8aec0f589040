package input

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What keeps a file from being read is said once, with what to do, and said to be over when it is.
func TestTrouble(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files string
		make  func(w *world)
		says  string
		solve func(w *world)
	}{
		{"nothing there", "access.log", func(*world) {}, "there is no file", func(w *world) { w.append("access.log", squid(0, 1)) }},
		{"no directory", "none/access.log", func(*world) {}, "is the path right?", func(w *world) { w.mkdir("none"); w.append("none/access.log", squid(0, 1)) }},
		{"a loop of links", "access.log", func(w *world) { w.link("access.log", "access.log") }, "too many levels of symbolic links",
			func(w *world) { w.remove("access.log"); w.append("access.log", squid(0, 1)) }},
		{"a link to nothing", "access.log", func(w *world) { w.link("gone", "access.log") }, "",
			func(w *world) { w.append("gone", squid(0, 1)) }},
		{"a directory", "access.log", func(w *world) { w.mkdir("access.log") }, "no regular file",
			func(w *world) { w.remove("access.log"); w.append("access.log", squid(0, 1)) }},
		{"a pipe", "access.log", func(w *world) { w.pipe("access.log") }, "read a pipe with",
			func(w *world) { w.remove("access.log"); w.append("access.log", squid(0, 1)) }},
		{"gzip that is none", "access.log.gz", func(w *world) { w.append("access.log.gz", "\x1f\x8b\x08\x00 what is this, it is not compressed") }, "gzip",
			func(w *world) { w.write("access.log.gz", pack(w.t, squid(0, 1))) }},
		{"gzip that was cut", "access.log.gz", func(w *world) { b := pack(w.t, squid(0, 10000)); w.write("access.log.gz", b[:len(b)/2]) }, "is not whole",
			func(w *world) {
				w.remove("access.log.gz")
				w.pass(time.Second)
				w.write("access.log.gz", pack(w.t, squid(0, 1)))
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, Config{Files: []string{tt.files}, Format: "squid-native"})
			tt.make(w)
			set := w.start()
			for range 3 {
				w.read(set)
				w.pass(time.Minute)
			}
			says := strings.Join(set.Status()[0].Problems, "; ")
			if !strings.Contains(says, tt.says) {
				t.Errorf("it says %q", says)
			}
			if n := strings.Count(w.warnings.String(), "level=WARN"); n > 2 {
				t.Errorf("it says so %d times:\n%s", n, w.warnings)
			}
			tt.solve(w)
			w.read(set)
			if c := set.Sources()["proxy"]; c.Used == 0 || c.Problem != "" {
				t.Errorf("after that: %+v", c)
			}
		})
	}
}

func (w *world) mkdir(name string)    { w.must(os.Mkdir(w.path(name), 0o700)) }
func (w *world) remove(name string)   { w.must(os.Remove(w.path(name))) }
func (w *world) link(to, name string) { w.must(os.Symlink(w.path(to), w.path(name))) }
func (w *world) pipe(name string)     { w.must(syscall.Mkfifo(w.path(name), 0o600)) }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// What is brought into a directory is read once, wherever below it, and links lead into no loop.
func TestDirectory(t *testing.T) {
	w := newWorld(t, Config{Directory: "drop", Format: "squid-native"})
	w.mkdir("drop")
	w.mkdir("drop/a")
	w.mkdir("drop/.hidden")
	w.link("drop", "drop/a/loop")
	w.append("drop/1.log", squid(0, 5))
	w.append("drop/a/2.log", squid(5, 5))
	w.write("drop/a/3.log.gz", pack(t, squid(10, 5)))
	w.append("drop/4.log.part", squid(15, 5))
	w.append("drop/.5.log", squid(20, 5))
	w.append("drop/.hidden/6.log", squid(25, 5))
	w.append("elsewhere", squid(30, 5))
	w.link("elsewhere", "drop/linked.log")
	set := w.start()
	w.read(set)
	w.want(20)
	w.rename("drop/4.log.part", "drop/4.log")
	w.append("drop/1.log", squid(35, 5))
	w.write("drop/3-again.log.gz", pack(t, squid(10, 5))) // brought twice
	w.read(set)
	w.kill(set)
	set = w.start()
	w.read(set)
	w.want(30)
	w.once()
	if got := set.Status()[0]; len(got.Problems) != 0 || got.Behind != 0 {
		t.Errorf("it says %+v", got)
	}
}

// A file that goes before it was read is lost, and that is counted, once.
func TestVanished(t *testing.T) {
	w := newWorld(t, Config{Files: []string{"access.log"}, Format: "squid-native"})
	set := w.start()
	w.append("access.log", squid(0, 10))
	w.read(set)
	w.kill(set)
	w.append("access.log", squid(10, 10))
	set = w.start()
	set.sources[0].files.recognise(set.sources[0].files.find(), w.now()) // seen, and not read yet
	w.remove("access.log")
	for range 3 {
		w.read(set)
		w.pass(awaited)
	}
	w.want(10)
	if c := set.Sources()["proxy"]; c.Lost != 1 || !strings.Contains(w.warnings.String(), "went before it was read") {
		t.Errorf("counted %+v; it says %s", c, w.warnings)
	}
}

// A file that is emptied while nobody reads, before anything of it was read, does not keep what it held from being read out of its packed copy.
func TestEmptied(t *testing.T) {
	w := newWorld(t, Config{Files: []string{"access.log"}, Format: "squid-native"})
	w.append("access.log", squid(0, 10))
	set := w.start()
	f := set.sources[0].files
	for _, is := range f.find() {
		f.adopt(&is, w.now()) // seen, and not read yet
	}
	w.commit(set)
	w.kill(set)
	w.write("access.log.1.gz", pack(t, squid(0, 10)))
	w.must(os.Truncate(w.path("access.log"), 0))
	set = w.start()
	for range 3 {
		w.read(set)
		w.pass(time.Minute)
	}
	w.want(10)
	w.append("access.log", squid(10, 5))
	w.read(set)
	w.want(15)
	w.once()
}

// What unpacks to very much, without a single line end, takes bounded memory and gives one rejected line.
func TestBomb(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, squid(0, 40)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(z, zeros{}, 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, Config{Files: []string{"access.log.gz"}, Format: "squid-native"})
	w.write("access.log.gz", b.Bytes())
	set := w.start()
	w.read(set)
	if n := len(set.sources[0].files.buf); n > 4<<20 {
		t.Errorf("%d octets are held", n)
	}
	if c := set.Sources()["proxy"]; c.Used != 40 || c.Rejected != 1 || c.Read != 41 {
		t.Errorf("counted %+v", c)
	}
}

// A damaged state is set aside, and what it knew is read again under the same identifiers.
func TestDamagedState(t *testing.T) {
	w := newWorld(t, Config{Files: []string{"access.log"}, Format: "squid-native"})
	set := w.start()
	w.append("access.log", squid(0, 10))
	w.read(set)
	w.kill(set)
	w.must(os.WriteFile(filepath.Join(w.state, "proxy.json"), []byte("{"), 0o600))
	set = w.start()
	w.read(set)
	w.want(10)
	if _, err := os.Stat(filepath.Join(w.state, "proxy.json.damaged")); err != nil {
		t.Error(err)
	}
	w.kill(set)
	w.must(os.WriteFile(filepath.Join(w.state, "proxy.json"), []byte(`{"version":99}`), 0o600))
	if _, err := Open([]Config{w.conf}, w.options()); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("it says %v", err)
	}
}

// More files than may be open at once are all read.
func TestManyFiles(t *testing.T) {
	w := newWorld(t, Config{Directory: "drop", Format: "squid-native"})
	w.mkdir("drop")
	for i := range 3 * maxOpen {
		w.append("drop/"+time.Duration(i).String()+".log", squid(i, 1))
	}
	set := w.start()
	w.read(set)
	w.want(3 * maxOpen)
	if open, err := os.ReadDir("/proc/self/fd"); err == nil && len(open) > 2*maxOpen {
		t.Errorf("%d files are open", len(open))
	}
}
