package dashboard

import (
	"cmp"
	"slices"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// fold divides rows into those that a viewer may see and those that are shown as one. A row is folded if it has fewer than least users, or
// if hidden says so. What is folded could be found by taking the others from the total: it is therefore at least two rows with least
// users between them, and the next smallest row joins until it is.
func fold(rows []query.Row, least uint64, hidden func(key string) bool) (shown, folded []query.Row) {
	var large []query.Row
	users := uint64(0)
	for _, r := range rows {
		if r.Users < least || hidden != nil && hidden(r.Key[0]) {
			folded, users = append(folded, r), users+r.Users
		} else {
			large = append(large, r)
		}
	}
	slices.SortStableFunc(large, func(a, b query.Row) int { return cmp.Compare(a.Users, b.Users) })
	for len(large) > 0 && len(folded) > 0 && (len(folded) < 2 || users < least) {
		folded, users, large = append(folded, large[0]), users+large[0].Users, large[1:]
	}
	shown = slices.DeleteFunc(slices.Clone(rows), func(r query.Row) bool {
		_, isFolded := byKey(folded, r.Key[0])
		return isFolded
	})
	return shown, folded
}

// together is folded rows as one.
func together(rows []query.Row) query.Row {
	var sum query.Row
	for i := range rows {
		add(&sum, &rows[i])
	}
	return sum
}

// smallIn says which departments a viewer may not see; all has every department of the period, whatever else was asked for.
func smallIn(all []query.Row, least uint64) func(key string) bool {
	shown, _ := fold(all, least, nil)
	return func(key string) bool {
		return !slices.ContainsFunc(shown, func(r query.Row) bool { return r.Key[0] == key })
	}
}
