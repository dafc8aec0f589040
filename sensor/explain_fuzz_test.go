package sensor_test

import (
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor"
)

// FuzzParseFlow reads any text: no panic, and what was read says so again.
func FuzzParseFlow(f *testing.F) {
	for _, s := range []string{"10.0.0.7:40000 > 192.0.2.80:443", "tcp [2001:db8::1]:443", "1:wCb3OG7yAFWelaUydu0D+125CLM=", "10.0.0.7 1 10.0.0.8 2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := sensor.ParseFlow(text)
		if (filter == nil) == (err == nil) || err == nil && filter.String() != text {
			t.Errorf("%q: %v, %v", text, filter, err)
		}
	})
}
