package names

import (
	"testing"

	"github.com/gnomon-sensor/gnomon/classifiers"
)

// FuzzClassify asks for what holds of every verdict, whatever the evidence: it names a service, its class is that of the evidence,
// and it is no surer than the class allows.
func FuzzClassify(f *testing.F) {
	c := newClassifier(f)
	for _, name := range []string{"chat.example", "x.medium.example:443", "[2001:db8::1]:443", "ech.example.", "run.x.cloud.example", ":", "."} {
		for class := range uint8(12) {
			f.Add(class, []byte(name), class%2 == 0, int(class%3))
		}
	}
	f.Fuzz(func(t *testing.T, class uint8, name []byte, ech bool, shared int) {
		ev := classifiers.Evidence{Class: classifiers.Class(class), Name: name, ECH: ech, Shared: shared}
		v, ok := c.Classify(&ev)
		if ok != (v.Service != nil) || ok && (v.Class != ev.Class || v.Confidence == none || v.Confidence > ceiling(&ev)) {
			t.Errorf("Classify(%+v) is %+v, %v", ev, v, ok)
		}
		if ok && (v.Service.Infrastructure() || ev.Class == classifiers.ClassIPFromDNS && shared > 0 && v.Use()) {
			t.Errorf("Classify(%+v) must not give %+v", ev, v)
		}
	})
}
