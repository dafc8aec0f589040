package elasticsearch

import (
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"encoding/json"
)

// FuzzAnswer: whatever comes back, each record has an outcome with a reason that a log can carry, or none has.
func FuzzAnswer(f *testing.F) {
	paths, err := filepath.Glob("elastictest/testdata/*.json")
	if err != nil || len(paths) == 0 {
		f.Fatalf("there are no recorded answers: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		var recorded []struct {
			Status int    `json:"status"`
			Answer string `json:"answer"`
		}
		if err := json.Unmarshal(text, &recorded); err != nil {
			f.Fatal(err)
		}
		for _, r := range recorded {
			f.Add(r.Status, []byte(r.Answer), 2)
		}
	}
	f.Add(200, answerOf(3), 3)
	f.Fuzz(func(t *testing.T, status int, answer []byte, want int) {
		want &= 0xff
		v := judge(status, nil, answer, nil)
		if !utf8.ValidString(v.reason) || len(v.reason) > 4*maxReason {
			t.Errorf("the reason is %q", v.reason)
		}
		if v.whole != wholeAnswered && v.reason == "" {
			t.Error("a request is refused without a reason")
		}
		items, err := parseItems(answer, want, nil)
		if (err == nil) != (len(items) == want) && want > 0 {
			t.Errorf("%d of %d and %v", len(items), want, err)
		}
		for i := range items {
			if o := items[i].outcome(); o.State != 1 && (o.Reason == "" || !utf8.ValidString(o.Reason) || len(o.Reason) > 2*maxReason) {
				t.Errorf("the outcome is %+v", o)
			}
		}
		if there, err := parseFound(answer); err == nil && there == nil {
			t.Error("nothing is found, without a reason")
		}
		_, _ = parseServer(answer, true)
	})
}
