package main

import (
	"bytes"
	"strings"
	"testing"
)

const (
	passA = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
`
	okP = `{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`
	skipB = `{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:3: no root\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
`
	failC = `{"Action":"output","Package":"p","Test":"TestC","Output":"    c_test.go:7: got 1\n"}
{"Action":"fail","Package":"p","Test":"TestC"}
`
	failP = `{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}
`
	noTests = `{"Action":"output","Package":"q","Output":"?   \tq\t[no test files]\n"}
{"Action":"skip","Package":"q"}
`
	buildFail = `{"ImportPath":"r","Action":"build-output","Output":"r/r.go:1:1: expected 'package'\n"}
{"ImportPath":"r","Action":"build-fail"}
`
	died = `{"Action":"output","Package":"p","Test":"TestD","Output":"panic: no\n"}
`
)

func TestRead(t *testing.T) {
	tests := []struct {
		name, in string
		err      string   // part of it; "" for none
		shown    []string // in the output
		hidden   []string // not in it
	}{
		{"all passed", passA + okP + noTests, "",
			[]string{"ok  \tp\t0.1s\n", "[no test files]", "1 tests passed, 0 failed, 0 skipped"}, []string{"=== RUN"}},
		{"one skipped", passA + skipB + okP, "1 skipped", []string{"no root", "SKIPPED p TestB"}, nil},
		{"one failed", passA + failC + failP, "2 failed", []string{"got 1", "FAILED  p TestC", "FAIL\tp"}, nil},
		{"does not build", passA + okP + buildFail, "1 failed", []string{"expected 'package'", "FAILED  building r"}, nil},
		{"died", passA + died, "1 failed", []string{"panic: no", "(did not end)"}, nil},
		{"none ran", noTests, "none ran", nil, nil},
		{"empty", "", "none ran", nil, nil},
		{"not an event", "make: nothing\n" + passA, "", []string{"make: nothing\n"}, nil},
		{"last line without its end", passA + strings.TrimSuffix(skipB, "\n"), "1 skipped", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			c := tally{out: &out, output: make(map[testName]*strings.Builder)}
			err := c.read(strings.NewReader(tt.in))
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("read = %v, want %q", err, tt.err)
			}
			for _, s := range tt.shown {
				if !strings.Contains(out.String(), s) {
					t.Errorf("output lacks %q:\n%s", s, out.String())
				}
			}
			for _, s := range tt.hidden {
				if strings.Contains(out.String(), s) {
					t.Errorf("output shows %q:\n%s", s, out.String())
				}
			}
		})
	}
}
