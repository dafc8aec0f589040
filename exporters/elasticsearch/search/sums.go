package search

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// errGroups bounds memory.
var errGroups = errors.New("the answer has too many groups; ask for a shorter period, fewer users, or coarser spans of time")

// Sums implements query.Query. First and Last are to the second. A zero From or To leaves that side open.
func (r *Reader) Sums(ctx context.Context, q query.Request) ([]query.Row, error) {
	a, err := newAsk(&q)
	if err != nil {
		return nil, fmt.Errorf("asking for sums: %w", err)
	}
	rows, err := r.sums(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("reading sums from %s: %w", r.where(event.DatasetActivity), err)
	}
	return rows, nil
}

func (r *Reader) sums(ctx context.Context, a *ask) ([]query.Row, error) {
	match := append([]any{term(countedField, true)}, period(atField, a.q.From, a.q.To)...)
	match = append(match, filter(&a.q.Where)...)
	var err error
	if a.exact, err = r.exactness(ctx, a); err != nil {
		return nil, err
	}
	var rows []query.Row
	switch {
	case !a.byUser():
		rows, err = r.everyone(ctx, a, match)
	case a.few():
		rows, err = r.largest(ctx, a, match)
	default:
		rows, err = r.byUsers(ctx, a, match, a.figures())
	}
	if err != nil {
		return nil, err
	}
	rows = a.cut(rows)
	return rows, r.label(ctx, a, rows)
}

// kind is one of the kinds of those who use something, which are told apart by different fields.
type kind int

const (
	everyone kind = iota
	known
	addresses
	shared
	nobody
)

// of keeps to the records of a kind.
func (k kind) of(match []any) []any {
	is := map[kind]func() object{known: isKnown, addresses: isAddress, shared: isShared, nobody: isNobody}[k]
	if is == nil {
		return match
	}
	return append(slices.Clone(match), is())
}

// byUsers adds up for each user: for those of each kind, all kinds at once.
func (r *Reader) byUsers(ctx context.Context, a *ask, match []any, aggs object) ([]query.Row, error) {
	kinds := []kind{known, addresses, shared, nobody}
	found := make([][]query.Row, len(kinds))
	var steps []func(context.Context) error
	for i, who := range kinds {
		steps = append(steps, func(ctx context.Context) error {
			p := part{who: who, match: who.of(match), aggs: aggs, page: lightPage, nests: len(a.q.By) == 1 || who == shared || who == nobody}
			groups, err := r.groups(ctx, a, &p)
			for j := range groups {
				found[i] = append(found[i], groups[j].row(a, who))
			}
			return err
		})
	}
	if err := together(ctx, steps...); err != nil {
		return nil, err
	}
	rows := slices.Concat(found...)
	if len(rows) > maxGroups {
		return nil, errGroups
	}
	return rows, nil
}

// maxFew is of how many groups of users the figures are asked for by name.
const maxFew = 100

// few says whether a question is for the first of many groups of users: then most figures are asked for of those alone.
func (a *ask) few() bool { return a.limit <= maxFew && !a.q.Keys }

// largest adds up for the groups of users that come first: all are put in order by the one figure that it takes, and the others are asked
// for of the users of those.
func (r *Reader) largest(ctx context.Context, a *ask, match []any) ([]query.Row, error) {
	rows, err := r.byUsers(ctx, a, match, a.ordering())
	if err != nil {
		return nil, err
	}
	user := slices.Index(a.q.By, query.ByUser)
	wanted := map[string]bool{}
	var keys []string
	for _, row := range a.cut(rows) {
		wanted[joined(row.Key)] = true
		keys = append(keys, row.Key[user])
	}
	a.skip = 0 // those before are left out already
	if len(keys) == 0 {
		return nil, nil
	}
	slices.Sort(keys)
	rows, err = r.byUsers(ctx, a, append(slices.Clone(match), users(slices.Compact(keys))...), a.figures())
	return slices.DeleteFunc(rows, func(row query.Row) bool { return !wanted[joined(row.Key)] }), err
}

// census is an answer in the making: of whoever it was.
type census struct {
	r      *Reader
	a      *ask
	match  []any
	size   int // how many groups there are, or may be
	groups []bucket
	// using are those who used something in each group, all those of whom there is something.
	using, all map[string]uint64
}

