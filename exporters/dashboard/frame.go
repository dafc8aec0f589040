package dashboard

import (
	"strconv"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// page is what a maker gives: what is particular to one page. Whatever is nil is not drawn; the order is always the same.
type page struct {
	Nav   string // the path of the part of the menu it belongs to
	Title string
	Lead  string
	// Trail leads back to the list that the page belongs to.
	Trail *trail
	// Timeless pages have no period.
	Timeless bool
	// Filters are offered where figures can be filtered.
	Filters  bool
	Coverage *coverageLine
	Notes    []string
	Empty    *emptiness
	Tiles    []tile
	Chart    *chart
	Panels   []panel
	filter   []choice // of the kind of finding
}

type crumb struct{ Label, Href string }

// trail leads back to the list that a page belongs to, and perhaps on to its records.
type trail struct{ Up, Also crumb }

// tile is one figure in large type.
type tile struct {
	Label, Value, Note, Change, Href string
}

// panel is a table, a list of facts or a text under a heading.
type panel struct {
	ID, Title, Lead string
	Half            bool
	Table           *table
	Facts           []fact
	More            crumb
}

// fact is a name and its value.
type fact struct {
	Name, Value, Note string
	Links             []crumb
}

// emptiness says why there is nothing, and what to do.
type emptiness struct {
	Title, Text string
	Links       []crumb
}

// tables are all tables of a page.
func (p *page) tables() []*table {
	var out []*table
	if p.Chart != nil && p.Chart.Table != nil {
		out = append(out, p.Chart.Table)
	}
	for i := range p.Panels {
		if t := p.Panels[i].Table; t != nil {
			out = append(out, t)
		}
	}
	return out
}

// frame is a page and what stands around it on every page.
type frame struct {
	*page
	CSS, Icon string
	Menu      []choice
	Who       string
	Role      string
	Local     bool // there is no login
	CanLeave  bool
	Period    *periodBar
	Chips     []choice // filters that are set, each a link that takes it away
	Kinds     []choice
	Statuses  []choice
	Made      string
}

// periodBar is the form that chooses a period.
type periodBar struct {
	Text, Zone string
	Presets    []choice
	Hidden     []hidden
	Custom     bool
	From, To   string
}

type hidden struct{ Name, Value string }

func (v *view) frame(p *page) frame {
	for _, t := range p.tables() {
		t.CSV = v.csvLink(t.ID)
	}
	f := frame{page: p, CSS: v.s.css.Path, Icon: v.s.icon.Path, Who: clean(v.who.Name), Role: string(v.who.Role),
		Local: v.who.How == howLocal, CanLeave: v.who.How == howLogin, Kinds: p.filter}
	f.Made = v.now.In(v.period.loc).Format("2 Jan 2006, 15:04 MST")
	for _, m := range []crumb{{"Overview", "/"}, {"Services", "/services"}, {"Departments", "/departments"}, {"Users", "/users"},
		{"Findings", "/findings"}, {"Coverage", "/coverage"}, {"About", "/about"}} {
		if m.Href == "/users" && !v.analyst() {
			continue
		}
		f.Menu = append(f.Menu, choice{m.Label, v.link(m.Href, "measure", "", "status", "", "category", "", "site", ""), m.Href == p.Nav})
	}
	if p.Timeless {
		return f
	}
	f.Period = v.periodBar()
	if p.Filters {
		f.Chips, f.Statuses = v.chips(), v.statusChoices()
	}
	return f
}

func (v *view) periodBar() *periodBar {
	b := &periodBar{Text: v.period.String(), Zone: zoneName(v.period.loc, v.now), Custom: v.period.id == custom,
		From: v.period.from.Format(time.DateOnly), To: v.period.to.Add(-time.Minute).Format(time.DateOnly)}
	for _, i := range menu {
		b.Presets = append(b.Presets, choice{presets[i].Label, presets[i].ID, presets[i].ID == v.period.id})
	}
	for _, name := range append([]string{"measure", "status", "category", "site"}, own[:4]...) {
		if value := v.q.Get(name); value != "" {
			b.Hidden = append(b.Hidden, hidden{name, value})
		}
	}
	return b
}

// zoneName is the name of the zone, or how far it is from UTC.
func zoneName(loc *time.Location, now time.Time) string {
	if loc == time.Local {
		return now.In(loc).Format("UTC-07:00")
	}
	return loc.String()
}

func (v *view) chips() []choice {
	var out []choice
	names := []string{"status", "category", "site"}
	if v.path == "/users" {
		names = append(names, "service", "department")
	}
	for _, name := range names {
		if value := v.q.Get(name); value != "" {
			if name == "status" {
				value = statuses[statusIndex(strings.TrimPrefix(value, "none"))].Label
			}
			if name == "department" {
				value = departmentName(fromSegment(value))
			}
			out = append(out, choice{Label: name + ": " + clean(value), Href: v.link(v.path, append(v.kept(), name, "")...)})
		}
	}
	return out
}

func (v *view) statusChoices() []choice {
	out := []choice{{"All", v.link(v.path, append(v.kept(), "status", "")...), v.q.Get("status") == ""}}
	for _, s := range statuses {
		key := s.Key
		if key == "" {
			key = "none"
		}
		out = append(out, choice{s.Label, v.link(v.path, append(v.kept(), "status", key)...), v.q.Get("status") == key})
	}
	return out
}

// usageTiles are the four figures of most pages; services is how many there were, 0 to leave that tile out.
func (v *view) usageTiles(total, before *query.Row, services int) []tile {
	compare := func(now, then uint64) string {
		if !v.compare {
			return ""
		}
		return change(now, then, v.period.beforeName())
	}
	var tiles []tile
	if services > 0 {
		tiles = append(tiles, tile{Label: "Services", Value: strconv.Itoa(services), Href: v.link("/services")})
	}
	up := tile{Label: "Upload", Change: compare(total.Upload.Bytes, before.Upload.Bytes)}
	up.Value, up.Note = uploadText(total)
	if up.Note != "" && up.Note != "exactly" {
		up.Note = "between " + up.Note
	}
	if total.Unknown > 0 && total.Unknown < total.Flows {
		up.Note += "; not known for " + percent(total.Unknown, total.Flows) + " of flows"
	}
	return append(tiles,
		tile{Label: "Users", Value: count(total.Users), Note: v.quietNote(total), Change: compare(total.Users, before.Users)},
		tile{Label: "Visits", Value: count(total.Visits), Note: visitsPerUser(total), Change: compare(total.Visits, before.Visits)},
		up)
}

// quietNote says how many people are no users, as only traffic in the background was seen of them.
func (v *view) quietNote(r *query.Row) string {
	n := r.Background.Users
	if n == 0 || !v.analyst() && n < v.least() {
		return ""
	}
	return "and " + count(n) + " in the background only"
}

func visitsPerUser(r *query.Row) string {
	if r.Users == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(r.Visits)/float64(r.Users), 'f', 1, 64) + " per user"
}

