package signatures

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Severity grades a problem.
type Severity uint8

// The severities. A catalogue with errors does not load, or says something wrong; a warning asks for a look.
const (
	SeverityWarning Severity = iota + 1
	SeverityError
)

// String is the severity as it is printed.
func (s Severity) String() string {
	switch s {
	case SeverityWarning:
		return "warning"
	case SeverityError:
		return "error"
	}
	return ""
}

// Problem is something to correct in a catalogue file.
type Problem struct {
	File     string // below the root of the files
	Line     int    // from 1; 0 if the problem is not on one line, or the line is not known
	Message  string
	Severity Severity
}

// String is the problem as compilers print theirs.
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", p.File, p.Line, p.Severity, p.Message)
}

// staleAfter is how long an entry counts as verified.
const staleAfter = 365 * 24 * time.Hour

// Lint checks catalogue files and returns what is wrong with them, in the order of files and lines. For signatures of one's own, base
// is the catalogue that they are added to, whose services may be extended and whose source tags may be used; otherwise it is nil.
func Lint(files fs.FS, base *Catalogue, now time.Time) []Problem {
	l := &linter{now: now, base: base, tags: make(map[string]bool), ids: make(map[string]place), names: make(map[string]listed)}
	parsed, err := listFiles(files)
	if err != nil {
		return []Problem{{".", 0, err.Error(), SeverityError}}
	}
	for i := range parsed {
		file := &parsed[i]
		l.at = place{file.path, 0}
		if err := file.read(files, ""); err != nil {
			l.broken(err)
			continue
		}
		for tag, source := range file.raw.Source {
			l.tags[tag] = true
			l.source(tag, &source)
		}
	}
	for i := range parsed {
		l.at = place{parsed[i].path, 0}
		for k := range parsed[i].raw.Service {
			l.service(&parsed[i].raw, &parsed[i].raw.Service[k])
		}
	}
	l.parents()
	slices.SortStableFunc(l.problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line)
	})
	return l.problems
}

// place is a line of a file.
type place struct {
	file string
	line int
}

func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

// listed is a name with what the checks between names need.
type listed struct {
	Name
	at     place
	id     string
	vendor string
}

// linter gathers problems.
type linter struct {
	now      time.Time
	base     *Catalogue
	tags     map[string]bool   // explained source tags
	ids      map[string]place  // services so far
	names    map[string]listed // names so far
	at       place             // what is being looked at
	problems []Problem
}

func (l *linter) errorf(format string, args ...any) {
	l.problems = append(l.problems, Problem{l.at.file, l.at.line, fmt.Sprintf(format, args...), SeverityError})
}

func (l *linter) warnf(format string, args ...any) {
	l.problems = append(l.problems, Problem{l.at.file, l.at.line, fmt.Sprintf(format, args...), SeverityWarning})
}

// broken notes a file that cannot be read.
func (l *linter) broken(err error) {
	if form, ok := errors.AsType[*formError](err); ok {
		l.at.line = form.line
		l.errorf("column %d: %s", form.col, form.text)
		return
	}
	l.errorf("%v", err)
}

// source checks the explanation of a tag.
func (l *linter) source(tag string, s *rawSource) {
	if s.Title == "" || s.Date == "" {
		l.errorf("source %q: title or date missing; say what it is and of which day the copy was", tag)
	}
	if _, err := time.Parse("2006-01-02", s.Date); err != nil {
		if _, err := time.Parse("2006-01", s.Date); err != nil && s.Date != "" {
			l.errorf("source %q: date is %q; write a day as 2026-11-21 or a month as 2026-11", tag, s.Date)
		}
	}
	if !slices.Contains([]string{"vendor", "good", "weak"}, s.Weight) {
		l.errorf("source %q: weight is %q; it must be one of vendor, good, weak", tag, s.Weight)
	}
	if s.URL != "" && !strings.HasPrefix(s.URL, "https://") {
		l.errorf("source %q: url is %q; write an https address", tag, s.URL)
	}
}

// service checks one service and, through name, its names.
func (l *linter) service(file *rawFile, r *rawService) {
	l.at.line = r.line
	l.identity(file, r)
	if first, ok := l.ids[r.ID]; ok {
		l.errorf("service %q is already at %s; an id stands once", r.ID, first)
	}
	l.ids[r.ID] = l.at
	layer, err := word("layer", layerNames[:], r.Layer)
	if err != nil {
		l.errorf("service %q: %v", r.ID, err)
	}
	l.verified(fmt.Sprintf("service %q", r.ID), r.Verified, !l.extends(r))
	if len(r.Names)+len(r.URLs)+len(r.UserAgents)+len(r.IPRanges) == 0 && !l.extends(r) {
		l.errorf("service %q: nothing to know it by; add names", r.ID)
	}
	l.patterns(r)
	l.ranges(r)
	if _, err := r.risk(); err != nil {
		l.errorf("%v", err)
	}
	for attribute, fact := range r.Risk {
		if fact.Value == "" || fact.Date.IsZero() {
			l.errorf("service %q: risk attribute %s: value or date missing; leave out what is not known", r.ID, attribute)
		}
		l.sources(fmt.Sprintf("risk attribute %s of %q", attribute, r.ID), fact.Sources)
	}
	for i := range r.Names {
		l.at.line = r.Names[i].line
		l.name(file, r, &r.Names[i], Layer(layer))
	}
}

