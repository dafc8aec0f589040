package policy

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// minuteOf is a coverage record of one sensor.
func minuteOf(start event.Time, n int, c event.Coverage) *event.Event {
	begin := start + event.Time(n)*60e9
	return &event.Event{Timestamp: begin + 60e9, Event: event.Meta{ID: fmt.Sprint("m", n), Dataset: event.DatasetCoverage, Start: begin, End: begin + 60e9},
		Observer: &event.Observer{ID: "sensor-1"}, Gnomon: &event.Gnomon{Site: "berlin", Coverage: &c}}
}

func TestCoverage(t *testing.T) {
	fine := event.Coverage{Received: 1000, Flows: 100, FlowsReadable: 100, FlowsNamed: 90}
	lossy := event.Coverage{Received: 900, Dropped: 100, Flows: 100, FlowsReadable: 100, FlowsNamed: 90}
	unread := event.Coverage{Received: 1000, Flows: 1000, FlowsReadable: 100, FlowsNamed: 9}
	idle := event.Coverage{Received: 1000, Flows: 900, FlowsReadable: 19}
	// sight is a minute with so many flows to resolvers and so many KiB into tunnels, of 100 and 10,000.
	sight := func(resolvers, relayKiB uint64) event.Coverage {
		c := fine
		c.Web = event.Sight{Named: event.Part{Flows: 100 - resolvers, Bytes: (10_000 - relayKiB) << 10}, EncryptedDNS: event.Part{Flows: resolvers}}
		c.OtherPorts = event.Sight{Relay: event.Part{Bytes: relayKiB << 10}}
		c.HiddenBy = map[string]event.Part{"wireguard": {Flows: 1, Bytes: 1}, "dns-google": {Flows: 1, Bytes: 2}}
		return c
	}
	small := event.Coverage{Received: 1000, Web: event.Sight{EncryptedDNS: event.Part{Flows: 19, Bytes: 1 << 19}, Relay: event.Part{Bytes: 1 << 18}}}
	none := event.Coverage{}
	source := func(read uint64) event.Coverage {
		c := fine
		c.Sources = map[string]event.Source{"proxy": {Read: read}, "other": {Read: 1}}
		return c
	}
	type stretch struct {
		minutes int
		c       event.Coverage
	}
	tests := []struct {
		name   string
		change func(*FindingsConfig)
		run    []stretch
		want   []string // "minute: cause"
	}{
		{"fine", nil, []stretch{{600, fine}}, nil},
		{"a bad moment", nil, []stretch{{9, fine}, {4, lossy}, {9, fine}, {4, lossy}, {9, fine}}, nil},
		{"losing", nil, []stretch{{9, fine}, {60, lossy}}, []string{"13: blind-spot 60 10.0 % of all frames were lost since 2026-05-04T00:09:00Z"}},
		{"losing twice a day", nil, []stretch{{60, lossy}, {9, fine}, {60, lossy}}, []string{"4: blind-spot 60 10.0 % of all frames"}},
		{"losing over midnight", nil, []stretch{{1430, fine}, {60, lossy}}, []string{"1434: blind-spot 60 10.0 %", "1439: blind-spot 60 10.0 %"}},
		{"losing, not told", func(c *FindingsConfig) { c.DroppedPercent = 0 }, []stretch{{60, lossy}}, nil},
		{"unreadable", nil, []stretch{{60, unread}}, []string{"4: blind-spot 50 only 9.0 % of the flows that should have a name"}},
		{"unreadable, with few flows between", nil, []stretch{{3, unread}, {2, idle}, {60, unread}}, []string{"5: blind-spot 50 only 9.0 % of the flows that should have a name"}},
		{"few flows", nil, []stretch{{600, idle}}, nil},
		{"unreadable, not told", func(c *FindingsConfig) { c.ReadablePercent = 0 }, []stretch{{60, unread}}, nil},
		{"resolvers", nil, []stretch{{60, sight(3, 0)}}, []string{"4: blind-spot 40 3.0 % of flows to port 443 and to resolvers went to encrypted resolvers since 2026-05-04T00:00:00Z (dns-google, wireguard)"}},
		{"resolvers, at the limit", nil, []stretch{{60, sight(2, 0)}}, nil},
		{"resolvers, not told", func(c *FindingsConfig) { c.EncryptedDNSPercent = 0 }, []stretch{{60, sight(50, 0)}}, nil},
		{"relays", nil, []stretch{{9, fine}, {60, sight(0, 1000)}}, []string{"13: blind-spot 50 10.0 % of the bytes to port 443 and into tunnels went into relays and VPNs since 2026-05-04T00:09:00Z"}},
		{"relays, at the limit", nil, []stretch{{60, sight(0, 500)}}, nil},
		{"relays, now and then", nil, []stretch{{4, sight(0, 1000)}, {1, sight(0, 1)}, {4, sight(0, 1000)}}, nil},
		{"relays, not told", func(c *FindingsConfig) { c.RelayPercent = 0 }, []stretch{{60, sight(0, 9000)}}, nil},
		{"little traffic", nil, []stretch{{60, small}}, nil},
		{"no traffic", nil, []stretch{{9, fine}, {60, none}}, []string{"18: blind-spot 80 no frame was received since 2026-05-04T00:09:00Z"}},
		{"no traffic from the start", nil, []stretch{{60, none}}, []string{"9: blind-spot 80 no frame"}},
		{"no traffic for a moment", nil, []stretch{{9, none}, {1, fine}, {9, none}}, nil},
		{"no traffic, not told", func(c *FindingsConfig) { c.NoTraffic = 0 }, []stretch{{60, none}}, nil},
		{"silent source", func(c *FindingsConfig) { c.SourceSilent = time.Hour }, []stretch{{10, source(5)}, {120, source(0)}},
			[]string{`69: silent-source 50 the source "proxy" has delivered nothing since 2026-05-04T00:10:00Z`}},
		{"source that never spoke", func(c *FindingsConfig) { c.SourceSilent = time.Hour }, []stretch{{120, source(0)}},
			[]string{`59: silent-source 50 the source "proxy" has delivered nothing since 2026-05-04T00:00:00Z`}},
		{"source that speaks now and then", func(c *FindingsConfig) { c.SourceSilent = time.Hour }, []stretch{{59, source(0)}, {1, source(1)}, {59, source(0)}}, nil},
		{"silence not told", func(c *FindingsConfig) { c.SourceSilent = 0 }, []stretch{{3000, source(0)}}, nil},
	}
	start := moment("2026-05-04T00:00:00Z")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := mustFindings(t, tt.change, nil)
			var got []string
			n := 0
			for _, s := range tt.run {
				for range s.minutes {
					for _, ev := range f.Coverage(minuteOf(start, n, s.c)) {
						got = append(got, fmt.Sprintf("%d: %s %d %s", n, ev.Event.Action, ev.Event.Severity, ev.Event.Reason))
						if len(ev.Gnomon.Finding.Evidence) == 0 || ev.User != nil || ev.Gnomon.Service != nil {
							t.Errorf("got %+v", ev.Gnomon)
						}
					}
					n++
				}
			}
			if !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestSilence wants each source to be silent for as long as it may.
func TestSilence(t *testing.T) {
	f, err := NewFindings(DefaultFindings(), FindingsOptions{Silence: map[string]time.Duration{"proxy": 10 * time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	c := event.Coverage{Sources: map[string]event.Source{"proxy": {}, "other": {}}}
	var got []string
	for n := range 100 {
		for _, ev := range f.Coverage(minuteOf(moment("2026-05-04T00:00:00Z"), n, c)) {
			got = append(got, ev.Event.Reason)
		}
	}
	if len(got) != 1 || !strings.Contains(got[0], `the source "proxy" has delivered nothing since`) {
		t.Errorf("found %q", got)
	}
}

// TestCoverageGap wants minutes before a sensor was off not to be joined with those after.
func TestCoverageGap(t *testing.T) {
	f := mustFindings(t, nil, nil)
	start := moment("2026-05-04T00:00:00Z")
	for _, n := range []int{0, 1, 2, 3, 10, 11, 12, 13} {
		if got := f.Coverage(minuteOf(start, n, event.Coverage{Received: 1, Dropped: 1})); len(got) != 0 {
			t.Errorf("minute %d: %q", n, tell(got))
		}
	}
	if got := f.Coverage(minuteOf(start, 14, event.Coverage{Received: 1, Dropped: 1})); len(got) != 1 {
		t.Errorf("minute 14: %q", tell(got))
	}
}

// TestCoverageLogsOnly wants a sensor that reads logs alone not to miss packets.
func TestCoverageLogsOnly(t *testing.T) {
	f, err := NewFindings(DefaultFindings(), FindingsOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		if got := f.Coverage(minuteOf(moment("2026-05-04T00:00:00Z"), n, event.Coverage{})); len(got) != 0 {
			t.Fatalf("minute %d: %q", n, tell(got))
		}
	}
}

// TestCoverageRestart wants the same id after a restart in the middle of a run.
func TestCoverageRestart(t *testing.T) {
	ids := map[string]bool{}
	start := moment("2026-05-04T00:00:00Z")
	for _, from := range []int{0, 3, 30} {
		f := mustFindings(t, nil, nil)
		for n := from; n < from+20; n++ {
			for _, ev := range f.Coverage(minuteOf(start, n, event.Coverage{Received: 1, Dropped: 1})) {
				ids[ev.Event.ID] = true
			}
		}
	}
	if len(ids) != 1 {
		t.Errorf("%d ids for one blind spot of one day", len(ids))
	}
}

func TestFindingsValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*FindingsConfig)
		want   string
	}{
		{"default", func(*FindingsConfig) {}, ""},
		{"all off", func(c *FindingsConfig) { *c = FindingsConfig{BlindAfter: time.Minute} }, ""},
		{"learning", func(c *FindingsConfig) { c.Learning = -1 }, "findings.learning = -1ns"},
		{"blind after", func(c *FindingsConfig) { c.BlindAfter = 0 }, "findings.blind_after = 0s"},
		{"no traffic", func(c *FindingsConfig) { c.NoTraffic = time.Second }, "findings.no_traffic = 1s"},
		{"source silent", func(c *FindingsConfig) { c.SourceSilent = time.Second }, "findings.source_silent = 1s"},
		{"dropped", func(c *FindingsConfig) { c.DroppedPercent = 101 }, "findings.dropped_percent = 101"},
		{"readable", func(c *FindingsConfig) { c.ReadablePercent = -1 }, "findings.readable_percent = -1"},
		{"encrypted DNS", func(c *FindingsConfig) { c.EncryptedDNSPercent = 101 }, "findings.encrypted_dns_percent = 101"},
		{"relay", func(c *FindingsConfig) { c.RelayPercent = math.NaN() }, "findings.relay_percent = NaN"},
		{"upload", func(c *FindingsConfig) { c.UploadDayMiB = maxMiB + 1 }, "findings.upload_day_mib"},
		{"upload of nothing", func(c *FindingsConfig) { c.Uploads = []UploadRule{{DayMiB: 1}} }, "findings.upload 1: services is empty"},
		{"upload without a limit", func(c *FindingsConfig) { c.Uploads = []UploadRule{{Services: []string{"a"}}} }, "findings.upload 1 (a): day_mib = 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := DefaultFindings()
			tt.change(&c)
			_, err := NewFindings(c, FindingsOptions{})
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}
