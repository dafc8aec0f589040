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
	bySize := slices.Clone(rows)
	isHidden := func(r *query.Row) bool { return r.Users < least || hidden != nil && hidden(r.Key[0]) }
	slices.SortStableFunc(bySize, func(a, b query.Row) int {
		if ha, hb := isHidden(&a), isHidden(&b); ha != hb {
			if ha {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Users, b.Users)
	})
	n, users := 0, uint64(0)
	for n < len(bySize) && (isHidden(&bySize[n]) || n > 0 && (n < 2 || users < least)) {
		users += bySize[n].Users
		n++
	}
	folded = bySize[:n]
	for i := range rows {
		if !slices.ContainsFunc(folded, func(f query.Row) bool { return f.Key[0] == rows[i].Key[0] }) {
			shown = append(shown, rows[i])
		}
	}
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
