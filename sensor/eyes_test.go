package sensor

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const eyeMinute = int64(60e9)

// glimpse is one record that an eye writes, in minutes.
type glimpse struct {
	eye         string // empty: packets; else a log
	client      string
	user        string
	start, end  int64
	slice       uint32
	uncounted   bool // before the eyes look at it
	want        bool // whether it counts
	wantVisitOf int  // 1 and more: of the same visit as that record
}

func (g *glimpse) event(n int) *event.Event {
	at := func(m int64) event.Time { return event.Time(1e18 + m*eyeMinute) }
	counted := !g.uncounted
	ev := &event.Event{Timestamp: at(g.end), Source: &event.Endpoint{IP: g.client}}
	ev.Event = event.Meta{Dataset: event.DatasetActivity, Start: at(g.start), End: at(g.end)}
	if g.user != "" {
		ev.User = &event.User{Name: g.user}
	}
	if g.eye != "" && g.eye != "plain.log" {
		one := uint64(1)
		ev.Source.Bytes = &one
	}
	if g.eye != "" {
		ev.Log = &event.Log{File: &event.LogFile{Path: g.eye}}
	}
	ev.Gnomon = &event.Gnomon{Counted: &counted, Visit: &event.Visit{ID: fmt.Sprint(n)}, Service: &event.Service{ID: "chat"},
		Flow: &event.Flow{Slice: g.slice}}
	return ev
}

