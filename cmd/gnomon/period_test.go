package main

import (
	"testing"
	"time"
)

func TestPeriod(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 21, 13, 30, 0, 0, berlin)
	for _, c := range []struct {
		name     string
		period   period
		from, to string
		wrong    bool
	}{
		{"hours", period{last: "24h"}, "2026-11-20T14:00", "2026-11-21T14:00", false},
		{"days", period{last: "30d"}, "2026-10-22T14:00", "2026-11-21T14:00", false}, // over the end of summer time
		{"weeks", period{last: "12w"}, "2026-08-29T14:00", "2026-11-21T14:00", false},
		{"calendar month", period{last: "month"}, "2026-10-01T00:00", "2026-11-01T00:00", false},
		{"from", period{last: "30d", from: "2026-11-01"}, "2026-11-01T00:00", "2026-11-21T14:00", false},
		{"from and to", period{from: "2026-11-01", to: "2026-11-01"}, "2026-11-01T00:00", "2026-11-02T00:00", false},
		{"to alone", period{last: "30d", to: "2026-11-01"}, "", "", true},
		{"backwards", period{from: "2026-11-05", to: "2026-11-01"}, "", "", true},
		{"nonsense", period{last: "7x"}, "", "", true},
		{"trailing", period{last: "7days"}, "", "", true},
		{"zero", period{last: "0d"}, "", "", true},
		{"no day", period{from: "yesterday"}, "", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			from, to, err := c.period.between(now, berlin)
			if (err != nil) != c.wrong {
				t.Fatalf("error %v", err)
			}
			const form = "2006-01-02T15:04"
			if err == nil && (from.Format(form) != c.from || to.Format(form) != c.to) {
				t.Errorf("from %s to %s, want %s to %s", from.Format(form), to.Format(form), c.from, c.to)
			}
		})
	}
}
