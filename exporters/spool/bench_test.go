package spool

import (
	"context"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/exportertest"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// counter is an exporter that takes everything at once.
type counter struct{ n int }

func (c *counter) Export(_ context.Context, batch []event.Event, out []exporters.Outcome) error {
	for i := range batch {
		out[i] = exporters.Outcome{State: exporters.Stored}
	}
	c.n += len(batch)
	return nil
}

func (c *counter) Close() error { return nil }

// BenchmarkSpool is the way of a record as a sensor writes it: encoded, appended, synced, read, decoded. Run it with -cpu 1 for the figure of
// one core.
func BenchmarkSpool(b *testing.B) {
	c := Default(b.TempDir())
	c.Exporters, c.Wait = []string{"counter"}, true
	s := openSpool(b, c)
	e := &counter{}
	attach(b, s, "counter", e)
	ev := exportertest.Full(1)
	b.ReportAllocs()
	for b.Loop() {
		s.Offer(&ev)
	}
	if err := s.Close(time.Minute); err != nil { // within what is measured
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	if e.n != b.N {
		b.Fatalf("%d of %d records came out", e.n, b.N)
	}
}

// Taking a record in allocates nothing.
func TestOfferAllocates(t *testing.T) {
	c := Default(t.TempDir())
	c.Sync = time.Hour
	s := openSpool(t, c)
	ev := exportertest.Full(1)
	offer(s, 0, 2000) // room for what comes
	if n := testing.AllocsPerRun(100, func() { s.Offer(&ev) }); n > 0 {
		t.Errorf("Offer allocates %v times", n)
	}
	closeSpool(t, s)
}
