package dashboard

import (
	"context"
	"slices"
	"strings"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// findingKinds are the values of event.action, and what they mean.
var findingKinds = [...]struct{ key, label, text string }{
	{"prohibited-use", "Prohibited use", "A service was used that the policy prohibits."},
	{"upload-limit", "Upload over a limit", "More was sent to a service than the policy allows."},
	{"first-use", "First use", "A service was seen for the first time."},
	{"blind-spot", "Blind spot", "Traffic that could not be read grew beyond its limit."},
	{"silent-source", "Silent source", "A source that used to deliver has stopped."},
}

// findingLabel explains a kind.
func findingLabel(key string) string {
	for _, k := range findingKinds {
		if k.key == key {
			return k.label
		}
	}
	return clean(key)
}

// Records on one page, and in a file.
const (
	recordRows = 50
	fileRows   = 1000
)

// findingsPage lists what wants a person. A viewer sees what and when, not who.
func findingsPage(ctx context.Context, v *view) (*page, error) {
	kind := v.q.Get("kind")
	if kind != "" && !slices.ContainsFunc(findingKinds[:], func(k struct{ key, label, text string }) bool { return k.key == kind }) {
		return nil, errNotFound
	}
	var found query.Page
	var rows []query.CoverageRow
	q := ask(ctx, v.s.parts.Query)
	v.where = query.Filter{}
	q.records(&found, v.recordRequest("findings", event.DatasetFinding, kind))
	v.askCoverage(q, &rows)
	if err := q.answers(); err != nil {
		return nil, err
	}
	s := v.summarize(rows)
	p := &page{Nav: "/findings", Title: "Findings", Lead: "What wants a person to look at it, newest first.", Coverage: v.coverageLine(&s)}
	p.filter = []choice{{"All kinds", v.link(v.path), kind == ""}}
	for _, k := range findingKinds {
		p.filter = append(p.filter, choice{k.label, v.link(v.path, "kind", k.key), k.key == kind})
	}
	if len(found.Records) == 0 && v.q.Get("after") == "" {
		p.Empty = &emptiness{"No findings", "Nothing in this period wanted a person. Findings come from the policy file and from the sensor's own watch over " +
			"what it can see.", []crumb{{"What the sensor saw", v.link("/coverage")}, {"What is stored", "/about"}}}
		return p, nil
	}
	p.Panels = []panel{{ID: "findings-of-period", Title: findingsTitle(kind), Lead: findingsLead(kind), Table: v.findingTable(found, kind)}}
	return p, nil
}

func findingsTitle(kind string) string {
	if kind == "" {
		return "All kinds"
	}
	return findingLabel(kind)
}

func findingsLead(kind string) string {
	for _, k := range findingKinds {
		if k.key == kind {
			return k.text
		}
	}
	return ""
}

// recordRequest asks for one page of raw records, or for a file of them.
func (v *view) recordRequest(table, dataset, action string) query.RecordRequest {
	r := query.RecordRequest{Dataset: dataset, From: v.period.from.UTC(), To: v.period.to.UTC(), Where: v.where, Action: action, Limit: recordRows}
	if v.csv == table {
		r.Limit = fileRows
	} else if after := v.q.Get("after"); len(after) <= maxText {
		r.After = after
	}
	return r
}

// onward leads to the next part of records.
func (v *view) onward(t *table, next string) {
	switch {
	case next == "":
	case v.csv == t.ID:
		t.More = "cut after " + decimal(fileRows) + " records; choose a shorter period"
	default:
		t.Next = v.link(v.path, append(v.kept(), "after", next)...)
	}
	if v.q.Get("after") != "" {
		t.Prev = v.link(v.path, v.kept()...)
	}
}

func (v *view) findingTable(found query.Page, kind string) *table {
	t := &table{ID: "findings", Caption: "Findings", Users: v.analyst(), Columns: []column{{Title: "Time", Class: "when", CSV: []string{"time"}},
		{Title: "Severity", CSV: []string{"severity"}}, {Title: "Finding", CSV: []string{"kind", "service"}}}}
	if v.analyst() {
		t.Columns = append(t.Columns, column{Title: "User", Class: "opt", CSV: []string{"user"}}, column{Title: "Department", Class: "opt", CSV: []string{"department"}})
	}
	t.Columns = append(t.Columns, column{Title: "Value", Class: "num", CSV: []string{"value", "limit"}})
	if v.analyst() {
		t.Columns = append(t.Columns, column{Title: "Evidence", CSV: []string{"evidence"}})
	}
	for i := range found.Records {
		t.Rows = append(t.Rows, v.findingRow(&found.Records[i]))
	}
	v.onward(t, found.Next)
	return t
}

func (v *view) findingRow(ev *event.Event) []cell {
	row := []cell{v.when(ev.Timestamp.Time()), severityCell(ev.Event.Severity), v.findingWhat(ev)}
	if v.analyst() {
		row = append(row, v.eventUser(ev), text(eventDepartment(ev)))
	}
	row = append(row, findingValue(ev))
	if v.analyst() {
		row = append(row, v.findingEvidence(ev))
	}
	return row
}

// findingWhat says what was found. The message is left out: it may name a person.
func (v *view) findingWhat(ev *event.Event) cell {
	c := cell{Text: findingLabel(ev.Event.Action), CSV: []string{clean(ev.Event.Action), ""}}
	if ev.Rule != nil && ev.Rule.ID != "" {
		c.Note = v.serviceName(ev.Rule.ID, ev.Rule.Name)
		c.Href = v.serviceLink(ev.Rule.ID)
		c.CSV[1] = clean(ev.Rule.ID)
	}
	return c
}

func severityCell(n int) cell {
	label, class := "Low", "low"
	switch {
	case n >= 70:
		label, class = "High", "high"
	case n >= 40:
		label, class = "Medium", "medium"
	}
	return cell{Text: label, Class: "severity " + class, CSV: []string{decimal(uint64(max(n, 0)))}}
}

func findingValue(ev *event.Event) cell {
	c := cell{Text: "–", CSV: []string{"", ""}}
	if ev.Gnomon == nil || ev.Gnomon.Finding == nil || ev.Gnomon.Finding.Value == 0 {
		return c
	}
	f, write := ev.Gnomon.Finding, count
	if ev.Event.Action == "upload-limit" {
		write = size
	}
	c.Text, c.CSV = write(f.Value), []string{decimal(f.Value), decimal(f.Limit)}
	if f.Limit > 0 {
		c.Note, c.Apart = "limit "+write(f.Limit), true
	}
	return c
}

// findingEvidence leads to the records that a finding rests on.
func (v *view) findingEvidence(ev *event.Event) cell {
	if ev.Gnomon == nil || ev.Gnomon.Finding == nil || len(ev.Gnomon.Finding.Evidence) == 0 {
		return cell{Text: "–", CSV: []string{""}}
	}
	ids := ev.Gnomon.Finding.Evidence
	shown := ids[:min(len(ids), maxIDs)]
	n := uint64(len(ids))
	c := link(count(n)+" "+plural(n, "record", "records"), v.link("/records", "ids", strings.Join(shown, ",")))
	c.CSV = []string{clean(strings.Join(ids, " "))}
	return c
}

// eventUser is who a record is about.
func (v *view) eventUser(ev *event.Event) cell {
	switch u := ev.User; {
	case u != nil && u.ID != "":
		return link(userName(u.ID, u.Name), v.userLink(u.ID))
	case u != nil && u.Name != "":
		return text(clean(u.Name))
	case ev.Source != nil && ev.Source.IP != "":
		return text(clean(ev.Source.IP))
	}
	return text("–")
}

func eventDepartment(ev *event.Event) string {
	if ev.User == nil || ev.User.Group == nil {
		return "–"
	}
	return departmentName(ev.User.Group.Name)
}
