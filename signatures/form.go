package signatures

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// The structs below are a catalogue file as it is written; README.md explains every key. Vendor and country stand once for all
// services of the file, and a service may say otherwise.
type rawFile struct {
	Vendor  string               `toml:"vendor"`
	Country string               `toml:"country"`
	Source  map[string]rawSource `toml:"source"`
	Service []rawService         `toml:"service"`
}

type rawSource struct {
	Title   string `toml:"title"`
	URL     string `toml:"url"`
	Date    string `toml:"date"`
	Licence string `toml:"licence"`
	Weight  string `toml:"weight"`
}

type rawService struct {
	ID         string             `toml:"id"`
	Name       string             `toml:"name"`
	Vendor     string             `toml:"vendor"`
	Country    string             `toml:"country"`
	Category   string             `toml:"category"`
	Kind       string             `toml:"kind"`
	Layer      string             `toml:"layer"`
	Verified   time.Time          `toml:"verified"`
	Replace    bool               `toml:"replace"`
	Names      []rawName          `toml:"names"`
	URLs       []string           `toml:"urls"`
	UserAgents []string           `toml:"user_agents"`
	IPRanges   []string           `toml:"ip_ranges"`
	Risk       map[string]rawFact `toml:"risk"`

	line int
}

type rawName struct {
	Name       string    `toml:"name"`
	Match      string    `toml:"match"`
	Role       string    `toml:"role"`
	Confidence string    `toml:"confidence"`
	Layer      string    `toml:"layer"`
	Kind       string    `toml:"kind"`
	Why        string    `toml:"why"`
	Sources    []string  `toml:"sources"`
	Verified   time.Time `toml:"verified"`

	line int
}

type rawFact struct {
	Value      string    `toml:"value"`
	Sources    []string  `toml:"sources"`
	Date       time.Time `toml:"date"`
	Confidence string    `toml:"confidence"`
}

// errForm says that a file is TOML in a form that decodeTables does not know.
var errForm = errors.New("form not known")

// decode reads one catalogue file. Its errors carry file, line and column.
func decode(path string, data []byte) (rawFile, error) {
	src := string(data)
	tables, at, ok := parseTree(src)
	if ok {
		file, err := decodeTables(path, tables)
		if !errors.Is(err, errForm) {
			return file, err
		}
	}
	if len(src) > maxOddFile {
		return rawFile{}, &formError{path, int(at.line), int(at.column()),
			fmt.Sprintf("not in the plain form of signatures/README.md from here on, and over %d octets; correct it or split the file", maxOddFile)}
	}
	return decodeTOML(path, src)
}

// maxOddFile bounds what the TOML package is given: on tables in tables its time and memory grow with the square of their number, so
// that 256 KB of brackets took it a minute and all memory. The largest file of the catalogue is in the plain form and of this size.
const maxOddFile = 16 << 10

// decodeTOML reads a file with the TOML package: whatever is not in the plain form, and what is not TOML at all.
func decodeTOML(path, src string) (rawFile, error) {
	var file rawFile
	meta, err := toml.Decode(src, &file)
	if err != nil {
		if parse, ok := errors.AsType[toml.ParseError](err); ok {
			at := parse.Position
			return rawFile{}, &formError{path, at.Line, at.Col, parse.Message + "; correct it there:\n" + parse.ErrorWithPosition()}
		}
		return rawFile{}, fmt.Errorf("reading %s: %w; correct it there", path, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		line, col := find(src, unknown[0])
		return rawFile{}, unknownKey(path, line, col, unknown[0].String())
	}
	for i := range file.Service {
		plainDates(&file.Service[i])
	}
	return file, nil
}

// plainDates moves the dates of a service from the time zone that the TOML package gives local dates to UTC.
func plainDates(s *rawService) {
	utc := func(t time.Time) time.Time {
		if t.IsZero() {
			return time.Time{}
		}
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	}
	s.Verified = utc(s.Verified)
	for i := range s.Names {
		s.Names[i].Verified = utc(s.Names[i].Verified)
	}
	for key, fact := range s.Risk {
		fact.Date = utc(fact.Date)
		s.Risk[key] = fact
	}
}

// find looks for the place of a key that the TOML package has not decoded: it gives the key, but not where it stands.
func find(src string, key toml.Key) (line, col int) {
	last := key[len(key)-1]
	for text := range strings.Lines(src) {
		line++
		code, _, _ := strings.Cut(text, "#")
		for from := 0; ; {
			i := strings.Index(code[from:], last)
			if i < 0 {
				break
			}
			i += from
			from = i + len(last)
			rest := strings.TrimLeft(code[from:], "\"' \t")
			if strings.HasPrefix(rest, "=") || strings.HasPrefix(rest, "]") || strings.HasPrefix(rest, ".") {
				return line, i + 1
			}
		}
	}
	return 1, 1
}

func unknownKey(path string, line, col int, key string) error {
	return &formError{path, line, col, fmt.Sprintf("unknown key %q; signatures/README.md lists the keys of a catalogue file", key)}
}

// formError is an error at a place of a file.
type formError struct {
	path      string
	line, col int
	text      string
}

func (e *formError) Error() string {
	return fmt.Sprintf("reading %s:%d:%d: %s", e.path, e.line, e.col, e.text)
}

// decodeTables is decodeTOML for a file in the plain form.
func decodeTables(path string, tables []table) (rawFile, error) {
	d := tableDecoder{path: path}
	for i := range tables {
		if err := d.table(&tables[i]); err != nil {
			return rawFile{}, err
		}
	}
	return d.file, nil
}

// tableDecoder fills a file from its tables, in their order.
type tableDecoder struct {
	path string
	file rawFile
	seen []string // headers that have stood and may not stand again
}

func (d *tableDecoder) table(t *table) error {
	switch {
	case t.array && t.header == "service":
		d.file.Service = append(d.file.Service, rawService{line: int(t.line)})
		d.seen = slices.DeleteFunc(d.seen, func(h string) bool { return h == riskHeader })
		return eachField(d.path, t.fields, d.service().set)
	case t.array || slices.Contains(d.seen, t.header):
		return errForm
	}
	d.seen = append(d.seen, t.header)
	if t.header == "" {
		return eachField(d.path, t.fields, d.file.set)
	}
	if t.header == riskHeader && len(d.file.Service) > 0 {
		return d.service().setRisk(d.path, t.fields)
	}
	if tag, ok := strings.CutPrefix(t.header, "source."); ok && !strings.Contains(tag, ".") {
		return d.file.setSource(d.path, tag, t.fields)
	}
	return errForm
}

// riskHeader is the table of the risk attributes of the service above it.
const riskHeader = "service.risk"

// service is the service that the tables below its header belong to.
func (d *tableDecoder) service() *rawService { return &d.file.Service[len(d.file.Service)-1] }

// A setter stores one field; it reports errUnknown for a key that it has no place for and errForm for a value of another type.
type setter func(f *field) error

// errUnknown becomes an error with a position in eachField.
var errUnknown = errors.New("unknown key")

func eachField(path string, fields []field, set setter) error {
	for i := range fields {
		f := &fields[i]
		err := set(f)
		if errors.Is(err, errUnknown) {
			return unknownKey(path, int(f.line), int(f.col), f.key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
