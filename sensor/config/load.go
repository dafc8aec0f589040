package config

import (
	_ "embed"
	"encoding"
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

// Settings are a pointer to a struct whose fields are the tables of gnomon.toml, filled with defaults: Config, or a larger one that
// embeds it.
type Settings interface {
	// Validate names the first key whose value is out of range.
	Validate() error
}

// Load overlays settings with the file at path ("" for none), then with the environment (GNOMON_FLOW_TCP_IDLE for flow.tcp_idle and so
// on), and checks them. Unknown keys are errors, with their line.
func Load(path string, environ []string, into Settings) error {
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading the configuration: %w", err)
		}
		if err := Decode(path, string(text), into); err != nil {
			return err
		}
	}
	if err := environment(into, environ); err != nil {
		return err
	}
	if err := into.Validate(); err != nil {
		return fmt.Errorf("checking the configuration: %w", err)
	}
	return nil
}

// Decode overlays a struct with TOML text; source names it in errors.
func Decode(source, text string, into any) error {
	meta, err := toml.Decode(text, into)
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

// environment overlays settings with the variables GNOMON_<TABLE>_<KEY>.
func environment(into any, environ []string) error {
	set := map[string]string{}
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok && strings.HasPrefix(name, "GNOMON_") {
			set[name] = value
		}
	}
	if len(set) == 0 {
		return nil
	}
	for _, key := range Keys(into) {
		name := "GNOMON_" + strings.ToUpper(strings.ReplaceAll(key.Path(), ".", "_"))
		value, ok := set[name]
		if !ok {
			continue
		}
		text := fmt.Sprintf("[%s]\n%s = %s\n", key.Table, key.Name, literal(key.Type, value))
		if err := Decode("environment variable "+name, text, into); err != nil {
			return err
		}
	}
	return nil
}

// Key is one setting.
type Key struct {
	Table, Name string
	Type        reflect.Type
}

// Path is table.name.
func (k Key) Path() string { return k.Table + "." + k.Name }

// Keys lists the settings of a struct in order; lists of tables are left out, as they have no one value.
func Keys(settings any) []Key {
	t := reflect.TypeOf(settings)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return keys("", t)
}

func keys(table string, t reflect.Type) []Key {
	var all []Key
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("toml")
		switch {
		case f.Anonymous:
			all = append(all, keys(table, f.Type)...)
		case name == "" || name == "-" || !f.IsExported():
		case isTable(f.Type):
			all = append(all, keys(strings.TrimPrefix(table+"."+name, "."), f.Type)...)
		case f.Type.Kind() == reflect.Slice && isTable(f.Type.Elem()):
		default:
			all = append(all, Key{table, name, f.Type})
		}
	}
	return all
}

// isTable says whether a type is written as a TOML table.
func isTable(t reflect.Type) bool { return t.Kind() == reflect.Struct && !readsText(t) }

// readsText says whether a type is written as a string, as prefixes and times are.
func readsText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// literal writes an environment variable's value as TOML: strings are quoted, lists split at commas.
func literal(t reflect.Type, value string) string {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Float64:
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
