package netns

import (
	"os"
	"slices"
	"testing"
)

func TestOwner(t *testing.T) {
	tests := []struct {
		name  string
		space string
		pid   int
		ours  bool
	}{
		{"a client", "gnomonlab-4711-c1", 4711, true},
		{"a scratch directory", "gnomonlab-4711-scratch123", 4711, true},
		{"foreign name", "blue", 0, false},
		{"foreign prefix", "my-gnomonlab-4711-c1", 0, false},
		{"no role", "gnomonlab-4711", 0, false},
		{"init is never ours", "gnomonlab-1-c1", 1, false},
		{"number too large", "gnomonlab-99999999999999999999-c1", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pid, ours := owner(tt.space)
			if ours != tt.ours || (ours && pid != tt.pid) {
				t.Errorf("owner(%q) = %d, %v; want %d, %v", tt.space, pid, ours, tt.pid, tt.ours)
			}
		})
	}
}

func TestAlive(t *testing.T) {
	if !alive(os.Getpid()) {
		t.Error("this process counts as dead")
	}
	if alive(1 << 30) { // above the largest process id Linux gives out
		t.Error("a process id that cannot exist counts as alive")
	}
}

func TestScratchLast(t *testing.T) {
	names := []string{"gnomonlab-7-scratch1", "gnomonlab-9-mid", "gnomonlab-7-h1"}
	slices.SortFunc(names, scratchLast)
	if want := []string{"gnomonlab-7-h1", "gnomonlab-9-mid", "gnomonlab-7-scratch1"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}
