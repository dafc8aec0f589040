package store

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// kept says what a store still has.
func kept(t *testing.T, s *Store) (records int, flows uint64) {
	t.Helper()
	for _, dataset := range []string{event.DatasetActivity, event.DatasetFinding} {
		records += len(pages(t, s, query.RecordRequest{Dataset: dataset, Limit: 1000}))
	}
	rows, err := s.Sums(context.Background(), query.Request{})
	if err != nil {
		t.Fatal(err)
	}
	return records, rows[0].Flows
}

func finding(at time.Time, n int) event.Event {
	ev := activity(at, "u1", "chat", n)
	ev.Event.Dataset, ev.Event.Action = event.DatasetFinding, "first-use"
	ev.Event.ID = event.KeyID(int64(event.At(at)), ev.Event.Dataset, "sensor", fmt.Sprint(n))
	return ev
}

// Records live for their time from the moment they were taken in, whatever time they speak of; sums and findings live longer, whole months.
func TestExpiry(t *testing.T) {
	c := testConfig(t)
	now := newClock(noon)
	c.Now, c.RawRetention, c.RollupMonths = now.now, 72*time.Hour, 2
	s := open(t, c)
	days := func(n int) { // goes on as a process does that looks every day
		for range n {
			now.add(24 * time.Hour)
			maintain(t, s)
		}
	}
	maintain(t, s)
	export(t, s, []event.Event{activity(noon, "u1", "chat", 1), activity(noon.AddDate(0, -8, 0), "u2", "chat", 2), finding(noon, 3)})
	days(1)
	export(t, s, []event.Event{activity(noon, "u3", "chat", 4)})
	for _, step := range []struct {
		name    string
		days    int
		records int
		flows   uint64
	}{
		{"a day later", 1, 4, 3},
		{"when the first day is over", 1, 2, 3},
		{"when the second is", 1, 1, 3},
		{"sums of a month long ago, taken in now, and the finding, have their time too", 50, 1, 3},
		{"after two months", 10, 0, 2},
		{"after two months from the month's end", 20, 0, 0},
	} {
		days(step.days)
		records, flows := kept(t, s)
		if records != step.records || flows != step.flows {
			t.Errorf("%s (%v): %d records and %d flows, want %d and %d", step.name, now.now().UTC(), records, flows, step.records, step.flows)
		}
	}
	if there, missing := checkDigests(t, s); there != 0 || missing != 0 {
		t.Errorf("there are %d digests of months that have expired, and %d are missing", there, missing)
	}
	if got := s.Stats().Expired; got != 4 {
		t.Errorf("%d records are counted as expired", got)
	}
	days(70)
	var users int
	if err := s.conn.QueryRowContext(context.Background(), "SELECT count(*) FROM user WHERE id > 2").Scan(&users); err != nil || users != 0 {
		t.Errorf("%d users are still known (%v)", users, err)
	}
	export(t, s, []event.Event{activity(now.now(), "u1", "chat", 5)}) // and begins anew
	if records, flows := kept(t, s); records != 1 || flows != 1 {
		t.Errorf("%d records and %d flows afterwards", records, flows)
	}
}

// A clock that jumps ahead empties nothing, at once; one that was ahead keeps nothing for ever.
func TestClockJumps(t *testing.T) {
	c := testConfig(t)
	now := newClock(noon)
	var log bytes.Buffer
	c.Now, c.Log = now.now, slog.New(slog.NewTextHandler(&log, nil))
	s := open(t, c)
	maintain(t, s)
	export(t, s, []event.Event{activity(noon, "u1", "chat", 1)})
	now.set(noon.AddDate(3, 0, 0))
	maintain(t, s)
	if !strings.Contains(log.String(), "the clock has jumped") {
		t.Errorf("the log says: %s", log.String())
	}
	export(t, s, []event.Event{activity(now.now(), "u1", "chat", 2)})
	maintain(t, s)
	if records, flows := kept(t, s); records != 2 || flows != 2 {
		t.Fatalf("%d records and %d flows are left after the jump", records, flows)
	}
	now.set(noon.Add(time.Hour)) // set right again
	for range 31 {
		maintain(t, s)
		now.add(24 * time.Hour)
	}
	maintain(t, s)
	if records, flows := kept(t, s); records != 0 || flows != 2 {
		t.Errorf("%d records and %d flows are left after their time", records, flows)
	}
	now.set(noon.AddDate(-30, 0, 0)) // and far back, as a machine without a battery begins
	export(t, s, []event.Event{activity(now.now(), "u1", "chat", 3)})
	maintain(t, s)
	if records, flows := kept(t, s); records != 1 || flows != 3 {
		t.Errorf("%d records and %d flows with the clock set back", records, flows)
	}
}

