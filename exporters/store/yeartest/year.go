// Package yeartest makes a year of an organisation's records and puts them through a store day by day, for measurements, whatever store it is.
// It is the same year each time. What is measured on it lies in its benchmark, and in those of other stores.
package yeartest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Year says how large the organisation is.
type Year struct {
	Users, Services, Days int
	// Batch is how many records are stored at once.
	Batch int
	// Skip is how many days are made and not stored: a year can be stored in parts.
	Skip int
}

// Store is what a year is put through.
type Store interface {
	// Export is that of exporters.Exporter.
	Export(ctx context.Context, batch []event.Event, out []exporters.Outcome) error
	// Maintain is called when a day is over.
	Maintain(ctx context.Context) error
}

// Full is the year that figures are given for.
func Full() Year { return Year{Users: 10_000, Services: 300, Days: 365, Batch: 5000} }

// First is the first day, at midnight UTC.
func First() time.Time { return time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC) }

const (
	departments = 40
	sites       = 5
	favourites  = 9
	// visitsPerDay and servicesPerDay are means of a user's working day.
	visitsPerDay   = 12
	servicesPerDay = 5
)

// maker makes one day after the other.
type maker struct {
	year    Year
	r       *rand.Rand
	own     [][]int // each user's services
	zipf    []float64
	store   Store
	out     []exporters.Outcome
	records int
}

// Make fills a store that is opened with clock as its clock. It returns how many records there are.
func (y Year) Make(ctx context.Context, s Store, clock func(time.Time)) (int, error) {
	m := &maker{year: y, r: rand.New(rand.NewPCG(1, 2)), store: s, out: make([]exporters.Outcome, y.Batch)} //nolint:gosec // it has to be the same year each time
	sum := 0.0
	for i := range y.Services { // the second is used half as often as the first, the third a third
		sum += 1 / float64(i+1)
		m.zipf = append(m.zipf, sum)
	}
	for range y.Users {
		own := make([]int, favourites)
		for i := range own {
			own[i] = m.service()
		}
		m.own = append(m.own, own)
	}
	for d := range y.Days {
		day := First().AddDate(0, 0, d)
		clock(day.Add(20 * time.Hour))
		if err := m.day(ctx, day, d < y.Skip); err != nil {
			return m.records, err
		}
		clock(day.Add(27 * time.Hour)) // the day has been over for long enough to be settled
		if err := s.Maintain(ctx); err != nil {
			return m.records, err
		}
	}
	return m.records, nil
}

// service draws a service, the first ones most often.
func (m *maker) service() int {
	i, _ := slices.BinarySearch(m.zipf, m.r.Float64()*m.zipf[len(m.zipf)-1])
	return min(i, len(m.zipf)-1)
}

// day stores the records of a day in the order of their time, or only makes them.
func (m *maker) day(ctx context.Context, day time.Time, skip bool) error {
	share := 0.85 // who works, and uses a service
	if wd := day.Weekday(); wd == time.Saturday || wd == time.Sunday {
		share = 0.04
	}
	var list []event.Event
	for u := range m.year.Users {
		if m.r.Float64() > share {
			continue
		}
		today := make([]int, 1+m.r.IntN(2*servicesPerDay-1))
		for i := range today {
			today[i] = m.own[u][m.r.IntN(favourites)]
			if m.r.IntN(25) == 0 {
				today[i] = m.service()
			}
		}
		for range 1 + m.r.IntN(2*visitsPerDay-1) {
			list = append(list, m.record(day, u, today[m.r.IntN(len(today))]))
		}
	}
	if skip {
		return nil
	}
	slices.SortFunc(list, func(a, b event.Event) int { return int(a.Timestamp - b.Timestamp) })
	m.records += len(list)
	return m.export(ctx, list)
}

// export stores records, all of them.
func (m *maker) export(ctx context.Context, list []event.Event) error {
	for batch := range slices.Chunk(list, m.year.Batch) {
		out := m.out[:len(batch)]
		if err := m.store.Export(ctx, batch, out); err != nil {
			return err
		}
		for i := range out {
			if out[i].State != exporters.Stored {
				return errors.New("a record was not stored: " + out[i].Reason)
			}
		}
	}
	return nil
}

// record makes one visit of one record.
func (m *maker) record(day time.Time, user, service int) event.Event {
	r := m.r
	hour := min(max(13+3.2*r.NormFloat64(), 0), 23.99)
	start := event.At(day.Add(time.Duration(hour * float64(time.Hour))))
	end := start + event.Time(r.Int64N(60e9))
	name, id := fmt.Sprintf("service-%03d", service), fmt.Sprintf("%08x5bd1e995", uint32(user)*2654435761)
	up := uint64(600 * math.Exp(2.5*math.Abs(r.NormFloat64())))
	down := up * (2 + r.Uint64N(9))
	source := fmt.Sprintf("10.%d.%d.%d", user/62500, user/250%250, user%250)
	key := event.KeyID(int64(start), event.DatasetActivity, "yeartest", id, name)
	use, status := "interactive", []string{"approved", "unreviewed", "unreviewed", "tolerated", "prohibited"}[service%5]
	if service%7 == 3 && r.IntN(2) == 0 {
		use = "background"
	}
	category := fmt.Sprintf("category-%d", service%14)
	port, peer, packets, yes := uint16(32768+r.IntN(28000)), uint16(443), up/700+3, true
	ev := event.Event{
		Timestamp: end, ECS: &event.ECS{Version: event.ECSVersion},
		Event:       event.Meta{ID: key, Start: start, End: end, Dataset: event.DatasetActivity, Kind: "event", Category: []string{"network"}},
		Observer:    &event.Observer{ID: "yeartest", Name: "berlin-1", Type: "sensor", Version: "1"},
		Source:      &event.Endpoint{IP: source, Port: &port, Bytes: &up, Packets: &packets},
		Destination: &event.Endpoint{IP: fmt.Sprintf("203.0.113.%d", service%250), Port: &peer, Domain: name + ".example", Bytes: &down, Packets: &packets},
		Network:     &event.Network{Transport: "tcp", Protocol: "tls", Type: "ipv4", Application: name, CommunityID: "1:" + key[:22] + "="},
		TLS:         &event.TLS{Client: &event.TLSClient{ServerName: name + ".example"}, NextProtocol: "h2"},
		User:        &event.User{ID: id, Group: &event.Group{Name: fmt.Sprintf("department %02d", user%departments)}},
		Rule:        &event.Rule{ID: name, Name: "Service " + name[8:], Category: category, Ruleset: "catalogue 2026.11.1"},
		Gnomon: &event.Gnomon{Schema: event.SchemaVersion, Site: fmt.Sprintf("site-%d", user%sites), Flow: &event.Flow{ID: key, End: "fin"},
			Visit: &event.Visit{ID: event.KeyID(int64(start), "visit", "yeartest", id, name), First: true}, Counted: &yes, Use: use,
			Service:     &event.Service{ID: name, Vendor: fmt.Sprintf("Vendor %d", service/2), Category: category, Kind: "web"},
			Evidence:    &event.Evidence{Class: "sni", Confidence: "high"},
			Attribution: &event.Attribution{Source: "kerberos", Confidence: "high"},
			Policy:      &event.Policy{Status: status}},
	}
	if r.IntN(20) > 0 {
		ev.Gnomon.Upload = &event.Upload{Bytes: up * 9 / 10, Low: up * 88 / 100, High: up * 93 / 100, Method: "tls-records", Bursts: 1, LargestBurst: up / 2}
	}
	return ev
}
