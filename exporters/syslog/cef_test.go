package syslog

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/gnomon-sensor/gnomon/exporters/exportertest"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// parsed is a message as a SIEM reads it.
type parsed struct {
	header [7]string
	ext    map[string]string
}

// parse reads the Common Event Format: a header of seven fields, then keys and values.
func parse(text string) (p parsed, err error) {
	rest, ok := strings.CutPrefix(text, "CEF:0|")
	if !ok {
		return p, fmt.Errorf("%.40q is no CEF", text)
	}
	p.header[0] = "0"
	for i := 1; i < 7; i++ {
		if p.header[i], rest, err = upTo(rest, '|'); err != nil {
			return p, err
		}
	}
	p.ext = map[string]string{}
	for rest != "" {
		key, value, err := upTo(rest, '=')
		if err != nil || strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" || key == "" {
			return p, fmt.Errorf("%q is no key: %v", key, err)
		}
		rest = value
		// A value ends before the last word in front of the next = that is not escaped.
		var b strings.Builder
		end := len(rest)
		for i := 0; i < len(rest); i++ {
			if rest[i] == '\\' {
				i++
			} else if rest[i] == '=' {
				end = strings.LastIndexByte(rest[:i], ' ')
				break
			}
		}
		if end < 0 {
			return p, fmt.Errorf("the value of %s has an = in it: %.60q", key, rest)
		}
		for i := 0; i < end; i++ {
			if rest[i] == '\\' {
				i++
			}
			b.WriteByte(rest[i])
		}
		if _, twice := p.ext[key]; twice {
			return p, fmt.Errorf("%s is there twice", key)
		}
		p.ext[key] = b.String()
		rest = strings.TrimPrefix(rest[end:], " ")
	}
	return p, nil
}

// upTo reads up to a character that is not escaped.
func upTo(s string, sep byte) (field, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == sep:
			return b.String(), s[i+1:], nil
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", fmt.Errorf("there is no %q in %.60q", sep, s)
}

func TestCEF(t *testing.T) {
	use := exportertest.Full(5)
	finding := exportertest.Event(1)
	finding.Event.Dataset, finding.Event.Action, finding.Event.Severity, finding.Event.Reason = event.DatasetFinding, "upload-limit", 71, "more than a | b = c"
	finding.Gnomon.Finding = &event.Finding{Period: "2026-11-21", Limit: 100, Value: 250}
	audit := event.Event{Timestamp: use.Timestamp, Event: event.Meta{ID: "x", Dataset: event.DatasetAudit, Action: "login", Outcome: "failure"}}
	coverage := event.Event{Timestamp: use.Timestamp, Event: event.Meta{ID: "y", Dataset: event.DatasetCoverage},
		Gnomon: &event.Gnomon{Coverage: &event.Coverage{Received: 10, Dropped: 2, Flows: 3}}}
	prohibited := exportertest.Event(2)
	prohibited.Gnomon.Policy.Status, prohibited.User.Name = "prohibited", `CORP\anna`
	for _, c := range []struct {
		name   string
		ev     *event.Event
		header string
		ext    map[string]string
	}{
		{"use", &use, "0 Gnomon Gnomon 1.0.0 gnomon.activity AI service used 1", map[string]string{
			"rt": "1760000005000", "externalId": use.Event.ID, "src": "192.0.2.1", "spt": "51514", "smac": "02:00:00:00:00:01", "in": "5",
			"dst": "203.0.113.9", "dpt": "443", "dhost": "assistant.example", "out": "50", "proto": "TCP", "app": "TLS", "suser": "user 5", "suid": "user 5",
			"cs1": "assistant", "cs1Label": "service", "cs2": "approved", "cs2Label": "policy", "cs3": "Research", "cs3Label": "department", "cs4": "sni",
			"cs5": "site", "cs6": "high", "cn1": "15820", "cn1Label": "uploadBytes", "cn2": "15500", "cn3": "16400", "cat": "chat-assistant", "dvchost": "berlin-1",
			"deviceInboundInterface": "eth1", "flexString1": "true", "flexString1Label": "counted"}},
		{"prohibited use", &prohibited, "0 Gnomon Gnomon unknown gnomon.activity AI service used 8", map[string]string{"suser": `CORP\anna`, "suid": "user 2"}},
		{"finding", &finding, "0 Gnomon Gnomon unknown gnomon.finding.upload-limit Finding: upload-limit 8", map[string]string{
			"act": "upload-limit", "reason": "more than a | b = c", "cn1": "250", "cn1Label": "value", "cn2": "100", "flexString2": "2026-11-21"}},
		{"audit", &audit, "0 Gnomon Gnomon unknown gnomon.audit.login Audit: login 1", map[string]string{"act": "login", "outcome": "failure", "suser": ""}},
		{"coverage", &coverage, "0 Gnomon Gnomon unknown gnomon.coverage Coverage of the sensor 1", map[string]string{"cn1": "10", "cn2": "2", "cn3": "3"}},
		{"nothing", &event.Event{}, "0 Gnomon Gnomon unknown . Audit:  1", map[string]string{"rt": ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := parse(string(appendCEF(nil, c.ev)))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(p.header[:], " "); got != c.header {
				t.Errorf("header %q, want %q", got, c.header)
			}
			for key, want := range c.ext {
				if p.ext[key] != want {
					t.Errorf("%s is %q, want %q", key, p.ext[key], want)
				}
			}
		})
	}
}

