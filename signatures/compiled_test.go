package signatures

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"reflect"
	"testing"
)

var compile = flag.Bool("compile", false, "write catalogue.bin anew from the files of the catalogue")

// The compiled catalogue says what the files say.
func TestCompiled(t *testing.T) {
	want, err := Compile(os.DirFS("catalogue"))
	if err != nil {
		t.Fatal(err)
	}
	if *compile {
		if err := os.WriteFile("catalogue.bin", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal([]byte(compiled), want) {
		t.Fatal("catalogue.bin is not what the files of the catalogue say; run make compile")
	}
	for _, layers := range [][]Layer{nil, {LayerLowConfidence}} {
		t.Run(fmt.Sprint("layers beside the default one: ", layers), func(t *testing.T) { sameAsFiles(t, layers) })
	}
}

func sameAsFiles(t *testing.T, layers []Layer) {
	from, err := Load(Options{Base: os.DirFS("catalogue"), Layers: layers})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Load(Options{Layers: layers})
	if err != nil {
		t.Fatal(err)
	}
	if got.Version() != from.Version() || len(got.services) != len(from.services) || !reflect.DeepEqual(got.sources, from.sources) {
		t.Fatalf("version %q with %d services, want %q with %d", got.Version(), len(got.services), from.Version(), len(from.services))
	}
	for i, s := range from.services {
		if !sameService(got.services[i], s) {
			t.Errorf("%s: got\n%+v, want\n%+v", s.ID, got.services[i], s)
		}
	}
}

// sameService compares; an empty list is as good as none.
func sameService(a, b *Service) bool {
	x, y := normal(a), normal(b)
	return reflect.DeepEqual(x, y)
}

func normal(s *Service) Service {
	n := *s
	n.Names = append([]Name{}, s.Names...)
	for i := range n.Names {
		n.Names[i].Sources = append([]string{}, n.Names[i].Sources...)
		n.Names[i].Verified = n.Names[i].Verified.UTC()
	}
	n.Risk = append([]Fact{}, s.Risk...)
	for i := range n.Risk {
		n.Risk[i].Sources = append([]string{}, n.Risk[i].Sources...)
		n.Risk[i].Date = n.Risk[i].Date.UTC()
	}
	n.URLs, n.UserAgents = append([]string{}, s.URLs...), append([]string{}, s.UserAgents...)
	n.Ranges = append(n.Ranges[:0:0], s.Ranges...)
	n.Verified = s.Verified.UTC()
	return n
}

// A compiled catalogue that is cut or changed is refused, or is at least one.
func TestCompiledDamage(t *testing.T) {
	for _, opts := range []*Options{{}, {Own: "own"}} {
		for n := 0; n < len(compiled); n += 1 + len(compiled)/500 {
			if _, _, err := expand(compiled[:n], opts); err == nil {
				t.Fatalf("cut at %d of %d it is not refused", n, len(compiled))
			}
		}
		for i := 0; i < len(compiled); i += 1 + len(compiled)/500 {
			b := []byte(compiled)
			b[i] ^= 0x80
			_, _, _ = expand(string(b), opts) // it does not panic
		}
	}
}
