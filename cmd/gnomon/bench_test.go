package main

import (
	"bytes"
	"flag"
	"path/filepath"
	"strings"
	"testing"
)

// captures are what BenchmarkScan reads; make profile names larger ones.
var captures = flag.String("captures", "../../testdata/captures", "`directory` of the captures that are scanned")

// What scan takes in a process that has begun: with a profile of it the compiler knows what is hot (make profile).
func BenchmarkScan(b *testing.B) {
	paths, err := filepath.Glob(filepath.Join(*captures, "*.pcap"))
	if err != nil || len(paths) == 0 {
		b.Fatalf("there are no captures in %s: %v", *captures, err)
	}
	home := "HOME=" + b.TempDir()
	for _, path := range paths {
		b.Run(filepath.Base(path), func(b *testing.B) {
			for b.Loop() {
				var out bytes.Buffer
				p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &out, version: "test", environ: []string{home}}
				if p.main(b.Context(), []string{"scan", path}) != 0 {
					b.Fatal(out.String())
				}
			}
		})
	}
}
