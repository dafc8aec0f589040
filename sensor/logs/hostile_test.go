package logs

import (
	"bytes"
	"strings"
	"testing"
)

// Hostile lines are read or rejected, by every format, and never change what the next line says.
func TestHostile(t *testing.T) {
	l := library(t)
	big := strings.Repeat("a=b \"\\{[:|,", MaxLine/11)
	hostile := map[string][]byte{
		"a long line":    []byte(big),
		"nul bytes":      bytes.Repeat([]byte{0}, 4096),
		"invalid UTF-8":  bytes.Repeat([]byte{0xff, 0xfe, '='}, 2000),
		"quotes":         bytes.Repeat([]byte(`"`), 8192),
		"backslashes":    bytes.Repeat([]byte(`\`), 8192),
		"brackets":       bytes.Repeat([]byte(`[`), 8192),
		"deep JSON":      []byte(strings.Repeat(`{"a":[`, 5000)),
		"a lying header": []byte("#Fields: " + strings.Repeat("c-ip ", 5000)),
		"no columns":     []byte("#Fields:"),
		"equal signs":    bytes.Repeat([]byte(`=`), 8192),
		"bars":           append([]byte("CEF:0"), bytes.Repeat([]byte(`|`), 8192)...),
		"spaces":         bytes.Repeat([]byte(` `), 8192),
	}
	for name, line := range hostile {
		t.Run(name, func(t *testing.T) {
			for _, info := range l.Formats() {
				f, err := l.Open(info.Name, Options{Now: now})
				if err != nil {
					t.Fatal(err)
				}
				var r Record
				if err := f.Parse(line, &r); err == nil {
					check(t, info.Name, &r)
				}
				for _, sample := range info.Samples {
					_ = f.Parse([]byte(sample), &r)
				}
				if want := told(&r); want != last(t, l, &info) && (name != "a lying header" || info.Name != "netskope-transaction") { // which has no header of its own
					t.Errorf("%s says %s after that, and %s without", info.Name, want, last(t, l, &info))
				}
			}
		})
	}
}

// last is what the last sample of a format says.
func last(t *testing.T, l *Library, info *Info) string {
	f, err := l.Open(info.Name, Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	var r Record
	for _, sample := range info.Samples {
		_ = f.Parse([]byte(sample), &r)
	}
	return told(&r)
}

// A line may break off anywhere: syslog over UDP cuts it.
func TestTruncation(t *testing.T) {
	l := library(t)
	for _, info := range l.Formats() {
		t.Run(info.Name, func(t *testing.T) {
			f, err := l.Open(info.Name, Options{Now: now})
			if err != nil {
				t.Fatal(err)
			}
			for _, sample := range info.Samples {
				for n := range len(sample) {
					var r Record
					if err := f.Parse([]byte(sample[:n]), &r); err == nil {
						check(t, info.Name, &r)
					} else if told(&r) != "- - - - - - -" && err != ErrOther {
						t.Errorf("%v, and yet the record says %s", err, told(&r))
					}
				}
			}
		})
	}
}
