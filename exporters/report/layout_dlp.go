package report

import (
	"fmt"
	"strings"
	"time"
)

// dlpSections is as long as it needs to be.
func dlpSections(r *Report) []section {
	return []section{
		{ID: "summary", Title: "Summary", Blocks: dlpSummary(r)},
		useSection("by-service", "Unapproved use by service", r.ByService, r),
		useSection("by-department", "Unapproved use by department", r.ByDepartment, r),
		userSection(r),
		findingsSection(r),
		servicesSection(r, "Approved and tolerated use"),
		newSection(r),
		{ID: "trend", Title: "Twelve weeks", Blocks: trendBlocks(r)},
		coverageSection(r),
		notesSection(r),
	}
}

func dlpSummary(r *Report) []block {
	out := summaryBlocks(r)
	if r.Findings.Total > 0 {
		out = append(out, block{Text: "Findings of the period: " + words(r.Findings.Actions) + "."})
	}
	if u := unknownUpload(r.Unapproved); u != "" {
		out = append(out, block{Text: sentence("unapproved use: " + u)})
	}
	return out
}

// useColumns are those of every table of unapproved use.
func useColumns(first string) []column {
	return []column{{first, false, 3.3}, {"Status", false, 1.7}, {"Users", true, 1.0}, {"Visits", true, 1.5}, {"Upload", true, 1.55}, {"between", true, 2.5}, {"First", false, 1.6}, {"Last", false, 1.6}}
}

// useSection is a table of unapproved use by service or department.
func useSection(id, title string, t *Table, r *Report) section {
	s := section{ID: id, Title: title}
	if t.Total == 0 {
		s.Blocks = []block{{Text: "None was seen."}}
		return s
	}
	name := func(u UseRow) string { return u.Service }
	columns := useColumns("Service")
	if t == r.ByDepartment {
		name = func(u UseRow) string { return department(u.Department) }
		columns = useColumns("Department")
	}
	out := &table{Caption: title, Columns: columns}
	for _, u := range t.Rows {
		cells := texts(name(u), "", number(u.Use.Users), visits(u.Use), estimate(u.Use), bounds(u.Use), day(u.First), day(u.Last))
		cells[1] = statusCell(u.Status)
		out.Rows = append(out.Rows, row{Cells: cells, Note: useNote(u)})
	}
	if t.Rest != nil {
		out.Rows = append(out.Rows, restRow(t, "row", "rows", len(columns)))
	}
	s.Blocks = []block{{Table: out}}
	return s
}

// restRow sums up what the table leaves out.
func restRow(t *Table, one, many string, columns int) row {
	cells := make([]cell, columns)
	cells[0].Text = "And " + plural(uint64(t.Total-t.Shown), "more "+one, "more "+many)
	at := columns - 5
	cells[at].Text, cells[at+1].Text, cells[at+2].Text = number(t.Rest.Visits), t.Rest.Upload.estimate(), t.Rest.Upload.bounds()
	return row{Cells: cells, Kind: rest}
}

// userSection groups rows by user.
func userSection(r *Report) section {
	s := section{ID: "by-user", Title: "Unapproved use by user"}
	t := r.ByUser
	if t.Total == 0 {
		s.Blocks = []block{{Text: "None was seen."}}
		return s
	}
	columns := useColumns("User, service")
	columns = append(columns[:2], columns[3:]...) // one user each
	out := &table{Caption: s.Title, Columns: columns}
	for i, u := range t.Rows {
		if i == 0 || t.Rows[i-1].UserKey != u.UserKey {
			out.Rows = append(out.Rows, row{Kind: group, Cells: []cell{{Text: userName(u) + ", " + department(u.Department), Key: keyHead(u.UserKey)}}})
		}
		cells := texts(u.Service, "", visits(u.Use), estimate(u.Use), bounds(u.Use), day(u.First), day(u.Last))
		cells[1] = statusCell(u.Status)
		out.Rows = append(out.Rows, row{Kind: inner, Cells: cells, Note: useNote(u)})
	}
	if t.Rest != nil {
		out.Rows = append(out.Rows, restRow(t, "user", "users", len(columns)))
	}
	s.Blocks = []block{{Table: out}}
	return s
}

