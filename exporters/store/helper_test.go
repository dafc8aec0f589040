package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// clock is a clock that a test moves.
type clock struct{ at atomic.Int64 }

func newClock(t time.Time) *clock {
	c := &clock{}
	c.set(t)
	return c
}

func (c *clock) now() time.Time      { return time.Unix(0, c.at.Load()) }
func (c *clock) set(t time.Time)     { c.at.Store(t.UnixNano()) }
func (c *clock) add(d time.Duration) { c.at.Add(int64(d)) }

// noon is when tests begin.
var noon = time.Date(2026, 3, 17, 12, 0, 0, 0, time.UTC)

func testConfig(t testing.TB) Config {
	c := Default(filepath.Join(t.TempDir(), "gnomon.db"))
	c.Every = -1
	c.Now = newClock(noon).now
	return c
}

func open(t testing.TB, c Config) *Store {
	t.Helper()
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// export stores a batch, all of it.
func export(t testing.TB, s exporters.Exporter, batch []event.Event) {
	t.Helper()
	out := make([]exporters.Outcome, len(batch))
	if err := s.Export(context.Background(), batch, out); err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		if o.State != exporters.Stored {
			t.Fatalf("event %d: %+v", i, o)
		}
	}
}

func maintain(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Maintain(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func ptr[T any](v T) *T { return &v }

// activity makes a whole record, as the sensor writes it.
func activity(at time.Time, user, service string, n int) event.Event {
	ts := event.At(at)
	id := event.KeyID(int64(ts), event.DatasetActivity, "sensor", user, service, fmt.Sprint(n))
	return event.Event{
		Timestamp: ts, ECS: &event.ECS{Version: event.ECSVersion},
		Event: event.Meta{ID: id, Start: ts, End: ts, Dataset: event.DatasetActivity, Kind: "event", Category: []string{"network"}},
		Observer: &event.Observer{ID: "0b5c6a1e-6a55-4c4f-9f3c-1f1f0b6f2a11", Name: "berlin-1", Type: "sensor", Version: "1.0.0",
			Ingress: &event.Ingress{Interface: event.Interface{Name: "eth1"}}},
		Source: &event.Endpoint{IP: fmt.Sprintf("10.1.%d.%d", n/250%250, n%250), Port: ptr(uint16(40000 + n%20000)), Bytes: ptr(uint64(1000 + n)),
			Packets: ptr(uint64(12 + n%7))},
		Destination: &event.Endpoint{IP: fmt.Sprintf("104.18.%d.47", n%256), Port: ptr(uint16(443)), Domain: service + ".example", Bytes: ptr(uint64(9000 + n)),
			Packets: ptr(uint64(30))},
		Network: &event.Network{Transport: "tcp", Protocol: "tls", Type: "ipv4", Application: service, CommunityID: "1:" + id[6:] + "8="},
		TLS:     &event.TLS{Client: &event.TLSClient{ServerName: service + ".example", JA4: "t13d1516h2_8daaf6152771_e5627efa2ab1"}, NextProtocol: "h2"},
		User:    &event.User{ID: user, Group: &event.Group{Name: "sales"}},
		Rule:    &event.Rule{ID: service, Name: "The " + service, Category: "chat-assistant", Ruleset: "catalogue 2026.11.1"},
		Gnomon: &event.Gnomon{Schema: event.SchemaVersion, Site: "berlin", Flow: &event.Flow{ID: id, End: "fin"},
			Visit: &event.Visit{ID: event.KeyID(int64(ts), "visit", user, service)}, Counted: ptr(true), Use: "interactive",
			Service:     &event.Service{ID: service, Vendor: "Vendor of " + service, Category: "chat-assistant", Kind: "web"},
			Evidence:    &event.Evidence{Class: "sni", Confidence: "high"},
			Upload:      &event.Upload{Bytes: uint64(800 + n), Low: uint64(700 + n), High: uint64(900 + n), Method: "tls-records", Bursts: 2, LargestBurst: 600},
			Attribution: &event.Attribution{Source: "kerberos", Confidence: "high", AgeS: ptr(int64(7200))},
			Policy:      &event.Policy{Status: "unreviewed"}},
	}
}

// random makes a record of few users and services around at, with everything that sums depend on.
func random(r *rand.Rand, at time.Time, spread time.Duration) event.Event {
	when := at.Add(time.Duration(r.Int64N(int64(spread))))
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	user := pick("u1", "u2", "u3", "u4", "u5", "u6", "u7", "")
	ev := activity(when, user, pick("chat", "code", "paint", "voice"), r.IntN(1e6))
	if user == "" {
		ev.User, ev.Source.IP = nil, pick("10.0.0.1", "10.0.0.2", "")
	} else {
		ev.User.Group.Name = pick("sales", "research", "")
	}
	g := ev.Gnomon
	g.Site, g.Use, g.Policy.Status = pick("berlin", "paris", ""), pick("interactive", "background"), pick("approved", "unreviewed", "prohibited")
	g.Flow.Slice = uint32(r.IntN(3))
	g.Counted = ptr(r.IntN(10) > 0)
	g.Attribution.Shared = r.IntN(12) == 0
	g.Visit.ID = event.KeyID(int64(event.At(when.Truncate(3*time.Hour))), "visit", user, g.Service.ID)
	if r.IntN(20) == 0 {
		g.Visit = nil
	}
	if r.IntN(4) == 0 {
		g.Upload = nil
	}
	return ev
}
