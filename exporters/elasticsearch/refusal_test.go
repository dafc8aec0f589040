package elasticsearch

import (
	"strings"
	"testing"
)

// The reason of a refusal is the one that says most, in one line.
func TestReason(t *testing.T) {
	deep := strings.Repeat(`{"type":"a","reason":"b","caused_by":`, 40) + `{"type":"c","reason":"the bottom"}` + strings.Repeat("}", 40)
	for _, c := range []struct{ name, answer, want string }{
		{"object", `{"error":{"type":"a_exception","reason":"because\nof it"},"status":400}`, "a_exception: because of it"},
		{"text", `{"error":"no handler found"}`, "no handler found"},
		{"hostile", `{"error":{"type":"a","reason":"\u001b[31m\u202e ok"}}`, "a:  [31m  ok"},
		{"page", `<html>`, "without a reason that could be read"},
		{"nothing", `{}`, ""},
		{"long", `{"error":"` + strings.Repeat("é", 1000) + `"}`, strings.Repeat("é", 256) + "..."},
		{"shards", `{"error":{"type":"search_phase_execution_exception","reason":"all shards failed","failed_shards":[{"index":"i1","reason":{"type":"t","reason":"r","caused_by":{"type":"u","reason":"why"}}}]}}`,
			"t: r: why (in i1)"},
		{"the index is named", `{"error":{"type":"search_phase_execution_exception","reason":"","failed_shards":[{"index":"i1","reason":{"type":"t","reason":"r in [i1]"}}]}}`, "t: r in [i1]"},
		{"putting together", `{"error":{"type":"search_phase_execution_exception","reason":"","failed_shards":[],"caused_by":{"type":"too_many_buckets_exception","reason":"65536"}}}`, "too_many_buckets_exception: 65536"},
		{"no shards", `{"error":{"type":"search_phase_execution_exception","reason":"all shards failed","failed_shards":[]}}`, "search_phase_execution_exception: all shards failed"},
		{"deep", `{"error":` + deep + `}`, "a: b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Reason([]byte(c.answer)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
