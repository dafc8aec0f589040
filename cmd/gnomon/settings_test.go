package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/config"
)

// gnomon.toml shows every key with its default: uncommented it must give the defaults again, and no key may be missing from it.
func TestCommentedIsDefault(t *testing.T) {
	var text strings.Builder
	example := false
	for line := range strings.SplitSeq(config.Commented, "\n") {
		switch {
		case strings.HasPrefix(line, "# [["): // an example, up to the next blank line
			example = true
		case line == "":
			example = false
		}
		if rest, ok := strings.CutPrefix(line, "# "); ok && !example && isAssignment(rest) {
			line = rest
		}
		text.WriteString(line + "\n")
	}
	var got settings
	if err := config.Decode("gnomon.toml", text.String(), &got); err != nil {
		t.Fatal(err)
	}
	want := defaultSettings()
	empty(reflect.ValueOf(&got).Elem())
	empty(reflect.ValueOf(&want).Elem())
	if !reflect.DeepEqual(got, want) {
		t.Errorf("gnomon.toml says\n%+v\ndefaults are\n%+v", got, want)
	}
	for _, key := range config.Keys(&want) {
		_, table, found := strings.Cut("\n"+text.String(), "\n["+key.Table+"]\n")
		table, _, _ = strings.Cut(table, "\n[")
		if !found || !strings.Contains("\n"+table, "\n"+key.Name+" = ") {
			t.Errorf("gnomon.toml does not explain %s", key.Path())
		}
	}
}

// empty makes empty lists nil: TOML can write no other.
func empty(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				empty(v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Len() == 0 && v.CanSet() {
			v.SetZero()
		}
	}
}

func isAssignment(line string) bool {
	name, _, ok := strings.Cut(line, " = ")
	return ok && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") == ""
}
