package store

import (
	"cmp"
	"context"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// visitEntry is where a visit began, as far as its records have arrived.
type visitEntry struct {
	part        int64 // which has the row
	ts          int64
	record      recordID // the record that began it
	user, facet uint32
	quiet       bool // the record is of background traffic
}

// before says whether a visit began with v rather than with o: with the earliest record of use, if there is one.
func (v *visitEntry) before(o *visitEntry) bool {
	if v.quiet != o.quiet {
		return o.quiet
	}
	return cmp.Or(cmp.Compare(v.ts, o.ts), v.record.compare(&o.record)) < 0
}

// maxVisits bounds the cache: more than are under way at once.
const maxVisits = 1 << 16

// countVisit counts the visit of a new record where its use began: at its earliest record that is not of background traffic, and at the
// earliest of all if there is none such. When a better one than before turns up, the visit moves there, so that the order of arrival changes
// no sum.
func (w *writer) countVisit(ctx context.Context, e *entry, now int64) error {
	if e.ev.Gnomon.Visit == nil || e.ev.Gnomon.Visit.ID == "" {
		return nil
	}
	key := valid(e.ev.Gnomon.Visit.ID)
	id := parseID(key)
	v, found, err := w.findVisit(ctx, key, &id)
	if err != nil {
		return err
	}
	began := visitEntry{ts: int64(e.ev.Timestamp), record: e.id, user: e.user, facet: e.facetID, quiet: e.facet.use == query.UseBackground}
	switch {
	case !found:
		at, err := w.partFor(ctx, classShort, now)
		if err != nil {
			return err
		}
		p := &w.parts[at]
		p.noteID(&id)
		began.part = p.id
		if _, _, err := w.exec(ctx, numbered("INSERT INTO visit_{n} (id, ts, record, user, facet) VALUES (?, ?, ?, ?, ?)", p.id), id.value(),
			began.ts, began.record.value(), began.user, began.facet); err != nil {
			return err
		}
		w.addVisit(&began, 1)
	case began.before(&v):
		began.part = v.part
		if _, _, err := w.exec(ctx, numbered("UPDATE visit_{n} SET ts = ?, record = ?, user = ?, facet = ? WHERE id = ?", v.part), began.ts,
			began.record.value(), began.user, began.facet, id.value()); err != nil {
			return err
		}
		w.addVisit(&v, -1)
		w.addVisit(&began, 1)
	default:
		began = v
	}
	if len(w.visits) >= maxVisits {
		clear(w.visits)
	}
	w.visits[key] = began
	return nil
}

// findVisit looks a visit up.
func (w *writer) findVisit(ctx context.Context, key string, id *recordID) (v visitEntry, found bool, err error) {
	if v, found = w.visits[key]; found {
		return v, true, nil
	}
	for i := len(w.parts) - 1; i >= 0; i-- {
		p := &w.parts[i]
		if p.class != classShort || !p.mayHold(id) {
			continue
		}
		var record any
		var use string
		found, err = w.get(ctx, numbered("SELECT ts, record, user, facet, coalesce((SELECT use FROM facet WHERE id = facet), '') FROM visit_{n} WHERE id = ?", p.id),
			[]any{id.value()}, []any{&v.ts, &record, &v.user, &v.facet, &use})
		if err != nil || found {
			v.part, v.record, v.quiet = p.id, idOf(record), use == query.UseBackground
			return v, found, err
		}
	}
	return v, false, nil
}

// addVisit adds to the visits where v began. The row says the time of a record that is there, so that it moves no first or last.
func (w *writer) addVisit(v *visitEntry, n int64) {
	at := floor(v.ts, 1e9) / 1e9
	w.rows = append(w.rows, row{user: v.user, facet: v.facet, hour: w.calendar.hour(at), sums: sums{visits: n, first: at, last: at}})
}
