package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
)

// csvColumns head the one table of the CSV form. A field that a section has no use for is empty.
var csvColumns = [...]string{
	"section", "name", "id", "user", "user_id", "department", "service", "service_id", "vendor", "category", "status",
	"users", "visits", "flows", "upload_bytes", "upload_low", "upload_high", "upload_unknown_flows",
	"first", "last", "value", "of", "severity", "owner", "evidence_classes", "evidence_ids", "note", "background_users", "background_visits",
}

// A csvRow is a line of the table, by column.
type csvRow map[string]string

// WriteCSV writes one table for spreadsheets (RFC 4180, UTF-8): every row names its section in the first column, so that one file can be
// mailed, filtered and pivoted. Bytes and counts are plain numbers, times RFC 3339. Cells that a spreadsheet would take for a formula
// begin with an apostrophe.
func (r *Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(csvColumns[:]); err != nil {
		return err
	}
	for _, row := range r.csvRows() {
		record := make([]string, len(csvColumns))
		for i, c := range csvColumns {
			record[i] = harmless(row[c])
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// harmless keeps a spreadsheet from reading a cell as a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func (r *Report) csvRows() []csvRow {
	rows := []csvRow{
		{"section": "report", "name": string(r.Audience), "department": "", "first": stamp(r.Period.From), "last": stamp(r.Period.To),
			"note": strings.Trim(r.Organisation+"; "+r.Site+"; "+r.Period.Zone+"; made "+stamp(r.Made), "; ")},
	}
	if r.Withheld != "" {
		rows = append(rows, csvRow{"section": "withheld", "note": r.Withheld})
	}
	rows = append(rows,
		csvRow{"section": "total", "name": "all use"}.figures(r.All),
		csvRow{"section": "total", "name": "unapproved use"}.figures(r.Unapproved),
		csvRow{"section": "period before", "name": "all use", "first": stamp(r.Before.Period.From), "last": stamp(r.Before.Period.To), "note": r.Before.Why}.
			figuresUnless(r.Before.Why != "", r.Before.All),
		csvRow{"section": "period before", "name": "unapproved use", "first": stamp(r.Before.Period.From), "last": stamp(r.Before.Period.To), "note": r.Before.Why}.
			figuresUnless(r.Before.Why != "", r.Before.Unapproved))
	for _, s := range r.Statuses {
		rows = append(rows, csvRow{"section": "status", "name": s.Status, "status": s.Status}.figures(s.Use))
	}
	for _, w := range r.Trend {
		note := ""
		if !w.Watched {
			note = "watched for less than nine tenths"
		}
		rows = append(rows, csvRow{"section": "week", "name": "all use", "first": stamp(w.Start), "note": note}.figures(w.All),
			csvRow{"section": "week", "name": "unapproved use", "first": stamp(w.Start), "note": note}.figures(w.Unapproved))
	}
	for _, s := range r.Services {
		rows = append(rows, s.csv("service"))
	}
	for _, s := range r.New.Rows {
		row := s.csv("new service")
		row["first"] = s.Day
		rows = append(rows, row)
	}
	rows = append(rows, r.csvDepartments()...)
	rows = append(rows, r.csvUse()...)
	return append(rows, r.Coverage.csv()...)
}

func (s ServiceRow) csv(section string) csvRow {
	return csvRow{"section": section, "name": s.Name, "service": s.Name, "service_id": s.ID, "vendor": s.Vendor, "category": s.Category,
		"status": s.Status}.figures(s.Use)
}

func (r *Report) csvDepartments() (rows []csvRow) {
	if r.Departments == nil {
		return nil
	}
	for _, d := range r.Departments.Rows {
		rows = append(rows, csvRow{"section": "department", "name": d.Name, "department": d.Name}.figures(d.All),
			csvRow{"section": "department, unapproved", "name": d.Name, "department": d.Name}.figures(d.Unapproved))
	}
	return rows
}

func (r *Report) csvUse() (rows []csvRow) {
	for _, t := range []struct {
		section string
		table   *Table
	}{{"unapproved by service", r.ByService}, {"unapproved by department", r.ByDepartment}, {"unapproved by user", r.ByUser}} {
		if t.table == nil {
			continue
		}
		for _, u := range t.table.Rows {
			rows = append(rows, u.csv(t.section))
		}
		if rest := t.table.Rest; rest != nil {
			row := csvRow{"section": t.section, "name": "left out", "value": strconv.Itoa(t.table.Total - t.table.Shown)}
			row.figures(Figures{Visits: rest.Visits, Flows: rest.Flows, Upload: rest.Upload})
			for _, unknown := range []string{"users", "background_users", "background_visits"} {
				delete(row, unknown)
			}
			rows = append(rows, row)
		}
	}
	if r.Findings != nil {
		for _, f := range r.Findings.Rows {
			rows = append(rows, f.csv())
		}
	}
	return rows
}

func (u UseRow) csv(section string) csvRow {
	name := u.Service
	if u.UserKey != "" {
		name = u.User
	} else if u.ServiceID == "" {
		name = department(u.Department)
	}
	row := csvRow{"section": section, "name": name, "user": u.User, "user_id": clean(u.UserKey), "department": u.Department, "service": u.Service,
		"service_id": clean(u.ServiceID), "vendor": u.Vendor, "category": u.Category, "status": u.Status, "first": stamp(u.First), "last": stamp(u.Last)}
	if e := u.Evidence; e != nil {
		row["evidence_classes"], row["evidence_ids"] = plainWords(e.Classes), strings.Join(e.IDs, " ")
		if e.Gone {
			row["note"] = "the records are no longer kept"
		}
	}
	return row.figures(u.Use)
}

func (f FindingRow) csv() csvRow {
	row := csvRow{"section": "finding", "name": f.Action, "id": f.ID, "user": f.User, "user_id": clean(f.UserKey), "department": f.Department, "service": f.Service,
		"status": f.Status, "first": stamp(f.Time), "severity": strconv.Itoa(f.Severity), "owner": f.Owner,
		"evidence_ids": strings.Join(f.Evidence, " "), "note": f.Message}
	if f.Limit > 0 || f.Value > 0 {
		row["value"], row["of"] = decimal(f.Value), decimal(f.Limit)
	}
	return row
}

func (c Coverage) csv() []csvRow {
	line := func(name string, value, of uint64) csvRow {
		return csvRow{"section": "coverage", "name": name, "value": decimal(value), "of": decimal(of)}
	}
	rows := []csvRow{
		line("minutes watched", uint64(c.Watched), uint64(c.Minutes)),
		line("packets dropped", c.Dropped, c.Received+c.Dropped),
		line("packets undecodable", undecodable(c), c.Received),
		line("flows named", c.Named, c.Readable), line("flows one-sided", c.OneSided, c.Flows), line("flows cut", c.Cut, c.Flows),
		line("flows evicted", c.Evicted, c.Flows),
	}
	for _, s := range sights(&c) {
		rows = append(rows, line("flows "+s.id, s.part.Flows, s.whole.Flows), line("bytes "+s.id, s.part.Bytes, s.whole.Bytes))
	}
	for _, l := range c.Sources {
		rows = append(rows, csvRow{"section": "log source", "name": l.Name, "value": decimal(l.Used), "of": decimal(l.Read),
			"note": decimal(l.Rejected) + " rejected"})
	}
	for _, g := range c.Gaps {
		rows = append(rows, csvRow{"section": "not watched", "first": stamp(g.From), "last": stamp(g.To)})
	}
	return rows
}

// figures fills the columns of figures in; what is withheld or unknown stays empty.
func (row csvRow) figures(f Figures) csvRow {
	if f.Hidden {
		row["note"] = "withheld"
		return row
	}
	if row["users"] = decimal(f.Users); f.Few {
		row["users"], row["note"] = "", "number of users withheld"
	}
	row["visits"], row["flows"], row["upload_unknown_flows"] = decimal(f.Visits), decimal(f.Flows), decimal(f.Upload.Unknown)
	if !f.FewQuiet {
		row["background_users"], row["background_visits"] = decimal(f.Background.Users), decimal(f.Background.Visits)
	}
	if f.Upload.Known {
		row["upload_bytes"], row["upload_low"], row["upload_high"] = decimal(f.Upload.Bytes), decimal(f.Upload.Low), decimal(f.Upload.High)
	}
	return row
}

func (row csvRow) figuresUnless(absent bool, f Figures) csvRow {
	if absent {
		return row
	}
	return row.figures(f)
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

func plainWords(ts []Tally) string { return strings.ReplaceAll(words(ts), space, " ") }

// stamp is RFC 3339, or empty if t is not known.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}
