package report

import (
	"testing"
	"time"
)

func TestPeriodBefore(t *testing.T) {
	for _, tt := range []struct {
		name, zone, from, to, want string
	}{
		{"a month with the change to summer time", "Europe/Berlin", "2026-03-01 00:00", "2026-04-01 00:00", "2026-02-01 00:00"},
		{"the month after", "Europe/Berlin", "2026-04-01 00:00", "2026-05-01 00:00", "2026-03-01 00:00"},
		{"a quarter", "America/New_York", "2026-10-01 00:00", "2027-01-01 00:00", "2026-07-01 00:00"},
		{"a week of 167 hours", "Europe/Berlin", "2026-03-23 00:00", "2026-03-30 00:00", "2026-03-16 00:00"},
		{"the week after", "Europe/Berlin", "2026-03-30 00:00", "2026-04-06 00:00", "2026-03-23 00:00"},
		{"a week of 169 hours", "Europe/Berlin", "2026-10-19 00:00", "2026-10-26 00:00", "2026-10-12 00:00"},
		{"a day of 23 hours", "Europe/Berlin", "2026-03-29 00:00", "2026-03-30 00:00", "2026-03-28 00:00"},
		{"hours", "Europe/Berlin", "2026-06-01 08:00", "2026-06-01 17:00", "2026-05-31 23:00"},
		{"midnight that does not exist", "America/Santiago", "2026-09-06 01:00", "2026-09-07 00:00", "2026-09-05 00:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			loc, err := time.LoadLocation(tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			at := func(s string) time.Time {
				v, err := time.ParseInLocation("2006-01-02 15:04", s, loc)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			p := Period{From: at(tt.from), To: at(tt.to)}.before()
			if !p.From.Equal(at(tt.want)) || !p.To.Equal(at(tt.from)) {
				t.Errorf("%s to %s, want from %s", p.From, p.To, tt.want)
			}
		})
	}
}

// Weeks begin at midnight on Monday on both sides of a change of clocks, and the use of every one is found.
func TestWeeksOverClockChange(t *testing.T) {
	loc := berlin(t)
	s := usual()
	f := newFake(s)
	req := september(t, Management)
	req.From, req.To = time.Date(2026, 3, 1, 0, 0, 0, 0, loc), time.Date(2026, 4, 13, 0, 0, 0, 0, loc)
	rep := build(t, f, req)
	if len(rep.Trend) != trendWeeks {
		t.Fatalf("%d weeks", len(rep.Trend))
	}
	for i, w := range rep.Trend {
		if w.Start.Weekday() != time.Monday || !midnight(w.Start) {
			t.Errorf("week %d begins %s", i, w.Start)
		}
		want := uint64(0)
		for _, x := range f.uses {
			if !x.at.Before(w.Start) && x.at.Before(w.Start.AddDate(0, 0, 7)) && !x.quiet {
				want++
			}
		}
		if w.All.Visits != want || !w.Watched || w.Partial {
			t.Errorf("week of %s: %+v, want %d visits", w.Start, w, want)
		}
	}
}

func TestPeriodInWords(t *testing.T) {
	loc := berlin(t)
	at := func(d, h int) time.Time { return time.Date(2026, 3, d, h, 0, 0, 0, loc) }
	for _, tt := range []struct {
		name string
		p    Period
		want string
	}{
		{"days", Period{at(1, 0), at(32, 0), "Europe/Berlin"}, "2026-03-01 to 2026-03-31 (Europe/Berlin)"},
		{"one day", Period{at(29, 0), at(30, 0), "Europe/Berlin"}, "2026-03-29 (Europe/Berlin)"},
		{"hours over the change", Period{at(29, 1), at(29, 4), "Europe/Berlin"}, "2026-03-29 01:00 CET to 2026-03-29 04:00 CEST"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.p.String(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// Where zones are half an hour off, days begin within the hours that sums are kept by: the period moves back and says so.
func TestHalfHourZone(t *testing.T) {
	loc, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	req := Request{From: time.Date(2026, 9, 1, 0, 0, 0, 0, loc), To: time.Date(2026, 10, 1, 0, 0, 0, 0, loc), Now: date("2026-10-05"), Location: loc}
	rep := build(t, newFake(usual()), req)
	if got, want := rep.Period.String(), "2026-08-31 23:30 IST to 2026-09-30 23:30 IST"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
