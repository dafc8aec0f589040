package logs

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

//go:embed formats
var embedded embed.FS

// maxSpec bounds a format's file in octets.
const maxSpec = 256 << 10

// Library holds the formats there are.
type Library struct {
	formats map[string]*format
}

// format is a compiled one.
type format struct {
	spec    *spec
	layouts []*layout
}

// Options say what a source's lines leave unsaid.
type Options struct {
	// Location is that of times without a zone; nil is UTC.
	Location *time.Location
	// Now is about when the lines were written last, in nanoseconds since 1970-01-01 UTC: it gives a year to times that have none. For a
	// file it is when the file was changed; nil or 0 leaves such times unknown.
	Now func() int64
}

// Load compiles the formats of the program and those in the directory own, if one is named: a format there takes the place of one of
// the same name.
func Load(own string) (*Library, error) {
	l := &Library{formats: map[string]*format{}}
	files, err := fs.Sub(embedded, "formats")
	if err != nil {
		return nil, err
	}
	if err := l.add(files, "formats"); err != nil {
		return nil, err
	}
	if own == "" {
		return l, nil
	}
	if err := l.add(os.DirFS(own), own); err != nil {
		return nil, err
	}
	return l, nil
}

// New compiles one format alone; name is its file's, for errors.
func New(name string, text []byte) (*Library, error) {
	l := &Library{formats: map[string]*format{}}
	return l, l.Add(name, text)
}

// add compiles every file of a directory.
func (l *Library) add(files fs.FS, dir string) error {
	names, err := fs.Glob(files, "*.toml")
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("reading log formats in %s: there is no file *.toml; name a directory of formats", dir)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("reading the log format %s: %w", path.Join(dir, name), err)
		}
		if err := l.Add(path.Join(dir, name), text); err != nil {
			return err
		}
	}
	return nil
}

// Add compiles one format; name is its file's, for errors.
func (l *Library) Add(name string, text []byte) error {
	if len(text) > maxSpec {
		return fmt.Errorf("reading the log format %s: over %d octets; a format needs a fraction of that", name, maxSpec)
	}
	s, err := parseSpec(name, text)
	if err != nil {
		return err
	}
	f := &format{spec: s}
	layouts := s.layouts()
	for i := range layouts {
		compiled, err := compileLayout(&layouts[i])
		if err != nil {
			return fmt.Errorf("reading the log format %s: %w", name, err)
		}
		f.layouts = append(f.layouts, compiled)
	}
	l.formats[s.Name] = f
	return nil
}

// Info is what the library knows of a format.
type Info struct {
	Name, Title string
	// Upload says which line to configure instead where the format does not tell how much went up; empty if it does.
	Upload string
	// Uploads says that lines of the format may tell how much went up. Where Upload has something to say as well, not every log does.
	Uploads bool
	// Source are the pages that describe the fields.
	Source []string
	// Samples are lines of the format.
	Samples []string
}

// Formats lists the formats by name.
func (l *Library) Formats() []Info {
	var out []Info
	for _, name := range slices.Sorted(keysOf(l.formats)) {
		out = append(out, l.formats[name].info())
	}
	return out
}

// Info describes one format.
func (l *Library) Info(name string) (Info, bool) {
	f, ok := l.formats[name]
	if !ok {
		return Info{}, false
	}
	return f.info(), true
}

func (f *format) info() Info {
	s := f.spec
	uploads := slices.ContainsFunc(f.layouts, func(l *layout) bool { return l.kind != KindLookup && len(l.plan.up)+len(l.plan.deltaUp) > 0 })
	return Info{Name: s.Name, Title: s.Title, Upload: s.Upload, Uploads: uploads, Source: s.Source, Samples: s.Samples}
}

// Open returns a Format for one source.
func (l *Library) Open(name string, o Options) (Format, error) {
	f, ok := l.formats[name]
	if !ok {
		return nil, fmt.Errorf("there is no log format %q; `gnomon logs formats` lists them%s", name, l.near(name))
	}
	return f.open(o), nil
}

// near suggests formats that begin alike.
func (l *Library) near(name string) string {
	first, _, _ := strings.Cut(name, "-")
	var alike []string
	for _, other := range slices.Sorted(keysOf(l.formats)) {
		if first != "" && strings.HasPrefix(other, first) {
			alike = append(alike, other)
		}
	}
	if len(alike) == 0 {
		return ""
	}
	return " (" + strings.Join(alike, ", ") + "?)"
}

func (f *format) open(o Options) *reader {
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.Now == nil {
		o.Now = func() int64 { return 0 }
	}
	r := &reader{layouts: f.layouts, comments: []byte(f.spec.Comments)}
	r.fields = make([]fields, len(f.layouts))
	r.clocks = make([]clock, len(f.layouts))
	r.header = make([]header, len(f.layouts))
	for i, l := range f.layouts {
		r.fields[i] = fields{values: make([]value, len(l.keys.names))}
		r.clocks[i] = clock{location: o.Location, now: o.Now, monthIn: l.spec.MonthIn}
	}
	return r
}
