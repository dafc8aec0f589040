package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

func TestCollectLater(t *testing.T) {
	for _, tt := range []struct {
		name, gogc    string
		before, after uint64
	}{
		{"by itself", "", 1600, 100},
		{"as the user has it", "150", 150, 150},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("GOGC", tt.gogc)
			was := debug.SetGCPercent(150)
			defer debug.SetGCPercent(was)
			collectLater()
			if got := gcPercent(); got != tt.before {
				t.Errorf("%d percent before the first collection, want %d", got, tt.before)
			}
			for i := 0; gcPercent() != tt.after; i++ { // a collection says what is to be cleaned up, not that it was
				if i == 1000 {
					t.Fatalf("%d percent after %d collections, want %d", gcPercent(), i, tt.after)
				}
				runtime.GC()
			}
		})
	}
}

func gcPercent() uint64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
