package dashboard

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// servicesPage lists every service that was used.
func servicesPage(ctx context.Context, v *view) (*page, error) {
	var b basis
	var services, byStatus, before []query.Row
	q := ask(ctx, v.s.parts.Query)
	q.total(&b.total, v.sums())
	q.sums(&services, timed(v.ranked(query.ByService)))
	q.sums(&byStatus, keys(v.sums(query.ByService, query.ByStatus)))
	if v.compare {
		q.sums(&before, v.sumsBefore(query.ByService))
	}
	v.askCoverage(q, &b.coverage)
	if err := q.answers(); err != nil {
		return nil, err
	}
	p := &page{Nav: "/services", Title: "Services", Filters: true, Lead: "Every external AI service that was used in this period."}
	if v.settle(&b, p) {
		return p, nil
	}
	t := &table{ID: "services", Caption: "Services", Columns: append([]column{{Title: "Service", CSV: []string{"id", "service"}},
		{Title: "Status", CSV: []string{"status"}}}, figureColumns()...)}
	if v.compare {
		t.Columns = append(t.Columns, column{Title: "Users before", Class: "num opt", CSV: []string{"users_before"}})
	}
	t.Columns = append(t.Columns, column{Title: "Last seen", Class: "opt", CSV: []string{"last"}})
	for i := range services {
		t.Rows = append(t.Rows, v.serviceRow(&services[i], byStatus, before))
	}
	p.Panels = []panel{{ID: "all-services", Title: count(uint64(len(services))) + " " + plural(uint64(len(services)), "service", "services"), Table: t,
		Lead: "Most " + lower(measureName(v.measure)) + " first. A service may have several statuses: they can differ by department and over time."}}
	return p, nil
}

func (v *view) serviceRow(r *query.Row, byStatus, before []query.Row) []cell {
	id := r.Key[0]
	name := link(v.serviceName(id, r.Labels[0]), v.serviceLink(id))
	name.CSV = []string{clean(id), name.Text}
	if s, ok := v.service(id); ok {
		name.Note = join2(s.Vendor, s.Category)
	}
	line := append([]cell{name, statusCell(statusesOf(byStatus, id))}, figureCells(r)...)
	if v.compare {
		was, ok := byKey(before, id)
		c := number(was.Users)
		if !ok {
			c.Text = "new"
		}
		line = append(line, c)
	}
	return append(line, v.when(r.Last))
}

// service is what the catalogue says.
func (v *view) service(id string) (Service, bool) {
	if v.s.parts.Services == nil {
		return Service{}, false
	}
	return v.s.parts.Services.Service(id)
}

func join2(a, b string) string {
	switch {
	case a == "":
		return clean(b)
	case b == "":
		return clean(a)
	}
	return clean(a) + " · " + clean(b)
}

// statusesOf are the statuses that the first key had; rows are grouped by it and by status.
func statusesOf(rows []query.Row, key string) []status {
	var own []query.Row
	for i := range rows {
		if rows[i].Key[0] == key {
			own = append(own, rows[i])
		}
	}
	return usedStatuses(own, 1)
}

// servicePage is all there is to say of one service.
func servicePage(ctx context.Context, v *view) (*page, error) {
	v.where.Services = []string{v.key}
	var b basis
	var departments, others []query.Row
	q := ask(ctx, v.s.parts.Query)
	v.askBasis(q, &b, true)
	showDepartments := v.analyst() || !v.filtered()
	if showDepartments {
		q.sums(&departments, v.ranked(query.ByDepartment))
	}
	v.askOthers(q, &others)
	var named []query.Row
	about, known := v.service(v.key)
	if !known {
		q.sums(&named, v.everUsed())
	}
	if err := q.answers(); err != nil {
		return nil, err
	}
	if len(named) > 0 {
		about.Name, known = named[0].Labels[0], true
	}
	if !known {
		return nil, errNotFound
	}
	p := &page{Nav: "/services", Title: v.serviceName(v.key, about.Name), Trail: &trail{Up: crumb{"Services", v.link("/services")}}, Filters: true}
	p.Lead = v.serviceLead(&about)
	if !v.settle(&b, p) {
		p.Tiles = append(v.usageTiles(&b.total, &b.before, 0), v.lastTile(&b.total))
		p.Chart = v.timeline(b.steps, &b.seen)
		if showDepartments {
			p.Panels = append(p.Panels, v.serviceDepartments(departments, others))
		}
		if v.analyst() {
			p.Panels = append(p.Panels, v.topUsers(others, crumb{"All users", v.link("/users", "service", v.key)}))
			p.Trail.Also = crumb{"Records of this service", v.link("/records", "service", v.key)}
		}
	}
	p.Panels = append(p.Panels, riskPanel(&about), proofPanel(&about))
	return p, nil
}

// everUsed asks what a service was called that the catalogue does not know any more, if it was ever used.
func (v *view) everUsed() query.Request {
	return query.Request{To: v.now.UTC().Truncate(time.Hour).Add(time.Hour), Where: query.Filter{Services: []string{v.key}},
		By: []query.Dimension{query.ByService}, Keys: true}
}

// askOthers asks for the users, or for a viewer how large the departments are.
func (v *view) askOthers(q *questions, into *[]query.Row) {
	if !v.analyst() {
		q.sums(into, v.unfiltered(query.ByDepartment))
		return
	}
	r := timed(v.ranked(query.ByUser))
	_, r.Limit = v.limit("users")
	q.sums(into, r)
}

