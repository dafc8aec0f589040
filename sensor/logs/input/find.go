package input

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// find lists the files of a source that are there now, those that were changed first at the beginning. What cannot be looked at is noted.
func (f *files) find() []found {
	var all []found
	seen := map[key]bool{}
	f.noted = map[string]bool{}
	add := func(path string, rotated bool) {
		one, err := look(path)
		if f.cannot("file "+path, err); err != nil || seen[one.key] {
			return
		}
		one.rotated = rotated
		seen[one.key] = true
		all = append(all, one)
	}
	for _, pattern := range f.source.config.Files {
		f.findPattern(pattern, add)
	}
	if dir := f.source.config.Directory; dir != "" {
		f.findBelow(dir, add)
	}
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Or(cmp.Compare(a.changed, b.changed), cmp.Compare(a.path, b.path)) })
	return all
}

// cannot notes what keeps a file or a directory from being read; nil: nothing does. A file that has just gone is no problem.
func (f *files) cannot(about string, err error) {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		f.source.problem.solved(about)
		return
	}
	f.noted[about] = true
	do := ""
	switch {
	case errors.Is(err, fs.ErrPermission):
		do = "; let the sensor's user read it (a group, an ACL)"
	case errors.Is(err, errIrregular):
		do = "; take it out of the pattern, or read a pipe with `gnomon scan -`"
	}
	f.source.problem.note(about, fmt.Sprintf("reading logs: %v%s", err, do))
}

// findPattern adds what a pattern means: a path without signs of a pattern means its rotated files too.
func (f *files) findPattern(pattern string, add func(path string, rotated bool)) {
	dir, base := filepath.Split(pattern)
	if strings.ContainsAny(dir, `*?[\`) {
		paths, _ := filepath.Glob(pattern) // the configuration was checked
		for _, path := range paths {
			add(path, rotatedName(filepath.Base(path)))
		}
		f.missing(pattern, len(paths) == 0)
		return
	}
	entries, err := os.ReadDir(filepath.Clean(dir + "."))
	f.cannot("dir "+dir, noDirectory(err))
	plain := !strings.ContainsAny(base, `*?[\`)
	none := true
	for _, entry := range entries {
		name := entry.Name()
		fits := plain && rotationOf(base, name)
		if !plain {
			fits, _ = filepath.Match(base, name)
		}
		if fits {
			none = false
			add(dir+name, rotatedName(name) && (!plain || name != base))
		}
	}
	f.missing(pattern, err == nil && none)
}

// noDirectory is the error of a directory that is not there: unlike a file's, it is one.
func noDirectory(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s; is the path right?", err.Error())
	}
	return err
}

// missing notes a pattern that nothing fits.
func (f *files) missing(pattern string, none bool) {
	about := "no " + pattern
	if !none {
		f.source.problem.solved(about)
		return
	}
	f.source.problem.note(about, fmt.Sprintf("reading logs: there is no file %s; is the path right, and has anything been written?", pattern))
}

// findBelow adds every file in and below a directory. Links to directories are not followed, so that no loop is; what is hidden, or by its
// name still being brought, is passed over.
func (f *files) findBelow(dir string, add func(path string, rotated bool)) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error { // it returns no error
		if path == dir {
			f.cannot("dir "+dir, noDirectory(err))
			return nil
		}
		f.cannot("file "+path, err)
		switch name := d.Name(); {
		case err != nil, strings.HasPrefix(name, ".") && d.IsDir():
			return fs.SkipDir
		case d.IsDir(), strings.HasPrefix(name, "."), unfinishedName(name):
		case d.Type()&fs.ModeSymlink != 0:
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				return nil
			}
			add(path, false)
		case d.Type().IsRegular():
			add(path, false)
		}
		return nil
	})
}

// unfinishedName says whether a name is one of those that programs give to files that they are still bringing.
func unfinishedName(name string) bool {
	for _, ending := range []string{".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~"} {
		if strings.HasSuffix(name, ending) {
			return true
		}
	}
	return false
}

// rotationOf says whether name is base, or what a rotation makes of it: access.log.1, access.log-20261121.gz, access-20261121.log.
func rotationOf(base, name string) bool {
	if name == base {
		return true
	}
	name = unpackedName(name)
	if rest, ok := strings.CutPrefix(name, base); ok {
		return rest == "" || datelike(rest)
	}
	ext := filepath.Ext(base)
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(base, ext))
	if ok && ext != "" {
		rest, ok = strings.CutSuffix(rest, ext)
		return ok && datelike(rest)
	}
	return false
}

// rotatedName says whether a name alone shows that nobody writes the file any more.
func rotatedName(name string) bool {
	plain := unpackedName(name)
	if plain != name {
		return true
	}
	i := strings.LastIndexAny(plain, ".-_")
	return i > 0 && datelike(plain[i:])
}

func unpackedName(name string) string {
	for _, ending := range []string{".gz", ".zst", ".zip"} {
		name = strings.TrimSuffix(name, ending)
	}
	return name
}

// datelike says whether s is what rotations put behind a name: a number or a time, behind a dot, a dash or a line.
func datelike(s string) bool {
	return len(s) > 1 && strings.Contains(".-_", s[:1]) && strings.Trim(s, "0123456789.-_TZ") == "" && strings.ContainsAny(s, "0123456789")
}
