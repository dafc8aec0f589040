package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// checkDigests compares every digest with the blocks that it stands for, and says how many there are and how many are missing.
func checkDigests(t *testing.T, s *Store) (there, missing int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, w := context.Background(), s.w
	if err := w.readClasses(ctx); err != nil {
		t.Fatal(err)
	}
	spans := map[blockKey]bool{}
	for _, text := range []string{"SELECT DISTINCT month, level, start FROM block WHERE level > 0", "SELECT month, level, start FROM digest"} {
		if err := w.each(ctx, text, nil, func(rows *sql.Rows) error {
			var k blockKey
			err := rows.Scan(&k.month, &k.level, &k.start)
			spans[k] = true
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	for k := range spans {
		want, err := w.sumBlocks(ctx, &k)
		if err != nil {
			t.Fatal(err)
		}
		data, found, err := w.readDigest(ctx, &k)
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			missing++
			continue
		}
		there++
		if !bytes.Equal(data, want.encode()) {
			got, err := decodeDigest(data)
			t.Errorf("the digest of %+v is not what its blocks add up to (%v):\n got %+v\nwant %+v", k, err, got, want)
		}
	}
	return there, missing
}

// digestOf makes a digest of some users.
func digestOf(users ...uint32) *digest {
	d := &digest{}
	for i, u := range users {
		d.add(uint32(1+i%7), uint32(1+i%50), u, &sums{flows: uint64(i), visits: int64(i%3 - 1), up: 1 << 40, down: 7, upload: 5, low: 4, high: ^uint64(0),
			unknown: 1, first: int64(-i), last: int64(i)})
	}
	return d
}

func many(n, step uint32) (users []uint32) {
	for i := range n {
		users = append(users, 3+i*step)
	}
	return users
}

// What is written is read back, in as few bytes.
func TestDigest(t *testing.T) {
	for _, c := range []struct {
		name  string
		users []uint32
		most  int
	}{
		{"nobody", nil, 3},
		{"one", many(1, 1), 80},
		{"nobody that counts", []uint32{userNobody, userShared}, 120},
		{"as many as are told one by one", many(7*255, 1), 4500},
		{"one more", many(7*256, 1), 4500},
		{"all of several pages", many(20_000, 1), 24_000},
		{"far apart", many(500, 5000), 4500},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := digestOf(c.users...)
			data := d.encode()
			got, err := decodeDigest(data)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.encode(), data) || len(got.classes) != len(d.classes) {
				t.Errorf("%+v is read back as %+v", d, got)
			}
			for i := range got.classes {
				g, w := &got.classes[i], &d.classes[i]
				if g.facet != w.facet || g.sums != w.sums || g.users.count() != w.users.count() || g.users.besides(&w.users) != 0 {
					t.Errorf("class %d is read back as %+v, was %+v", i, g, w)
				}
			}
			if len(data) > c.most {
				t.Errorf("it takes %d bytes, more than %d", len(data), c.most)
			}
		})
	}
}

// A digest that is cut anywhere, or longer than it should be, or of the future, is an error and never a panic.
func TestDigestCut(t *testing.T) {
	whole := digestOf(append(many(40, 1), many(600, 9000)...)...).encode()
	for n := range whole {
		if _, err := decodeDigest(whole[:n]); !errors.Is(err, errDigest) {
			t.Fatalf("cut to %d bytes of %d: %v", n, len(whole), err)
		}
	}
	if _, err := decodeDigest(append(whole, 0)); !errors.Is(err, errDigest) {
		t.Errorf("with a byte more: %v", err)
	}
	if _, err := decodeDigest([]byte{digestVersion + 1}); !errors.Is(err, errDigestVersion) {
		t.Errorf("of the next version: %v", err)
	}
}

