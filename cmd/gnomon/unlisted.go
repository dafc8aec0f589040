package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/store"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/privacy"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// unlisted keeps what the sensor counts of names that are in no catalogue, and makes records of the candidates when a day has ended.
type unlisted struct {
	table     *candidates.Table
	beside    []*candidates.Table // of the other workers that read captures together; see crew
	limit     int
	store     *store.Store // nil: nothing is kept beyond the process
	part      string       // names this run's part of a day
	observer  *event.Observer
	site      string
	catalogue func() *signatures.Catalogue
	silenced  func() (silenced, error)
	next      sensor.Sink
	log       *slog.Logger
	kept      time.Time // when the open days were last written down
}

// dayEndsAfter is how long after midnight a day is over: flows that began before it may go on a while. keepEvery is how much of the count
// a crash may cost.
const (
	dayEndsAfter = 15 * time.Minute
	keepEvery    = 10 * time.Minute
)

// countUnlisted makes the table that the workers of a sensor count in; nil if the configuration says that nobody shall.
func (p *program) countUnlisted(c *settings, kept bool) (*candidates.Table, error) {
	if !c.Catalogue.Unlisted {
		return nil, nil
	}
	location, err := c.Report.location()
	if err != nil {
		return nil, err
	}
	random := seed()
	conf := candidates.Default()
	conf.Location, conf.Key = location, [2]uint64{random[0], random[1]}
	if kept { // the same clients on several days are to be seen as the same
		key, err := privacy.OpenKey(&c.Privacy, stateDir(&c.Config, p.environ))
		if err != nil {
			return nil, err
		}
		mac := hmac.New(sha256.New, key[:])
		mac.Write([]byte("sketch of clients")) // a hash takes everything
		sum := mac.Sum(nil)
		conf.Key = [2]uint64{binary.BigEndian.Uint64(sum), binary.BigEndian.Uint64(sum[8:])}
	}
	return candidates.New(conf), nil
}

// uncounted says which clients leave nothing: those that the configuration excludes.
func (l *pipeline) uncounted(c *settings) sensor.Uncounted {
	if l.privacy == nil || len(c.Privacy.Exclude)+len(c.Privacy.ExcludeUsers) == 0 {
		return nil
	}
	users := len(c.Privacy.ExcludeUsers) > 0
	return func(client netip.Addr, at int64) bool {
		ev := &event.Event{Source: &event.Endpoint{IP: client.String()}}
		if users {
			l.mu.Lock()
			who := l.who.UserAt(client, event.Time(at))
			l.mu.Unlock()
			ev.User = &event.User{Name: who.User, Domain: who.Domain}
		}
		return l.privacy.Excluded(ev)
	}
}

// watch keeps and settles days until ctx ends.
func (u *unlisted) watch(ctx context.Context, now func() time.Time) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := u.look(ctx, now()); err != nil && ctx.Err() == nil {
				u.log.Error("names that are in no catalogue were not kept; trying again", "error", err)
			}
		}
	}
}

// look settles the days that are over and now and then writes the others down.
func (u *unlisted) look(ctx context.Context, now time.Time) error {
	var errs []error
	for _, d := range u.table.Take(now.Add(-dayEndsAfter).UnixNano()) {
		errs = append(errs, u.over(ctx, d))
	}
	if u.store == nil {
		return errors.Join(errs...)
	}
	if now.Sub(u.kept) >= keepEvery {
		u.kept = now
		errs = append(errs, u.keep(ctx), u.settleOthers(ctx, now))
	}
	return errors.Join(errs...)
}

// keep writes the open days down.
func (u *unlisted) keep(ctx context.Context) error {
	if u.store == nil {
		return nil
	}
	var errs []error
	for _, d := range u.table.Open() {
		errs = append(errs, u.put(ctx, d))
	}
	return errors.Join(errs...)
}

// put writes a day down as this run's part of it. A part without a name is called after what it holds, so that reading the same captures
// again changes nothing.
func (u *unlisted) put(ctx context.Context, d *candidates.Day) error {
	data := d.Encode()
	part := u.part
	if part == "" {
		part = fmt.Sprintf("%x", sha256.Sum256(data))
	}
	return u.store.PutNames(ctx, time.Unix(0, d.From), part, data)
}

// over settles a day that was just taken.
func (u *unlisted) over(ctx context.Context, d *candidates.Day) error {
	if u.store == nil {
		return u.record(d)
	}
	if err := u.put(ctx, d); err != nil {
		return errors.Join(err, u.record(d))
	}
	return u.settle(ctx, time.Unix(0, d.From))
}

// settleOthers settles days that an earlier run began and did not end.
func (u *unlisted) settleOthers(ctx context.Context, now time.Time) error {
	days, err := u.store.UnsettledNames(ctx, now.Add(-26*time.Hour)) // the longest day has 25 hours
	errs := []error{err}
	for _, day := range days {
		errs = append(errs, u.settle(ctx, day))
	}
	return errors.Join(errs...)
}

