package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard/login"
	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// Rows of a table on a page; CSV has up to query.MaxRows.
const (
	topRows  = 8  // of what is largest
	listRows = 12 // of a list that has a page of its own
	pageRows = 50
)

// spanFor is how long what the store keeps is remembered: it changes by the hour.
const spanFor = 10 * time.Second

// maxSkip bounds how far one can page.
const maxSkip = 1_000_000

// view is one request for a page: who asks, for what.
type view struct {
	s       *Server
	who     identity
	peer    netip.Addr
	key     string // of the service, department or user in the path
	path    string
	q       url.Values
	csv     string // the table that is wanted as CSV
	skip    int    // rows that stand on pages before
	period  period
	measure query.Measure
	where   query.Filter
	now     time.Time
	span    query.Span // what is kept; zero if that is not known
	compare bool       // the period before is kept too
}

// newView reads what is asked for.
func (s *Server) newView(ctx context.Context, r *http.Request, who identity) (*view, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(r.URL.RawQuery) > 4<<10 {
		return nil, usage{errors.New("the address cannot be read")}
	}
	v := &view{s: s, who: who, peer: peer(r), key: fromSegment(r.PathValue("key")), path: r.URL.EscapedPath(), q: q, csv: q.Get("csv"), now: s.parts.Now()}
	if v.period, err = parsePeriod(q, v.now, s.parts.Location); err != nil {
		return nil, usage{err}
	}
	if n, err := strconv.Atoi(q.Get("skip")); err == nil && n > 0 && n <= maxSkip && v.csv == "" {
		v.skip = n
	}
	v.readFilter()
	if v.span, err = s.keptSpan(ctx); err != nil {
		return nil, err
	}
	before, _ := v.period.before()
	v.compare = !v.span.SumsFrom.IsZero() && !v.span.SumsFrom.After(before)
	return v, nil
}

// readFilter reads which uses are wanted, and by what they are measured.
func (v *view) readFilter() {
	switch v.measure = query.Measure(v.q.Get("measure")); v.measure {
	case query.Users, query.Visits, query.Upload:
	default:
		v.measure = query.Visits
	}
	for name, list := range map[string]*[]string{"status": &v.where.Statuses, "category": &v.where.Categories, "site": &v.where.Sites} {
		if value := v.q.Get(name); value != "" {
			*list = []string{value}
		}
	}
	if len(v.where.Statuses) == 1 && v.where.Statuses[0] == "none" {
		v.where.Statuses[0] = ""
	}
}

// keptSpan asks what the store keeps, now and then.
func (s *Server) keptSpan(ctx context.Context) (query.Span, error) {
	spanned, ok := s.parts.Query.(query.Spanned)
	if !ok {
		return query.Span{}, nil
	}
	s.spanMu.Lock()
	defer s.spanMu.Unlock()
	now := s.parts.Now()
	if age := now.Sub(s.spanAt); !s.spanAt.IsZero() && age >= 0 && age < spanFor {
		return s.span, nil
	}
	span, err := spanned.Span(ctx)
	if err != nil {
		return span, fmt.Errorf("asking what is kept: %w", err)
	}
	s.span, s.spanAt = span, now
	return span, nil
}

func (v *view) analyst() bool { return v.who.Role == login.Analyst }

// filtered says whether a filter is set.
func (v *view) filtered() bool {
	return len(v.where.Statuses)+len(v.where.Categories)+len(v.where.Sites) > 0
}

// sums is a request for the period of the page, grouped, without figures that few pages show.
func (v *view) sums(by ...query.Dimension) query.Request {
	return query.Request{From: v.period.from.UTC(), To: v.period.to.UTC(), Where: v.where, By: by, Location: v.period.loc, Spare: query.SpareBytes | query.SpareTimes}
}

// timed is a request that wants to know when, too.
func timed(r query.Request) query.Request {
	r.Spare &^= query.SpareTimes
	return r
}

// keys is a request for which rows there are.
func keys(r query.Request) query.Request {
	r.Keys = true
	return r
}

// sumsBefore is the same for the period before.
func (v *view) sumsBefore(by ...query.Dimension) query.Request {
	r := v.sums(by...)
	from, to := v.period.before()
	r.From, r.To = from.UTC(), to.UTC()
	return r
}

