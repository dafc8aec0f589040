package report

import (
	"fmt"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// managementSections has no person in it and fits two pages: every table is bounded.
func managementSections(r *Report) []section {
	if r.Withheld != "" {
		return []section{
			{ID: "summary", Title: "Summary", Blocks: []block{{Text: "The figures are withheld: " + r.Withheld + "."}}},
			coverageSection(r), notesSection(r),
		}
	}
	return []section{
		{ID: "summary", Title: "Summary", Blocks: summaryBlocks(r)},
		{ID: "trend", Title: "Twelve weeks", Blocks: trendBlocks(r)},
		servicesSection(r, "Services most used"),
		departmentsSection(r),
		newSection(r),
		coverageSection(r),
		notesSection(r),
	}
}

// summaryBlocks opens both reports.
func summaryBlocks(r *Report) []block {
	if !r.All.any() {
		text := "No use of AI services was seen in this period."
		if r.Coverage.Watched == 0 {
			text = "No use of AI services is recorded, but nothing watched either: the report cannot say whether there was any."
		}
		out := []block{{Text: text}, {Text: basis(r)}}
		if from := r.Coverage.SumsFrom; !from.IsZero() && !from.Before(r.Period.To) {
			out = append(out, block{Text: "Records begin on " + day(from) + ", after this period."})
		}
		return out
	}
	tiles := []tile{
		{Label: "Users of AI services", Value: r.userCount(r.All), Sub: r.compared(r.All.Users, r.Before.All.Users, r.Before.All)},
		{Label: "Unapproved use", Value: percent(r.Unapproved.Visits, r.All.Visits), Sub: "of visits, " + r.byUsers(r.Unapproved)},
		{Label: "Uploaded to all services", Value: estimate(r.All), Sub: "between " + bounds(r.All)},
		{Label: "Uploaded to unapproved ones", Value: estimate(r.Unapproved), Sub: "between " + bounds(r.Unapproved)},
	}
	if r.All.Upload.Low == r.All.Upload.High {
		tiles[2].Sub = "exact"
	}
	if !r.All.Upload.Known {
		tiles[2].Sub = "could not be estimated"
	}
	if !r.Unapproved.Upload.Known || r.Unapproved.Upload.High == 0 {
		tiles[3].Sub = ""
	}
	out := append([]block{{Tiles: tiles}, {Text: comparison(r)}}, append(r.apart(), block{Text: basis(r)})...)
	if len(r.Statuses) > 1 {
		out = append(out, block{Stack: statusStack(r)})
	}
	return out
}

// apart is a sentence on traffic that is no use, if there was any.
func (r *Report) apart() []block {
	f := r.All
	if f.FewQuiet {
		return []block{{Text: "Not counted as use: a few users of whom only traffic in the background was seen. The uploads are of all traffic."}}
	}
	if f.Background == (query.Background{}) {
		return nil
	}
	whose := ""
	if n := f.Background.Users; n > 0 {
		whose = plural(n, "user", "users") + " of whom only traffic in the background was seen, and "
	}
	return []block{{Text: fmt.Sprintf("Not counted as use: %s%s. The uploads are of all traffic.",
		whose, plural(f.Background.Visits, "visit with background traffic alone", "visits with background traffic alone"))}}
}

// compared sets a figure beside that of the period before.
func (r *Report) compared(now, before uint64, f Figures) string {
	if r.Before.Why != "" || f.Hidden || f.Few {
		return plural(r.All.Visits, "visit", "visits")
	}
	return change(now, before) + " on the period before"
}

// comparison is a sentence on the period before.
func comparison(r *Report) string {
	b := r.Before
	if b.Why != "" {
		return "Not compared with the period before (" + b.Period.String() + "): " + b.Why + "."
	}
	if b.All.Hidden {
		return fmt.Sprintf("Not compared with the period before (%s): it had fewer than %d users.", b.Period, r.Below)
	}
	return fmt.Sprintf("In the period before (%s): %s, %s of visits unapproved, uploaded %s.", b.Period,
		plural(b.All.Users, "user", "users"), percent(b.Unapproved.Visits, b.All.Visits), b.All.Upload)
}

// basis is a sentence on what the figures rest on; it stands beside every headline.
func basis(r *Report) string {
	c := r.Coverage
	if c.Minutes == 0 {
		return "The period had not begun when the report was made."
	}
	if c.Watched == 0 {
		return "There are no coverage records of this period: how much was missed is not known. Figures come from imported captures or logs, if there are any."
	}
	parts := []string{"watched " + percent(uint64(c.Watched), uint64(c.Minutes)) + " of the time"}
	if c.Received > 0 {
		parts = append(parts, "lost "+percent(c.Dropped, c.Received+c.Dropped)+" of the packets")
	}
	if c.Flows > 0 {
		parts = append(parts, "could read the name of "+percent(c.Named, c.Readable)+" of the connections")
	}
	return "What this rests on: the sensors " + join(parts) + "."
}

// join makes "a, b and c".
func join(parts []string) string {
	s := ""
	for i, p := range parts {
		switch {
		case i == 0:
		case i == len(parts)-1:
			s += " and "
		default:
			s += ", "
		}
		s += p
	}
	return s
}

func trendBlocks(r *Report) []block {
	c := trendChart(r)
	out := []block{{Chart: c}}
	for _, p := range c.Points {
		if p.Note != "" {
			return append(out, block{Small: true, Text: "“Not seen”: no sensor watched that week. “Gaps”: less than nine tenths of it was watched. “Part”: the period or the data ends within it."})
		}
	}
	return out
}

func servicesSection(r *Report, title string) section {
	s := section{ID: "services", Title: title}
	if len(r.Services) == 0 {
		s.Blocks = []block{{Text: "None."}}
		return s
	}
	top := uint64(0)
	for _, row := range r.Services {
		top = max(top, row.Use.Users)
	}
	t := &table{Caption: title, Columns: []column{{"Service", false, 4.2}, {"Status", false, 1.9}, {"Users", true, 2.0}, {"Visits", true, 1.5}, {"Upload", true, 1.7}, {"between", true, 2.8}}}
	for _, row := range r.Services {
		cells := texts(row.Name, "", r.userCount(row.Use), visits(row.Use), estimate(row.Use), bounds(row.Use))
		cells[1], cells[2].Bar = statusCell(row.Status), bar(row.Use.Users, top)
		t.Rows = append(t.Rows, row2(cells))
	}
	s.Blocks = []block{{Table: t}}
	shown := map[string]bool{}
	for _, row := range r.Services {
		shown[row.ID] = true
	}
	if more := r.ServicesTotal - len(shown); more > 0 {
		s.Blocks = append(s.Blocks, block{Small: true, Text: "And " + plural(uint64(more), "more service", "more services") + "."})
	}
	return s
}

func row2(cells []cell) row { return row{Cells: cells} }

func departmentsSection(r *Report) section {
	s := section{ID: "departments", Title: "Departments", Break: true}
	if r.Departments.Why != "" || len(r.Departments.Rows) == 0 {
		why := r.Departments.Why
		if why == "" {
			why = "no use was seen"
		}
		s.Blocks = []block{{Text: sentence("not shown: " + why)}}
		return s
	}
	top := uint64(0)
	for _, d := range r.Departments.Rows {
		top = max(top, d.All.Users)
	}
	t := &table{Caption: "Use by department", Columns: []column{{"Department", false, 4.2}, {"Users", true, 2.0}, {"Visits", true, 1.6}, {"Unapproved visits", true, 2.2}, {"Upload", true, 1.7}, {"between", true, 2.8}}}
	for _, d := range r.Departments.Rows {
		share := "withheld"
		if !d.Unapproved.Hidden {
			share = percent(d.Unapproved.Visits, d.All.Visits)
		}
		cells := texts(d.Name, r.userCount(d.All), visits(d.All), share, estimate(d.All), bounds(d.All))
		cells[1].Bar = bar(d.All.Users, top)
		kind := plain
		if d.Together > 1 {
			kind = rest
		}
		t.Rows = append(t.Rows, row{Cells: cells, Kind: kind})
	}
	s.Blocks = []block{{Table: t}, {Small: true, Text: fmt.Sprintf(
		"Departments with fewer than %d users stand together; where fewer than %d used unapproved services, that share is withheld, and so is one more if it would follow from the others. A person who changed department counts in both.", r.Below, r.Below)}}
	return s
}

func newSection(r *Report) section {
	n := r.New
	s := section{ID: "new", Title: "New in this period"}
	switch {
	case n.Why != "":
		s.Blocks = []block{{Text: sentence("not known: " + n.Why)}}
		return s
	case n.Total == 0:
		s.Blocks = []block{{Text: "No service was used for the first time since records began on " + day(n.Since) + "."}}
		return s
	}
	t := &table{Caption: "Services used for the first time", Columns: []column{{"Service", false, 4.2}, {"Category", false, 2.9}, {"Status", false, 1.9}, {"First used", false, 1.9}, {"Users", true, 1.2}, {"Upload", true, 1.8}}}
	for _, row := range n.Rows[:min(len(n.Rows), newShown)] {
		cells := texts(row.Name, row.Category, "", row.Day, r.userCount(row.Use), estimate(row.Use))
		cells[2] = statusCell(row.Status)
		t.Rows = append(t.Rows, row2(cells))
	}
	text := "Not used before, since records began on " + day(n.Since) + "."
	if more := n.Total - len(t.Rows); more > 0 {
		text = "And " + plural(uint64(more), "more", "more") + ". " + text
	}
	s.Blocks = []block{{Table: t}, {Small: true, Text: text}}
	return s
}

// newShown bounds the table of new services, for two pages.
const newShown = 8