// hostile checks that whatever a name from the wire is, it stays the value of its field, on one line.
func hostile(t *testing.T, name string) {
	t.Helper()
	plain, ev := exportertest.Full(1), exportertest.Full(1)
	ev.Destination.Domain, ev.User.Name, ev.Observer.Version, ev.Observer.Name, ev.Message = name, name, name, name, name
	plain.User.Name, plain.Message = "x", "x"
	sender := Sender{config: Default()}
	text := string(sender.appendMessage(nil, &ev))
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Fatalf("this is not for a terminal: %q", text)
	}
	if len(text) > 20*maxValue {
		t.Fatalf("%d bytes", len(text))
	}
	fields := strings.SplitN(text, " ", 8)
	if len(fields) != 8 || fields[0] != "<134>1" || fields[3] != "gnomon" || fields[5] != "activity" {
		t.Fatalf("the frame is broken: %q", text)
	}
	got, err := parse(fields[7])
	if err != nil {
		t.Fatal(err)
	}
	want, err := parse(string(appendCEF(nil, &plain)))
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range want.ext {
		free := strings.Contains(" dhost suser msg dvchost ", " "+key+" ")
		if !free && got.ext[key] != value {
			t.Errorf("%s has become %q", key, got.ext[key])
		}
	}
	for key := range got.ext {
		if want.ext[key] == "" {
			t.Errorf("there is a field %s", key)
		}
	}
}

func TestHostileNames(t *testing.T) {
	for _, name := range []string{"a=b", "a|b", `a\`, `\`, "x\ncn1=0 y", "x\r\n<134>1 - - - - - - CEF:0|", " src=1.2.3.4", "\x00\x1b[31m", "\xff\xfe", "\u202egnp.exe",
		strings.Repeat("=", 5000), strings.Repeat("\u20ac", 5000), "end ", "=", "cn1Label=x "} {
		t.Run(fmt.Sprintf("%.20q", name), func(t *testing.T) { hostile(t, name) })
	}
}

func FuzzHostile(f *testing.F) {
	f.Add("assistant.example")
	f.Add("a=b|c\\ \n cn1=0")
	f.Add("\xff\u202e=")
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" {
			return
		}
		hostile(t, name)
	})
}

// Writing a message allocates nothing.
func TestAllocs(t *testing.T) {
	ev, s := exportertest.Full(1), Sender{config: Default()}
	buf := make([]byte, 0, 8<<10)
	if n := testing.AllocsPerRun(100, func() { buf = s.appendMessage(buf[:0], &ev) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMessage(b *testing.B) {
	ev, s := exportertest.Full(1), Sender{config: Default()}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = s.appendMessage(buf[:0], &ev)
	}
	b.SetBytes(int64(len(buf)))
}