// limit is how many rows a long table asks for: one more than is shown, to know whether there are more.
func (v *view) limit(table string) (offset, limit int) {
	if v.csv == table {
		return 0, query.MaxRows
	}
	return v.skip, pageRows + 1
}

// cut shortens rows to what a table shows and says how to go on.
func (v *view) cut(t *table, rows []query.Row) []query.Row {
	if v.csv == t.ID {
		if len(rows) >= query.MaxRows {
			t.More = fmt.Sprintf("cut after %d rows; choose a shorter period or a filter", query.MaxRows)
		}
		return rows
	}
	if v.skip > 0 {
		t.Prev = v.link(v.path, append(v.kept(), "skip", skipText(v.skip-pageRows))...)
	}
	if len(rows) > pageRows {
		t.Next = v.link(v.path, append(v.kept(), "skip", skipText(v.skip+pageRows))...)
		rows = rows[:pageRows]
	}
	return rows
}

func skipText(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// parameters are what every link of a page keeps; own are those of single pages, kept where kept says so.
var parameters = [...]string{"p", "from", "to", "measure", "status", "category", "site"}

var own = [...]string{"kind", "user", "service", "department", "ids"}

// link leads to a path with the period and the filters of this page, changed where changes (name, value, ...) say so.
func (v *view) link(path string, changes ...string) string {
	set := url.Values{}
	for _, name := range parameters {
		if value := v.q.Get(name); value != "" && (v.period.id == custom || name != "from" && name != "to") {
			set.Set(name, value)
		}
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "" {
			set.Del(changes[i])
			continue
		}
		set.Set(changes[i], changes[i+1])
	}
	if len(set) == 0 {
		return path
	}
	return path + "?" + set.Encode()
}

// csvLink leads to a table of this page as a file.
func (v *view) csvLink(id string) string {
	return v.link(v.path, append(v.kept(), "csv", id)...)
}

// kept are the parameters of this page alone, as changes of a link to another part of it.
func (v *view) kept() []string {
	var changes []string
	for _, name := range own {
		if value := v.q.Get(name); value != "" {
			changes = append(changes, name, value)
		}
	}
	return changes
}

// toSegment writes a key as the last part of a path. "~" marks those that a path would swallow: nothing, and dots.
func toSegment(key string) string {
	if key == "" || key[0] == '.' || key[0] == '~' {
		key = "~" + key
	}
	return url.PathEscape(key)
}

func fromSegment(s string) string {
	return strings.TrimPrefix(s, "~")
}

func (v *view) serviceLink(id string) string { return v.link("/services/" + toSegment(id)) }
func (v *view) userLink(key string) string {
	return v.link("/users/"+toSegment(key), "status", "", "category", "", "site", "")
}
func (v *view) departmentLink(name string) string {
	return v.link("/departments/"+toSegment(name), "status", "", "category", "", "site", "")
}

// serviceName is what a row calls the service, or else the catalogue.
func (v *view) serviceName(id, label string) string {
	if (label == "" || label == id) && v.s.parts.Services != nil {
		if s, ok := v.s.parts.Services.Service(id); ok && s.Name != "" {
			label = s.Name
		}
	}
	if label == "" {
		label = id
	}
	if label == "" {
		return "Not named"
	}
	return clean(label)
}

func departmentName(name string) string {
	if name == "" {
		return "Department not known"
	}
	return clean(name)
}

// userName is the name if it is kept, else the pseudonym or the address.
func userName(key, label string) string {
	if label != "" && label != key {
		return clean(label)
	}
	switch key {
	case "":
		return "Not known"
	case "shared":
		return "Shared addresses"
	}
	if addr, ok := strings.CutPrefix(key, "ip:"); ok {
		return clean(addr)
	}
	return clean(shorten(key))
}

// byKey finds a row.
func byKey(rows []query.Row, key string) (query.Row, bool) {
	i := slices.IndexFunc(rows, func(r query.Row) bool { return r.Key[0] == key })
	if i < 0 {
		return query.Row{}, false
	}
	return rows[i], true
}