// userName is the name, followed by the head of the key where the name cannot be told from others in print.
func userName(u UseRow) string {
	if strings.ContainsRune(u.User, '\uFFFD') && u.UserKey != u.User {
		return u.User + " [" + keyHead(u.UserKey) + "]"
	}
	return u.User
}

// keyHead is enough of a key to tell users apart.
func keyHead(key string) string { return shorten(clean(key), 12) }

// shorten cuts s to n characters.
func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// useNote is the line of evidence under a row.
func useNote(u UseRow) string {
	var facts []string
	if u.Vendor != "" || u.Category != "" {
		facts = append(facts, strings.Trim(u.Vendor+", "+u.Category, ", "))
	}
	if n := unknownUpload(u.Use); n != "" {
		facts = append(facts, n)
	}
	return strings.TrimSpace(sentence(facts...) + " " + evidenceText(u))
}

func evidenceText(u UseRow) string {
	e := u.Evidence
	switch {
	case e == nil:
		return ""
	case e.Gone:
		return fmt.Sprintf("Evidence: no record of these %s is kept any more, only the sums.", plural(u.Use.Flows, "flow", "flows"))
	}
	s := fmt.Sprintf("Evidence: %s", plural(u.Use.Flows, "flow", "flows"))
	if e.More {
		s += fmt.Sprintf("; of the newest %s", plural(uint64(e.Sampled), "record", "records"))
	}
	if len(e.Classes) > 0 {
		s += ": " + words(e.Classes) + ", confidence " + words(e.Confidence)
	}
	return s + ". Records " + strings.Join(e.IDs, " ") + ending(len(e.IDs), e.Sampled, e.More)
}

// ending ends a list, which may be cut.
func ending(shown, of int, further bool) string {
	if further || shown < of {
		return " …"
	}
	return "."
}

func findingsSection(r *Report) section {
	f := r.Findings
	s := section{ID: "findings", Title: "Findings"}
	if f.Total == 0 {
		s.Blocks = []block{{Text: "None is recorded in this period."}}
		return s
	}
	t := &table{Caption: s.Title, Columns: []column{{"Time", false, 2.3}, {"Finding", false, 1.9}, {"Severity", true, 1.1}, {"Service", false, 2.6}, {"User", false, 2.6}, {"Status", false, 1.6}}}
	for _, g := range f.Rows {
		cells := texts(g.Time.Format("2006-01-02 15:04"), g.Action, number(uint64(max(g.Severity, 0))), g.Service, g.User, "")
		cells[4].Key = keyHead(g.UserKey)
		if g.Status != "" {
			cells[5] = statusCell(g.Status)
		}
		t.Rows = append(t.Rows, row{Cells: cells, Note: findingNote(g)})
	}
	text := "Times are in " + zone(r.Period.From) + "."
	if n := f.Total - len(f.Rows); n > 0 {
		text = "And " + plural(uint64(n), "more, less grave or older", "more, less grave or older") + ". " + text
	}
	if f.More {
		text = fmt.Sprintf("More than %s were recorded; the newest of them are counted here. ", number(findingsRead)) + text
	}
	s.Blocks = []block{{Table: t}, {Small: true, Text: text}}
	return s
}

// zone names the report's zone.
func zone(t time.Time) string { return t.Location().String() }

// findingNote is what a finding rests on and who is to act.
func findingNote(g FindingRow) string {
	var facts []string
	if g.Message != "" {
		facts = append(facts, strings.TrimSuffix(g.Message, "."))
	}
	if g.Action == "upload-limit" && g.Limit > 0 {
		facts = append(facts, fmt.Sprintf("%s against a limit of %s", size(g.Value), size(g.Limit)))
	}
	if g.Department != "" {
		facts = append(facts, "department "+g.Department)
	}
	if g.Owner != "" {
		facts = append(facts, "owner "+g.Owner)
	} else {
		facts = append(facts, "no owner")
	}
	s := sentence(facts...) + " Finding " + g.ID
	if len(g.Evidence) == 0 {
		return s + "."
	}
	return s + ", records " + strings.Join(g.Evidence, " ") + ending(len(g.Evidence), g.EvidenceTotal, false)
}