func (c *census) add(ctx context.Context) (err error) {
	c.groups, err = c.r.groups(ctx, c.a, &part{who: everyone, match: c.match, aggs: c.a.figures(), page: lightPage, nests: true})
	return err
}

func (c *census) countUsing(ctx context.Context) (err error) {
	c.using, err = c.r.people(ctx, c.a, append(slices.Clone(c.match), inUse()), c.size)
	return err
}

func (c *census) countAll(ctx context.Context) (err error) {
	c.all, err = c.r.people(ctx, c.a, c.match, c.size)
	return err
}

// countQuiet is countAll in groups that have background traffic; in the others all have used something.
func (c *census) countQuiet(ctx context.Context) (err error) {
	if where, some := c.a.background(c.groups); some {
		c.all, err = c.r.people(ctx, c.a, append(slices.Clone(c.match), where...), c.size)
	}
	return err
}

// everyone adds up whoever it was, and counts who it was. What does not depend on how many groups there are, and which, is asked at once.
func (r *Reader) everyone(ctx context.Context, a *ask, match []any) ([]query.Row, error) {
	c := census{r: r, a: a, match: match, size: a.groups()}
	if a.q.Keys && len(a.q.By) > 0 {
		err := c.add(ctx)
		return c.rows(), err
	}
	var first, then []func(context.Context) error
	switch few := c.size <= a.page(); {
	case !few:
		first, then = append(first, c.add), append(then, c.countUsing, c.countQuiet)
	case a.byWord():
		first, then = append(first, c.add, c.countUsing), append(then, c.countQuiet)
	default:
		first = append(first, c.add, c.countUsing, c.countAll)
	}
	if err := together(ctx, first...); err != nil {
		return nil, err
	}
	c.size = len(c.groups)
	if err := together(ctx, then...); err != nil {
		return nil, err
	}
	return c.rows(), nil
}

// rows are the groups with those who are behind them.
func (c *census) rows() []query.Row {
	rows := make([]query.Row, 0, len(c.groups))
	for i := range c.groups {
		row := c.groups[i].row(c.a, everyone)
		key := joined(row.Key)
		row.Users = c.using[key]
		row.Background.Users = less(c.all[key], row.Users)
		rows = append(rows, row)
	}
	return rows
}

// sizes are how many values the dimensions have that have no more than a few hundred, by and large: it decides what is asked at once, and
// no figure.
var sizes = map[query.Dimension]int{query.ByCategory: 30, query.ByKind: 5, query.ByStatus: 6, query.BySite: 30, query.ByDepartment: 100, query.ByService: 300, query.ByVendor: 200}

// groups is about how many groups an answer has, as long as that is not known.
func (a *ask) groups() int {
	const day = 24 * time.Hour
	spans := map[query.Dimension]time.Duration{query.ByHour: time.Hour, query.ByDay: day, query.ByWeek: 7 * day, query.ByMonth: 30 * day}
	long := 400 * day
	if !a.q.From.IsZero() && !a.q.To.IsZero() {
		long = a.q.To.Sub(a.q.From)
	}
	n := 1
	for _, d := range a.q.By {
		if span := spans[d]; span > 0 {
			n *= int(long/span) + 1
		} else {
			n *= sizes[d]
		}
	}
	return n
}

// page is how many groups are asked for at once where people are counted in each.
func (a *ask) page() int { return max(leastPage, min(lightPage, memoryOfPage/(8*max(a.exact, 1)))) }

// byWord says whether groups are told apart by a field.
func (a *ask) byWord() bool {
	return slices.ContainsFunc(a.q.By, func(d query.Dimension) bool { return byField[d] != "" })
}

// background says in which groups there is background traffic: where they are told apart by a field, by its values.
func (a *ask) background(groups []bucket) (where []any, some bool) {
	const maxWords = 1000
	var with []string
	at := slices.IndexFunc(a.q.By, func(d query.Dimension) bool { return byField[d] != "" })
	for i := range groups {
		if groups[i].Background.Count == 0 {
			continue
		}
		some = true
		if at >= 0 {
			with = append(with, groups[i].keys(a, everyone)[at])
		}
	}
	slices.Sort(with)
	if with = slices.Compact(with); len(with) == 0 || len(with) > maxWords {
		return nil, some
	}
	return words(with, byField[a.q.By[at]]), some
}

