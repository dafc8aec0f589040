package dashboardtest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Records implements query.Query.
func (w *World) Records(ctx context.Context, r query.RecordRequest) (query.Page, error) {
	if err := w.begin(ctx); err != nil {
		return query.Page{}, err
	}
	limit := r.Limit
	if limit == 0 {
		limit = 100
	}
	from, _ := strconv.Atoi(r.After) // "" begins at the newest
	var page query.Page
	cells := w.within(r.From, r.To)
	for n, i := 0, len(cells)-1; i >= 0; i-- {
		c := &cells[i]
		ev, ok := w.record(c, i, &r)
		if !ok {
			continue
		}
		if n++; n <= from {
			continue
		}
		if len(page.Records) == limit {
			page.Next = strconv.Itoa(from + limit)
			break
		}
		page.Records = append(page.Records, ev)
	}
	return page, nil
}

// record is what the sensor wrote of a cell, if the request wants it.
func (w *World) record(c *cell, i int, r *query.RecordRequest) (event.Event, bool) {
	if !w.matches(c, &r.Where) {
		return event.Event{}, false
	}
	ev := w.activity(c)
	if r.Dataset == event.DatasetFinding && !w.finding(&ev, c) {
		return ev, false
	}
	if r.Action != "" && r.Action != ev.Event.Action || len(r.IDs) > 0 && !slices.Contains(r.IDs, ev.Event.ID) {
		return ev, false
	}
	return ev, i >= 0
}

func (w *World) activity(c *cell) event.Event {
	o, p := &offers[c.service], &w.people[c.person]
	at := event.At(time.Unix(c.hour*3600, 0).Add(17 * time.Minute))
	id := fmt.Sprintf("%x-%x-%x", c.hour, c.person, c.service)
	ev := event.Event{Timestamp: at, Event: event.Meta{ID: id, Dataset: event.DatasetActivity, Start: at, End: at}}
	ev.Source = &event.Endpoint{IP: fmt.Sprintf("10.20.%d.%d", 1+c.person/200, 10+c.person%200)}
	ev.Destination = &event.Endpoint{Domain: w.hostile(c.service, o.id+".example.com")}
	ev.Rule = &event.Rule{ID: w.serviceID(c.service), Name: w.hostile(c.service, o.name), Category: o.category}
	ev.User = &event.User{ID: p.key, Name: p.name, Group: &event.Group{Name: p.department}}
	ev.Message = w.hostile(c.person, p.name+" used "+o.name)
	ev.Gnomon = &event.Gnomon{Schema: event.SchemaVersion, Site: "berlin", Policy: &event.Policy{Status: o.status},
		Evidence: &event.Evidence{Class: "sni", Confidence: "high"}}
	if c.unknown == 0 {
		ev.Gnomon.Upload = &event.Upload{Bytes: c.up, Low: c.up - c.up/40, High: c.up + c.up/25}
	}
	return ev
}

// finding makes some records findings.
func (w *World) finding(ev *event.Event, c *cell) bool {
	f := &event.Finding{Period: "day", Evidence: []string{ev.Event.ID}}
	switch {
	case c.up > 20_000_000:
		ev.Event.Action, ev.Event.Severity, f.Value, f.Limit = "upload-limit", 73, c.up, 20_000_000
	case offers[c.service].status == "prohibited" && c.visits == 3:
		ev.Event.Action, ev.Event.Severity, f.Value = "prohibited-use", 60, c.visits
	case c.hour%97 == 0 && c.person%5 == 0:
		ev.Event.Action, ev.Event.Severity = "first-use", 21
	default:
		return false
	}
	ev.Event.ID = "finding-" + ev.Event.ID
	ev.Event.Dataset = event.DatasetFinding
	ev.Gnomon.Finding = f
	return true
}

