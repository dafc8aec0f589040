package main

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const score = `{"files": 3, "crashes": 1, "features": [{"need": 4}],
	"classes": {"tls": {"need": 10, "hit": 8, "fp": 1, "optional_hit": 1, "recall": 0.8}, "quic": {"need": 0, "hit": 0, "recall": null}},
	"bytes": {"named": {"n": 5, "median": 0.001, "p90": null}}}`

func TestFigures(t *testing.T) {
	got, err := figures([]byte(score))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{
		"files": 3, "crashes": 1,
		"classes.tls.need": 10, "classes.tls.hit": 8, "classes.tls.fp": 1, "classes.tls.optional_hit": 1,
		"classes.tls.recall": 0.8, "classes.tls.precision": 0.9,
		"classes.quic.need": 0, "classes.quic.hit": 0,
		"bytes.named.n": 5, "bytes.named.median": 0.001,
	}
	if !maps.Equal(got, want) {
		t.Errorf("figures = %v\nwant %v", got, want)
	}
}

func TestCompare(t *testing.T) {
	tests := []struct {
		name   string
		limits floors
		want   []string
	}{
		{"no floors", floors{}, nil},
		{"all hold, at the limit too", floors{
			AtLeast: map[string]float64{"recall": 0.8, "precision": 0.85}, AtMost: map[string]float64{"crashes": 1}}, nil},
		{"recall fell", floors{AtLeast: map[string]float64{"recall": 0.81}},
			[]string{"BELOW   recall: 0.8, must be at least 0.81"}},
		{"crashes rose", floors{AtMost: map[string]float64{"crashes": 0}},
			[]string{"BELOW   crashes: 1, must be at most 0"}},
		{"not measured", floors{AtLeast: map[string]float64{"quic": 0}, AtMost: map[string]float64{"p90": 1}},
			[]string{"MISSING quic: not measured, must be at least 0", "MISSING p90: not measured, must be at most 1"}},
	}
	measured := map[string]float64{"recall": 0.8, "precision": 0.9, "crashes": 1}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := compare(tt.limits, measured, io.Discard); !slices.Equal(got, tt.want) {
				t.Errorf("compare = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSunk(t *testing.T) {
	before := floors{AtLeast: map[string]float64{"recall": 0.8}, AtMost: map[string]float64{"crashes": 1}}
	tests := []struct {
		name string
		now  floors
		want []string
	}{
		{"the same", before, nil},
		{"risen", floors{AtLeast: map[string]float64{"recall": 0.9, "new": 1}, AtMost: map[string]float64{"crashes": 0}}, nil},
		{"lowered", floors{AtLeast: map[string]float64{"recall": 0.7}, AtMost: map[string]float64{"crashes": 2}},
			[]string{"SUNK    recall: at least 0.7 was 0.8", "SUNK    crashes: at most 2 was 1"}},
		{"gone", floors{}, []string{"SUNK    recall: its floor (at least 0.8) is gone", "SUNK    crashes: its floor (at most 1) is gone"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := sunk(before, tt.now); !slices.Equal(got, tt.want) {
				t.Errorf("sunk = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	measured := file("score.json", score)
	holds := file("holds.json", `{"at_least": {"classes.tls.recall": 0.8}, "at_most": {"crashes": 1}}`)
	misses := file("misses.json", `{"at_least": {"classes.tls.recall": 0.9}}`)
	misspelt := file("misspelt.json", `{"at_leest": {}}`)
	tests := []struct {
		name string
		args []string
		want string // part of the error; "" for none
	}{
		{"holds", []string{holds, measured}, ""},
		{"misses", []string{misses, measured}, "1 faults"},
		{"sank", []string{"-before", misses, holds, measured}, "1 faults"},
		{"misspelt key", []string{misspelt, measured}, "at_leest"},
		{"no score", []string{holds, filepath.Join(dir, "absent")}, "reading the score"},
		{"score is not JSON", []string{holds, file("text", "hello")}, "reading the score"},
		{"too few", []string{holds}, "want FLOORS.json and SCORE.json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(tt.args, &out)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("run(%q) = %v, want %q; output:\n%s", tt.args, err, tt.want, out.String())
			}
		})
	}
}

// TestOwnFloors proves that the project's own floors can be read.
func TestOwnFloors(t *testing.T) {
	files, err := filepath.Glob("../../floors/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("floors: %v, %v", files, err)
	}
	for _, file := range files {
		if _, err := readFloors(file); err != nil {
			t.Error(err)
		}
	}
}