// extends says whether the service only adds to one of the base.
func (l *linter) extends(r *rawService) bool {
	if l.base == nil || r.Replace {
		return false
	}
	_, ok := l.base.Service(r.ID)
	return ok
}

// identity checks what a service is.
func (l *linter) identity(file *rawFile, r *rawService) {
	if !validID(r.ID) {
		l.errorf("service %q: an id is lower-case letters, digits and hyphens", r.ID)
	}
	extends := l.extends(r)
	missing := func(key, value string) {
		if value == "" && !extends {
			l.errorf("service %q: %s missing", r.ID, key)
		}
	}
	missing("name", r.Name)
	missing("vendor", r.Vendor+file.Vendor)
	if !slices.Contains(categories[:], r.Category) && (r.Category != "" || !extends) {
		l.errorf("service %q: category is %q; it must be one of %s", r.ID, r.Category, strings.Join(categories[:], ", "))
	}
	if r.Kind != "" || !extends {
		l.kind(fmt.Sprintf("service %q", r.ID), r.Kind)
	}
	l.countries(file, r)
}

func (l *linter) countries(file *rawFile, r *rawService) {
	for _, country := range []string{r.Country, file.Country} {
		if country != "" && !isCountry(country) {
			l.errorf("service %q: country is %q; write the two capitals of ISO 3166-1, or leave it out", r.ID, country)
		}
	}
}

func (l *linter) kind(what, kind string) {
	if !slices.Contains(kinds[:], kind) {
		l.errorf("%s: kind is %q; it must be one of %s", what, kind, strings.Join(kinds[:], ", "))
	}
}

// verified checks the day of a verification; zero is no problem where it is not needed.
func (l *linter) verified(what string, day time.Time, needed bool) {
	switch {
	case day.IsZero() && needed:
		l.errorf("%s: verified missing; write the day on which it was held against its sources", what)
	case day.IsZero():
	case day.After(l.now):
		l.errorf("%s: verified on %s, which is to come", what, day.Format(time.DateOnly))
	case l.now.Sub(day) > staleAfter:
		l.warnf("%s: verified on %s, over a year ago; hold it against its sources again", what, day.Format(time.DateOnly))
	}
}

// sources checks that there are sources and that each is explained.
func (l *linter) sources(what string, sources []string) {
	if len(sources) == 0 {
		l.errorf("%s: sources missing; write where it is from", what)
	}
	for _, text := range sources {
		source, err := ParseSource(text)
		if err != nil {
			l.errorf("%s: %v", what, err)
			continue
		}
		if source.Tag != "" && !l.tags[source.Tag] && !l.inBase(source.Tag) {
			l.errorf("%s: source %q is not explained; add it to sources.toml", what, source.Tag)
		}
	}
}

func (l *linter) inBase(tag string) bool {
	if l.base == nil {
		return false
	}
	_, ok := l.base.sources[tag]
	return ok
}

// patterns checks patterns for logs: one that is hardly more than stars would take everything.
func (l *linter) patterns(r *rawService) {
	for _, text := range r.URLs {
		host, _, slash := strings.Cut(text, "/")
		if !slash || strings.Contains(host, ":") || strings.Count(strings.ReplaceAll(host, "*", ""), ".") < 1 {
			l.errorf("service %q: url %q; write host and path without a scheme, as in www.example.com/assistant*", r.ID, text)
		}
	}
	for _, text := range r.UserAgents {
		if len(strings.ReplaceAll(text, "*", "")) < 5 {
			l.errorf("service %q: user agent %q takes too much; write at least five letters of the client's own name", r.ID, text)
		}
	}
}

// ranges checks ranges of addresses.
func (l *linter) ranges(r *rawService) {
	for _, text := range r.IPRanges {
		prefix, err := netip.ParsePrefix(text)
		switch {
		case err != nil:
			l.errorf("service %q: ip range %q: write it as 192.0.2.0/24", r.ID, text)
		case !prefix.Addr().IsGlobalUnicast() || prefix.Addr().IsPrivate():
			l.errorf("service %q: ip range %s is nobody's on the Internet", r.ID, text)
		case prefix.Bits() < narrowest(prefix.Addr()):
			l.errorf("service %q: ip range %s is wider than one service; write the ranges that it has for itself", r.ID, text)
		}
	}
}

// narrowest is the length of the widest prefix that one service may have.
func narrowest(addr netip.Addr) int {
	if addr.Is4() {
		return 16
	}
	return 32
}