// A set that is not as it would be written is refused: it would count somebody twice, or nobody as a user.
func TestDigestForged(t *testing.T) {
	bits := func(words ...uint64) string {
		page := make([]byte, pageBytes)
		for i, w := range words {
			binary.LittleEndian.PutUint64(page[8*i:], w)
		}
		return string(page)
	}
	const all = ^uint64(0)
	for _, c := range []struct {
		name, set string
		good      bool
	}{
		{"none", "\x00", true},
		{"one", "\x01\x00\x01\x30\x00", true},
		{"two in order", "\x01\x00\x02\x30\x00\x31\x00", true},
		{"the first of a later page", "\x01\x01\x01\x00\x00", true},
		{"256 as bits", "\x01\x00\x80\x02" + bits(all-1, all, all, all, 1), true},
		{"the first of a later page as bits", "\x01\x01\x80\x02" + bits(all, all, all, all), true},
		{"zero", "\x01\x00\x01\x00\x00", false},
		{"zero behind another", "\x01\x00\x02\x30\x00\x00\x00", false},
		{"one twice", "\x01\x00\x02\x30\x00\x30\x00", false},
		{"not in order", "\x01\x00\x02\x31\x00\x30\x00", false},
		{"beyond a page", "\x01\x00\x01\x00\x10", false},
		{"a page of nobody", "\x01\x00\x00", false},
		{"a page twice", "\x02\x00\x01\x30\x00\x00\x01\x31\x00", false},
		{"zero as bits", "\x01\x00\x80\x02" + bits(all, all, all, all), false},
		{"fewer bits than it says", "\x01\x00\x80\x02" + bits(all-1, all, all, all), false},
		{"more bits than it says", "\x01\x00\x80\x02" + bits(all-1, all, all, all, 3), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decodeDigest([]byte("\x01\x00" + c.set))
			if c.good != (err == nil) || !c.good && !errors.Is(err, errDigest) {
				t.Errorf("%x gave %v", c.set, err)
			}
		})
	}
}

// scatter puts records of 50 days into a store, some long after their days were settled.
func scatter(t *testing.T, s *Store, m *model, now *clock, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 5))
	for range 300 {
		m.records = append(m.records, random(r, noon, 50*24*time.Hour))
	}
	feed(t, r, s, m, now)
	now.set(noon.AddDate(0, 0, 60))
	maintain(t, s)
}

// After every kind of change digests are what records add up to.
func TestDigestsAfterChanges(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(t *testing.T, s *Store, m *model, now *clock)
	}{
		{"late records", func(t *testing.T, s *Store, m *model, now *clock) {
			scatter(t, s, m, now, 8)
		}},
		{"another status and department of days that are over", func(t *testing.T, s *Store, m *model, now *clock) {
			for i := range 40 {
				ev := activity(noon.Add(time.Duration(i)*time.Hour), "u1", "chat", 9000+i)
				ev.Gnomon.Policy.Status, ev.User.Group.Name, ev.Gnomon.Visit = "prohibited", "another", nil
				m.records = append(m.records, ev)
				export(t, s, []event.Event{ev})
				maintain(t, s)
			}
		}},
		{"a batch that fails", func(t *testing.T, s *Store, m *model, now *clock) {
			ev := activity(noon, "u9", "chat", 1)
			ev.Gnomon.Visit, ev.Gnomon.Site = nil, "a site that is rolled back"
			s.mu.Lock()
			err := s.w.transact(context.Background(), func(ctx context.Context) error {
				if _, err := s.w.facetNumber(ctx, facet{site: ev.Gnomon.Site}); err != nil {
					return err
				}
				return errors.Join(s.w.readClasses(ctx), errDamaged)
			})
			s.mu.Unlock()
			if !errors.Is(err, errDamaged) {
				t.Fatal(err)
			}
			ev.Gnomon.Site, ev.Gnomon.Policy.Status = "the same number", "tolerated"
			m.records = append(m.records, ev)
			export(t, s, []event.Event{ev})
			maintain(t, s)
		}},
		{"damage of digests", func(t *testing.T, s *Store, m *model, now *clock) {
			if _, err := s.conn.ExecContext(context.Background(), "UPDATE digest SET data = x'01ff'"); err != nil {
				t.Fatal(err)
			}
			scatter(t, s, m, now, 9)
			if _, err := s.conn.ExecContext(context.Background(), "DELETE FROM digest WHERE length(data) = 2"); err != nil {
				t.Fatal(err)
			}
			s.w.digested = false
			maintain(t, s)
		}},
		{"digests that are missing", func(t *testing.T, s *Store, m *model, now *clock) {
			if _, err := s.conn.ExecContext(context.Background(), "DELETE FROM digest WHERE id % 2"); err != nil {
				t.Fatal(err)
			}
			now.set(noon.AddDate(0, 0, 3)) // so that days with blocks and without a digest are settled again
			for range 60 {
				ev := activity(noon.Add(time.Duration(len(m.records))*time.Minute), "u2", "chat", len(m.records))
				ev.Gnomon.Visit = nil
				m.records = append(m.records, ev)
				export(t, s, []event.Event{ev})
			}
			now.set(noon.AddDate(0, 0, 60))
			if _, err := s.settleStep(context.Background(), now.now()); err != nil {
				t.Fatal(err)
			}
			if _, missing := checkDigests(t, s); missing == 0 {
				t.Error("nothing is missing")
			}
			s.w.digested = false
			maintain(t, s)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := testConfig(t)
			now := newClock(noon)
			config.Now, config.RollupMonths, config.RawRetention = now.now, 120, 10_000*time.Hour
			s, m := open(t, config), &model{store: time.UTC}
			scatter(t, s, m, now, 7)
			c.change(t, s, m, now)
			if there, missing := checkDigests(t, s); there < 40 || missing > 0 {
				t.Errorf("there are %d digests, and %d are missing", there, missing)
			}
			r := rand.New(rand.NewPCG(1, 2))
			for i := range 60 {
				q := randomRequest(r, noon, 50*24*time.Hour, time.UTC, time.UTC)
				q.Where = query.Filter{Sites: q.Where.Sites, Statuses: q.Where.Statuses}
				q.By = [][]query.Dimension{{}, {query.ByStatus}, {query.BySite, query.ByStatus}, {query.ByWeek}, {query.ByMonth, query.BySite}, {query.ByDay}}[i%6]
				checkSums(t, i, s, m, q)
			}
		})
	}
}

