package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// unapproved asks for unapproved use by service, department and user, each with its evidence, all three at once: none needs another.
func (b *builder) unapproved(ctx context.Context) error {
	where := b.with(unapprovedStatuses()...)
	return together(ctx,
		[]step{func(ctx context.Context) error {
			services, err := b.byService()
			if err != nil {
				return err
			}
			b.rep.ByService = b.table(slices.DeleteFunc(slices.Clone(services), allowed), query.ByService)
			return b.evidence(ctx, b.wanted(b.rep.ByService, query.ByService))
		}},
		[]step{func(ctx context.Context) error {
			departments, err := b.sums(ctx, where, query.ByDepartment, query.ByStatus)
			if err != nil {
				return err
			}
			b.rep.ByDepartment = b.table(departments, query.ByDepartment)
			return b.evidence(ctx, b.wanted(b.rep.ByDepartment, query.ByDepartment))
		}},
		[]step{func(ctx context.Context) (err error) {
			if b.rep.ByUser, err = b.byUser(ctx, where); err != nil {
				return err
			}
			return b.evidence(ctx, b.wanted(b.rep.ByUser, query.ByUser))
		}})
}

// allowed says whether a row by service and status is of use that somebody has allowed.
func allowed(r query.Row) bool { return !slices.Contains(unapprovedStatuses(), r.Key[1]) }

// table is unapproved use by one dimension and status.
func (b *builder) table(rows []query.Row, by query.Dimension) *Table {
	slices.SortStableFunc(rows, byUpload)
	t := &Table{Total: len(rows), Shown: min(len(rows), b.req.TopN)}
	for _, r := range rows[:t.Shown] {
		u := b.useRow(r, 1)
		if by == query.ByService {
			u.ServiceID, u.Service = r.Key[0], clean(label(r, 0))
			u.Vendor, u.Category = b.facts(r.Key[0])
		} else {
			u.Department, u.NoDepartment = clean(r.Key[0]), r.Key[0] == ""
		}
		t.Rows = append(t.Rows, u)
	}
	t.leaveOut(b.rep.Unapproved)
	return t
}

// useRow takes over what rows of every table have; the status is the key at i.
func (b *builder) useRow(r query.Row, i int) UseRow {
	return UseRow{key: r.Key[0], Status: r.Key[i], Use: figures(r), First: b.local(r.First), Last: b.local(r.Last)}
}

// leaveOut sums up what the total has and the rows have not.
func (t *Table) leaveOut(total Figures) {
	if t.Shown == t.Total {
		return
	}
	parts := make([]Figures, len(t.Rows))
	for i := range t.Rows {
		parts[i] = t.Rows[i].Use
	}
	rest := total.without(parts)
	t.Rest = &rest
}

// byUpload puts the largest upload first; where it is equal or unknown, the most visits.
func byUpload(x, y query.Row) int {
	return cmp.Or(cmp.Compare(y.Upload.Bytes, x.Upload.Bytes), cmp.Compare(y.Visits, x.Visits), slices.Compare(x.Key, y.Key))
}

// byUser has, of the users with the largest upload, a row for each service and status.
func (b *builder) byUser(ctx context.Context, where query.Filter) (*Table, error) {
	users, total, err := b.topUsers(ctx, where)
	if err != nil {
		return nil, err
	}
	t := &Table{Total: max(int(b.rep.Unapproved.Users), total), Shown: len(users)}
	if len(users) == 0 {
		return t, nil
	}
	for _, u := range users {
		where.Users = append(where.Users, u.Key[0])
	}
	byUser, err := b.usesOf(ctx, where)
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		rows := byUser[u.Key[0]]
		slices.SortStableFunc(rows, func(x, y UseRow) int {
			return cmp.Or(cmp.Compare(y.Use.Upload.Bytes, x.Use.Upload.Bytes), cmp.Compare(y.Use.Visits, x.Use.Visits), cmp.Compare(x.ServiceID, y.ServiceID))
		})
		t.Rows = append(t.Rows, rows...)
	}
	t.leaveOut(b.rep.Unapproved)
	return t, nil
}

