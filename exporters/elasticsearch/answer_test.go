package elasticsearch

import (
	"bytes"
	"strings"
	"testing"
)

// answerOf is the answer to records that are all new.
func answerOf(records int) []byte {
	return []byte(before + strings.TrimSuffix(strings.Repeat(created+",", records), ",") + after)
}

func TestAllCreated(t *testing.T) {
	tests := []struct {
		name   string
		answer []byte
		want   int
		is     bool
	}{
		{"one", answerOf(1), 1, true},
		{"many", answerOf(2000), 2000, true},
		{"fewer", answerOf(9), 10, false},
		{"more", answerOf(11), 10, false},
		{"one is there", bytes.Replace(answerOf(10), []byte("201"), []byte("409"), 1), 10, false},
		{"of another form", []byte(`{"items":[{"create":{"status":201}}],"errors":false}`), 1, false},
		{"cut", answerOf(10)[:100], 10, false},
		{"nothing", nil, 1, false},
		{"another separator", bytes.Replace(answerOf(3), []byte("},{"), []byte("};{"), 1), 3, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := allCreated(tt.answer, tt.want); got != tt.is {
				t.Errorf("allCreated is %v", got)
			}
		})
	}
}

// An answer that is cut anywhere says nothing of any record.
func TestTruncated(t *testing.T) {
	for _, whole := range [][]byte{answerOf(3), bytes.Replace(answerOf(3), []byte("201"), []byte("409"), 1)} {
		for n := range whole {
			if items, err := parseItems(whole[:n], 3, nil); err == nil || len(items) > 0 && n < len(whole) {
				t.Fatalf("cut at %d it says %v %v", n, items, err)
			}
		}
		if items, err := parseItems(whole, 3, nil); err != nil || len(items) != 3 {
			t.Errorf("%s: %v %v", whole, items, err)
		}
	}
}

func TestParseItemsAllocates(t *testing.T) {
	answer, items := answerOf(1000), make([]item, 0, 1000)
	if n := testing.AllocsPerRun(100, func() { items, _ = parseItems(answer, 1000, items) }); n > 0 {
		t.Errorf("it allocates %v times", n)
	}
}

func BenchmarkParseItems(b *testing.B) {
	answer, items := answerOf(1000), make([]item, 0, 1000)
	b.Run("as it should be", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			items, _ = parseItems(answer, 1000, items)
		}
	})
	b.Run("one is there already", func(b *testing.B) {
		other := bytes.Replace(answer, []byte("201"), []byte("409"), 1)
		b.ReportAllocs()
		for b.Loop() {
			items, _ = parseItems(other, 1000, items)
		}
	})
}