// Beyond its size a store lets go of its oldest records, says so and counts them; sums stay as they are.
func TestSizeCap(t *testing.T) {
	c := testConfig(t)
	var log bytes.Buffer
	c.MaxBytes, c.Log = 2<<20, slog.New(slog.NewTextHandler(&log, nil))
	s := open(t, c)
	const n, batch = 5000, 200
	for i := 0; i < n; i += batch {
		events := make([]event.Event, batch)
		for j := range events {
			events[j] = activity(noon.Add(time.Duration(i+j)*time.Second), fmt.Sprint("user ", j), "chat", i+j)
		}
		export(t, s, events)
	}
	maintain(t, s)
	records, flows := kept(t, s)
	if flows != n {
		t.Errorf("sums have %d flows of %d", flows, n)
	}
	if got := s.Stats().Capped; got == 0 || int(got)+records != n {
		t.Errorf("%d records are there and %d counted as dropped, of %d", records, got, n)
	}
	used, _, err := s.w.size(context.Background())
	if err != nil || used > c.MaxBytes {
		t.Errorf("%d bytes are in use, of %d (%v)", used, c.MaxBytes, err)
	}
	if !strings.Contains(log.String(), "records were dropped before their time") {
		t.Error("nothing was said")
	}
	newest := pages(t, s, query.RecordRequest{Dataset: event.DatasetActivity, Limit: 1})
	if want := noon.Add((n - 1) * time.Second); !newest[0].Timestamp.Time().Equal(want) {
		t.Errorf("the newest record is of %v, want %v", newest[0].Timestamp.Time(), want)
	}
}

// A store that cannot be made small enough says so once and goes on.
func TestSizeCapTooSmall(t *testing.T) {
	c := testConfig(t)
	var log bytes.Buffer
	c.MaxBytes, c.Log = 4096, slog.New(slog.NewTextHandler(&log, nil))
	s := open(t, c)
	for i := range 10 {
		export(t, s, []event.Event{activity(noon, "u", "chat", i)})
		maintain(t, s)
	}
	if n := strings.Count(log.String(), "the store is larger than allowed"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
	if records, _ := kept(t, s); records != 10 {
		t.Errorf("%d records", records)
	}
}

// Room that expiry frees goes back to the file system.
func TestVacuum(t *testing.T) {
	c := testConfig(t)
	now := newClock(noon)
	c.Now, c.RawRetention = now.now, 24*time.Hour
	s := open(t, c)
	maintain(t, s)
	r := rand.New(rand.NewPCG(8, 9))
	noise := make([]byte, 200_000) // that no compression makes shorter
	for k := range noise {
		noise[k] = ' ' + byte(r.IntN(94))
	}
	for i := range 200 {
		ev := activity(noon, "u", "chat", i)
		ev.Message = string(noise)
		export(t, s, []event.Event{ev})
	}
	pages := func() (n int64) {
		if err := s.conn.QueryRowContext(context.Background(), "PRAGMA page_count").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n * 8192
	}
	full := pages()
	if full < 32<<20 {
		t.Fatalf("there are only %d MB to give back", full>>20)
	}
	now.add(25 * time.Hour)
	maintain(t, s)
	if left := pages(); left > 24<<20 {
		t.Errorf("%d MB before, %d MB after", full>>20, left>>20)
	}
}

// After a change of the time zone days begin elsewhere, and nothing is lost.
func TestRezone(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	c := testConfig(t)
	now := newClock(noon.AddDate(0, 0, 60))
	c.Now = now.now
	m := &model{store: time.UTC}
	s := open(t, c)
	for i := range 400 {
		ev := activity(noon.Add(time.Duration(i)*3*time.Hour+time.Duration(i%60)*time.Minute), fmt.Sprint("user ", i%9), fmt.Sprint("service ", i%4), i)
		m.records = append(m.records, ev)
	}
	export(t, s, m.records[:300])
	maintain(t, s)
	export(t, s, m.records[300:350]) // not settled
	for _, c.Location = range []*time.Location{zone, time.UTC, zone} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, c)
		if c.Location == zone {
			maintain(t, s)
		}
	}
	export(t, s, m.records[350:])
	maintain(t, s)
	for i, by := range [][]query.Dimension{nil, {query.ByDay}, {query.ByMonth, query.ByService}, {query.ByUser}} {
		for _, loc := range []*time.Location{time.UTC, zone} {
			checkSums(t, i, s, m, query.Request{From: noon.AddDate(0, 0, -2), To: noon.AddDate(0, 0, 70), By: by, Location: loc})
		}
	}
	var n int
	if there, missing := checkDigests(t, s); there < 50 || missing > 0 {
		t.Errorf("there are %d digests, and %d are missing", there, missing)
	}
	if err := s.conn.QueryRowContext(context.Background(), "SELECT count(*) FROM block WHERE level = 1 AND start % 86400 NOT IN (14400, 18000)").Scan(&n); err != nil || n > 0 {
		t.Errorf("%d days begin at the old midnight (%v)", n, err)
	}
}

// Settled sums have one row for each user and facet in an hour, a day and a month.
func TestLevels(t *testing.T) {
	s := open(t, testConfig(t))
	month := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 240 { // ten days, every hour, two users
		at := month.Add(time.Duration(i) * time.Hour)
		export(t, s, []event.Event{activity(at, "u1", "chat", i), activity(at, "u2", "chat", i), activity(at.Add(time.Minute), "u2", "chat", i)})
	}
	maintain(t, s)
	for level, want := range []int{480, 20, 2} {
		var rows int
		if err := s.conn.QueryRowContext(context.Background(), "SELECT sum(rows) FROM block WHERE level = ?", level).Scan(&rows); err != nil || rows != want {
			t.Errorf("level %d has %d rows, want %d (%v)", level, rows, want, err)
		}
	}
	var left int
	if err := s.conn.QueryRowContext(context.Background(), "SELECT count(*) FROM fresh").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d blobs are left (%v)", left, err)
	}
}
