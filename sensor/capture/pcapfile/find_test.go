package pcapfile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	v := variants()
	for name, b := range map[string][]byte{
		"full/b.txt":             v[0].file,
		"full/a.pcap":            v[3].file,
		"full/a.log":             []byte("a line\n"),
		"full/empty.pcap":        nil,
		"full/short":             {0xd4},
		"full/log.gz":            gzipOf(t, []byte("a line\n")),
		"full/broken.gz":         {0x1f, 0x8b, 8, 9, 9},
		"full/deep/er/c.pcap.gz": gzipOf(t, v[1].file),
		"full/deep/d.zst":        zstdOf(t, v[2].file),
		"none/a.log":             []byte("a line\n"),
		"plain.log":              []byte("a line\n"),
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	full := filepath.Join(dir, "full")
	if err := errors.Join(
		os.Symlink(full, filepath.Join(full, "deep", "loop")),
		os.Symlink("self", filepath.Join(full, "self")),
		os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(full, "gone")),
		os.Symlink(filepath.Join(full, "a.pcap"), filepath.Join(full, "z.pcap")),
		syscall.Mkfifo(filepath.Join(full, "pipe"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		paths []string
		want  []string
		err   string
	}{
		{"directory", []string{"full"}, []string{"full/a.pcap", "full/b.txt", "full/deep/d.zst", "full/deep/er/c.pcap.gz"}, ""},
		{"files stay as they are", []string{"-", "plain.log", "full/pipe", "plain.log"}, []string{"-", "plain.log", "full/pipe", "plain.log"}, ""},
		{"nothing", nil, nil, ""},
		{"no captures", []string{"none", "plain.log"}, []string{"plain.log"}, "looking for captures in DIR/none: none of its 1 files is one; give a directory with pcap or pcapng files"},
		{"missing", []string{"no", "full/deep"}, []string{"full/deep/d.zst", "full/deep/er/c.pcap.gz", "full/deep/loop/a.pcap", "full/deep/loop/b.txt"}, "looking for captures in DIR/no: no such file or directory; check the path"},
	} {
		t.Run(c.name, func(t *testing.T) {
			paths := slices.Clone(c.paths)
			for i, path := range paths {
				if path != "-" {
					paths[i] = filepath.Join(dir, path)
				}
			}
			got, err := Find(paths)
			for i := range got {
				got[i] = strings.TrimPrefix(got[i], dir+"/")
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if c.err == "" && err != nil {
				t.Errorf("got %v", err)
			}
			if c.err != "" && (err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), dir, "DIR"), c.err)) {
				t.Errorf("got  %v\nwant %s", err, c.err)
			}
		})
	}
}

func TestSniff(t *testing.T) {
	for _, v := range variants() {
		for name, b := range map[string][]byte{"plain": v.file, "gzip": gzipOf(t, v.file), "zstd": zstdOf(t, v.file)} {
			t.Run(v.name+"/"+name, func(t *testing.T) {
				if !Sniff(b[:4]) {
					t.Errorf("%x is not taken for a capture", b[:4])
				}
				if Sniff(b[:2]) {
					t.Errorf("%x is taken for a capture", b[:2])
				}
			})
		}
	}
	for _, c := range []struct {
		name  string
		first string
	}{{"nothing", ""}, {"text", "text"}, {"JSON", "{\"a\":1}"}, {"zip", "PK\x03\x04"}} {
		t.Run(c.name, func(t *testing.T) {
			if Sniff([]byte(c.first)) {
				t.Errorf("%q is taken for a capture", c.first)
			}
		})
	}
}
