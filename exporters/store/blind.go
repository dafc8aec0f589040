package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

var (
	_ query.Blind = (*Store)(nil)
	_ query.Blind = (*Reader)(nil)
)

// addBlind adds what a coverage record says of single clients to its day.
const addBlind = `INSERT INTO blind (day, client, label, named, ech, dns, relay, sided, cut, nameless,
		named_bytes, ech_bytes, dns_bytes, relay_bytes, sided_bytes, cut_bytes, nameless_bytes)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT DO UPDATE SET label = excluded.label, named = named + excluded.named, ech = ech + excluded.ech, dns = dns + excluded.dns,
		relay = relay + excluded.relay, sided = sided + excluded.sided, cut = cut + excluded.cut, nameless = nameless + excluded.nameless,
		named_bytes = named_bytes + excluded.named_bytes, ech_bytes = ech_bytes + excluded.ech_bytes, dns_bytes = dns_bytes + excluded.dns_bytes,
		relay_bytes = relay_bytes + excluded.relay_bytes, sided_bytes = sided_bytes + excluded.sided_bytes,
		cut_bytes = cut_bytes + excluded.cut_bytes, nameless_bytes = nameless_bytes + excluded.nameless_bytes`

// storeClients keeps the clients of a coverage record.
func (w *writer) storeClients(ctx context.Context, ev *event.Event) error {
	day, _ := w.calendar.day(coverageAt(ev))
	for i := range ev.Gnomon.Coverage.Clients {
		c := &ev.Gnomon.Coverage.Clients[i]
		of := event.Event{User: c.User, Source: c.Source, Gnomon: &event.Gnomon{Site: ev.Gnomon.Site}}
		label := ""
		if c.User != nil {
			label = valid(c.User.Name)
		}
		args := []any{day, query.UserKey(&of), label}
		all := c.Web
		all.Add(&c.OtherPorts)
		for _, p := range all.Parts() {
			args = append(args, int64(p.Flows))
		}
		for _, p := range all.Parts() {
			args = append(args, int64(p.Bytes))
		}
		if _, _, err := w.exec(ctx, addBlind, args...); err != nil {
			return fmt.Errorf("adding clients up: %w", err)
		}
	}
	return nil
}

// blindRows adds days up, clients with most bytes that were hidden or nameless first.
const blindRows = `SELECT client, max(label), sum(named), sum(ech), sum(dns), sum(relay), sum(sided), sum(cut), sum(nameless),
		sum(named_bytes), sum(ech_bytes), sum(dns_bytes), sum(relay_bytes), sum(sided_bytes), sum(cut_bytes), sum(nameless_bytes)
	FROM blind WHERE day >= ? AND day < ? GROUP BY client
	ORDER BY sum(ech_bytes + dns_bytes + relay_bytes + sided_bytes + cut_bytes + nameless_bytes) DESC, client LIMIT ?`

// BlindClients implements query.Blind.
func (r *Reader) BlindClients(ctx context.Context, from, to time.Time, limit int) (out []query.BlindRow, err error) {
	if limit <= 0 || limit > query.MaxRows {
		limit = query.MaxRows
	}
	err = r.view(ctx, func(ctx context.Context, v *view) error {
		return v.each(ctx, blindRows, []any{from.Unix(), to.Unix(), limit}, func(rows *sql.Rows) error {
			var row query.BlindRow
			dest := []any{&row.Key, &row.Label}
			for _, p := range row.Sight.Parts() {
				dest = append(dest, &p.Flows)
			}
			for _, p := range row.Sight.Parts() {
				dest = append(dest, &p.Bytes)
			}
			if err := rows.Scan(dest...); err != nil {
				return err
			}
			if row.Label == "" {
				row.Label = row.Key
			}
			out = append(out, row)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading clients from %s: %w", r.path, err)
	}
	return out, nil
}

// expireBlind forgets the clients of days whose records have expired.
func (s *Store) expireBlind(ctx context.Context, now time.Time) (bool, error) {
	_, _, err := s.w.exec(ctx, "DELETE FROM blind WHERE day < ?", now.Add(-s.config.RawRetention-24*time.Hour).Unix())
	return false, err
}
