package dashboard

import (
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// table is rows of figures, drawn as HTML and written as CSV.
type table struct {
	ID      string
	Caption string
	Columns []column
	Rows    [][]cell
	// Users says that rows stand for people: exporting them goes into the audit log.
	Users bool
	// More says how the rest of the rows is reached; "" if all are here.
	More string
	Next string // a link to them
	Prev string
	CSV  string // a link to this table as CSV
	// Empty is what stands there instead of no rows.
	Empty string
}

// column is the head of one column. Class is "num" for figures and "opt" for what a narrow screen leaves out.
type column struct {
	Title, Class string
	CSV          []string // heads of the columns of a CSV file; nil: the title
}

// cell is one value; the first of a row is its head.
type cell struct {
	Text, Href, Note, Class string
	Apart                   bool // the note is of words, which may stand on several lines where there is little room
	Statuses                []status
	Bar                     *bar
	CSV                     []string // nil: the text
}

// bar is a horizontal bar of up to 100 units.
type bar struct{ Parts []barPart }

type barPart struct {
	X, W  float64
	Class string
}

func text(s string) cell { return cell{Text: s} }

func link(s, href string) cell { return cell{Text: s, Href: href} }

func number(n uint64) cell { return cell{Text: count(n), CSV: []string{decimal(n)}} }

// amount is one of the columns that amounts makes heads for.
func uploadCell(r *query.Row) cell {
	c := cell{CSV: []string{"", "", "", decimal(r.Unknown)}}
	if r.Unknown < r.Flows || r.Flows == 0 {
		c.CSV = []string{decimal(r.Upload.Bytes), decimal(r.Upload.Low), decimal(r.Upload.High), decimal(r.Unknown)}
	}
	c.Text, c.Note = uploadText(r)
	return c
}

// uploadText is the estimate and what is to be said of it.
func uploadText(r *query.Row) (estimate, note string) {
	if r.Flows > 0 && r.Unknown >= r.Flows {
		return "unknown", ""
	}
	if r.Upload.High == 0 {
		return "0" + thin + "B", ""
	}
	return "≈" + thin + size(r.Upload.Bytes), between(r.Upload)
}

// statusCell lists statuses by their names.
func statusCell(list []status) cell {
	c := cell{Statuses: list, CSV: []string{""}}
	for i, s := range list {
		if i > 0 {
			c.CSV[0] += " "
		}
		c.CSV[0] += s.Key
	}
	return c
}

// figureColumns are the heads over what figureCells gives.
func figureColumns() []column {
	return []column{
		{Title: "Users", Class: "num", CSV: []string{"users", "background_users"}},
		{Title: "Visits", Class: "num opt", CSV: []string{"visits", "background_visits"}},
		{Title: "Upload", Class: "num", CSV: []string{"upload_bytes", "upload_low", "upload_high", "flows_upload_unknown"}},
	}
}

func figureCells(r *query.Row) []cell {
	return []cell{apart(r.Users, r.Background.Users), visitsCell(r), uploadCell(r)}
}

func visitsCell(r *query.Row) cell { return apart(r.Visits, r.Background.Visits) }

// apart is a figure of use, and under it what there was in the background only.
func apart(n, quiet uint64) cell {
	c := cell{Text: count(n), CSV: []string{decimal(n), decimal(quiet)}}
	if quiet > 0 {
		c.Note, c.Apart = "+ "+count(quiet)+" in the background", true
	}
	return c
}

// when is a time in the zone of the pages.
func (v *view) when(t time.Time) cell {
	if t.IsZero() {
		return cell{Text: "–", CSV: []string{""}}
	}
	layout := "2 Jan, 15:04"
	if t.In(v.period.loc).Year() != v.now.In(v.period.loc).Year() {
		layout = "2 Jan 2006"
	}
	return cell{Text: t.In(v.period.loc).Format(layout), CSV: []string{t.UTC().Format(time.RFC3339)}}
}

// barOf is a bar whose parts are stacked; whole is the length of the longest.
func barOf(values []uint64, classes []string, whole uint64) *bar {
	b := &bar{}
	x := 0.0
	for i, n := range values {
		if n == 0 || whole == 0 {
			continue
		}
		w := round2(100 * float64(n) / float64(whole))
		b.Parts = append(b.Parts, barPart{X: x, W: max(w, 0.4), Class: classes[i]})
		x += w
	}
	return b
}
