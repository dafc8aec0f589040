package report

import "time"

// before returns the period of the same length in front of [from, to): the months before whole months, the days before whole days,
// however many hours they have, else as many hours.
func (p Period) before() Period {
	from, to := p.From, p.To
	q := Period{To: from, Zone: p.Zone}
	switch months := wholeMonths(from, to); {
	case months > 0:
		q.From = dayStart(from.AddDate(0, -months, 0))
	case midnight(from) && midnight(to):
		q.From = dayStart(from.AddDate(0, 0, -p.days()))
	default:
		q.From = from.Add(-to.Sub(from))
	}
	return q
}

// days counts the days of the calendar that the period touches.
func (p Period) days() int {
	first := time.Date(p.From.Year(), p.From.Month(), p.From.Day(), 0, 0, 0, 0, time.UTC)
	end := p.To.Add(-1)
	last := time.Date(end.Year(), end.Month(), end.Day(), 0, 0, 0, 0, time.UTC)
	return int(last.Sub(first)/(24*time.Hour)) + 1
}

// wholeMonths returns how many calendar months the period is, or 0 if it is none exactly.
func wholeMonths(from, to time.Time) int {
	if from.Day() != 1 || to.Day() != 1 || !midnight(from) || !midnight(to) {
		return 0
	}
	return (to.Year()-from.Year())*12 + int(to.Month()) - int(from.Month())
}

// midnight says whether a day begins at t.
func midnight(t time.Time) bool { return t.Equal(dayStart(t)) }

// dayStart is when t's day begins: where clocks go forward at midnight, that is an hour later, and time.Date would say the day before.
func dayStart(t time.Time) time.Time {
	start := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
	if start.Day() != t.Day() {
		start = start.Add(time.Hour)
	}
	return start
}

// weeks returns the Mondays on which the n weeks begin of which the last holds the moment before end.
func weeks(end time.Time, n int) []time.Time {
	last := end.Add(-1)
	back := (int(last.Weekday()) + 6) % 7 // days since Monday
	out := make([]time.Time, n)
	for i := range out {
		noon := time.Date(last.Year(), last.Month(), last.Day()-back-7*(n-1-i), 12, 0, 0, 0, last.Location())
		out[i] = dayStart(noon)
	}
	return out
}

// minutesOf is n minutes.
func minutesOf(n int) time.Duration { return time.Duration(n) * time.Minute }
