package logs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// source is where a part of a record comes from: one field, or several put together with spaces, cleaned.
type source struct {
	slots   []int
	zoned   bool // the column without a name that holds a time with its zone
	cleaned []cleaner
}

// plan says where each part of a record comes from; of several sources the first that has something counts.
type plan struct {
	time, client, user, host, server, up, down, deltaUp, deltaDown, method, action, status, session, phase, nobody, clientPort, serverPort []source

	path, agent, elapsedMS, elapsedS []source
}

// layout is one compiled way of writing lines. It holds nothing of any line and may be shared.
type layout struct {
	spec   *layoutSpec
	kind   Kind
	phase  Phase
	begins bool // the time is that of the beginning
	when   [][]byte
	ignore [][]byte

	until, nobody, denied, allowed, starts, interim, denials, permissions globs

	keys     keys
	plan     plan
	match    []matcher
	remember []int
	recall   []int
	columns  []int // slots, by position; -1: passed over
	elastic  int   // the column that may hold several words; -1: none
	open     bool  // the last column is the rest of the line
	zoned    bool
	makes    []func([]byte) bool // by slot: whether a word makes sense there; nil: nobody can tell
	figures  []bool              // by slot: whether it is a figure
	pairs    pairs
	pattern  *regexp.Regexp
	groups   []int // slots, by group of the pattern
	split    func(r *reader, l *layout, line []byte, f *fields) error
}

// matcher is what a field must be.
type matcher struct {
	slot  int
	globs globs
}

// compileLayout makes a layout of its description.
func compileLayout(s *layoutSpec) (*layout, error) {
	l := &layout{spec: s, elastic: -1, kind: map[string]Kind{"connection": KindConnection, "lookup": KindLookup}[s.Kind],
		phase: map[string]Phase{"start": PhaseStart, "interim": PhaseInterim}[s.Phase], begins: s.Stamp == "start"}
	l.when, l.ignore = texts(s.When), texts(s.Ignore)
	l.until, l.nobody = newGlobs(s.Until), newGlobs(s.Nobody)
	l.denials, l.permissions = newGlobs(denials), newGlobs(permissions)
	l.denied, l.allowed, l.starts, l.interim = newGlobs(s.Denied), newGlobs(s.Allowed), newGlobs(s.Starts), newGlobs(s.Interim)
	if err := l.plans(); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(keysOf(s.Match)) {
		l.match = append(l.match, matcher{l.keys.add(name), newGlobs(s.Match[name])})
	}
	for _, name := range s.Remember {
		l.remember = append(l.remember, l.keys.add(name))
	}
	for _, name := range s.Recall {
		l.recall = append(l.recall, l.keys.add(name))
	}
	if len(l.keys.names) > maxSlots {
		return nil, fmt.Errorf("over %d fields are asked for; ask for fewer", maxSlots)
	}
	if err := l.shape(); err != nil {
		return nil, err
	}
	l.senses()
	return l, nil
}

func keysOf[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// senses notes how the words of figures, addresses and hosts can be told.
func (l *layout) senses() {
	l.makes, l.figures = make([]func([]byte) bool, len(l.keys.names)), make([]bool, len(l.keys.names))
	note := func(sources []source, sense func([]byte) bool, figure bool) {
		for _, s := range sources {
			for _, slot := range s.slots {
				l.makes[slot], l.figures[slot] = sense, figure
			}
		}
	}
	p := &l.plan
	note(p.host, isHost, false)
	note(p.client, isAddr, false)
	note(p.server, isAddr, false)
	note(p.up, isCount, true)
	note(p.down, isCount, true)
}

func texts(in []string) (out [][]byte) {
	for _, s := range in {
		out = append(out, []byte(s))
	}
	return out
}

// plans compiles [record].
func (l *layout) plans() error {
	p := &l.plan
	to := map[string]*[]source{"time": &p.time, "client": &p.client, "user": &p.user, "host": &p.host, "server": &p.server, "up": &p.up,
		"down": &p.down, "delta_up": &p.deltaUp, "delta_down": &p.deltaDown, "method": &p.method, "action": &p.action, "status": &p.status,
		"session": &p.session, "phase": &p.phase, "nobody": &p.nobody, "client_port": &p.clientPort, "server_port": &p.serverPort,
		"path": &p.path, "agent": &p.agent, "elapsed_ms": &p.elapsedMS, "elapsed_s": &p.elapsedS}
	for _, name := range slices.Sorted(keysOf(l.spec.Record)) {
		for _, text := range l.spec.Record[name] {
			src, err := l.source(text)
			if err != nil {
				return fmt.Errorf("record.%s: %w", name, err)
			}
			*to[name] = append(*to[name], src)
		}
	}
	return nil
}

// source reads "date + time + tz" and "request | request".
func (l *layout) source(text string) (source, error) {
	var s source
	for i, piece := range strings.Split(text, "|") {
		if i > 0 {
			c, err := newCleaner(piece)
			if err != nil {
				return s, err
			}
			s.cleaned = append(s.cleaned, c)
			continue
		}
		for name := range strings.SplitSeq(piece, " + ") {
			name = strings.TrimSpace(name)
			if name == "" {
				return s, fmt.Errorf("%q names no field", text)
			}
			if name == "@zoned" {
				s.zoned, l.zoned = true, true
				continue
			}
			s.slots = append(s.slots, l.keys.add(name))
		}
	}
	return s, nil
}

// shape chooses how lines are cut and prepares that.
func (l *layout) shape() error {
	s := l.spec
	switch s.Shape {
	case "columns":
		l.split = (*reader).splitColumns
		return l.positions(s.Columns)
	case "csv":
		l.split = (*reader).splitCSV
		return l.positions(s.Columns)
	case "json":
		l.split = (*reader).splitJSON
		return nil
	case "regexp":
		l.split = (*reader).splitRegexp
		return l.compilePattern()
	}
	l.split = map[string]func(*reader, *layout, []byte, *fields) error{
		"pairs": (*reader).splitPairs, "cef": (*reader).splitCEF, "leef": (*reader).splitLEEF}[s.Shape]
	l.pairs = newPairs(s)
	return l.positions(s.Words)
}

// positions gives columns their slots. A name that ends in dots may hold several words.
func (l *layout) positions(names []string) error {
	for i, name := range names {
		name, dots := strings.CutSuffix(name, "...")
		switch {
		case dots && i == len(names)-1:
			l.open = true
		case dots && l.elastic >= 0:
			return fmt.Errorf("columns: both %s and %s end in dots; only one before the last can", names[l.elastic], name)
		case dots:
			l.elastic = i
		}
		l.columns = append(l.columns, l.keys.find([]byte(name)))
	}
	if fixed := l.spec.Shape == "columns" || l.spec.Shape == "csv"; fixed && !l.spec.Header {
		return l.missing(l.columns, "no column is called %[1]q; the columns are "+strings.Join(names, " "))
	}
	return nil
}

// missing complains about a field that is asked for and is not there.
func (l *layout) missing(slots []int, complaint string) error {
	for slot, name := range l.keys.names {
		if !slices.Contains(slots, slot) {
			return fmt.Errorf(complaint, name)
		}
	}
	return nil
}

// compilePattern gives the named groups their slots.
func (l *layout) compilePattern() error {
	var err error
	if l.pattern, err = regexp.Compile(l.spec.Pattern); err != nil {
		return fmt.Errorf("pattern: %w", err)
	}
	for _, name := range l.pattern.SubexpNames() {
		l.groups = append(l.groups, l.keys.find([]byte(name)))
	}
	return l.missing(l.groups, "the pattern has no group called %[1]q; write (?P<%[1]s>...)")
}
