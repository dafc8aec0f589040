package store

import (
	"context"
	"database/sql"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// segment is a blob of rows that a question needs.
type segment struct {
	id     blobID
	bucket int64 // the span of the answer that all its rows belong to
	whole  bool  // all its rows are of the period and of one span; else each row is looked at
}

// maxFew is how many blobs of rows a question may look at that digests answer but for them: what has come in since yesterday, and hours at
// the ends of the period. They are looked at again by the next question.
const maxFew = 256

// few says whether nearly all that a question needs are digests.
func few(segments []segment) bool {
	rows := 0
	for _, s := range segments {
		if s.id.kind != kindDigest {
			rows++
		}
	}
	return rows <= maxFew && rows < len(segments)
}

// plan chooses the blobs: months that lie within the period and within one span of the answer, else their days, else the hours of those.
// Where there is a digest and the question follows from it, it stands for the blocks of its span.
func (v *view) plan(ctx context.Context, a *ask) ([]segment, error) {
	var out []segment
	if a.coarse() {
		if err := v.readDigests(ctx); err != nil {
			return nil, err
		}
	}
	months, err := v.spans(ctx, "SELECT month, month, max(until) FROM block WHERE level = ? GROUP BY month HAVING month < ? AND max(until) > ? ORDER BY month",
		levelMonth, a.to, a.from)
	if err != nil {
		return nil, err
	}
	for _, m := range months {
		switch id, digested := v.digests[spanKey{m.month, levelMonth, m.start}]; {
		case !a.whole(m.start, m.until):
			out, err = v.days(ctx, a, out, m.month)
		case digested:
			out = append(out, a.digest(id, m.start))
		default:
			out, err = v.blocks(ctx, a, out, stretch{m.month, levelMonth, m.start, m.start})
		}
		if err != nil {
			return nil, err
		}
	}
	return v.freshBlocks(ctx, a, out)
}

// days chooses the blobs of a month that is not wanted as a whole. Whole days that follow each other are asked for at once.
func (v *view) days(ctx context.Context, a *ask, out []segment, month int64) ([]segment, error) {
	days, err := v.spans(ctx, "SELECT month, start, max(until) FROM block WHERE month = ? AND level = ? GROUP BY start HAVING start < ? AND max(until) > ?",
		month, levelDay, a.to, a.from)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(days); {
		level, n := levelHour, 1
		if a.whole(days[i].start, days[i].until) {
			if id, digested := v.digests[spanKey{month, levelDay, days[i].start}]; digested {
				out = append(out, a.digest(id, days[i].start))
				i++
				continue
			}
			level = levelDay
			for i+n < len(days) && a.whole(days[i+n].start, days[i+n].until) {
				n++
			}
		}
		if out, err = v.blocks(ctx, a, out, stretch{month, level, days[i].start, days[i+n-1].start}); err != nil {
			return nil, err
		}
		i += n
	}
	return out, nil
}

// coarse says whether a question follows from digests.
func (a *ask) coarse() bool {
	w := &a.q.Where
	if a.byUser || a.users != nil {
		return false
	}
	if a.q.Keys {
		return true
	}
	for _, d := range a.dims {
		if !isTime(d) && d != query.BySite && d != query.ByStatus {
			return false
		}
	}
	return len(w.Services)+len(w.Categories)+len(w.Departments) == 0
}

// digest is the segment of a digest.
func (a *ask) digest(id, start int64) segment {
	return segment{id: blobID{id, kindDigest}, bucket: a.bucket(start), whole: true}
}

// spanKey names a digest.
type spanKey struct {
	month int64
	level int
	start int64
}

// readDigests reads which digests there are.
func (v *view) readDigests(ctx context.Context) error {
	v.digests = map[spanKey]int64{}
	return v.each(ctx, "SELECT month, level, start, id FROM digest", nil, func(rows *sql.Rows) error {
		var k spanKey
		var id int64
		err := rows.Scan(&k.month, &k.level, &k.start, &id)
		v.digests[k] = id
		return err
	})
}

// span is a day or a month that there are blocks of.
type span struct{ month, start, until int64 }

func (v *view) spans(ctx context.Context, text string, args ...any) (out []span, err error) {
	err = v.each(ctx, text, args, func(rows *sql.Rows) error {
		var s span
		err := rows.Scan(&s.month, &s.start, &s.until)
		out = append(out, s)
		return err
	})
	return out, err
}

// stretch is spans of one level that follow each other, by where the first and the last begin.
type stretch struct {
	month       int64
	level       int
	first, last int64
}

// blocks appends the blocks of a stretch that may hold users of the question.
func (v *view) blocks(ctx context.Context, a *ask, out []segment, at stretch) ([]segment, error) {
	s := segment{whole: at.level != levelHour}
	was := int64(-1)
	const text = "SELECT id, start, people FROM block WHERE month = ? AND level = ? AND start BETWEEN ? AND ?"
	err := v.each(ctx, text, []any{at.month, at.level, at.first, at.last}, func(rows *sql.Rows) error {
		var start int64
		var people uint32
		err := rows.Scan(&s.id.row, &start, &people)
		if start != was {
			was, s.bucket = start, a.bucket(start)
		}
		if a.people == nil || a.people[people] {
			out = append(out, s)
		}
		return err
	})
	return out, err
}

// freshBlocks appends what is not settled yet.
func (v *view) freshBlocks(ctx context.Context, a *ask, out []segment) ([]segment, error) {
	err := v.each(ctx, "SELECT id, day, until FROM fresh WHERE day < ? AND until > ?", []any{a.to, a.from}, func(rows *sql.Rows) error {
		s := segment{id: blobID{kind: kindFresh}}
		var day, until int64
		err := rows.Scan(&s.id.row, &day, &until)
		s.bucket, s.whole = a.bucket(day), a.whole(day, until)
		out = append(out, s)
		return err
	})
	return out, err
}
