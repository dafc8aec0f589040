package elasticsearch

import (
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters"
)

// Writing a request allocates nothing, in either layout.
func TestFillAllocates(t *testing.T) {
	for _, layout := range []string{LayoutStream, LayoutDaily} {
		t.Run(layout, func(t *testing.T) {
			e := open(t, "http://127.0.0.1:9", func(c *Config) { c.Layout = layout })
			batch, w := some(0, 100), e.workers[0]
			out := make([]exporters.Outcome, len(batch))
			if n := testing.AllocsPerRun(100, func() { w.fill(batch, out, 0) }); n > 0 {
				t.Errorf("it allocates %v times", n)
			}
		})
	}
}

func BenchmarkFill(b *testing.B) {
	e := open(b, "http://127.0.0.1:9", nil)
	batch, w := some(0, 1000), e.workers[0]
	out := make([]exporters.Outcome, len(batch))
	b.ReportAllocs()
	for b.Loop() {
		w.fill(batch, out, 0)
	}
	b.SetBytes(int64(len(w.body)))
	b.ReportMetric(float64(len(batch)*b.N)/b.Elapsed().Seconds(), "events/s")
}
