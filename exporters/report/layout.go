package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A document is a report arranged for reading: text, HTML and PDF draw the same one.
type document struct {
	Title    string
	Lang     string
	Meta     []string // period, site, when made
	Sections []section
}

// A section opens with its title. ID is unique in the document.
type section struct {
	ID     string
	Title  string
	Break  bool // begins a page, where there are pages
	Blocks []block
}

// A block is one of these; the others are empty.
type block struct {
	Tiles []tile
	Text  string
	Small bool // of Text: an aside
	Chart *chart
	Stack *stack
	Table *table
	List  []string
}

// A tile is one figure, large.
type tile struct {
	Label, Value, Sub string
}

// A table is rows under a head.
type table struct {
	Caption string
	Columns []column
	Rows    []row
}

// A column says how its cells stand. Width is its share of the page.
type column struct {
	Title string
	Right bool // figures
	Width float64
}

// A row is one line of a table; Note is written below it over its whole width.
type row struct {
	Cells []cell
	Kind  rowKind
	Note  string
}

// A rowKind says what a row is among others.
type rowKind string

const (
	plain rowKind = ""
	group rowKind = "group" // opens the rows that belong to it
	inner rowKind = "inner" // belongs to the group above
	rest  rowKind = "rest"  // sums up what is left out
)

// A cell is a text; Status marks it as a status' label, and Bar draws its share of the column's largest figure beside it. Key tells it from
// others where a font cannot draw the text.
type cell struct {
	Text   string
	Key    string
	Status string
	Bar    float64
}

// layout arranges the report.
func layout(r *Report) *document {
	d := &document{Title: title(r), Lang: "en", Meta: meta(r)}
	if r.Audience == DLP {
		d.Sections = dlpSections(r)
	} else {
		d.Sections = managementSections(r)
	}
	return d
}

func title(r *Report) string {
	t := "Use of external AI services"
	if r.Audience == DLP {
		t = "Unapproved use of external AI services"
	}
	if r.Organisation != "" {
		t += " – " + r.Organisation
	}
	return t
}

func meta(r *Report) []string {
	m := []string{r.Period.String()}
	if r.Site != "" {
		m = append(m, "Site "+r.Site)
	} else {
		m = append(m, "All sites")
	}
	return append(m, "Made "+moment(r.Made))
}

// texts makes cells.
func texts(ss ...string) []cell {
	out := make([]cell, len(ss))
	for i, s := range ss {
		out[i].Text = s
	}
	return out
}

// status makes a cell of a status' label.
func statusCell(s string) cell { return cell{Text: statusLabel(s), Status: statusClass(s)} }

// statusLabel is a status in words.
func statusLabel(s string) string {
	switch s {
	case "":
		return "not known"
	case "in-review":
		return "in review"
	}
	return s
}

// statusClass is the status if it is one of ours, so that it can name a colour.
func statusClass(s string) string {
	if statusRank(s) > statusRank("prohibited") {
		return "other"
	}
	return s
}

// userCount writes how many users, or that they are few, or withheld.
func (r *Report) userCount(f Figures) string {
	switch {
	case f.Hidden:
		return "withheld"
	case f.Few:
		return fmt.Sprintf("<%s%d", space, r.Below)
	}
	return number(f.Users)
}

// byUsers is "by 12 users".
func (r *Report) byUsers(f Figures) string {
	switch {
	case f.Hidden:
		return "withheld"
	case f.Few:
		return fmt.Sprintf("by fewer than %d users", r.Below)
	}
	return "by " + plural(f.Users, "user", "users")
}

// visits, upload and bounds write a figure unless it is withheld.
func visits(f Figures) string {
	if f.Hidden {
		return "withheld"
	}
	return number(f.Visits)
}

func estimate(f Figures) string {
	if f.Hidden {
		return "withheld"
	}
	return f.Upload.estimate()
}

func bounds(f Figures) string {
	if f.Hidden {
		return dash
	}
	return f.Upload.bounds()
}

// unknownUpload says for how many flows the upload is not known; "" if for none.
func unknownUpload(f Figures) string {
	if f.Hidden || f.Upload.Unknown == 0 {
		return ""
	}
	return fmt.Sprintf("upload not known for %s of %s", number(f.Upload.Unknown), plural(f.Flows, "flow", "flows"))
}

// sentence joins what is not empty and ends it.
func sentence(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	if len(kept) == 0 {
		return ""
	}
	s := strings.Join(kept, "; ")
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[n:] + "."
}

// bar is n's share of the largest.
func bar(n, largest uint64) float64 {
	if largest == 0 {
		return 0
	}
	return float64(n) / float64(largest)
}
