package setup

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// walk calls leaf for every field of a record.
func walk(t reflect.Type, path string, leaf func(path string, t reflect.Type)) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		leaf(path, t)
		return
	}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" { // it stays with the sensor
			continue
		}
		if name == "" { // embedded
			name = f.Name
		}
		if path != "" {
			name = path + "." + name
		}
		walk(f.Type, name, leaf)
	}
}

// typeOf lists the types that may hold a field.
func typeOf(t reflect.Type) []string {
	if t == reflect.TypeFor[event.Time]() {
		return []string{typeDate}
	}
	switch t.Kind() {
	case reflect.String:
		return []string{typeKeyword, typeIP, typeText}
	case reflect.Bool:
		return []string{typeBoolean}
	case reflect.Float64:
		return []string{typeDouble}
	case reflect.Map:
		return []string{typeKept}
	default:
		return []string{typeLong}
	}
}

// Every field of a record has a type that can hold it, and the templates have no field that no record has.
func TestFieldsAreThoseOfTheRecord(t *testing.T) {
	have := Fields()
	known := map[string]bool{}
	walk(reflect.TypeFor[event.Event](), "", func(path string, ty reflect.Type) {
		if strings.HasPrefix(path, clientAddresses) && path != clientAddresses+"ip" {
			return // never filled: see event.ClientSight
		}
		for parent := path; ; {
			at := strings.LastIndexByte(parent, '.')
			if at < 0 {
				break
			}
			if parent = parent[:at]; have[parent] == typeKept {
				known[parent] = true
				return
			}
		}
		known[path] = true
		if got := have[path]; !slices.Contains(typeOf(ty), got) {
			t.Errorf("%s: the templates say %q, the record has %v", path, got, ty)
		}
	})
	for path := range maps.Keys(have) {
		if !known[path] {
			t.Errorf("%s: no record has it", path)
		}
	}
	if len(known) < 150 {
		t.Errorf("only %d fields were compared", len(known))
	}
}

// The addresses among the fields are of type ip, and what Fields says stands in the mappings.
func TestMappings(t *testing.T) {
	m := mappings()
	for _, c := range []struct{ path, kind string }{
		{"source.ip", typeIP}, {"@timestamp", typeDate}, {"gnomon.evidence.role", typeKeyword}, {"gnomon.coverage.web.ech.bytes", typeLong},
		{"gnomon.coverage.hidden_by", typeKept}, {"message", typeText},
	} {
		t.Run(c.path, func(t *testing.T) {
			var at any = m
			for _, name := range strings.Split(c.path, ".") {
				at = at.(map[string]any)["properties"].(map[string]any)[name]
			}
			if got := at.(map[string]any)["type"]; got != c.kind {
				t.Errorf("got %v, want %s", got, c.kind)
			}
		})
	}
	if m["dynamic"] != "false" || child(m, "gnomon")["dynamic"] != "false" {
		t.Error("the mappings grow by themselves")
	}
}
