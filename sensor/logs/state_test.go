package logs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// Stopped after any line and gone on with from its state, Activities write what they would have written without the stop.
func TestStateGoesOn(t *testing.T) {
	var lines []string
	for i := range 12 { // identical lines, and sessions with running totals
		lines = append(lines, "1767225600.000 5 192.0.2.1 TCP_TUNNEL/200 100 CONNECT chat.example:443 - HIER_DIRECT/198.51.100.1 -")
		lines = append(lines, fmt.Sprintf("176722560%d.000 5 192.0.2.%d TCP_TUNNEL/200 100 CONNECT chat.example:443 - HIER_DIRECT/198.51.100.1 -", i/4, i%3))
	}
	sessions := []string{fortigate("traffic", 1, "sentbyte=1000 sentdelta=1000 rcvdbyte=10 rcvddelta=10"), fortigate("traffic", 2, "sentbyte=1500 sentdelta=500 rcvdbyte=20 rcvddelta=10"),
		fortigate("traffic", 3, "sentbyte=2000 rcvdbyte=30")}
	for _, tt := range []struct {
		name, format string
		lines        []string
	}{{"identical lines", "squid-native", lines}, {"sessions", "fortigate-kv", sessions}} {
		t.Run(tt.name, func(t *testing.T) {
			want := eventsOf(t, tt.format, tt.lines, len(tt.lines))
			if len(want) != len(tt.lines) {
				t.Fatalf("%d events of %d lines", len(want), len(tt.lines))
			}
			for cut := range tt.lines {
				if got := eventsOf(t, tt.format, tt.lines, cut); !slices.Equal(got, want) {
					t.Errorf("stopped after %d lines:\n%s\nwithout:\n%s", cut, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
		})
	}
}

func fortigate(kind string, i int, bytes string) string {
	return fmt.Sprintf(`date=2026-03-06 time=12:20:3%d devid="FG1" eventtime=177279603%d tz="+0000" type="%s" srcip=192.0.2.4 srcport=5000 dstip=203.0.113.5 sessionid=7 `+
		`hostname="chat.example" %s action="accept"`, i, i, kind, bytes)
}

// eventsOf reads lines, with a stop after so many of them.
func eventsOf(t *testing.T, format string, lines []string, stop int) []string {
	t.Helper()
	var to recorder
	start := func() (Format, *Activities) {
		f, err := library(t).Open(format, Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		return f, NewActivities(Config{Observer: event.Observer{ID: "here"}, Source: "proxy", Visits: sensor.NewVisits(), Ruleset: func() string { return "" }},
			&oneService{signatures.Service{ID: "chat"}}, &to)
	}
	f, a := start()
	for i, line := range lines {
		if i == stop {
			text, err := json.Marshal(a.State())
			if err != nil {
				t.Fatal(err)
			}
			var s State
			if err := json.Unmarshal(text, &s); err != nil {
				t.Fatal(err)
			}
			f, a = start()
			a.Restore(s)
		}
		var r Record
		if err := f.Parse([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		a.Add(&r, []byte(line))
	}
	var out []string
	for i := range to.events {
		ev := &to.events[i]
		out = append(out, ev.Event.ID+" "+ev.Gnomon.Flow.ID+" "+counts(ev))
	}
	return out
}

// However many lines there are, what is remembered is bounded, and the last ones are never forgotten.
func TestRepeatsBounded(t *testing.T) {
	p := newRepeats()
	for i := range 5 * maxRepeats / 2 {
		sum := [32]byte{byte(i), byte(i >> 8), byte(i >> 16)}
		if n := p.count(int64(i), sum); n != 0 {
			t.Fatalf("line %d came %d times before", i, n)
		}
		if n := p.count(int64(i), sum); n != 1 {
			t.Fatalf("line %d came %d times before, not once", i, n)
		}
	}
	if n := len(p.young) + len(p.old); n > maxRepeats || n < maxRepeats/2 {
		t.Errorf("%d lines are remembered", n)
	}
	again := newRepeats()
	again.restore(p.append(nil))
	if len(again.append(nil)) != len(p.append(nil)) {
		t.Error("what was kept is not what comes back")
	}
}

func TestAccountState(t *testing.T) {
	a := Account{Used: 1, Old: 2, Ahead: 3}
	a.Add([]byte("mary 10.1.2.3"), &Record{}, ErrShape)
	a.Add(nil, &Record{}, ErrTooLong)
	a.Add(nil, &Record{}, ErrHeader)
	a.Add(nil, &Record{Time: 1}, nil)
	text, err := json.Marshal(&a)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "mary") || !strings.Contains(string(text), "xxxx 99.9.9.9") {
		t.Errorf("a sample is not masked: %s", text)
	}
	var b Account
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	if b.Read != 4 || b.Records != 1 || b.Used != 1 || b.Old != 2 || b.Ahead != 3 || b.Rejected() != 2 || b.Other() != 1 || len(b.Rejections()) != 2 {
		t.Errorf("came back as %+v", b)
	}
}
