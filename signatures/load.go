package signatures

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

//go:embed catalogue
var embedded embed.FS

const (
	versionFile = "VERSION"
	maxFile     = 256 << 10 // octets of one file; the largest of the catalogue is a tenth of that
	maxFiles    = 20_000
)

// Options say what is loaded. The zero value is the embedded catalogue with its default layer.
type Options struct {
	// Base is a whole catalogue instead of the embedded one, such as an update.
	Base fs.FS
	// Own is a directory of signatures of one's own, whose files win over those of the base: a service with an id of the base extends
	// it or, with replace = true, stands in its place, and a name of the base is taken over. Empty means none.
	Own string
	// Layers are matched beside the default layer.
	Layers []Layer
}

// Files are the files of the embedded catalogue.
func Files() fs.FS {
	files, err := fs.Sub(embedded, "catalogue")
	if err != nil {
		panic(err) // the name is a constant
	}
	return files
}

// BuiltIn is the version of the embedded catalogue.
func BuiltIn() string {
	version, err := fs.ReadFile(embedded, "catalogue/"+versionFile)
	if err != nil {
		panic(err) // it is embedded by name
	}
	return strings.TrimSpace(string(version))
}

// Embedded loads the catalogue of the program itself, with its default layer.
func Embedded() (*Catalogue, error) { return Load(Options{}) }

// Load reads, checks and joins the files. Its error holds everything that is wrong, with files and lines where they are known;
// whoever has a catalogue already keeps it then.
func Load(opts Options) (*Catalogue, error) {
	version, j, err := base(&opts)
	if err != nil {
		return nil, err
	}
	if opts.Own != "" {
		own, err := readFiles(os.DirFS(opts.Own), opts.Own)
		if err != nil {
			return nil, err
		}
		if err := j.add(own, true); err != nil {
			return nil, err
		}
	}
	return newCatalogue(version, j, opts.Layers)
}

// base reads a catalogue, or the embedded one in its compiled form.
func base(opts *Options) (version string, j *joiner, err error) {
	files := opts.Base
	if files == nil {
		return expand(compiled, opts)
	}
	parsed, err := readFiles(files, "")
	if err != nil {
		return "", nil, err
	}
	j = newJoiner(len(parsed))
	if err := j.add(parsed, false); err != nil {
		return "", nil, err
	}
	text, err := fs.ReadFile(files, versionFile)
	if err != nil {
		return "", nil, fmt.Errorf("reading the version of the catalogue: %w; a catalogue has it in its file %s", err, versionFile)
	}
	return strings.TrimSpace(string(text)), j, nil
}

// parsedFile is a catalogue file with the path that errors name.
type parsedFile struct {
	path string
	raw  rawFile
}

// readFiles decodes every TOML file below root, in order of their paths, on all processors. dir stands before the paths in errors.
func readFiles(root fs.FS, dir string) ([]parsedFile, error) {
	files, err := listFiles(root)
	if err != nil {
		return nil, fmt.Errorf("reading signatures in %s: %w; name a directory of catalogue files", orDefault(dir, "the catalogue"), err)
	}
	errs := make([]error, len(files))
	workers := min(runtime.GOMAXPROCS(0), len(files))
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < len(files); i += workers {
				errs[i] = files[i].read(root, dir)
			}
		})
	}
	wait.Wait()
	return files, errors.Join(errs...)
}

// listFiles names the TOML files below root; hidden ones are left out.
func listFiles(root fs.FS) (files []parsedFile, err error) {
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() && path.Ext(name) == ".toml" && !strings.HasPrefix(d.Name(), ".") {
			files = append(files, parsedFile{path: name})
		}
		if len(files) > maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		return nil
	})
	return files, err
}

// read decodes one file, whose path below root becomes one below dir.
func (p *parsedFile) read(root fs.FS, dir string) error {
	file, err := root.Open(p.path)
	p.path = filepath.Join(dir, filepath.FromSlash(p.path))
	if err != nil {
		return fmt.Errorf("reading %s: %w", p.path, err)
	}
	defer func() { _ = file.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return fmt.Errorf("reading %s: %w", p.path, err)
	}
	if len(data) > maxFile {
		return fmt.Errorf("reading %s: over %d octets; split it", p.path, maxFile)
	}
	p.raw, err = decode(p.path, data)
	return err
}

