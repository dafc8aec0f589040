package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/capture/pcapfile"
)

// capturesIn lists the captures below a directory.
func capturesIn(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if strings.Contains(filepath.Base(path), ".pcap") {
			all = append(all, path)
		}
		return err
	})
	if err != nil || len(all) < 30 {
		t.Fatalf("found %d captures in %s, %v", len(all), dir, err)
	}
	return all
}

// manyClients writes a capture in which what happens in another one happens so many times over, a little later each time, to other clients:
// 10.x.y.z becomes 10.x+1.y.z, and its resolvers and proxies with it.
func manyClients(t *testing.T, from string, times int) string {
	t.Helper()
	source, err := pcapfile.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	var all []capture.Frame
	var batch [64]capture.Frame
	for err == nil {
		var n int
		n, err = source.Next(batch[:])
		for _, f := range batch[:n] {
			for i := range times {
				other := f
				other.Data, other.Time = bytes.Clone(f.Data), f.Time+int64(i)*7e6
				moveHosts(other.Data, byte(i))
				all = append(all, other)
			}
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	slices.SortStableFunc(all, func(a, b capture.Frame) int { return cmp.Compare(a.Time, b.Time) })
	var out bytes.Buffer
	w, err := pcapfile.NewWriter(&out, all[0].Link)
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if err := w.Write(all[i]); err != nil {
			t.Fatal(err)
		}
	}
	return file(t, "many.pcap", out.String())
}

// moveHosts changes the addresses of an IPv4 packet on Ethernet that are in 10.0.0.0/8.
func moveHosts(b []byte, by byte) {
	if len(b) < 34 || b[12] != 8 || b[13] != 0 {
		return
	}
	for _, at := range []int{26, 30} {
		if b[at] == 10 {
			b[at+1] += by
		}
	}
}

// workersScan runs scan with so many workers and returns the summary and the records, in an order of their own.
func workersScan(t *testing.T, state string, workers int, args ...string) (summary, records string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "records.ndjson")
	c := file(t, "gnomon.toml", fmt.Sprintf("[file]\npath = %q\n[observer]\nstate_dir = %q\nname = \"x\"\n", out, state))
	ingested := regexp.MustCompile(`"ingested":"[^"]*",`)
	flags := []string{"scan", "-c", c, "--json", "--to", "file", "--workers", fmt.Sprint(workers)}
	if _, summary, _ = gnomon(t, "", append(flags, args...)...); summary == "" {
		t.Fatalf("scan of %v with %d workers printed nothing", args, workers)
	}
	text, err := os.ReadFile(out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	lines := strings.Split(ingested.ReplaceAllString(string(text), ""), "\n")
	slices.Sort(lines)
	return summary, strings.Join(lines, "\n")
}

// firstApart shows the first lines that differ.
func firstApart(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n%s\nand\n%s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines and %d", len(a), len(b))
}

// What several workers find together is what one finds alone: the summary, and every record with its identifiers.
func TestWorkersAgree(t *testing.T) {
	inputs := map[string][]string{"many clients": {manyClients(t, demo, 23)}, "rotated": {demo, "../../testdata/cases/vlan", "../../testdata/cases/resolvers"},
		"captures and a log": {"../../testdata/logs/squid"}}
	for _, path := range capturesIn(t, "../../testdata") {
		inputs[path] = []string{path}
	}
	whole, err := os.ReadFile(demo)
	if err != nil {
		t.Fatal(err)
	}
	inputs["a damaged file among several"] = []string{demo, file(t, "cut.pcap", string(whole[:len(whole)/2])), "../../testdata/cases/go-quic"}
	state := t.TempDir()
	for name, args := range inputs {
		t.Run(name, func(t *testing.T) {
			summary, records := workersScan(t, state, 1, args...)
			if found := strings.Count(records, "\n"); name == "many clients" && found < 1000 {
				t.Errorf("%d records are too few to tell anything", found)
			}
			for _, workers := range []int{2, 3, 7} {
				got, gotRecords := workersScan(t, state, workers, args...)
				if got != summary {
					t.Errorf("%d workers print\n%s\nand one\n%s", workers, got, summary)
				}
				if gotRecords != records {
					t.Errorf("%d workers write other records than one: %s", workers, firstApart(gotRecords, records))
				}
			}
		})
	}
}

// What is damaged is complained about once, and fails the scan.
func TestWorkersDamage(t *testing.T) {
	whole, err := os.ReadFile(demo)
	if err != nil {
		t.Fatal(err)
	}
	cut := file(t, "cut.pcap", string(whole[:len(whole)/2]))
	for _, workers := range []string{"1", "3"} {
		status, out, errs := gnomon(t, "", "scan", "--workers", workers, cut, demo)
		if status != 1 || strings.Count(errs, "cut.pcap") != 1 || !strings.Contains(out, "AI services used") {
			t.Errorf("%s workers: status %d, %q, %q", workers, status, errs, out)
		}
	}
}

func TestWorkersStdin(t *testing.T) {
	whole, err := os.ReadFile(demo)
	if err != nil {
		t.Fatal(err)
	}
	_, want, _ := gnomon(t, "", "scan", "--json", demo)
	if status, got, errs := gnomon(t, string(whole), "scan", "--json", "--workers", "2", "-"); status != 0 || got != want {
		t.Errorf("status %d, %s; printed\n%s\nwant\n%s", status, errs, got, want)
	}
}

// endless is a capture that has no end; it says when it is read.
type endless struct {
	whole  []byte
	at     int
	cancel func()
}

func (e *endless) Read(b []byte) (int, error) {
	if e.at >= len(e.whole) {
		e.cancel()
		e.at = 24 // after the header of the file
	}
	n := copy(b, e.whole[e.at:])
	e.at += n
	return n, nil
}

// An interrupted scan ends: no worker waits for another, and the reader goes.
func TestWorkersInterrupted(t *testing.T) {
	whole, err := os.ReadFile(demo)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, errs bytes.Buffer
	p := &program{stdin: &endless{whole: whole, cancel: cancel}, stdout: &out, stderr: &errs, version: "test", environ: []string{"HOME=" + t.TempDir()}}
	if status := p.main(ctx, []string{"scan", "--workers", "3", "-"}); status != 1 || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("status %d, %s", status, errs.String())
	}
}

func TestWorkersFlag(t *testing.T) {
	for _, tt := range []struct {
		name, value string
		status      int
	}{
		{"fewer than none", "-1", 2},
		{"too many", "65", 2},
		{"no number", "all", 2},
		{"most", "64", 0},
		{"to be chosen", "0", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if status, _, errs := gnomon(t, "", "scan", "--workers", tt.value, demo); status != tt.status || status == 2 && !strings.Contains(errs, "--workers") {
				t.Errorf("status %d, %s", status, errs)
			}
		})
	}
}

func TestCrewSize(t *testing.T) {
	one, dir := []string{demo}, []string{"../../testdata/cases"}
	for _, tt := range []struct {
		name     string
		asked    int
		captures []string
		least    int
		most     int
	}{
		{"asked for", 7, one, 7, 7},
		{"one file", 0, one, 1, 1},
		{"stdin", 0, []string{"-"}, 1, 1},
		{"several", 0, dir, 1, usualCrew},
		{"several, but one is asked for", 1, dir, 1, 1},
		{"none", 0, []string{"/nonexistent"}, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if n := crewSize(tt.asked, tt.captures); n < tt.least || n > tt.most {
				t.Errorf("%d workers, want %d to %d", n, tt.least, tt.most)
			}
		})
	}
}
