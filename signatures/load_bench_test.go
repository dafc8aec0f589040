package signatures

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// grownCatalogue is one of the size that the catalogue is to reach: 1,000 services in 800 files with 2,500 names.
func grownCatalogue() fstest.MapFS {
	files := fstest.MapFS{"VERSION": {Data: []byte("2026.12.1\n")}}
	for f := range 800 {
		var b strings.Builder
		fmt.Fprintf(&b, "vendor  = \"Vendor %d\"\ncountry = \"US\"\n", f)
		services := 1
		if f%4 == 0 {
			services = 2
		}
		for s := range services {
			var names []string
			for n := range 2 + f%2 {
				names = append(names, fmt.Sprintf("suffix name%d.service%d.vendor%d.example", n, s, f))
			}
			b.WriteString("\n" + oneService(fmt.Sprintf("service-%d-%d", f, s), names...))
		}
		files[fmt.Sprintf("vendor-%d.toml", f)] = &fstest.MapFile{Data: []byte(b.String())}
	}
	return files
}

func TestGrownCatalogue(t *testing.T) {
	c, err := Load(Options{Base: grownCatalogue()})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(c.Services()); got != 1000 {
		t.Errorf("there are %d services, want 1000", got)
	}
	if got := idOf(c, "www.name1.service0.vendor799.example"); got != "service-799-0" {
		t.Errorf("the last name finds %s", got)
	}
}

func BenchmarkLoad(b *testing.B) {
	grown := grownCatalogue()
	for _, bb := range []struct {
		name string
		opts Options
	}{{"embedded", Options{}}, {"grown", Options{Base: grown}}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Load(bb.opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
