package store

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// How many records a second are stored, in batches as the queue in front hands them over, each batch on the disk before the next.
func BenchmarkExport(b *testing.B) {
	for _, size := range []int{1, 64, 512, 5000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := open(b, testConfig(b))
			batch := make([]event.Event, size)
			out := make([]exporters.Outcome, size)
			n, bytes := 0, 0
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				for i := range batch {
					n++
					batch[i] = activity(noon.Add(time.Duration(n)*150*time.Millisecond), fmt.Sprintf("4f1e7a%08x0d93c2a7", n*7%10000), fmt.Sprintf("service-%d", n*13%300), n)
				}
				j, err := json.Marshal(&batch[0])
				if err != nil {
					b.Fatal(err)
				}
				bytes = len(j)
				b.StartTimer()
				if err := s.Export(context.Background(), batch, out); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
			used, _, err := s.w.size(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(used)/float64(n), "B/event")
			b.ReportMetric(float64(bytes), "JSON-B/event")
		})
	}
}