// notes says what limits the comparison.
func (v *view) notes() []string {
	var out []string
	if from := v.span.SumsFrom; !from.IsZero() && from.After(v.period.from) && from.Before(v.period.to) {
		out = append(out, "Records begin on "+from.In(v.period.loc).Format("2 January 2006, 15:04")+": the time before is not in these figures.")
	} else if !from.IsZero() && !v.compare {
		out = append(out, "No comparison: "+v.period.beforeName()+" are not kept in full.")
	}
	return out
}

// empty says why a page has no figures.
func (v *view) empty(total *query.Row, s *seen) *emptiness {
	switch {
	case total.Flows > 0:
		return nil
	case v.filtered():
		return &emptiness{"Nothing with these filters", "There may be use of AI services in this period that the filters leave out.",
			[]crumb{{"Remove all filters", v.link(v.path, "status", "", "category", "", "site", "")}}}
	case s.watched == 0:
		return &emptiness{"No sensor has reported", "This does not mean that no AI service was used. Is the sensor running, and does the tap or the log " +
			"source deliver? The command gnomon doctor on the sensor names what makes it blind.", []crumb{{"What the sensor saw", v.link("/coverage")}}}
	}
	if v.key != "" {
		return &emptiness{"Not used in this period", "The sensor watched " + percent(s.watched, s.expected) + " of this period and saw nothing of it.",
			[]crumb{{"A longer period", v.link(v.path, "p", "12m", "from", "", "to", "")}}}
	}
	return &emptiness{"No AI service was seen", "The sensor watched " + percent(s.watched, s.expected) + " of this period and saw no use of a service that is in " +
		"its catalogue. What it could not read is listed under coverage.", []crumb{{"What the sensor saw", v.link("/coverage")},
		{"A longer period", v.link("/", "p", "12m", "from", "", "to", "")}}}
}
