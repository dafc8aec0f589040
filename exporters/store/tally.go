package store

import (
	"cmp"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// maxGroups bounds the groups of an answer in the making, about 220 bytes each.
const maxGroups = 1_000_000

// group is a row of an answer in the making.
type group struct {
	sums
	bucket int64
	key    int32 // into ask.keys
	user   uint32
	people userSet
	quiet  userSet // those of whom background traffic was seen
	calm   int64   // visits in which nothing else was seen
}

// note notes that a user is in a row.
func (g *group) note(user uint32, quiet bool) {
	set := &g.people
	if quiet {
		set = &g.quiet
	}
	if user > userNobody && user != set.last {
		set.add(user)
	}
}

// count adds a row up.
func (g *group) count(s *sums, quiet bool) {
	g.add(s)
	if quiet {
		g.visits -= s.visits
		g.calm += s.visits
	}
}

// tally adds blocks up into groups.
type tally struct {
	ask     *ask
	block   block
	buckets map[int64]*bucket
	n       int // groups
	spot    int64
	last    *bucket
}

// bucket has the groups of one span of time: by key, or by user and key.
type bucket struct {
	keys  []*group
	users map[uint64]*group
	last  *group // of users, the one asked for last
}

func newTally(a *ask) *tally { return &tally{ask: a, buckets: map[int64]*bucket{}} }

// at returns the groups of a span.
func (t *tally) at(start int64) *bucket {
	if t.last != nil && t.spot == start {
		return t.last
	}
	b := t.buckets[start]
	if b == nil {
		b = &bucket{}
		if t.ask.byUser {
			b.users = map[uint64]*group{}
		} else {
			b.keys = make([]*group, len(t.ask.keys))
		}
		t.buckets[start] = b
	}
	t.spot, t.last = start, b
	return b
}

// group returns a group of a span, a new one if need be.
func (t *tally) group(start int64, key int32, user uint32) *group {
	b := t.at(start)
	if !t.ask.byUser {
		g := b.keys[key]
		if g == nil {
			g = t.newGroup(start, key, 0)
			b.keys[key] = g
		}
		return g
	}
	if b.last != nil && b.last.user == user && b.last.key == key { // rows stand in the order of users
		return b.last
	}
	id := uint64(user)<<32 | uint64(uint32(key))
	g := b.users[id]
	if g == nil {
		g = t.newGroup(start, key, user)
		b.users[id] = g
	}
	b.last = g
	return g
}

func (t *tally) newGroup(start int64, key int32, user uint32) *group {
	t.n++
	return &group{sums: sums{first: forEver, last: sinceEver}, bucket: start, key: key, user: user}
}

// add adds the rows of a block that the question asks for.
func (t *tally) add(j *job) error {
	a, b := t.ask, &t.block
	if j.id.kind == kindDigest {
		return t.addDigest(j)
	}
	if err := b.decode(j.data); err != nil {
		return err
	}
	switch {
	case j.whole && a.single && b.n > 0:
		t.group(j.bucket, 0, 0).addBlock(b, a.quiet)
	case a.users != nil:
		for user := range a.users {
			t.addRows(j, b.find(user), b.find(user+1))
		}
	default:
		t.addRows(j, 0, b.n)
	}
	if t.n > maxGroups {
		return errGroups
	}
	return nil
}

// addDigest adds the classes of a digest that the question asks for, or, where it asks for keys alone, the facets.
func (t *tally) addDigest(j *job) error {
	a := t.ask
	r := digestReader{b: j.data}
	facets, err := r.read(func(c *digestClass, users digestSet) {
		if a.q.Keys || int64(c.facet) >= int64(len(a.groupOf)) || a.groupOf[c.facet] < 0 {
			return
		}
		g, quiet := t.group(j.bucket, a.groupOf[c.facet], 0), a.quiet.has(uint64(c.facet))
		g.count(&c.sums, quiet)
		if quiet {
			users.join(&g.quiet)
		} else {
			users.join(&g.people)
		}
	})
	if err != nil || !a.q.Keys {
		return err
	}
	var there userSet
	facets.join(&there)
	there.each(func(facet uint32) {
		if int64(facet) < int64(len(a.groupOf)) && a.groupOf[facet] >= 0 {
			t.group(j.bucket, a.groupOf[facet], 0)
		}
	})
	return nil
}

// addRows adds the rows of a block from one on up to another. It is where the time of a question goes: about 30 ns for a row.
func (t *tally) addRows(j *job, from, to int) {
	a, b := t.ask, &t.block
	for i := from; i < to; i++ {
		facet := b.col[colFacet].at(i)
		if facet >= uint64(len(a.groupOf)) || a.groupOf[facet] < 0 {
			continue
		}
		user := b.user(i)
		hour, start := b.hour(i), j.bucket
		if !j.whole {
			if hour < a.from || hour >= a.to {
				continue
			}
			start = a.bucket(hour)
		}
		g := t.group(start, a.groupOf[facet], user)
		s, quiet := b.sums(i, hour), a.quiet.has(facet)
		g.count(&s, quiet)
		g.note(user, quiet)
	}
}

// addBlock adds all rows of a block: a column after the other, which is more than twice as fast as row by row. A year by day has seven million
// rows.
func (g *group) addBlock(b *block, quiet facetSet) {
	var s sums
	c := &b.col
	s.flows, s.up, s.down, s.unknown = c[colFlows].sum(b.n), c[colUp].sum(b.n), c[colDown].sum(b.n), c[colUnknown].sum(b.n)
	s.upload = c[colUpload].sum(b.n)
	s.visits = int64(c[colVisits].signedSum(b.n))
	s.low, s.high = s.upload-c[colLow].signedSum(b.n), s.upload+c[colHigh].signedSum(b.n)
	s.first, s.last = forEver, sinceEver
	for i := range b.n {
		first := b.hour(i) + unzigzag(c[colFirst].at(i))
		s.first = min(s.first, first)
		s.last = max(s.last, first+unzigzag(c[colLast].at(i)))
		background := quiet != nil && quiet.has(c[colFacet].at(i))
		if background {
			n := unzigzag(c[colVisits].at(i))
			s.visits -= n
			g.calm += n
		}
		g.note(b.user(i), background)
	}
	g.add(&s)
}

// join adds what another tally of the same question has.
func (t *tally) join(o *tally) error {
	for _, g := range o.groups() {
		mine := t.group(g.bucket, g.key, g.user)
		mine.add(&g.sums)
		mine.people.join(&g.people)
		mine.quiet.join(&g.quiet)
		mine.calm += g.calm
	}
	if t.n > maxGroups {
		return errGroups
	}
	return nil
}

// groups lists all groups.
func (t *tally) groups() []*group {
	out := make([]*group, 0, t.n)
	for _, b := range t.buckets {
		for _, g := range b.keys {
			if g != nil {
				out = append(out, g)
			}
		}
		for _, g := range b.users {
			out = append(out, g)
		}
	}
	return out
}

// measure is what groups are ordered by, for all but the key.
func (g *group) measure(m query.Measure) uint64 {
	switch m {
	case query.Users:
		return g.people.count()
	case query.Visits:
		return uint64(max(g.visits, 0))
	case query.Upload:
		return g.upload
	default:
		return uint64(g.last - sinceEver)
	}
}

// compare is the order of an answer. Users stand in the order of their keys if they are given, else of their numbers.
func (a *ask) compare(x, y *group, users map[uint32]userName) int {
	if a.order != query.Key {
		if c := cmp.Compare(y.measure(a.order), x.measure(a.order)); c != 0 {
			return c
		}
	}
	for i, d := range a.dims {
		var c int
		switch {
		case isTime(d):
			c = cmp.Compare(x.bucket, y.bucket)
		case d == query.ByUser && users != nil:
			c = strings.Compare(users[x.user].key, users[y.user].key)
		case d == query.ByUser:
			c = cmp.Compare(x.user, y.user)
		default:
			c = strings.Compare(a.keys[x.key][i], a.keys[y.key][i])
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// row writes a group for the caller.
func (a *ask) row(g *group, users map[uint32]userName, services map[string]string) query.Row {
	r := query.Row{Key: make([]string, len(a.dims)), Users: g.people.count(), Visits: uint64(max(g.visits, 0)), Flows: g.flows,
		BytesUp: g.up, BytesDown: g.down, Upload: query.Bounds{Bytes: g.upload, Low: g.low, High: g.high}, Unknown: g.unknown,
		First: time.Unix(g.first, 0).In(a.calendar.loc), Last: time.Unix(g.last, 0).In(a.calendar.loc),
		Background: query.Background{Users: g.quiet.besides(&g.people), Visits: uint64(max(g.calm, 0))}}
	r.Labels = make([]string, len(a.dims))
	for i, d := range a.dims {
		var key, label string
		switch {
		case d == query.ByHour:
			key = time.Unix(g.bucket, 0).In(a.calendar.loc).Format("2006-01-02T15:00:00Z07:00")
		case isTime(d):
			key = time.Unix(g.bucket, 0).In(a.calendar.loc).Format(time.DateOnly)
		case d == query.ByUser:
			key, label = users[g.user].key, labelOf(g.user, users[g.user])
		default:
			key = a.keys[g.key][i]
			if d == query.ByService {
				label = services[key]
			}
		}
		r.Key[i], r.Labels[i] = key, cmp.Or(label, key)
	}
	if a.q.Keys {
		return query.Row{Key: r.Key, Labels: r.Labels}
	}
	return r
}

// labelOf is what people read for a user.
func labelOf(id uint32, u userName) string {
	if id == userShared {
		return sharedLabel
	}
	if u.name != "" {
		return u.name
	}
	if address, isAddress := strings.CutPrefix(u.key, "ip:"); isAddress {
		address, _, _ = strings.Cut(address, "@")
		return address
	}
	return u.key
}