// lastTile says when something was last and first seen.
func (v *view) lastTile(total *query.Row) tile {
	return tile{Label: "Last seen", Value: v.when(total.Last).Text, Note: "first in this period: " + v.when(total.First).Text}
}

// unfiltered is a request for the period, whatever the page is about.
func (v *view) unfiltered(by ...query.Dimension) query.Request {
	r := v.sums(by...)
	r.Where = query.Filter{}
	return r
}

func (v *view) serviceLead(s *Service) string {
	var parts []string
	for _, part := range []string{s.Vendor, countryName(s.Country), s.Category, s.Kind} {
		if part != "" {
			parts = append(parts, clean(part))
		}
	}
	if len(parts) == 0 {
		return "This service is not in the catalogue of this sensor."
	}
	return strings.Join(parts, " · ")
}

func countryName(code string) string {
	if code == "" {
		return ""
	}
	return "seat: " + code
}

// serviceDepartments are the departments that used a service. A viewer sees those that are large enough by themselves and in this service.
func (v *view) serviceDepartments(rows, all []query.Row) panel {
	var hidden func(string) bool
	if !v.analyst() {
		hidden = smallIn(all, v.least())
	}
	shown, rest := v.departmentRows(rows, hidden)
	t := v.departmentTable(shown, rest)
	return panel{ID: "departments-of-service", Title: "Departments", Half: true, Lead: v.departmentLead(rest), Table: t}
}

// topUsers are the people behind the use, the first few of them on a page; more leads to all.
func (v *view) topUsers(rows []query.Row, more crumb) panel {
	t := v.userTable()
	if v.csv == t.ID {
		rows = v.cut(t, rows)
	} else if len(rows) > listRows {
		t.More, rows = "The first "+decimal(listRows)+" of them.", rows[:listRows]
	}
	for i := range rows {
		t.Rows = append(t.Rows, v.userRow(&rows[i]))
	}
	return panel{ID: "top-users", Title: "Users", Half: true, Table: t, Lead: "Most " + lower(measureName(v.measure)) + " first.", More: more}
}

// riskLabels explain the attributes of the catalogue.
var riskLabels = map[string]string{
	"trains_on_input":   "Trains on what consumers enter",
	"opt_out":           "Consumers can object",
	"business_excluded": "Business plans are left out of training",
	"retention":         "Keeps input for",
	"region":            "Stores input in",
}

// riskPanel is what is publicly known of how the vendor treats input.
func riskPanel(s *Service) panel {
	p := panel{ID: "risk", Title: "What is known of the vendor", Half: true, Lead: "Public statements, each with its source and its day. What is not listed is not known."}
	for _, f := range s.Risk {
		label := riskLabels[f.Attribute]
		if label == "" {
			label = clean(f.Attribute)
		}
		item := fact{Name: label, Value: clean(f.Value), Links: sourceLinks(f.Sources)}
		item.Note = "confidence " + clean(f.Confidence)
		if !f.Date.IsZero() {
			item.Note += ", as of " + f.Date.Format("2 Jan 2006")
		}
		p.Facts = append(p.Facts, item)
	}
	if len(p.Facts) == 0 {
		p.Facts = []fact{{Name: "Nothing", Value: "The catalogue has no statement of this vendor."}}
	}
	return p
}

// proofPanel is why a name on the network counts as this service.
func proofPanel(s *Service) panel {
	t := &table{ID: "names", Caption: "Names", Empty: "The catalogue has no names of this service.",
		Columns: []column{{Title: "Name", CSV: []string{"name", "match"}}, {Title: "Role"}, {Title: "Confidence", Class: "opt"}, {Title: "Sources", CSV: []string{"sources"}}}}
	for _, n := range s.Names {
		name := cell{Text: clean(n.Name), Note: matchText(n.Match), Class: "host", CSV: []string{clean(n.Name), clean(n.Match)}}
		t.Rows = append(t.Rows, []cell{name, text(clean(n.Role)), text(clean(n.Confidence)), {Text: sourceText(n.Sources)}})
	}
	p := panel{ID: "proof", Title: "How it is recognised", Table: t, Lead: "Names on the network that belong to this service. Only the roles primary and upload are " +
		"use by themselves."}
	if !s.Verified.IsZero() {
		p.Lead += " Last checked on " + s.Verified.Format("2 January 2006") + "."
	}
	return p
}

func matchText(match string) string {
	switch match {
	case "suffix":
		return "and every name below it"
	case "wildcard":
		return "a star stands for one label"
	}
	return ""
}

// sourceText names sources.
func sourceText(list []Source) string {
	var names []string
	for _, s := range list {
		name := s.Title
		if name == "" {
			name = s.URL
		}
		names = append(names, clean(name))
	}
	slices.Sort(names)
	return orDash(strings.Join(slices.Compact(names), ", "))
}

// sourceLinks leads to sources that have an address; only the web, whatever the catalogue says.
func sourceLinks(list []Source) []crumb {
	var out []crumb
	for _, s := range list {
		c := crumb{Label: clean(s.Title)}
		if strings.HasPrefix(s.URL, "https://") {
			c.Href = s.URL
		}
		if c.Label == "" {
			c.Label = clean(s.URL)
		}
		out = append(out, c)
	}
	return out
}