func TestEyes(t *testing.T) {
	const a, b, proxy, gateway = "10.0.0.1", "10.0.0.2", "10.0.0.128", "198.51.100.1"
	const squid, plain = "squid.log", "plain.log" // plain tells of no uploads
	logs := EyesConfig{Patience: 60 * eyeMinute}
	packets, covered, whole := logs, logs, logs
	packets.PreferPackets, whole.Whole = true, true
	covered.Covered = []netip.Prefix{netip.MustParsePrefix(a + "/32"), netip.MustParsePrefix(proxy + "/32")}
	for _, c := range []struct {
		name    string
		config  EyesConfig
		records []glimpse
	}{
		{"packets first, the line minutes later", logs, []glimpse{
			{client: a, start: 0, end: 1, want: true},
			{client: a, start: 1, end: 2, slice: 1, want: true, wantVisitOf: 1},
			{eye: squid, client: a, start: 0, end: 5, wantVisitOf: 1}}},
		{"the line first", logs, []glimpse{
			{eye: squid, client: a, start: 0, end: 1, want: true},
			{client: a, start: 0, end: 2, wantVisitOf: 1}}},
		{"the next visit is the log's", logs, []glimpse{
			{client: a, start: 0, end: 1, want: true},
			{eye: squid, client: a, start: 0, end: 1, wantVisitOf: 1},
			{eye: squid, client: b, start: 99, end: 99, want: true},
			{client: a, start: 100, end: 101},
			{client: a, start: 101, end: 102, slice: 1, wantVisitOf: 4},
			{eye: squid, client: a, start: 100, end: 103, want: true, wantVisitOf: 4},
			{client: b, start: 100, end: 101, wantVisitOf: 3}}},
		{"a flow goes on into the next visit", logs, []glimpse{
			{client: a, start: 0, end: 1, want: true},
			{eye: squid, client: a, start: 0, end: 1, wantVisitOf: 1},
			{eye: squid, client: b, start: 99, end: 99, want: true},
			{client: a, start: 100, end: 101, slice: 1, want: true},
			{eye: squid, client: a, start: 0, end: 101, wantVisitOf: 4}}},
		{"a client that no line has told of", logs, []glimpse{
			{eye: squid, client: a, start: 0, end: 1, want: true},
			{client: b, start: 0, end: 1, want: true}}},
		{"covered from the start", covered, []glimpse{
			{eye: squid, client: b, start: -5, end: -5, want: true},
			{client: a, start: 0, end: 1},
			{client: proxy, start: 0, end: 1},
			{eye: squid, client: a, start: 0, end: 2, want: true, wantVisitOf: 2},
			{client: proxy, start: 2000, end: 2001, want: true}}}, // no line for a day
		{"the log falls silent", covered, []glimpse{
			{eye: squid, client: a, start: 0, end: 1, want: true},
			{client: a, start: 20, end: 21, wantVisitOf: 1},
			{client: a, start: 45, end: 46, slice: 1, wantVisitOf: 1},
			{client: a, start: 70, end: 71, slice: 2, want: true, wantVisitOf: 1},
			{eye: squid, client: a, start: 40, end: 41, want: true, wantVisitOf: 1}, // and speaks again
			{eye: squid, client: a, start: 75, end: 80, wantVisitOf: 1},
			{client: a, start: 80, end: 81, slice: 3, want: true, wantVisitOf: 1}}},
		{"a log that never told", logs, []glimpse{
			{eye: squid, client: a, start: 0, end: 1, want: true},
			{eye: squid, client: b, start: 99, end: 99, want: true},
			{client: a, start: 100, end: 101},
			{eye: squid, client: b, start: 300, end: 300, want: true},
			{client: a, start: 301, end: 302, want: true}}},
		{"a log that tells of no uploads", logs, []glimpse{
			{client: a, start: 0, end: 1, want: true},
			{eye: plain, client: a, start: 0, end: 1, wantVisitOf: 1},
			{eye: plain, client: a, start: 100, end: 100, wantVisitOf: 0},
			{client: a, start: 100, end: 101, want: true, wantVisitOf: 3},
			{eye: plain, client: b, start: 0, end: 1, want: true}}},
		{"packets preferred", packets, []glimpse{
			{eye: squid, client: a, start: 0, end: 1, want: true},
			{client: a, start: 0, end: 1, wantVisitOf: 1},
			{eye: squid, client: a, start: 100, end: 100},
			{client: a, start: 100, end: 101, want: true, wantVisitOf: 3}}},
		{"packets see it no more", packets, []glimpse{
			{client: a, start: 0, end: 1, want: true},
			{eye: squid, client: a, start: 20, end: 20, wantVisitOf: 1},
			{eye: squid, client: a, start: 40, end: 40, want: true, wantVisitOf: 1}}},
		{"logs that were read before", whole, []glimpse{
			{eye: squid, client: a, start: 0, end: 1, want: true},
			{eye: squid, client: b, start: 300, end: 300, want: true},
			{client: a, start: 0, end: 1, wantVisitOf: 1},
			{client: a, start: 100, end: 101, want: true}}},
		{"two logs", logs, []glimpse{
			{eye: squid, client: a, start: 0, end: 1, want: true},
			{eye: "squid.log.1", client: a, start: 1, end: 2, want: true, wantVisitOf: 1},
			{eye: "firewall.log", client: a, start: 0, end: 2, wantVisitOf: 1}}},
		{"a gateway in the cloud knows the user", logs, []glimpse{
			{client: a, user: "mary", start: 0, end: 1, want: true},
			{eye: squid, client: gateway, user: "Mary", start: 0, end: 1, wantVisitOf: 1},
			{eye: squid, client: gateway, user: "eve", start: 0, end: 1, want: true},
			{client: b, user: "eve", start: 0, end: 1, wantVisitOf: 3}}},
		{"another device of the user", logs, []glimpse{
			{eye: squid, client: a, user: "mary", start: 0, end: 1, want: true},
			{client: a, user: "mary", start: 0, end: 1, wantVisitOf: 1},
			{client: b, user: "mary", start: 0, end: 1, want: true}}},
		{"what is no use", logs, []glimpse{
			{eye: squid, client: a, start: 0, end: 0, uncounted: true},
			{client: a, start: 0, end: 1, want: true},
			{eye: squid, client: a, start: 1, end: 1, uncounted: true, wantVisitOf: 2}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.config.Internal = netip.Addr.IsPrivate
			e := NewEyes(c.config)
			lines := map[string]*LogEye{squid: e.Source(squid, "squid", true), "squid.log.1": e.Source("squid.log.1", "squid", true),
				"firewall.log": e.Source("firewall.log", "firewall", true), plain: e.Source(plain, "plain", true)} // it might tell, and does not
			visits := []string{""}
			for i := range c.records {
				g := &c.records[i]
				ev := g.event(i + 1)
				if l := lines[g.eye]; l != nil {
					l.Beat(int64(ev.Event.End))
					l.Beat(int64(ev.Event.End)) // a second line, so that a long pause is believed
				}
				e.Join(ev)
				if *ev.Gnomon.Counted != g.want {
					t.Errorf("record %d: counted %v", i+1, *ev.Gnomon.Counted)
				}
				visits = append(visits, ev.Gnomon.Visit.ID)
				want := fmt.Sprint(i + 1)
				if g.wantVisitOf > 0 {
					want = visits[g.wantVisitOf]
				}
				if ev.Gnomon.Visit.ID != want {
					t.Errorf("record %d: of visit %s, want %s", i+1, ev.Gnomon.Visit.ID, want)
				}
			}
		})
	}
}

