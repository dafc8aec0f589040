package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// silenced are names that are not to be called candidates: each stands for itself and for what is below it.
type silenced map[string]silencing

// silencing is when and why a name was silenced.
type silencing struct{ day, why string }

func (p *program) silencedPath(c *settings) string {
	return filepath.Join(stateDir(&c.Config, p.environ), "candidates.silenced")
}

// silenced reads the names; nobody has to have silenced one.
func (p *program) silenced(c *settings) (silenced, error) {
	path := p.silencedPath(c)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the silenced candidates: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	all := silenced{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), "\t")
		day, why, _ := strings.Cut(rest, "\t")
		if name = strings.TrimSpace(name); name != "" && !strings.HasPrefix(name, "#") {
			all[strings.ToLower(name)] = silencing{day, why}
		}
	}
	if err := lines.Err(); err != nil {
		return all, fmt.Errorf("reading the silenced candidates in %s: %w", path, err)
	}
	return all, nil
}

// covers says whether a name, or one that it lies below, was silenced.
func (s silenced) covers(name string) bool {
	for ; name != ""; _, name, _ = strings.Cut(name, ".") {
		if _, ok := s[name]; ok {
			return true
		}
	}
	return false
}

// silence adds a name to the file, or takes it out again.
func (p *program) silence(c *settings, name, why string, again bool, now time.Time) error {
	all, err := p.silenced(c)
	if err != nil {
		return err
	}
	if all == nil {
		all = silenced{}
	}
	if again {
		if _, ok := all[name]; !ok {
			return fmt.Errorf("letting %s be heard again: it is not silenced", name)
		}
		delete(all, name)
	} else {
		all[name] = silencing{now.UTC().Format(time.DateOnly), strings.Join(strings.Fields(why), " ")}
	}
	return all.write(p.silencedPath(c))
}

// write writes the file in the order of names.
func (s silenced) write(path string) error {
	var text strings.Builder
	text.WriteString("# Names that are no candidates for the catalogue, and what lies below them: name, day, reason; tabs between them.\n")
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&text, "%s\t%s\t%s\n", name, s[name].day, s[name].why)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("keeping the silenced candidates: %w", err)
	}
	if err := writeFile(path, text.String()); err != nil {
		return fmt.Errorf("keeping the silenced candidates: %w", err)
	}
	return nil
}
