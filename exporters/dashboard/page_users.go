package dashboard

import (
	"context"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

func (v *view) userTable() *table {
	figures := figureColumns()[1:]
	figures[0].Class = "num" // there is room for visits on a phone, as there are no users to count
	return &table{ID: "users", Caption: "Users", Users: true,
		Columns: append([]column{{Title: "User", CSV: []string{"key", "user"}}}, append(figures, column{Title: "Last seen", Class: "opt", CSV: []string{"last"}})...)}
}

func (v *view) userRow(r *query.Row) []cell {
	c := link(userName(r.Key[0], r.Labels[0]), v.userLink(r.Key[0]))
	c.CSV = []string{clean(r.Key[0]), ""}
	if r.Labels[0] != r.Key[0] {
		c.CSV[1] = clean(r.Labels[0])
	}
	return append([]cell{c}, visitsCell(r), uploadCell(r), v.when(r.Last))
}

// usersPage lists people, for analysts.
func usersPage(ctx context.Context, v *view) (*page, error) {
	if service := v.q.Get("service"); service != "" {
		v.where.Services = []string{service}
	}
	if department := v.q.Get("department"); department != "" {
		v.where.Departments = []string{fromSegment(department)}
	}
	var b basis
	var users []query.Row
	q := ask(ctx, v.s.parts.Query)
	q.total(&b.total, v.sums())
	r := timed(v.ranked(query.ByUser))
	r.Offset, r.Limit = v.limit("users")
	q.sums(&users, r)
	v.askCoverage(q, &b.coverage)
	if err := q.answers(); err != nil {
		return nil, err
	}
	p := &page{Nav: "/users", Title: "Users", Filters: true, Lead: "Names where they are kept, else pseudonyms; addresses where nobody is known behind them."}
	if v.settle(&b, p) {
		return p, nil
	}
	t := v.userTable()
	users = v.cut(t, users)
	for i := range users {
		t.Rows = append(t.Rows, v.userRow(&users[i]))
	}
	p.Panels = []panel{{ID: "all-users", Title: count(b.total.Users) + " " + plural(b.total.Users, "user", "users"), Table: t,
		Lead: "Most " + lower(measureName(v.measure)) + " first.", More: v.orderLink()}}
	return p, nil
}

// orderLink offers the other order.
func (v *view) orderLink() crumb {
	if v.measure == query.Upload {
		return crumb{"Order by visits", v.link(v.path, append(v.kept(), "measure", "visits")...)}
	}
	return crumb{"Order by upload", v.link(v.path, append(v.kept(), "measure", "upload")...)}
}

// userPage is one person's use, for analysts; that it was looked at goes into the audit log.
func userPage(ctx context.Context, v *view) (*page, error) {
	v.where = query.Filter{Users: []string{v.key}}
	var b basis
	var user, services, byStatus, departments []query.Row
	q := ask(ctx, v.s.parts.Query)
	q.sums(&user, timed(v.sums(query.ByUser)))
	q.sums(&services, timed(v.ranked(query.ByService)))
	q.sums(&byStatus, keys(v.sums(query.ByService, query.ByStatus)))
	q.sums(&departments, keys(v.sums(query.ByDepartment)))
	if v.measure == query.Users {
		v.measure = query.Visits // of one person there is nothing to count
	}
	q.sums(&b.steps, v.sums(v.timelineBy()...))
	v.askCoverage(q, &b.coverage)
	if err := q.answers(); err != nil {
		return nil, err
	}
	v.s.parts.Audit(ctx, Act{Who: v.who.Name, What: ActUser, On: v.key, From: v.peer, Succeeded: true})
	name := userName(v.key, "")
	if len(user) > 0 {
		b.total = user[0]
		name = userName(v.key, user[0].Labels[0])
	}
	p := &page{Nav: "/users", Title: name, Trail: &trail{Up: crumb{"Users", v.link("/users")}}}
	if v.s.audited {
		p.Notes = []string{"That you looked at this page was written to the audit log."}
	}
	if v.settle(&b, p) {
		return p, nil
	}
	p.Tiles = v.usageTiles(&b.total, &b.before, len(services))
	for i := range p.Tiles {
		p.Tiles[i].Change, p.Tiles[i].Href = "", ""
	}
	p.Tiles = append(p.Tiles[:1], p.Tiles[2:]...) // one person: not how many
	p.Tiles = append(p.Tiles, v.lastTile(&b.total))
	p.Tiles[1].Note = ""
	p.Chart = v.timeline(b.steps, &b.seen)
	p.Chart.Choices = []choice{p.Chart.Choices[0], p.Chart.Choices[2]}
	p.Panels = []panel{v.userServices(services, byStatus), v.userFacts(departments)}
	return p, nil
}

func (v *view) userServices(rows, byStatus []query.Row) panel {
	t := &table{ID: "services", Caption: "Services", Columns: append([]column{{Title: "Service", CSV: []string{"id", "service"}}, {Title: "Status", CSV: []string{"status"}}},
		append(figureColumns()[1:], column{Title: "Last seen", Class: "opt", CSV: []string{"last"}})...), Users: true}
	for i := range rows {
		r := &rows[i]
		c := link(v.serviceName(r.Key[0], r.Labels[0]), v.serviceLink(r.Key[0]))
		c.CSV = []string{clean(r.Key[0]), c.Text}
		t.Rows = append(t.Rows, []cell{c, statusCell(statusesOf(byStatus, r.Key[0])), visitsCell(r), uploadCell(r), v.when(r.Last)})
	}
	return panel{ID: "services-of-user", Title: "Services", Table: t, More: crumb{"Records of this user", v.link("/records", "user", v.key)}}
}

func (v *view) userFacts(departments []query.Row) panel {
	p := panel{ID: "who", Title: "Who this is", Lead: "As the records say. A pseudonym is turned into a name only with a reason and by two people, and never on these pages."}
	p.Facts = append(p.Facts, fact{Name: "Key", Value: orDash(clean(v.key))})
	for i := range departments {
		p.Facts = append(p.Facts, fact{Name: "Department", Value: departmentName(departments[i].Key[0]),
			Links: []crumb{{"Open", v.departmentLink(departments[i].Key[0])}}})
	}
	return p
}
