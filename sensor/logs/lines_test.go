package logs

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
)

// stutter gives a few octets at a time.
type stutter struct {
	b    []byte
	step int
}

func (s *stutter) Read(b []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b, s.b[:min(len(s.b), s.step+1)])
	s.b = s.b[n:]
	return n, nil
}

type broken struct{ after int }

func (b *broken) Read(p []byte) (int, error) {
	if b.after--; b.after < 0 {
		return 0, errors.New("the cable is out")
	}
	return copy(p, "x\n"), nil
}

type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	for _, tt := range []struct {
		name, text string
		want       []string // "!" for one that is too long
	}{
		{"empty", "", nil},
		{"no end", "a\nb", []string{"a", "b"}},
		{"empty lines", "\n\na\n", []string{"", "", "a"}},
		{"ten megabytes", "a\n" + long + "\nb\n", []string{"a", "!", "b"}},
		{"ten megabytes without an end", "a\n" + long, []string{"a", "!"}},
		{"as long as may be", "a\n" + long[:MaxLine] + "\nb", []string{"a", long[:MaxLine], "b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines := NewLines(strings.NewReader(tt.text))
			for i := 0; ; i++ {
				line, err := lines.Next()
				if errors.Is(err, io.EOF) {
					if i != len(tt.want) || lines.Passed() != int64(len(tt.text)) {
						t.Errorf("%d lines, want %d; passed %d of %d", i, len(tt.want), lines.Passed(), len(tt.text))
					}
					return
				}
				got := string(line)
				if errors.Is(err, ErrTooLong) {
					got = "!"
				}
				if i >= len(tt.want) || got != tt.want[i] {
					t.Fatalf("line %d is %.20q (%v)", i, got, err)
				}
			}
		})
	}
	if lines := NewLines(strings.NewReader(long)); func() bool { _, _ = lines.Next(); return cap(lines.buffer.b) > 4*MaxLine }() {
		t.Error("a long line took over four times MaxLine")
	}
}

func TestLinesOfBrokenReaders(t *testing.T) {
	lines := NewLines(&broken{2})
	for range 2 {
		if line, err := lines.Next(); err != nil || string(line) != "x" {
			t.Fatalf("%q, %v", line, err)
		}
	}
	if _, err := lines.Next(); err == nil || !strings.Contains(err.Error(), "cable") {
		t.Errorf("error %v", err)
	}
	if _, err := NewLines(silent{}).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

func TestDecompress(t *testing.T) {
	var packed bytes.Buffer
	for _, part := range []string{"a\n", "b\n"} { // members one after the other, as log rotation writes them
		z := gzip.NewWriter(&packed)
		if _, err := z.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name string
		in   []byte
		want string
		bad  bool
	}{
		{"plain", []byte("a\nb\n"), "a\nb\n", false},
		{"short", []byte("a"), "a", false},
		{"gzip", packed.Bytes(), "a\nb\n", false},
		{"cut gzip", packed.Bytes()[:packed.Len()-6], "a\nb\n", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Decompress(bytes.NewReader(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if string(got) != tt.want || (err != nil) != tt.bad {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// Every line is accounted for, whatever became of it.
func TestAccount(t *testing.T) {
	text := "#Version: 1.0\n#Fields: date time c-ip cs-host cs-bytes sc-bytes\n\n" +
		"2026-01-01 00:00:00 192.0.2.1 chat.example 5 6\n" +
		"2026-01-01 00:00:00 192.0.2.1 chat.example 5 6 surplus\n" +
		"rubbish\n" + strings.Repeat("x", MaxLine+1) + "\n" +
		"- - - - - -\n- - 192.0.2.1 chat.example - 6\n"
	f, err := library(t).Open("w3c", Options{})
	if err != nil {
		t.Fatal(err)
	}
	var a Account
	used := 0
	err = Read(NewLines(strings.NewReader(text)), f, &a, func(_ []byte, _ *Record, err error) error {
		if err == nil {
			used++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if a.Read != 9 || a.Records != 3 || used != 3 || a.Other() != 3 || a.Rejected() != 3 || a.Misfit != 1 || a.NoTime != 1 || a.NoBytes != 1 || a.NotAI() != 3 {
		t.Errorf("%+v: other %d, rejected %d", a, a.Other(), a.Rejected())
	}
	reasons := map[string]uint64{}
	for _, r := range a.Rejections() {
		reasons[r.Reason] = r.Lines
		if len(r.Samples) != 1 || len(r.Samples[0].Text) > maxSample {
			t.Errorf("samples of %s: %+v", r.Reason, r.Samples)
		}
	}
	if reasons[ErrColumns.Error()] != 1 || reasons[ErrTooLong.Error()] != 1 || reasons[ErrNothing.Error()] != 1 {
		t.Errorf("reasons %v", reasons)
	}
	stop := errors.New("enough")
	if err := Read(NewLines(strings.NewReader(text)), f, &a, func([]byte, *Record, error) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("use said stop, Read says %v", err)
	}
	if err := Read(NewLines(&broken{0}), f, &a, func([]byte, *Record, error) error { return nil }); err == nil {
		t.Error("a broken reader is no end")
	}
}
