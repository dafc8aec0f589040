package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	defaultPage = 100
	maxPage     = 1000
	// maxSample is how many records a sample of groups looks at, for each user where users are asked for: it bounds what rare groups cost.
	maxSample = 20_000
)

// found is a record that belongs to a page, before it is read.
type found struct {
	part int64
	ts   int64
	id   recordID
}

// newest is the order of records: the newest first, and among those of one time the largest identifier.
func newest(a, b found) int {
	return cmp.Or(cmp.Compare(b.ts, a.ts), b.id.compare(&a.id))
}

// seek is a RecordRequest made ready.
type seek struct {
	dataset  int
	from, to int64
	action   string
	limit    int
	after    *cursor
	users    map[uint32]bool
	pass     *sieve
	facets   []facet // by number
	services []string
	sample   spread
}

// spread bounds how many records of each group are taken.
type spread struct {
	each         int // 0: no bound, no groups
	of           query.Dimension
	given        map[spreadKey]int
	looked, most int
	missing      int // groups that may have more; below zero: not known
}

// spreadKey is a group of a sample: of one user where users are asked for.
type spreadKey struct {
	user          uint32
	group, status string
}

// take says whether a record of the facet is wanted.
func (s *seek) take(id, user uint32) bool {
	if int(id) >= len(s.facets) { // of a damaged store
		return false
	}
	f := &s.facets[id]
	return (s.pass.open() || s.pass.facet(f)) && s.sample.take(f, user)
}

func (s *spread) take(f *facet, user uint32) bool {
	if s.each == 0 {
		return true
	}
	group, _ := f.word(s.of)
	key := spreadKey{user, group, f.status}
	s.given[key]++
	if s.given[key] == s.each {
		s.missing--
	}
	return s.given[key] <= s.each
}

// over says whether enough records were looked at, this one included, or all groups have theirs.
func (s *spread) over() bool {
	s.looked++
	return s.each > 0 && (s.looked > s.most || s.missing == 0)
}

// expect counts the groups that there can be, if users are not told apart.
func (s *spread) expect(w *words, pass *sieve) {
	groups := map[spreadKey]bool{}
	for _, id := range w.ids {
		if f := &w.facets[id]; pass.facet(f) {
			group, _ := f.word(s.of)
			groups[spreadKey{0, group, f.status}] = true
		}
	}
	s.missing = len(groups)
}

// Records implements query.Query. Pages go on where the one before ended, whatever has been stored meanwhile; a zero From or To leaves
// that side open.
func (r *Reader) Records(ctx context.Context, q query.RecordRequest) (query.Page, error) {
	var page query.Page
	err := r.view(ctx, func(ctx context.Context, v *view) error {
		if len(q.IDs) > 0 {
			return v.byID(ctx, &q, &page)
		}
		s, err := v.newSeek(ctx, &q)
		if err != nil {
			return err
		}
		list, err := v.seek(ctx, s)
		if err != nil {
			return err
		}
		if len(list) > s.limit {
			list = list[:s.limit]
			if last := list[len(list)-1]; s.sample.each == 0 {
				page.Next = (&cursor{ts: last.ts, id: last.id}).String()
			}
		}
		return v.load(ctx, list, q.Brief, &page)
	})
	if err != nil {
		return query.Page{}, fmt.Errorf("reading records from %s: %w", r.path, err)
	}
	return page, nil
}

// newSeek checks a request.
func (v *view) newSeek(ctx context.Context, q *query.RecordRequest) (*seek, error) {
	s := &seek{dataset: datasets[q.Dataset], from: math.MinInt64, to: math.MaxInt64, action: q.Action, limit: pageSize(q.Limit), services: q.Where.Services,
		pass: newSieve(&q.Where), facets: v.words.facets, sample: spread{each: q.Each, of: q.EachOf, given: map[spreadKey]int{}, most: maxSample * max(1, len(q.Where.Users)), missing: -1}}
	if s.dataset == 0 {
		return nil, fmt.Errorf("there is no dataset %q; take one of gnomon.activity, .finding, .coverage, .candidate or .audit", q.Dataset)
	}
	s.period(q)
	if q.Each > 0 && len(q.Where.Users) == 0 && q.Action == "" {
		s.sample.expect(v.words, s.pass)
	}
	var err error
	if q.After != "" {
		if s.after, err = parseCursor(q.After); err != nil {
			return nil, err
		}
	}
	if len(q.Where.Users) > 0 {
		if s.users, err = v.userIDs(ctx, q.Where.Users); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// period takes the ends that are given.
func (s *seek) period(q *query.RecordRequest) {
	if !q.From.IsZero() {
		s.from = q.From.UnixNano()
	}
	if !q.To.IsZero() {
		s.to = q.To.UnixNano()
	}
}

func pageSize(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, maxPage)
}

// seek finds one record more than a page has. Parts are looked at from the one with the newest record on, and no further than needed.
func (v *view) seek(ctx context.Context, s *seek) ([]found, error) {
	parts := slices.DeleteFunc(slices.Clone(v.parts), func(p part) bool {
		return p.class != classOf(s.dataset) || p.rows == 0 || p.tsmax < s.from || p.tsmin >= s.to
	})
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(b.tsmax, a.tsmax) })
	var list []found
	for _, p := range parts {
		if len(list) > s.limit && list[s.limit].ts > p.tsmax || s.sample.looked > s.sample.most || s.sample.missing == 0 {
			break
		}
		more, err := v.seekPart(ctx, s, p.id)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
		slices.SortFunc(list, newest)
		list = list[:min(len(list), s.limit+1)]
	}
	return list, nil
}

