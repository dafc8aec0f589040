package names

import (
	"fmt"
	"testing"

	"github.com/gnomon-sensor/gnomon/classifiers"
)

func TestCertificate(t *testing.T) {
	tests := []struct {
		names []string
		grade classifiers.Confidence // none: no verdict
	}{
		{[]string{"api.chat.example"}, medium},
		{[]string{"chat.example", "www.chat.example"}, medium},
		{[]string{"CHAT.example.", "up.chat.example"}, medium},
		{[]string{"chat.example", "*.chat.example"}, low},
		{[]string{"*.chat.example"}, low},
		{[]string{"*.medium.example"}, low},
		{[]string{"rumour.example"}, low},
		{[]string{"chat.example", "rumour.example"}, low},
		{[]string{"static.chat.example"}, none},               // no use by itself
		{[]string{"chat.example", "portal.example"}, none},    // other products share it
		{[]string{"chat.example", "www.example.org"}, none},   // nobody knows which was meant
		{[]string{"www.example.org", "chat.example"}, none},   //
		{[]string{"chat.example", "maker.example"}, none},     // two services
		{[]string{"*.maker.example"}, none},                   // another service lies below it
		{[]string{"maker.example"}, medium},                   //
		{[]string{"*.api.chat.example"}, low},                 // below a suffix still
		{[]string{"*.exact.example"}, none},                   // the entry is for the name alone
		{[]string{"*.cloud.example"}, none},                   // whatever a cloud serves
		{[]string{"run.*.cloud.example"}, none},               // no certificate has such a name
		{[]string{"*.example"}, none},                         //
		{[]string{"*.dns.example", "dns.example"}, none},      // infrastructure
		{[]string{"*"}, none},                                 //
		{[]string{""}, none},                                  //
		{[]string{}, none},                                    //
		{[]string{"chat.example", "*.x.chat.example"}, low},   //
		{[]string{"\xff.chat.example", "chat.example"}, none}, //
	}
	c := newClassifier(t)
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.names), func(t *testing.T) {
			names := make([][]byte, 0, len(tt.names))
			for _, name := range tt.names {
				names = append(names, []byte(name))
			}
			v, ok := c.Classify(&classifiers.Evidence{Class: classifiers.ClassCertificate, Names: names})
			if ok != (tt.grade != none) || v.Confidence != tt.grade || ok && (!v.Use() || v.Class != classifiers.ClassCertificate) {
				t.Errorf("%+v, %v; want confidence %v", v, ok, tt.grade)
			}
		})
	}
}

func TestCertificateOfMany(t *testing.T) {
	names := make([][]byte, 0, maxCertificateNames+1)
	for i := range maxCertificateNames + 1 {
		names = append(names, fmt.Appendf(nil, "h%d.chat.example", i))
	}
	c := newClassifier(t)
	if _, ok := c.Classify(&classifiers.Evidence{Class: classifiers.ClassCertificate, Names: names}); ok {
		t.Errorf("a certificate of %d names gave a verdict", len(names))
	}
	if _, ok := c.Classify(&classifiers.Evidence{Class: classifiers.ClassCertificate, Names: names[1:]}); !ok {
		t.Errorf("a certificate of %d names gave none", len(names)-1)
	}
}