// settle makes one of the parts of a day and records its candidates.
func (u *unlisted) settle(ctx context.Context, day time.Time) error {
	days, err := daysOf(ctx, u.store.Reader, day, day.Add(time.Second), u.log)
	if err != nil || len(days) == 0 {
		return err
	}
	days[0].Cut(u.limit)
	if err := u.record(days[0]); err != nil {
		return err
	}
	return u.store.SettleNames(ctx, day, days[0].Encode())
}

// daysOf reads the days that begin in [from, to), each merged of its parts. A part that is damaged is said and left out.
func daysOf(ctx context.Context, r *store.Reader, from, to time.Time, log *slog.Logger) ([]*candidates.Day, error) {
	var days []*candidates.Day
	err := r.Names(ctx, from, to, func(p *store.NamesPart) error {
		d, err := candidates.Decode(p.Data)
		if err != nil {
			log.Warn("a part of a day's names was left out", "day", p.Day, "error", err)
			return nil
		}
		if n := len(days); n > 0 && days[n-1].From == d.From {
			days[n-1] = candidates.Merge(days[n-1], d)
			return nil
		}
		days = append(days, d)
		return nil
	})
	return days, err
}

// record offers a record of each candidate of a day.
func (u *unlisted) record(d *candidates.Day) error {
	quiet, err := u.silenced()
	for _, c := range judgeNow(d, u.catalogue(), quiet) {
		ev := &event.Event{Timestamp: event.Time(d.Until), ECS: &event.ECS{Version: event.ECSVersion}, Observer: u.observer,
			DNS: &event.DNS{Question: &event.Question{Name: c.Name.Name}}}
		ev.Event = event.Meta{Dataset: event.DatasetCandidate, Kind: "event", Category: []string{"network"}, Start: event.Time(d.From), End: event.Time(d.Until),
			ID: event.KeyID(d.From, event.DatasetCandidate, u.observer.ID, d.Label, c.Name.Name)}
		ev.Gnomon = &event.Gnomon{Schema: event.SchemaVersion, Site: u.site,
			Candidate: &event.Candidate{Clients: c.Clients.Count(), Flows: c.Flows, Upload: c.Up, Evidence: c.Evidence}}
		u.next.Offer(ev)
	}
	return err
}

// judgeNow returns the candidates of a day that the catalogue does not know by now and that nobody has silenced.
func judgeNow(d *candidates.Day, catalogue *signatures.Catalogue, quiet silenced) []candidates.Candidate {
	return slices.DeleteFunc(candidates.Judge(d), func(c candidates.Candidate) bool {
		_, known := catalogue.Match([]byte(c.Name.Name))
		return known || quiet.covers(c.Name.Name)
	})
}

// newUnlisted makes the table and what keeps it; nil if nobody shall count. part names what this run counts of a day.
func (p *program) newUnlisted(c *settings, w *parts, pipe *pipeline, o *outputs, part string) (*unlisted, error) {
	var kept *store.Store
	if o != nil {
		kept = o.store
	}
	table, err := p.countUnlisted(c, kept != nil)
	if err != nil || table == nil {
		return nil, err
	}
	w.unlisted, w.uncounted = table, pipe.uncounted(c)
	return &unlisted{table: table, limit: candidates.Default().Names, store: kept, part: part, observer: &w.observer, site: c.Observer.Site,
		catalogue: w.catalogue.Load, silenced: func() (silenced, error) { return p.silenced(c) }, next: pipe.next, log: pipe.log}, nil
}

// keepUnlisted counts, keeps and settles until stop is called, after the workers have ended.
func (p *program) keepUnlisted(ctx context.Context, c *settings, d *daemonParts, pipe *pipeline, o *outputs) (stop func(), err error) {
	u, err := p.newUnlisted(c, d.parts, pipe, o, time.Now().UTC().Format("run 20060102T150405.000Z"))
	if err != nil || u == nil {
		return func() {}, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		u.watch(ctx, time.Now)
	}()
	return func() {
		cancel()
		<-ended
		if err := u.keep(context.WithoutCancel(ctx)); err != nil {
			d.log.Error("names that are in no catalogue were not kept", "error", err)
		}
	}, nil
}

// finish settles what a run over captures has counted, the days that are not over yet too, and returns the candidates of all its days
// together.
func (u *unlisted) finish(ctx context.Context, now time.Time) ([]candidates.Candidate, error) {
	if u == nil {
		return nil, nil
	}
	days := u.table.Take(math.MaxInt64)
	for _, t := range u.beside {
		days = candidates.Join(days, t.Take(math.MaxInt64), u.limit)
	}
	var errs []error
	for _, d := range days {
		switch {
		case u.store == nil:
		case d.Until < now.UnixNano():
			errs = append(errs, u.over(ctx, d))
		default:
			errs = append(errs, u.put(ctx, d))
		}
	}
	quiet, err := u.silenced()
	return judgeNow(candidates.Merge(days...), u.catalogue(), quiet), errors.Join(append(errs, err)...)
}
