package search

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// BlindClients implements query.Blind, from the newest records of coverage.
func (r *Reader) BlindClients(ctx context.Context, from, to time.Time, limit int) ([]query.BlindRow, error) {
	if limit <= 0 || limit > query.MaxRows {
		limit = query.MaxRows
	}
	clients := map[string]*query.BlindRow{}
	match := all(append(period(startField, from, to), anyOf(exists("gnomon.coverage.clients.user.id"), exists("gnomon.coverage.clients.source.ip"))))
	err := r.newestCoverage(ctx, match, []any{siteField, coverageField + ".clients"}, func(ev *event.Event) {
		if ev.Gnomon == nil || ev.Gnomon.Coverage == nil {
			return
		}
		for i := range ev.Gnomon.Coverage.Clients {
			addClient(clients, &ev.Gnomon.Coverage.Clients[i], ev.Gnomon.Site)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("reading clients from %s: %w", r.where(event.DatasetCoverage), err)
	}
	rows := make([]query.BlindRow, 0, len(clients))
	for _, row := range clients {
		row.Label = cmp.Or(row.Label, row.Key)
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b query.BlindRow) int {
		return cmp.Or(cmp.Compare(b.Sight.Blind().Bytes, a.Sight.Blind().Bytes), strings.Compare(a.Key, b.Key))
	})
	return rows[:min(limit, len(rows))], nil
}

// addClient adds what was seen of one client.
func addClient(clients map[string]*query.BlindRow, c *event.ClientSight, site string) {
	key, label := "", ""
	if c.Source != nil {
		key = query.KeyOfAddress(c.Source.IP, site)
	}
	if c.User != nil && c.User.ID != "" {
		key = query.KeyOfID(c.User.ID)
	}
	if c.User != nil {
		label = c.User.Name
	}
	row := clients[key]
	if row == nil {
		if len(clients) >= maxGroups {
			return
		}
		row = &query.BlindRow{Key: key}
		clients[key] = row
	}
	row.Label = max(row.Label, label)
	row.Sight.Add(&c.Web)
	row.Sight.Add(&c.OtherPorts)
}

// Span implements query.Spanned: sums are made of records, so that both begin where activity does.
func (r *Reader) Span(ctx context.Context) (query.Span, error) {
	var span query.Span
	for _, d := range allDatasets {
		said, err := r.search(ctx, d, object{"size": 0, "aggs": object{"first": object{"min": object{"field": atField}},
			"last": object{"max": object{"field": atField}}}})
		if err != nil {
			return span, fmt.Errorf("asking %s what is kept: %w", r.where(d), err)
		}
		var b struct{ First, Last number }
		if err := said.read(&b); err != nil {
			return span, err
		}
		if b.First.Value == nil {
			continue
		}
		first, last := moment(b.First.Value, time.UTC), moment(b.Last.Value, time.UTC)
		if span.RecordsFrom.IsZero() || first.Before(span.RecordsFrom) {
			span.RecordsFrom = first
		}
		if d == event.DatasetActivity {
			span.SumsFrom = first.Truncate(time.Hour)
		}
		if last.After(span.To) {
			span.To = last
		}
	}
	return span, nil
}