// A store that was written before there were digests has them after it was tidied up once, and answers before that.
func TestDigestsOfAnOlderStore(t *testing.T) {
	config := testConfig(t)
	now := newClock(noon)
	config.Now, config.RawRetention = now.now, 10_000*time.Hour
	s, m := open(t, config), &model{store: time.UTC}
	scatter(t, s, m, now, 7)
	want, _ := checkDigests(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db := raw(t, config.Path)
	must(t, db, "DROP TABLE digest")
	must(t, db, "PRAGMA user_version = 6")
	must(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, config)
	if there, missing := checkDigests(t, s); there != 0 || missing != want {
		t.Errorf("at first there are %d digests, and %d are missing of %d", there, missing, want)
	}
	ask := query.Request{From: noon.AddDate(0, -1, 0), To: noon.AddDate(0, 3, 0), By: []query.Dimension{query.ByWeek}}
	checkSums(t, 0, s, m, ask)
	maintain(t, s)
	if there, missing := checkDigests(t, s); there != want || missing > 0 {
		t.Errorf("then there are %d digests, and %d are missing of %d", there, missing, want)
	}
	checkSums(t, 1, s, m, ask)
}

// Keys alone are those that there are rows of.
func TestKeys(t *testing.T) {
	config := testConfig(t)
	now := newClock(noon)
	config.Now, config.RawRetention = now.now, 10_000*time.Hour
	s, m := open(t, config), &model{store: time.UTC}
	scatter(t, s, m, now, 7)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 60 {
		q := randomRequest(r, noon, 50*24*time.Hour, time.UTC, time.UTC)
		want := m.sums(q)
		q.Keys = true
		got, err := s.Sums(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(q.By) == 0 {
			continue
		}
		for k := range max(len(got), len(want)) {
			if len(got) != len(want) || !reflect.DeepEqual(got[k].Key, want[k].Key) || got[k].Flows != 0 || got[k].Users != 0 {
				t.Fatalf("question %d, %+v, has %d rows, want %d: %+v", i, q, len(got), len(want), got)
			}
		}
	}
}
