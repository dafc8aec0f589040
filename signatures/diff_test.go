package signatures

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// catalogueOf loads a catalogue of one file.
func catalogueOf(t *testing.T, version, text string) *Catalogue {
	t.Helper()
	c, err := Load(Options{Base: fstest.MapFS{"VERSION": {Data: []byte(version)}, "f.toml": {Data: []byte("vendor = \"V\"\n" + text)}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func diffService(id, kind, names, more string) string {
	return "[[service]]\nid = \"" + id + "\"\nname = \"" + id + "\"\ncategory = \"search\"\nkind = \"" + kind + "\"\nverified = 2026-11-21\nnames = [" + names + "]\n" + more + "\n"
}

func diffName(name, role string) string {
	return "{ name = \"" + name + "\", match = \"suffix\", role = \"" + role + "\", confidence = \"high\", sources = [\"a\", \"b\"] }, "
}

func TestDiff(t *testing.T) {
	older := catalogueOf(t, "2026.11.1", diffService("gone", "web", diffName("gone.example", "primary"), "")+
		diffService("same", "web", diffName("same.example", "primary"), "")+
		diffService("other", "web", diffName("a.example", "primary")+diffName("b.example", "primary"), "ip_ranges = [\"192.0.2.0/24\"]\n[service.risk]\nretention = { value = \"30 days\", sources = [\"a\"], date = 2026-11-21, confidence = \"low\" }"))
	newer := catalogueOf(t, "2026.12.1", diffService("new", "web", diffName("new.example", "primary"), "")+
		diffService("same", "web", strings.ReplaceAll(diffName("same.example", "primary"), `"b"`, `"c"`), "")+
		diffService("other", "api", diffName("b.example", "supporting")+diffName("c.example", "upload"), "ip_ranges = [\"198.51.100.0/24\"]\n[service.risk]\nretention = { value = \"none\", sources = [\"a\"], date = 2026-11-21, confidence = \"low\" }\ntrains_on_input = { value = \"no\", sources = [\"a\"], date = 2026-11-21, confidence = \"low\" }"))
	changes := Diff(older, newer)
	if len(changes) != 3 {
		t.Fatalf("%d changes: %+v", len(changes), changes)
	}
	gone, added, other := changes[0], changes[1], changes[2]
	if gone.Service().ID != "gone" || gone.New != nil || !slices.Equal(gone.Removed, []string{"gone.example"}) {
		t.Errorf("removed: %+v", gone)
	}
	if added.Service().ID != "new" || added.Old != nil || !slices.Equal(added.Added, []string{"new.example"}) {
		t.Errorf("added: %+v", added)
	}
	want := []string{`kind was "web", is "api"`, "~ b.example was primary suffix high, is supporting suffix high", "+ c.example (upload, suffix)",
		"- a.example (primary, suffix)", "risk trains_on_input was not known, is no", "risk retention was 30 days, is none",
		"+ range 198.51.100.0/24", "- range 192.0.2.0/24"}
	slices.Sort(want)
	if got := slices.Sorted(slices.Values(other.Details)); !slices.Equal(got, want) {
		t.Errorf("details are %q\nwant %q", got, want)
	}
	if len(Diff(older, older)) != 0 {
		t.Error("a catalogue differs from itself")
	}
}
