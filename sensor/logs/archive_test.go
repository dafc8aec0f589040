package logs

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// zipped is a ZIP file of names and what they hold.
func zipped(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, files[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// patched is b with the octets behind the first sign, at a distance, replaced.
func patched(b []byte, sign string, at int, by ...byte) []byte {
	out := bytes.Clone(b)
	copy(out[bytes.Index(out, []byte(sign))+at:], by)
	return out
}

func unpackAll(b []byte) (string, error) {
	r, err := Unpack(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return "", err
	}
	got, err := io.ReadAll(r)
	return string(got), err
}

// The files of an archive are read one after the other, each to the end of its last line; what is no log is refused with a reason.
func TestArchive(t *testing.T) {
	const central, end = "PK\x01\x02", "PK\x05\x06"
	plain := zipped(t, "a.log", "one\ntwo\n", "b.log", "three\n")
	for _, tt := range []struct {
		name string
		in   []byte
		want string
		says string // part of the error; empty: there is none
	}{
		{"two files", plain, "one\ntwo\nthree\n", ""},
		{"a line without its end", zipped(t, "a.log", "one", "b.log", "two"), "one\ntwo\n", ""},
		{"what nobody put there", zipped(t, "d/", "", "__MACOSX/a", "x", "d/.DS_Store", "x", "empty", "", "d/a.log", "one\n"), "one\n", ""},
		{"nothing in it", zipped(t), "", ""},
		{"something before it", append([]byte("PK\x03\x04"), plain...), "one\ntwo\nthree\n", ""},
		{"an archive in it", zipped(t, "a.log", "one\n", "b.zip", string(plain)), "", `"b.zip" in it is compressed or an archive itself`},
		{"gzip in it", zipped(t, "a.log.gz", "\x1f\x8b\x08\x00rest"), "", "unpack it first"},
		{"encrypted", patched(plain, central, 8, 1, 0), "", "is encrypted"},
		{"another compression", patched(plain, central, 10, 12, 0), "", "by method 12"},
		{"cut", plain[:len(plain)-30], "", "has no end"},
		{"damaged", patched(zipped(t, "a.log", strings.Repeat("one\n", 1000)), "a.log", 20, 0xff, 0xff, 0xff, 0xff), "", `"a.log" in it`},
		{"another checksum", patched(plain, central, 16, 1, 2, 3, 4), "", "checksum"},
		{"a directory that is too large", patched(plain, end, 12, 0, 0, 0, 9), "", "too many files"},
		{"very large", patched(plain, end, 16, 0xff, 0xff, 0xff, 0xff), "", "ZIP64"},
		{"files upon each other", patched(plain, central, 20, 0, 0, 0, 9), "", "upon each other"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := unpackAll(tt.in)
			switch {
			case tt.says == "" && (err != nil || got != tt.want):
				t.Errorf("%q, %v", got, err)
			case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says) || !errors.Is(err, ErrArchive) && !errors.Is(err, ErrUnfinishedArchive)):
				t.Errorf("it says %v", err)
			}
		})
	}
	if _, err := Decompress(bytes.NewReader(plain)); err == nil || !strings.Contains(err.Error(), "name a file") {
		t.Errorf("of an archive in a stream it says %v", err)
	}
}

// Wherever an archive is cut, it says so, or that it is no archive, and never gives lines that are not in it.
func TestArchiveCut(t *testing.T) {
	whole := zipped(t, "a.log", "one\ntwo\n", "b.log", "three\n")
	for n := len(zipMagic); n < len(whole); n++ {
		if got, err := unpackAll(whole[:n]); err == nil || got != "" {
			t.Errorf("of %d octets: %q, %v", n, got, err)
		}
	}
}

// A directory of many files takes bounded memory, and so does what unpacks to very much.
func TestArchiveBounds(t *testing.T) {
	var many []string
	for i := range 40_000 {
		many = append(many, fmt.Sprintf("a-name-that-is-rather-long-%d.log", i), "")
	}
	if _, err := unpackAll(zipped(t, many...)); err == nil || !strings.Contains(err.Error(), "too many files") {
		t.Errorf("of many files it says %v", err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	w, err := z.Create("zeros")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(w, zeros{}, 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	allocated := testing.AllocsPerRun(1, func() {
		r, err := Unpack(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, r); n != 64<<20+1 || err != nil { // and the end of its line
			t.Errorf("%d octets, %v", n, err)
		}
	})
	if allocated > 1000 {
		t.Errorf("%.0f allocations", allocated)
	}
}

type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
