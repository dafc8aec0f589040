package logs

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// fuzzShape hands hostile lines to every format of a shape, two of them one after the other, and asks for what holds of every record:
// what it says stands in the line, a host is one, and reading the line again says the same.
func fuzzShape(f *testing.F, shape string) {
	l := library(f)
	var names []string
	for name, format := range l.formats {
		for _, layout := range format.layouts {
			if layout.spec.Shape == shape {
				names = append(names, name)
				for _, sample := range format.spec.Samples {
					f.Add([]byte(sample), []byte(sample))
					f.Add([]byte(sample), []byte(sample[:len(sample)/2]))
				}
				break
			}
		}
	}
	if len(names) == 0 {
		f.Fatalf("no format has the shape %s", shape)
	}
	f.Add([]byte("#Fields: date time c-ip cs-host cs-bytes"), []byte("2026-01-01 00:00:00 192.0.2.1 \"chat.example\" 5"))
	f.Fuzz(func(t *testing.T, first, line []byte) {
		for _, name := range names {
			format, err := l.Open(name, Options{Now: now})
			if err != nil {
				t.Fatal(err)
			}
			var r, again Record
			_ = format.Parse(first, &r)
			before := bytes.Clone(line)
			err = format.Parse(line, &r)
			if !bytes.Equal(line, before) {
				t.Fatalf("%s changed the line", name)
			}
			if err != nil {
				continue
			}
			check(t, name, &r)
			got := told(&r)
			if err := format.Parse(line, &again); !errors.Is(err, ErrHeader) && (err != nil || told(&again) != got) {
				t.Fatalf("%s says %s and then %s (%v)", name, got, told(&again), err)
			}
		}
	})
}

func check(t *testing.T, name string, r *Record) {
	t.Helper()
	if r.Kind != KindLookup && len(r.Host) > 0 && (!hostBytes(r.Host) || len(r.Host) > 255) {
		t.Errorf("%s: host %q", name, r.Host)
	}
	if !r.Client.IsValid() && !r.Server.IsValid() && len(r.Host) == 0 && len(r.User) == 0 {
		t.Errorf("%s: a record of nothing: %+v", name, r)
	}
	if r.Time < 0 || !r.HasUp && r.Up != 0 || !r.HasDown && r.Down != 0 {
		t.Errorf("%s: %+v", name, r)
	}
}

func FuzzColumns(f *testing.F) { fuzzShape(f, "columns") }
func FuzzPairs(f *testing.F)   { fuzzShape(f, "pairs") }
func FuzzCSV(f *testing.F)     { fuzzShape(f, "csv") }
func FuzzJSON(f *testing.F)    { fuzzShape(f, "json") }
func FuzzCEF(f *testing.F)     { fuzzShape(f, "cef") }
func FuzzLEEF(f *testing.F)    { fuzzShape(f, "leef") }
func FuzzRegexp(f *testing.F)  { fuzzShape(f, "regexp") }

// FuzzTime wants what RFC 3339 says of RFC 3339, and something sensible of the rest.
func FuzzTime(f *testing.F) {
	for _, s := range []string{"2026-11-21T08:05:12.186Z", "21/Nov/2026:08:05:12 +0000", "1795248312.186", "Nov 21 08:05:12", "Mon Aug 28 08:05:55 2023", "9/16/19 10:00", "2026:05:13-10:10:10"} {
		f.Add(s)
	}
	c := clock{location: time.UTC, now: now}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := c.parse([]byte(s))
		if ok && got > latest+day {
			t.Errorf("%q is %d", s, got)
		}
		if want, err := time.Parse(time.RFC3339Nano, s); err == nil && want.Year() >= 1970 && want.Year() <= 2200 && want.Second() < 60 {
			if !strings.ContainsAny(s, "zt,") && (!ok || got != want.UnixNano()) {
				if _, offset := want.Zone(); offset > -15*3600 && offset < 15*3600 {
					t.Errorf("%q is %d (%v), want %d", s, got, ok, want.UnixNano())
				}
			}
		}
	})
}

// FuzzAddr wants what netip says.
func FuzzAddr(f *testing.F) {
	for _, s := range []string{"192.0.2.1", "192.0.2.1:443", "[2001:db8::1]:443", "2001:db8::1", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8:9", "192.0.2.1:443:WAN:x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, _, ok := parseAddr([]byte(s))
		if want, err := netip.ParseAddr(s); err == nil && want.Zone() == "" && (!ok || got != want.Unmap()) {
			t.Errorf("%q is %v (%v), want %v", s, got, ok, want)
		}
		if p, err := netip.ParseAddrPort(s); err == nil && p.Addr().Zone() == "" && (!ok || got != p.Addr().Unmap()) {
			t.Errorf("%q is %v (%v), want %v", s, got, ok, p)
		}
	})
}

// FuzzSyslog wants the end of the line back.
func FuzzSyslog(f *testing.F) {
	f.Add("<134>1 2026-01-15T10:00:00Z host app 1 - [a b=\"c\"] message")
	f.Add("<13>Jan 15 10:00:00 host tag[1]: message")
	f.Add("Jan 15 2026 10:00:00.123 host message")
	c := clock{location: time.UTC, now: now}
	f.Fuzz(func(t *testing.T, line string) {
		rest, _ := stripSyslog([]byte(line), &c)
		if !strings.HasSuffix(line, string(rest)) {
			t.Errorf("%q leaves %q", line, rest)
		}
	})
}

// FuzzHost wants a host that is one.
func FuzzHost(f *testing.F) {
	for _, s := range []string{"https://mary@chat.example:443/x?y", "tunnel://chat.example:443/", "[::1]:443", "//chat.example", "/x", "error:invalid-request"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if h := splitHost([]byte(s)).host; len(h) > 0 && !hostBytes(h) {
			t.Errorf("%q has the host %q", s, h)
		}
	})
}

// FuzzFormat reads hostile descriptions of formats: they compile or say why not, and what compiles reads lines.
func FuzzFormat(f *testing.F) {
	l := library(f)
	f.Add([]byte("name = \"x\"\ntitle = \"x\"\nshape = \"columns\"\ncolumns = [\"a...\", \"b\"]\n[record]\nhost = [\"a | word 2\"]\n"), []byte("a b"))
	for name, format := range l.formats {
		text, err := embedded.ReadFile("formats/" + name + ".toml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, []byte(format.spec.Samples[0]))
	}
	f.Fuzz(func(t *testing.T, text, line []byte) {
		own, err := New("x.toml", text)
		if err != nil {
			if !utf8.ValidString(err.Error()) && utf8.Valid(text) {
				t.Errorf("error %q", err)
			}
			return
		}
		format, err := own.Open(own.Formats()[0].Name, Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		var r Record
		_ = format.Parse(line, &r)
		_ = format.Parse(line, &r)
	})
}

// FuzzLines wants every octet of the stream in a line, or thrown away with a line that is too long.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\r\n\nc"), uint8(1))
	f.Fuzz(func(t *testing.T, text []byte, step uint8) {
		lines := NewLines(&stutter{text, int(step)})
		var got []byte
		for {
			line, err := lines.Next()
			if err != nil {
				break
			}
			got = append(append(got, line...), '\n')
		}
		want := text
		if len(want) > 0 && want[len(want)-1] != '\n' {
			want = append(bytes.Clone(want), '\n')
		}
		if !bytes.Equal(got, want) || lines.Passed() != int64(len(text)) {
			t.Errorf("%q gives %q, passed %d", text, got, lines.Passed())
		}
	})
}