// people counts in each group those who are behind records, by the key of its row.
func (r *Reader) people(ctx context.Context, a *ask, match []any, groups int) (map[string]uint64, error) {
	page := a.page()
	count := object{"n": distinct(userField, a.exact)}
	atSites := object{"sites": object{"terms": object{"field": siteField, "missing": "", "size": maxSites}, "aggs": object{"n": distinct(addressField, a.exact)}}}
	parts := []part{{who: known, aggs: count}, {who: addresses, aggs: atSites}}
	found := make([][]bucket, len(parts))
	var steps []func(context.Context) error
	for i := range parts {
		p := &parts[i]
		p.match, p.page, p.nests = p.who.of(match), page, groups <= page
		p.who = everyone // the groups are those of all
		steps = append(steps, func(ctx context.Context) (err error) {
			found[i], err = r.groups(ctx, a, p)
			return err
		})
	}
	if err := together(ctx, steps...); err != nil {
		return nil, err
	}
	n := map[string]uint64{}
	for _, list := range found {
		for i := range list {
			b := &list[i]
			if b.Sites.Others > 0 {
				return nil, errSites
			}
			n[joined(b.keys(a, everyone))] += b.crowd()
		}
	}
	return n, nil
}

// errSites is for an answer that would leave addresses out.
var errSites = fmt.Errorf("addresses of more than %d sites would have to be counted; ask for some of the sites", maxSites)

// joined is the key of a row as one text.
func joined(key []string) string { return strings.Join(key, "\x00") }

// together does several things at once, and gives up when the first fails.
func together(ctx context.Context, steps ...func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	for _, step := range steps {
		wait.Go(func() {
			if err := step(ctx); err != nil {
				cancel(err)
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}

// exactness is up to how many users the distinct counts of a question need to be exact: no more than there are, so that answers of many groups
// take little memory.
func (r *Reader) exactness(ctx context.Context, a *ask) (int, error) {
	if len(a.q.By) == 0 || a.byUser() {
		return exactly, nil
	}
	people, err := r.crowd(ctx)
	exact := uint64(leastExact)
	for exact < people { // in steps: the same question again should be the same to a server that keeps answers
		exact *= 2
	}
	return int(min(exact, exactly)), err
}

// leastExact is the first step.
const leastExact = 500

// crowd is as many as there are users, or addresses, at most: every so many questions it is asked anew, and a quarter is added for those that
// come meanwhile.
func (r *Reader) crowd(ctx context.Context) (uint64, error) {
	const askAgain = 200
	select {
	case r.counting <- struct{}{}: // the questions of a page begin at once; one of them asks
		defer func() { <-r.counting }()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	r.mu.Lock()
	people, fresh := r.most, r.most > 0 && r.asked < askAgain
	r.asked++
	r.mu.Unlock()
	if !fresh {
		said, err := r.search(ctx, event.DatasetActivity, object{"size": 0, "aggs": object{"users": distinct(userField, exactly),
			"addresses": distinct(addressField, exactly)}})
		if err != nil {
			return 0, err
		}
		var n struct{ Users, Addresses number }
		if err := said.read(&n); err != nil {
			return 0, err
		}
		people = max(n.Users.count(), n.Addresses.count(), 1)
		r.mu.Lock()
		r.most, r.asked = people, 1
		r.mu.Unlock()
	}
	return people + people/4 + 100, nil
}

// atATime is how many of many requests are asked at once.
const atATime = 4

// some does several things, no more than n of them at a time, and gives up when one fails.
func some(ctx context.Context, n int, steps []func(context.Context) error) error {
	queue := make(chan func(context.Context) error, len(steps))
	for _, step := range steps {
		queue <- step
	}
	close(queue)
	var workers []func(context.Context) error
	for range min(n, len(steps)) {
		workers = append(workers, func(ctx context.Context) error {
			for step := range queue {
				if err := step(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return together(ctx, workers...)
}
