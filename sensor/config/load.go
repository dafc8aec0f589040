package config

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/BurntSushi/toml"
)

// Commented is gnomon.toml with every default commented out: what `gnomon config default` prints.
//
//go:embed gnomon.toml
var Commented string

// Load returns the defaults, overlaid by the file at path ("" for none), overlaid by the environment (GNOMON_FLOW_TCP_IDLE for
// flow.tcp_idle and so on), and checked. Unknown keys are errors, with their line.
func Load(path string, environ []string) (Config, error) {
	c := Default()
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return c, fmt.Errorf("reading the configuration: %w", err)
		}
		if err := decode(path, string(text), &c); err != nil {
			return c, err
		}
	}
	if err := environment(&c, environ); err != nil {
		return c, err
	}
	return c, c.Validate()
}

// decode overlays c with TOML text; source names it in errors.
func decode(source, text string, c *Config) error {
	meta, err := toml.Decode(text, c)
	if err != nil {
		var at toml.ParseError
		if errors.As(err, &at) {
			return fmt.Errorf("reading the configuration %s: line %d, column %d: %s\n%s", source, at.Position.Line, at.Position.Col,
				at.Message, strings.TrimRight(at.ErrorWithPosition(), "\n"))
		}
		return fmt.Errorf("reading the configuration %s: %w", source, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		key := unknown[0].String()
		return fmt.Errorf("reading the configuration %s: line %d: unknown key %s; `gnomon config default` lists every key", source,
			lineOf(text, unknown[0]), key)
	}
	return nil
}

// lineOf finds the line of a key for a message: the first that assigns its last part below its table's header.
func lineOf(text string, key toml.Key) int {
	table, last := strings.Join(key[:len(key)-1], "."), key[len(key)-1]
	current := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			current = strings.Trim(line[:strings.LastIndexByte(line, ']')+1], "[] ")
			if current == key.String() {
				return i + 1
			}
			continue
		}
		name, _, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if ok && ((name == last && current == table) || (current == "" && name == key.String())) {
			return i + 1
		}
	}
	return 0
}

// environment overlays c with the variables GNOMON_<TABLE>_<KEY>.
func environment(c *Config, environ []string) error {
	set := map[string]string{}
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok && strings.HasPrefix(name, "GNOMON_") {
			set[name] = value
		}
	}
	v := reflect.TypeFor[Config]()
	for i := range v.NumField() {
		table := v.Field(i)
		if err := environmentTable(c, table, set); err != nil {
			return err
		}
	}
	return nil
}

func environmentTable(c *Config, table reflect.StructField, set map[string]string) error {
	tableName := table.Tag.Get("toml")
	for i := range table.Type.NumField() {
		f := table.Type.Field(i)
		key := f.Tag.Get("toml")
		name := "GNOMON_" + strings.ToUpper(tableName+"_"+key)
		value, ok := set[name]
		if !ok {
			continue
		}
		if err := decode("environment variable "+name, fmt.Sprintf("[%s]\n%s = %s\n", tableName, key, literal(f.Type, value)), c); err != nil {
			return err
		}
	}
	return nil
}

// literal writes an environment variable's value as TOML: strings are quoted, lists split at commas.
func literal(t reflect.Type, value string) string {
	switch t.Kind() {
	case reflect.Bool, reflect.Int:
		return value
	case reflect.Slice:
		if strings.HasPrefix(value, "[") {
			return value
		}
		var items []string
		for item := range strings.SplitSeq(value, ",") {
			if item = strings.TrimSpace(item); item != "" {
				items = append(items, quote(item))
			}
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return quote(value)
}

// quote writes a TOML basic string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if r == '"' || r == '\\' || r < ' ' || r == 0x7f {
			fmt.Fprintf(&b, "\\u%04x", r)
			continue
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}
