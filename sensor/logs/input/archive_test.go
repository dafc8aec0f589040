package input

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// zipped is a ZIP file of the given texts.
func zipped(t *testing.T, texts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, text := range texts {
		w, err := z.Create(strings.Repeat("x", i+1) + ".log")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A ZIP file in a directory is read once, whenever the sensor is killed, and what it is a copy of is not read again.
func TestZip(t *testing.T) {
	type file struct {
		name string
		is   []byte
	}
	a, b, plain := file{"a.zip", zipped(t, squid(0, 30))}, file{"b.zip", zipped(t, squid(30, 30))}, file{"b.log", []byte(squid(30, 30))}
	for _, tt := range []struct {
		name  string
		files []file // in the order of their times
		grown string // a plain log that is there first
		want  int
	}{
		{"an export", []file{{"export.zip", zipped(t, squid(0, 4000), squid(4000, 50))}}, "", 4050},
		{"the last line does not end", []file{{"export.zip", zipped(t, strings.TrimSuffix(squid(0, 20), "\n"), squid(20, 20))}}, "", 40},
		{"two, one of them unpacked before", []file{plain, a, b}, "", 60},
		{"two, one of them unpacked later", []file{a, b, plain}, "", 60},
		{"another that begins alike, and is longer", []file{b, {"b.log", []byte(squid(30, 40))}}, "", 70},
		{"what was read before it was packed", []file{{"access.log.1.zip", zipped(t, squid(0, 100))}}, squid(0, 60), 100},
	} {
		for _, kill := range []bool{false, true} {
			t.Run(tt.name+map[bool]string{true: ", killed"}[kill], func(t *testing.T) {
				w := newWorld(t, Config{Directory: "drop", Format: "squid-native"})
				w.mkdir("drop")
				set := w.start()
				if tt.grown != "" {
					w.append("drop/access.log", tt.grown)
					w.read(set)
					w.commit(set)
					w.remove("drop/access.log")
				}
				for i, f := range tt.files {
					w.write("drop/"+f.name, f.is)
					at := time.Unix(1_790_000_000+int64(i), 0)
					w.must(os.Chtimes(w.path("drop/"+f.name), at, at))
				}
				for range 4 {
					w.read(set)
					if kill {
						w.kill(set)
						set = w.start()
					}
					w.pass(2 * quiet)
				}
				w.want(tt.want)
				if c := set.Sources()["proxy"]; c.Lost != 0 || c.Rejected != 0 {
					t.Errorf("counted %+v", c)
				}
			})
		}
	}
}

// One that cannot be read is refused with a reason and counted once, over restarts too, until it is replaced by one that can.
func TestZipRefused(t *testing.T) {
	good := zipped(t, squid(0, 3000))
	damaged := bytes.Clone(good)
	copy(damaged[len(damaged)/2:], "damage, damage, damage")
	for _, tt := range []struct {
		name string
		is   []byte
		says string
		used bool // some of it was
	}{
		{"an archive in it", zipped(t, squid(0, 5), string(good)), "compressed or an archive itself", false},
		{"cut", good[:len(good)/2], "not whole", false},
		{"damaged", damaged, "what was read before has been used", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, Config{Directory: "drop", Format: "squid-native"})
			w.mkdir("drop")
			w.write("drop/export.zip", tt.is)
			set := w.start()
			for range 3 {
				w.read(set)
				w.pass(2 * brought)
				w.commit(set)
				w.kill(set)
				set = w.start()
			}
			w.read(set)
			c := set.Sources()["proxy"]
			if c.Lost != 1 || !strings.Contains(c.Problem, tt.says) && !strings.Contains(w.warnings.String(), tt.says) || tt.used != (c.Used > 0) {
				t.Errorf("counted %+v; it says %s", c, w.warnings)
			}
			if tt.used { // what comes in its place goes on behind it
				return
			}
			w.write("drop/export.zip", append(bytes.Clone(good), 0))
			for range 3 {
				w.read(set)
				w.pass(2 * brought)
			}
			w.want(3000)
		})
	}
}