// Coverage implements query.Query.
func (w *World) Coverage(ctx context.Context, from, to time.Time, step time.Duration) ([]query.CoverageRow, error) {
	if err := w.begin(ctx); err != nil {
		return nil, err
	}
	var rows []query.CoverageRow
	for t := from; t.Before(to); t = t.Add(step) {
		row := query.CoverageRow{Start: t}
		row.Sources, row.Undecodable = map[string]event.Source{}, map[string]uint64{}
		for h := t; h.Before(t.Add(step)) && !w.Blind; h = h.Add(time.Hour) {
			w.cover(&row, h)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// cover adds an hour.
func (w *World) cover(row *query.CoverageRow, h time.Time) {
	if h.After(Now()) || outage(h) || h.Before(Now().AddDate(0, 0, -Days)) {
		return
	}
	row.Minutes += min(60, int(Now().Sub(h)/time.Minute))
	flows := uint64(40_000 + 1000*(h.Hour()%12))
	row.Received += flows * 90
	row.Dropped += flows / 50
	row.Flows += flows
	row.FlowsReadable += flows * 3 / 4
	row.FlowsNamed += flows*3/4 - flows/23
	row.ECH += flows / 60
	row.EncryptedDNS += flows / 140
	row.Relay += flows / 900
	row.Web.Add(&event.Sight{Named: of(flows*2/3, 90_000), ECH: of(flows/60, 60_000), EncryptedDNS: of(flows/150, 9_000), Relay: of(flows/1800, 4_000_000),
		OneSided: of(flows/900, 5_000), Cut: of(flows/5000, 3_000), Nameless: of(flows/55, 40_000)})
	row.OtherPorts.Add(&event.Sight{EncryptedDNS: of(flows/140-flows/150, 6_000), Relay: of(flows/1800, 12_000_000)})
	if row.HiddenBy == nil {
		row.HiddenBy = map[string]event.Part{}
	}
	for name, p := range map[string]event.Part{"ech": of(flows/60, 60_000), w.hostile(0, "dns-cloudflare"): of(flows/150, 9_000), "dns-over-tls": of(flows/140-flows/150, 6_000),
		"icloud-private-relay": of(flows/1800, 4_000_000), "wireguard": of(flows/1800, 12_000_000)} {
		row.HiddenBy[name] = row.HiddenBy[name].Plus(p)
	}
	row.Cut += flows / 5000
	row.OneSided += flows / 400
	row.BytesWithUser += flows * 70_000
	row.Undecodable["ipv4-truncated"] += flows / 5000
	row.Undecodable[w.hostile(0, "link-type")] += 3
	for i, name := range [...]string{"proxy-squid", "vpn-radius", "dhcp"} {
		name = w.hostile(i, name)
		s := row.Sources[name]
		if i < 2 {
			n := event.Source{Read: 9000, Used: 400, NotAI: 8500 - uint64(i), Other: 100, Rejected: uint64(i), Format: "squid-native", NoUpload: 8900,
				Advice: w.hostile(i, "Squid: logformat gnomon %>a %>st")}
			if i > 0 {
				n.RejectedBy = map[string]uint64{w.hostile(i, "too few columns"): 1}
			}
			s = s.Plus(n)
		}
		row.Sources[name] = s
	}
}

// of is so many flows of a mean size.
func of(flows, mean uint64) event.Part { return event.Part{Flows: flows, Bytes: flows * mean} }

// BlindClients implements query.Blind: every twentieth person hides something.
func (w *World) BlindClients(ctx context.Context, from, to time.Time, limit int) ([]query.BlindRow, error) {
	if err := w.begin(ctx); err != nil {
		return nil, err
	}
	var rows []query.BlindRow
	days := uint64(max(0, to.Sub(from)/(24*time.Hour))) + 1
	for i := 0; i < len(w.people) && !w.Blind; i += 20 {
		p, n := &w.people[i], days*uint64(40-i/10)
		row := query.BlindRow{Key: p.key, Label: cmp.Or(p.name, p.key), Sight: event.Sight{Named: of(n*9, 90_000), Relay: of(n/9, 3_000_000), Nameless: of(n/4, 20_000)}}
		if i%40 == 0 {
			row.Sight.EncryptedDNS, row.Sight.ECH = of(n/3, 9_000), of(n/2, 60_000)
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b query.BlindRow) int { return cmp.Compare(b.Sight.Blind().Bytes, a.Sight.Blind().Bytes) })
	if limit > 0 {
		rows = rows[:min(limit, len(rows))]
	}
	return rows, nil
}
