package signatures

import (
	_ "embed" // for compiled
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// compiled is the embedded catalogue as `make compile` writes it: what its TOML files say, in a form that is read in a sixteenth of the time
// (measured: 2.5 ms against 40), for a program that may have no more than half a second to do. A test holds it to the files.
//
//go:embed catalogue.bin
var compiled string

// compiledForm changes with the form.
const compiledForm = "gnomon catalogue 2\n"

// errCompiled says that a compiled catalogue is damaged or of another form.
var errCompiled = errors.New("reading the compiled catalogue: it is damaged or of another form; run make compile")

// Compile reads the catalogue in files and returns its compiled form.
func Compile(files fs.FS) ([]byte, error) {
	parsed, err := readFiles(files, "")
	if err != nil {
		return nil, err
	}
	j := newJoiner(len(parsed))
	if err := j.add(parsed, false); err != nil {
		return nil, err
	}
	version, err := fs.ReadFile(files, versionFile)
	if err != nil {
		return nil, fmt.Errorf("reading the version of the catalogue: %w", err)
	}
	w := compiler{b: []byte(compiledForm)}
	w.text(strings.TrimSpace(string(version)))
	w.number(len(j.sources))
	for _, tag := range slices.Sorted(maps.Keys(j.sources)) {
		s := j.sources[tag]
		w.text(tag, s.Title, s.URL, s.Date, s.Licence, s.Weight)
	}
	services := j.sorted()
	w.lists(services)
	w.number(len(services))
	for _, s := range services {
		everyone := 0
		if byDefault(s) {
			everyone = 1
		}
		w.number(everyone)
		body := compiler{at: w.at}
		body.service(s, j.from[s.ID])
		w.text(string(body.b))
	}
	return w.b, nil
}

// byDefault says whether a service is there for everyone: if one of its names is, or if it has none.
func byDefault(s *Service) bool {
	return len(s.Names) == 0 || slices.ContainsFunc(s.Names, func(n Name) bool { return n.Layer == LayerDefault })
}

// compiler appends.
type compiler struct {
	b  []byte
	at map[string]int // lists of sources that have been written, by their texts, and how many texts stand before each
}

// lists writes how many names there are, and once every list of sources that names have: few lists serve many names.
func (w *compiler) lists(services []*Service) {
	var texts []string
	names := 0
	w.at = make(map[string]int)
	for _, s := range services {
		names += len(s.Names)
		for i := range s.Names {
			list := s.Names[i].Sources
			if _, ok := w.at[listKey(list)]; !ok {
				w.at[listKey(list)] = len(texts)
				texts = append(texts, list...)
			}
		}
	}
	w.number(names)
	w.texts(texts)
}

func listKey(list []string) string { return strings.Join(list, "\n") }

func (w *compiler) number(n int) { w.b = binary.AppendUvarint(w.b, uint64(n)) }

func (w *compiler) text(list ...string) {
	for _, s := range list {
		w.number(len(s))
		w.b = append(w.b, s...)
	}
}

func (w *compiler) texts(list []string) {
	w.number(len(list))
	w.text(list...)
}

// day is a date as the days since 1970-01-01, plus one; 0 is none.
func (w *compiler) day(t time.Time) {
	if t.IsZero() {
		w.number(0)
		return
	}
	w.number(int(t.Unix()/86400) + 1)
}

func (w *compiler) service(s *Service, from string) {
	w.text(s.ID, s.Name, s.Vendor, s.Country, s.Category, s.Kind, from)
	w.day(s.Verified)
	w.texts(s.URLs)
	w.texts(s.UserAgents)
	w.number(len(s.Ranges))
	for _, r := range s.Ranges {
		w.text(r.String())
	}
	w.number(len(s.Risk))
	for i := range s.Risk {
		f := &s.Risk[i]
		w.text(f.Attribute, f.Value)
		w.texts(f.Sources)
		w.day(f.Date)
		w.number(int(f.Confidence))
	}
	w.number(len(s.Names))
	for i := range s.Names {
		n := &s.Names[i]
		w.text(n.Name, n.Kind, n.Why)
		w.number(w.at[listKey(n.Sources)])
		w.number(len(n.Sources))
		w.ownDay(n.Verified, s.Verified)
		for _, v := range []int{int(n.Role), int(n.Match), int(n.Confidence), int(n.Layer)} {
			w.number(v)
		}
	}
}

// ownDay writes the day of a name if it is not that of its service.
func (w *compiler) ownDay(t, service time.Time) {
	if t.Equal(service) {
		t = time.Time{}
	}
	w.day(t)
}

// expander reads what a compiler wrote; once it runs short it stays short. Texts are parts of s, so nothing is copied.
type expander struct {
	s     string
	short bool
	lists []string // all lists of the sources of names, one behind the other
	names []Name   // room for those of the services that are still to come
}

// number reads a number of at most limit.
func (r *expander) number(limit int) int {
	var n uint64
	for shift := 0; shift < 32; shift += 7 {
		if r.s == "" {
			break
		}
		c := r.s[0]
		r.s = r.s[1:]
		n |= uint64(c&0x7f) << shift
		if c < 0x80 && n <= uint64(limit) {
			return int(n)
		}
	}
	r.s, r.short = "", true
	return 0
}

func (r *expander) text() string {
	n := r.number(len(r.s))
	if n > len(r.s) {
		r.s, r.short = "", true
		return ""
	}
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

func (r *expander) texts() []string {
	n := r.number(len(r.s))
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.text()
	}
	return list
}

func (r *expander) day() time.Time {
	n := r.number(1 << 20)
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(int64(n-1)*86400, 0).UTC()
}

// expand reads a compiled catalogue: a service of other layers than the default one only if one of them is chosen, or if signatures of
// one's own may extend it. Whose a name is, and from which file, is noted for these alone.
func expand(text string, opts *Options) (version string, j *joiner, err error) {
	r := expander{s: text}
	rest, ok := strings.CutPrefix(r.s, compiledForm)
	if !ok {
		return "", nil, errCompiled
	}
	r.s = rest
	version = r.text()
	j = newJoiner(0)
	for range r.number(len(r.s)) {
		tag := r.text()
		j.sources[tag] = rawSource{Title: r.text(), URL: r.text(), Date: r.text(), Licence: r.text(), Weight: r.text()}
	}
	r.names = make([]Name, r.number(len(r.s)))
	r.lists = r.texts()
	r.services(j, opts)
	if r.short || r.s != "" {
		return "", nil, errCompiled
	}
	return version, j, nil
}

func (r *expander) services(j *joiner, opts *Options) {
	room := make([]Service, r.number(len(r.s)))
	j.services = make([]*Service, 0, len(room))
	for range room {
		everyone, body := r.number(1) == 1, r.text()
		if !everyone && opts.Own == "" && len(opts.Layers) == 0 {
			continue
		}
		s := &room[len(j.services)]
		from := r.body(body, s)
		if opts.Own == "" {
			j.services = append(j.services, s)
			continue
		}
		j.put(s, from)
		for k := range s.Names {
			j.owner[s.Names[k].Name] = s
		}
	}
}

// body reads a service, all of it, out of its part of the text.
func (r *expander) body(text string, s *Service) (from string) {
	rest := r.s
	r.s = text
	from = r.service(s)
	r.short = r.short || r.s != ""
	r.s = rest
	return from
}

func (r *expander) service(s *Service) (from string) {
	s.ID, s.Name, s.Vendor, s.Country, s.Category, s.Kind = r.text(), r.text(), r.text(), r.text(), r.text(), r.text()
	from = r.text()
	s.Verified = r.day()
	s.URLs, s.UserAgents = r.texts(), r.texts()
	for range r.number(len(r.s)) {
		prefix, err := netip.ParsePrefix(r.text())
		r.short = r.short || err != nil
		s.Ranges = append(s.Ranges, prefix)
	}
	for range r.number(len(r.s)) {
		s.Risk = append(s.Risk, Fact{Attribute: r.text(), Value: r.text(), Sources: r.texts(), Date: r.day(), Confidence: Confidence(r.number(len(confidenceNames) - 1))})
	}
	n := r.number(len(r.names))
	s.Names, r.names = r.names[:n:n], r.names[n:]
	for i := range s.Names {
		r.name(&s.Names[i], s)
	}
	return from
}

func (r *expander) name(n *Name, of *Service) {
	n.Name, n.Kind, n.Why = r.text(), r.text(), r.text()
	first := r.number(len(r.lists))
	last := first + r.number(len(r.lists)-first)
	n.Sources = r.lists[first:last:last]
	n.Verified = r.day()
	if n.Verified.IsZero() {
		n.Verified = of.Verified
	}
	n.Role, n.Match = Role(r.number(len(roleNames)-1)), Match(r.number(len(matchNames)-1))
	n.Confidence, n.Layer = Confidence(r.number(len(confidenceNames)-1)), Layer(r.number(len(layerNames)-1))
}
