package store

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// names lists what is kept of names: day, whether it is whole, and the bytes.
func names(t *testing.T, s *Store) []string {
	t.Helper()
	var all []string
	err := s.Names(context.Background(), noon.AddDate(-1, 0, 0), noon.AddDate(1, 0, 0), func(p *NamesPart) error {
		all = append(all, fmt.Sprint(p.Day.Format(time.DateOnly), " ", p.Settled, " ", string(p.Data)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func day(n int) time.Time { return time.Date(2026, 3, 17+n, 0, 0, 0, 0, time.UTC) }

func put(t *testing.T, s *Store, n int, part, data string) {
	t.Helper()
	if err := s.PutNames(context.Background(), day(n), part, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

// The parts of a day stand beside each other, each in its newest form, until the day is settled.
func TestNames(t *testing.T) {
	s := open(t, testConfig(t))
	put(t, s, -1, "a", "one")
	put(t, s, -1, "a", "two")
	put(t, s, -1, "b", "three")
	put(t, s, 0, "b", strings.Repeat("four ", 1000))
	got := names(t, s)
	if len(got) != 3 || got[0] != "2026-03-16 false two" || got[1] != "2026-03-16 false three" || !strings.HasPrefix(got[2], "2026-03-17 false four four") {
		t.Fatalf("kept: %.200q", got)
	}
	days, err := s.UnsettledNames(context.Background(), day(0))
	if err != nil || len(days) != 1 || !days[0].Equal(day(-1)) {
		t.Errorf("not settled: %v (%v)", days, err)
	}
	if err := s.SettleNames(context.Background(), day(-1), []byte("five")); err != nil {
		t.Fatal(err)
	}
	if got := names(t, s); len(got) != 2 || got[0] != "2026-03-16 true five" {
		t.Errorf("kept after settling: %.200q", got)
	}
	if days, err := s.UnsettledNames(context.Background(), day(0)); err != nil || len(days) != 0 {
		t.Errorf("not settled: %v (%v)", days, err)
	}
}

func TestNamesBounds(t *testing.T) {
	c := testConfig(t)
	clock := newClock(noon)
	c.Now = clock.now
	s := open(t, c)
	for i := range maxParts + 10 {
		put(t, s, 0, fmt.Sprint(i), fmt.Sprint(i))
	}
	if got := names(t, s); len(got) != maxParts || strings.HasSuffix(got[0], " 0") {
		t.Errorf("%d parts are kept, the first is %q", len(got), got[0])
	}
	if err := s.PutNames(context.Background(), day(0), "x", make([]byte, maxNames+1)); err == nil {
		t.Error("more than may be kept was taken")
	}
	for d := range 95 { // the clock goes on day by day, or it would be doubted
		clock.set(noon.AddDate(0, 0, d))
		maintain(t, s)
		if kept := len(names(t, s)) > 0; kept != (d <= 90) {
			t.Fatalf("after %d days: kept %v", d, kept)
		}
	}
}

// Damaged bytes are said, not read.
func TestNamesDamaged(t *testing.T) {
	s := open(t, testConfig(t))
	put(t, s, 0, "a", "one")
	if _, _, err := s.w.exec(context.Background(), "UPDATE names SET data = x'ffffffffff7f00'"); err != nil {
		t.Fatal(err)
	}
	err := s.Names(context.Background(), day(-1), day(1), func(*NamesPart) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("reading: %v", err)
	}
}
