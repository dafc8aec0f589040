package logs

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// spec is a format's file.
type spec struct {
	Name     string   `toml:"name"`
	Title    string   `toml:"title"`
	Source   []string `toml:"source"`   // where the fields are described
	Upload   string   `toml:"upload"`   // what to configure where the format does not say how much went up; empty: it says so
	Samples  []string `toml:"samples"`  // lines that must be read
	Detect   []string `toml:"detect"`   // texts of which each line of the format holds one; the more of them, the surer
	Unlike   []string `toml:"unlike"`   // texts that no line of the format holds
	Weight   int      `toml:"weight"`   // wins where several formats read the same lines
	Comments string   `toml:"comments"` // what header lines begin with
	layoutSpec
	Variants []layoutSpec `toml:"variant"`
}

// layoutSpec is one way that the lines of a format are written.
type layoutSpec struct {
	When   []string `toml:"when"`   // texts that the line holds, all of them
	Ignore []string `toml:"ignore"` // texts of lines that tell of something else
	Kind   string   `toml:"kind"`   // web, connection, lookup

	Shape     string   `toml:"shape"` // columns, pairs, csv, json, cef, leef, regexp
	Columns   []string `toml:"columns"`
	Until     []string `toml:"until"`     // what may follow the column that ends in dots
	Least     int      `toml:"least"`     // columns that a line must have
	Anchor    string   `toml:"anchor"`    // epoch: the first column is the first word that is a time since 1970
	Separator string   `toml:"separator"` // between columns or pairs: space, tab, comma or a text
	Header    bool     `toml:"header"`    // a line of the source names the columns
	Assign    string   `toml:"assign"`    // between key and value
	Words     []string `toml:"words"`     // columns before the first pair
	Keys      []string `toml:"keys"`      // all keys, where values hold spaces without quotes
	Spaces    bool     `toml:"spaces"`    // values may hold spaces without quotes
	KeyBytes  string   `toml:"key_bytes"` // what keys may hold beside letters, digits, '.', '_' and '-'
	Rest      []string `toml:"rest"`      // keys whose value is the rest of the line, written with what ends them
	Prefixes  []string `toml:"prefixes"`  // of keys, to be left out
	Root      []string `toml:"root"`      // JSON objects whose fields count as those of the line
	Pattern   string   `toml:"pattern"`
	MonthIn   bool     `toml:"month_first"` // 01/02/2026 is the second of January

	Stamp    string              `toml:"stamp"` // start, where the time is that of the beginning
	Phase    string              `toml:"phase"` // start or interim, where all lines of a variant are of one phase
	Match    map[string][]string `toml:"match"` // field = what it must be, one of several patterns
	Remember []string            `toml:"remember"`
	Recall   []string            `toml:"recall"`
	Record   map[string][]string `toml:"record"`
	Denied   []string            `toml:"denied"`
	Allowed  []string            `toml:"allowed"`
	Starts   []string            `toml:"starts"`
	Interim  []string            `toml:"interim"`
	Nobody   []string            `toml:"nobody"`
}

// targets are what a format may fill.
var targets = []string{"time", "client", "user", "host", "server", "up", "down", "delta_up", "delta_down", "method", "action", "status",
	"session", "phase", "nobody", "client_port", "server_port", "path", "agent", "elapsed_ms", "elapsed_s"}

// shapes are the layouts there are.
var shapes = []string{"columns", "pairs", "csv", "json", "cef", "leef", "regexp"}

// parseSpec reads a format's file. path stands in errors.
func parseSpec(path string, text []byte) (*spec, error) {
	var s spec
	meta, err := toml.Decode(string(text), &s)
	if err != nil {
		var at toml.ParseError
		if errors.As(err, &at) {
			return nil, fmt.Errorf("reading the log format %s: %s", path, at.ErrorWithPosition())
		}
		return nil, fmt.Errorf("reading the log format %s: %w", path, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("reading the log format %s: unknown key %s; README.md lists them all", path, unknown[0])
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("reading the log format %s: %w", path, err)
	}
	return &s, nil
}

// layouts are the ways that lines are written: the variants, each with what the file says for all of them, or the file itself.
func (s *spec) layouts() []layoutSpec {
	if len(s.Variants) == 0 {
		return []layoutSpec{s.layoutSpec}
	}
	common := reflect.ValueOf(s.layoutSpec)
	all := slices.Clone(s.Variants)
	for i := range all {
		own := reflect.ValueOf(&all[i]).Elem()
		for n := range own.NumField() {
			if own.Field(n).IsZero() {
				own.Field(n).Set(common.Field(n))
			}
		}
	}
	return all
}

func (s *spec) check() error {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`).MatchString(s.Name) {
		return fmt.Errorf("name = %q: give it lower-case letters, digits and hyphens", s.Name)
	}
	if s.Title == "" {
		return errors.New("title is missing: say in a few words whose log it is")
	}
	for i, l := range s.layouts() {
		if err := l.check(); err != nil {
			if len(s.Variants) > 0 {
				return fmt.Errorf("variant %d: %w", i+1, err)
			}
			return err
		}
	}
	return nil
}

func (l *layoutSpec) check() error {
	for _, choice := range []struct {
		key, value string
		of         []string
	}{{"shape", l.Shape, shapes}, {"kind", l.Kind, []string{"", "web", "connection", "lookup"}}, {"anchor", l.Anchor, []string{"", "epoch"}},
		{"phase", l.Phase, []string{"", "start", "interim"}}, {"stamp", l.Stamp, []string{"", "start"}}} {
		if !slices.Contains(choice.of, choice.value) {
			return fmt.Errorf("%s = %q: use one of %s", choice.key, choice.value, strings.TrimLeft(strings.Join(choice.of, ", "), ", "))
		}
	}
	for name := range l.Record {
		if !slices.Contains(targets, name) {
			return fmt.Errorf("record.%s: no such thing; use %s", name, strings.Join(targets, ", "))
		}
	}
	if len(l.Record) == 0 && len(l.Remember) == 0 {
		return errors.New("[record] is missing: say which field is time, client, host")
	}
	return l.checkShape()
}

// checkShape says what a shape lacks.
func (l *layoutSpec) checkShape() error {
	if (l.Shape == "columns" || l.Shape == "csv") && len(l.Columns) == 0 && !l.Header {
		return errors.New("columns are missing: name them in their order, or set header = true")
	}
	if l.Shape == "regexp" && l.Pattern == "" {
		return errors.New("pattern is missing")
	}
	return nil
}