// One line alone cannot claim that a log has spoken of a time far ahead.
func TestBeat(t *testing.T) {
	e := NewEyes(EyesConfig{})
	l := e.Source("x", "squid", true)
	for _, c := range []struct{ at, want int64 }{{1e18, 1e18}, {1e18 - 5, 1e18}, {4e18, 1e18}, {1e18 + 9, 1e18 + 9}, {3e18, 1e18 + 9}, {3e18 + 1, 3e18 + 1}} {
		if l.Beat(c.at); l.newest.Load() != c.want {
			t.Errorf("after %d the newest is %d, want %d", c.at, l.newest.Load(), c.want)
		}
	}
}

// Several sources may be one eye, each read by a goroutine of its own.
func TestBeatTogether(t *testing.T) {
	l := NewEyes(EyesConfig{}).Source("x", "squid", true)
	var all sync.WaitGroup
	for g := range int64(4) {
		all.Go(func() {
			for i := range int64(1000) {
				l.Beat(1e18 + 4*i + g)
			}
		})
	}
	if all.Wait(); l.newest.Load() != 1e18+3999 {
		t.Errorf("the newest is %d", l.newest.Load())
	}
}

// What is remembered is bounded, whatever the records claim.
func TestEyesBounds(t *testing.T) {
	e := NewEyes(EyesConfig{Patience: 60 * eyeMinute})
	e.Source("x", "squid", true)
	for i := range maxSeen + maxSeen/4 {
		g := glimpse{eye: "x", client: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String(), start: int64(i), end: int64(i)}
		e.Join(g.event(i))
	}
	if e.size > maxSeen || len(e.seen) > maxSeen {
		t.Errorf("%d visits of %d are remembered", e.size, len(e.seen))
	}
	last := glimpse{client: "10.5.0.0", start: 0, end: 0}
	for i := range 4 * maxSeenEach {
		last.start, last.end = int64(i)*100, int64(i)*100
		e.Join(last.event(i))
	}
	if n := len(e.seen[e.key("10.5.0.0", "chat")]); n > maxSeenEach {
		t.Errorf("%d visits of one client are remembered", n)
	}
	again := last.event(-1)
	if e.Join(again); again.Gnomon.Visit.ID == "-1" {
		t.Error("the latest visit is forgotten")
	}
}

// A restart changes nothing: what packets counted before is not counted again by lines that come after, and the state says of nobody what
// they used.
func TestEyesGoOn(t *testing.T) {
	config := EyesConfig{Patience: 60 * eyeMinute, Key: []byte("secret")}
	before := NewEyes(config)
	before.Source("squid.log", "squid", true).Beat(1e18)
	first := glimpse{client: "10.0.0.1", user: "mary", start: 0, end: 1}
	line := glimpse{eye: "squid.log", client: "10.0.0.2", start: 0, end: 1}
	before.Join(first.event(1))
	before.Join(line.event(2))
	text, err := json.Marshal(before.State())
	if err != nil {
		t.Fatal(err)
	}
	if s := string(text); strings.Contains(s, "mary") || strings.Contains(s, "10.0.0") || strings.Contains(s, "chat") {
		t.Errorf("the state says who it was: %s", s)
	}
	var state EyesState
	if err := json.Unmarshal(text, &state); err != nil {
		t.Fatal(err)
	}
	after := NewEyes(config)
	after.Restore(state)
	after.Source("squid.log", "squid", true)
	for _, c := range []struct {
		name   string
		record glimpse
		visit  string
	}{
		{"the line of what packets counted", glimpse{eye: "squid.log", client: "10.0.0.1", start: 0, end: 2}, "1"},
		{"the packets of what the log counted", glimpse{client: "10.0.0.2", start: 1, end: 2}, "2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ev := c.record.event(9)
			if after.Join(ev); *ev.Gnomon.Counted || ev.Gnomon.Visit.ID != c.visit {
				t.Errorf("counted %v, of visit %s", *ev.Gnomon.Counted, ev.Gnomon.Visit.ID)
			}
		})
	}
}