// topUsers are those with the largest upload, of so many in all. A store need not name and describe everybody for it.
func (b *builder) topUsers(ctx context.Context, where query.Filter) (top []query.Row, total int, err error) {
	r := query.Request{From: b.rep.Period.From, To: b.rep.Period.To, Where: where, By: []query.Dimension{query.ByUser}, Location: b.req.Location,
		OrderBy: query.Upload, Limit: b.req.TopN + spareUsers}
	rows, err := b.q.Sums(ctx, r)
	if err == nil && len(rows) < r.Limit {
		total = len(rows)
	} else if err == nil {
		total, err = b.countUsers(ctx, where)
	}
	if err == nil && len(rows) == r.Limit && rows[b.req.TopN-1].Upload.Bytes == rows[len(rows)-1].Upload.Bytes {
		r.Limit = 0 // visits decide among so many of the same upload
		rows, err = b.q.Sums(ctx, r)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("adding use up by user: %w", err)
	}
	slices.SortStableFunc(rows, byUpload)
	return rows[:min(len(rows), b.req.TopN)], total, nil
}

// spareUsers are asked for beyond those that are shown, as visits decide among users of the same upload.
const spareUsers = 50

// countUsers is how many rows there are by user: people, and those who are none.
func (b *builder) countUsers(ctx context.Context, where query.Filter) (int, error) {
	where.Users = []string{query.SharedUser, ""}
	others, err := b.q.Sums(ctx, query.Request{From: b.rep.Period.From, To: b.rep.Period.To, Where: where, By: []query.Dimension{query.ByUser}, Location: b.req.Location})
	return int(b.rep.Unapproved.Users+b.rep.Unapproved.Background.Users) + len(others), err
}

// usesOf has the rows of users by service and status, with their departments.
func (b *builder) usesOf(ctx context.Context, where query.Filter) (map[string][]UseRow, error) {
	statuses := unapprovedStatuses()
	var groups map[string][]string
	rows := make([][]query.Row, len(statuses))
	questions := [][]step{{func(ctx context.Context) (err error) {
		groups, err = b.groups(ctx, where)
		return err
	}}}
	for i, status := range statuses {
		questions = append(questions, []step{func(ctx context.Context) (err error) {
			where := where
			where.Statuses = []string{status}
			rows[i], err = b.sums(ctx, where, query.ByUser, query.ByService)
			return err
		}})
	}
	if err := together(ctx, questions...); err != nil {
		return nil, err
	}
	byUser := map[string][]UseRow{}
	for i, status := range statuses {
		for _, r := range rows[i] {
			r.Key = append(slices.Clone(r.Key), status)
			u := b.useRow(r, 2)
			u.UserKey, u.User = r.Key[0], clean(label(r, 0))
			u.ServiceID, u.Service = r.Key[1], clean(label(r, 1))
			u.Department = strings.Join(groups[u.UserKey], ", ")
			u.NoDepartment = u.Department == ""
			byUser[u.UserKey] = append(byUser[u.UserKey], u)
		}
	}
	return byUser, nil
}

// groups are the departments of the users in where.
func (b *builder) groups(ctx context.Context, where query.Filter) (map[string][]string, error) {
	rows, err := b.q.Sums(ctx, query.Request{From: b.rep.Period.From, To: b.rep.Period.To, Where: where, By: []query.Dimension{query.ByUser, query.ByDepartment},
		Location: b.req.Location, Keys: true})
	if err != nil {
		return nil, fmt.Errorf("asking for departments of users: %w", err)
	}
	m := map[string][]string{}
	for _, r := range rows {
		if r.Key[1] != "" {
			m[r.Key[0]] = append(m[r.Key[0]], clean(r.Key[1]))
		}
	}
	for _, g := range m {
		slices.Sort(g)
	}
	return m, nil
}