// mayServe says whether a part has records of any of the services; no services are all.
func (v *view) mayServe(ctx context.Context, part int64, services []string) (bool, error) {
	for _, s := range services {
		var one int
		err := v.tx.QueryRowContext(ctx, "SELECT 1 FROM part_service WHERE part = ? AND service = ?", part, s).Scan(&one)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return false, err
		}
	}
	return len(services) == 0, nil
}

// seekPart finds the newest matching records of a part, for each user of the filter or for all.
func (v *view) seekPart(ctx context.Context, s *seek, part int64) ([]found, error) {
	if may, err := v.mayServe(ctx, part, s.services); err != nil || !may {
		return nil, err
	}
	text, args := s.statement()
	stmt, err := v.tx.PrepareContext(ctx, numbered(text, part))
	if err != nil {
		return nil, err
	}
	defer func() { _ = stmt.Close() }() // it only read
	if s.users == nil {
		return s.read(ctx, stmt, args, found{part: part}, 0)
	}
	var out []found
	for id := range s.users {
		list, err := s.read(ctx, stmt, append([]any{id}, args...), found{part: part}, id)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// read reads an index from its newest end, until a page is full.
func (s *seek) read(ctx context.Context, stmt *sql.Stmt, args []any, f found, user uint32) ([]found, error) {
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []found
	for len(out) <= s.limit && rows.Next() && !s.sample.over() {
		var id any
		var facet uint32
		var action sql.NullString
		if err := rows.Scan(&f.ts, &id, &facet, &action); err != nil {
			return nil, err
		}
		if (s.action == "" || s.action == action.String) && s.take(facet, user) {
			f.id = idOf(id)
			out = append(out, f)
		}
	}
	return out, rows.Err()
}

// statement is what is asked of a part: of one user, whose number comes first, by the index of users, else by that of times, which has
// all that filters look at.
func (s *seek) statement() (text string, args []any) {
	index, where := "record_{n}_ts", ""
	if s.users != nil {
		index, where = "record_{n}_user", "user = ? AND "
	}
	text = "SELECT ts, id, facet, action FROM record_{n} INDEXED BY " + index + " WHERE " + where + "dataset = ? AND ts >= ? AND "
	if s.after != nil && s.after.ts < s.to {
		text += "ts <= ? AND (ts < ? OR id < ?)"
		args = append(args, s.dataset, s.from, s.after.ts, s.after.ts, s.after.id.value())
	} else {
		text += "ts < ?"
		args = append(args, s.dataset, s.from, s.to)
	}
	return text + " ORDER BY ts DESC, id DESC", args
}

// load reads the records of a page: those of a part together, which takes half the time of one after the other.
func (v *view) load(ctx context.Context, list []found, short bool, page *query.Page) error {
	unpack := v.unzip.unpack
	if short {
		unpack = (&brief{unzip: v.unzip}).unpack
	}
	of := map[int64][]int{} // places in list by part
	for i := range list {
		of[list[i].part] = append(of[list[i].part], i)
	}
	page.Records = make([]event.Event, len(list))
	for part, places := range of {
		err := v.loadPart(ctx, part, list, places, func(i int, data []byte) (err error) {
			page.Records[i], err = unpack(data)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// loadPart reads the records of one part, each for its place.
func (v *view) loadPart(ctx context.Context, part int64, list []found, places []int, into func(i int, data []byte) error) error {
	at := make(map[recordID]int, len(places))
	ids := make([]any, len(places))
	for k, i := range places {
		at[list[i].id], ids[k] = i, list[i].id.value()
	}
	text := numbered("SELECT id, data FROM record_{n} WHERE id IN (?", part) + strings.Repeat(", ?", len(ids)-1) + ")"
	read := 0
	err := v.each(ctx, text, ids, func(rows *sql.Rows) error {
		var id any
		var data sql.RawBytes
		if err := rows.Scan(&id, &data); err != nil {
			return err
		}
		i, wanted := at[idOf(id)]
		if !wanted {
			return nil
		}
		read++
		return into(i, data)
	})
	if err == nil && read < len(places) {
		err = fmt.Errorf("%w: %d of %d records of part %d are gone", errDamaged, len(places)-read, len(places), part)
	}
	return err
}

// byID reads exactly the records that are named, the newest first; those that are not there are left out.
func (v *view) byID(ctx context.Context, q *query.RecordRequest, page *query.Page) error {
	if len(q.IDs) > maxPage {
		return fmt.Errorf("%d records are asked for by event.id; at most %d are given at once", len(q.IDs), maxPage)
	}
	var list []found
	seen := map[string]bool{}
	for _, s := range q.IDs {
		if seen[s] {
			continue
		}
		seen[s] = true
		id := parseID(s)
		for i := range v.parts {
			if !v.parts[i].mayHold(&id) {
				continue
			}
			f := found{part: v.parts[i].id, id: id}
			err := v.tx.QueryRowContext(ctx, numbered("SELECT ts FROM record_{n} WHERE id = ?", f.part), id.value()).Scan(&f.ts)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			list = append(list, f)
			break
		}
	}
	slices.SortFunc(list, newest)
	return v.load(ctx, list, q.Brief, page)
}
