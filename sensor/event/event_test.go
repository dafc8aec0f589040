package event

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
)

func tuple() *Tuple {
	return &Tuple{Source: netip.MustParseAddrPort("10.1.2.3:51514"), Destination: netip.MustParseAddrPort("192.0.2.7:443"),
		Protocol: 6, Start: 1_700_000_000_123_456_789}
}

// Every input of an identifier changes it; nothing else does.
func TestSliceID(t *testing.T) {
	base := SliceID("sensor", DatasetActivity, tuple(), 1_700_000_060e9, "openai-chatgpt")
	if len(base) != 26 || base != strings.ToLower(base) {
		t.Fatalf("id %q is not 26 characters of lower-case base32", base)
	}
	if again := SliceID("sensor", DatasetActivity, tuple(), 1_700_000_060e9, "openai-chatgpt"); again != base {
		t.Fatalf("the same slice has two identifiers: %s, %s", base, again)
	}
	for _, c := range []struct {
		name string
		id   func(*Tuple) string
	}{
		{"observer", func(u *Tuple) string { return SliceID("other", DatasetActivity, u, 1_700_000_060e9, "openai-chatgpt") }},
		{"dataset", func(u *Tuple) string { return SliceID("sensor", DatasetFinding, u, 1_700_000_060e9, "openai-chatgpt") }},
		{"slice start", func(u *Tuple) string {
			return SliceID("sensor", DatasetActivity, u, 1_700_000_060e9+1, "openai-chatgpt")
		}},
		{"service", func(u *Tuple) string { return SliceID("sensor", DatasetActivity, u, 1_700_000_060e9, "claude") }},
		{"vlan", func(u *Tuple) string {
			u.VLAN = 12
			return SliceID("sensor", DatasetActivity, u, 1_700_000_060e9, "openai-chatgpt")
		}},
		{"source port", func(u *Tuple) string {
			u.Source = netip.MustParseAddrPort("10.1.2.3:51515")
			return SliceID("sensor", DatasetActivity, u, 1_700_000_060e9, "openai-chatgpt")
		}},
		{"flow start", func(u *Tuple) string {
			u.Start++
			return SliceID("sensor", DatasetActivity, u, 1_700_000_060e9, "openai-chatgpt")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.id(tuple()) == base {
				t.Error("the identifier does not depend on it")
			}
		})
	}
}

// Identifiers of later slices sort after those of earlier ones.
func TestSliceIDSortsByTime(t *testing.T) {
	before := ""
	for ms := int64(1_600_000_000_000); ms < 1_600_000_000_000+3600_000*50; ms += 3600_000 {
		id := SliceID("sensor", DatasetActivity, tuple(), ms*1e6, "claude")
		if id <= before {
			t.Fatalf("%s at %d sorts before %s", id, ms, before)
		}
		before = id
	}
}

// The vectors are those of the specification's README (baseline, seed 0).
func TestCommunityID(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to string
		protocol uint8
		want     string
	}{
		{"tcp", "128.232.110.120:34855", "66.35.250.204:80", 6, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{"tcp, other way", "66.35.250.204:80", "128.232.110.120:34855", 6, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{"udp", "192.168.1.52:54585", "8.8.8.8:53", 17, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := CommunityID(netip.MustParseAddrPort(c.from), netip.MustParseAddrPort(c.to), c.protocol); got != c.want {
				t.Errorf("CommunityID = %s, want %s", got, c.want)
			}
		})
	}
}

// An unknown value is an absent field.
func TestUnknownIsAbsent(t *testing.T) {
	ev := Event{Timestamp: 1_700_000_000e9, Source: &Endpoint{IP: "10.1.2.3"}}
	b, err := json.Marshal(&ev)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"@timestamp":"2023-11-14T22:13:20Z","event":{},"source":{"ip":"10.1.2.3"}}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
	var back Event
	if err := json.Unmarshal(b, &back); err != nil || back.Timestamp != ev.Timestamp {
		t.Errorf("read back %v, %v", back.Timestamp, err)
	}
}