// joiner puts the services of several files together.
type joiner struct {
	services []*Service
	at       map[string]int      // id -> index into services
	from     map[string]string   // id -> file
	owner    map[string]*Service // name -> service
	sources  map[string]rawSource
}

// newJoiner makes room for the services of so many files.
func newJoiner(files int) *joiner {
	return &joiner{
		at: make(map[string]int, files), from: make(map[string]string, files), owner: make(map[string]*Service, 2*files),
		sources: make(map[string]rawSource),
	}
}

// add takes files in. Within the base an id or a name stands once; files of one's own take both over.
func (j *joiner) add(files []parsedFile, own bool) error {
	var errs []error
	fresh := make(map[string]bool, 3*len(files)) // ids and names of this set of files
	for i := range files {
		file := &files[i]
		for tag, source := range file.raw.Source {
			j.sources[tag] = source
		}
		for k := range file.raw.Service {
			raw := &file.raw.Service[k]
			if own {
				j.inherit(raw, file.raw.Vendor)
			}
			s, err := raw.service(&file.raw)
			if err == nil && fresh["id "+s.ID] {
				err = fmt.Errorf("service %q is already in %s; an id stands once", s.ID, j.from[s.ID])
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("reading %s:%d: %w", file.path, raw.line, err))
				continue
			}
			fresh["id "+s.ID] = true
			errs = append(errs, j.take(s, raw.Replace, file.path, fresh))
		}
	}
	return errors.Join(errs...)
}

// inherit fills what a service of one's own leaves out with what the base says of it.
func (j *joiner) inherit(raw *rawService, vendor string) {
	at, ok := j.at[raw.ID]
	if !ok || raw.Replace {
		return
	}
	base := j.services[at]
	if raw.Vendor == "" && vendor == "" {
		raw.Vendor, raw.Country = base.Vendor, orDefault(raw.Country, base.Country)
	}
	raw.Name = orDefault(raw.Name, base.Name)
	raw.Category = orDefault(raw.Category, base.Category)
	raw.Kind = orDefault(raw.Kind, base.Kind)
	if raw.Verified.IsZero() {
		raw.Verified = base.Verified
	}
}

// take adds one service: to the service of that id if there is one, else as a new one.
func (j *joiner) take(s *Service, replace bool, file string, fresh map[string]bool) error {
	var errs []error
	for i := range s.Names {
		name := s.Names[i].Name
		owner := j.owner[name]
		if fresh["name "+name] {
			errs = append(errs, fmt.Errorf("reading %s: name %q of service %q is already one of service %q; a name stands once", file, name, s.ID, owner.ID))
			continue
		}
		fresh["name "+name] = true
		if owner != nil && owner.ID != s.ID {
			owner.drop(name)
		}
		j.owner[name] = s
	}
	at, ok := j.at[s.ID]
	if !ok {
		j.put(s, file)
		return errors.Join(errs...)
	}
	if !replace {
		s.extend(j.services[at])
		for i := range s.Names {
			j.owner[s.Names[i].Name] = s
		}
	}
	j.services[at], j.from[s.ID] = s, file
	return errors.Join(errs...)
}

// put adds the first service of its id.
func (j *joiner) put(s *Service, file string) {
	j.at[s.ID], j.from[s.ID] = len(j.services), file
	j.services = append(j.services, s)
}

// sorted are the services in the order of their ids, once all have come.
func (j *joiner) sorted() []*Service {
	slices.SortFunc(j.services, func(a, b *Service) int { return strings.Compare(a.ID, b.ID) })
	return j.services
}

// extend adds what the older entry of the same id has and s has not.
func (s *Service) extend(old *Service) {
	for _, name := range old.Names {
		if !slices.ContainsFunc(s.Names, func(n Name) bool { return n.Name == name.Name }) {
			s.Names = append(s.Names, name)
		}
	}
	for _, fact := range old.Risk {
		if !slices.ContainsFunc(s.Risk, func(f Fact) bool { return f.Attribute == fact.Attribute }) {
			s.Risk = append(s.Risk, fact)
		}
	}
	s.URLs = append(slices.Clone(s.URLs), old.URLs...)
	s.UserAgents = append(slices.Clone(s.UserAgents), old.UserAgents...)
	s.Ranges = append(slices.Clone(s.Ranges), old.Ranges...)
}

func (s *Service) drop(name string) {
	s.Names = slices.DeleteFunc(s.Names, func(n Name) bool { return n.Name == name })
}
