package sensor

import "testing"

func TestFrontsDoNotAllocate(t *testing.T) {
	fronts := NewFronts()
	fronts.note(front{"front.example", 7}, 1)
	if fronts.knows(nil, 7, 1) || fronts.knows([]byte("other.example"), 7, 1) || fronts.knows([]byte("front.example"), 8, 1) {
		t.Error("a name that nobody told is known")
	}
	name := []byte("Front.Example")
	if got := testing.AllocsPerRun(100, func() {
		if !fronts.knows(name, 7, 1) {
			t.Fatal("a name that was told is not known")
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
