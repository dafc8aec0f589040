package dashboard

import (
	"slices"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// status is what the organisation says of a use, with the class that gives it its colour and pattern.
type status struct{ Key, Label, Class string }

// statuses stand in the order in which they are stacked, from the bottom, and listed.
var statuses = [...]status{
	{"approved", "Approved", "s-approved"},
	{"tolerated", "Tolerated", "s-tolerated"},
	{"in-review", "In review", "s-in-review"},
	{"unreviewed", "Unreviewed", "s-unreviewed"},
	{"prohibited", "Prohibited", "s-prohibited"},
	{"", "No policy", "s-none"},
}

// statusIndex is the place of a status in statuses; one that is not known counts as one that is not set.
func statusIndex(key string) int {
	if i := slices.IndexFunc(statuses[:], func(s status) bool { return s.Key == key }); i >= 0 {
		return i
	}
	return len(statuses) - 1
}

// figure takes one measure out of a row.
func figure(r *query.Row, m query.Measure) uint64 {
	switch m {
	case query.Users:
		return r.Users
	case query.Visits:
		return r.Visits
	}
	return r.Upload.Bytes
}

// measureName is what a measure is called, and unit how it is written.
func measureName(m query.Measure) string {
	switch m {
	case query.Users:
		return "Users"
	case query.Visits:
		return "Visits"
	}
	return "Upload"
}

func measureText(m query.Measure, n uint64) string {
	if m == query.Upload {
		return size(n)
	}
	return count(n)
}

// add sums two rows; users are added too, which is right only where nobody is in both.
func add(a *query.Row, b *query.Row) {
	a.Users += b.Users
	a.Visits += b.Visits
	a.Flows += b.Flows
	a.BytesUp += b.BytesUp
	a.BytesDown += b.BytesDown
	a.Upload.Bytes += b.Upload.Bytes
	a.Upload.Low += b.Upload.Low
	a.Upload.High += b.Upload.High
	a.Unknown += b.Unknown
	a.Background.Users += b.Background.Users
	a.Background.Visits += b.Background.Visits
	if a.First.IsZero() || !b.First.IsZero() && b.First.Before(a.First) {
		a.First = b.First
	}
	if b.Last.After(a.Last) {
		a.Last = b.Last
	}
}
