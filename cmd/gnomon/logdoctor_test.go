package main

import (
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/logs"
	"github.com/gnomon-sensor/gnomon/sensor/logs/input"
)

func TestJudgeLog(t *testing.T) {
	now := time.Unix(1_798_000_000, 0)
	for _, tt := range []struct {
		name string
		st   input.Status
		want string // of every verdict and what it says, a part
	}{
		{"fine", input.Status{Last: now, Counts: event.Source{Read: 1000, Used: 10, NotAI: 989, Rejected: 1, Format: "squid-upload"}}, "ok 1000 lines"},
		{"behind", input.Status{Last: now, Behind: 5000}, "ok 5.0 kB are still to be read"},
		{"never", input.Status{}, "ok 0 lines|warn no line has come yet"},
		{"silent", input.Status{Last: now.Add(-25 * time.Hour)}, "ok 0 lines|blind no line has come for 25h0m0s"},
		{"rejected", input.Status{Last: now, Counts: event.Source{Read: 100, Rejected: 2}, Rejected: []logs.Rejection{{Reason: "too few columns", Lines: 2,
			Samples: []logs.Sample{{Line: 7, Text: "999 xxx"}}}}}, "ok 100 lines|warn 2 too few columns, as line 7: 999 xxx"},
		{"uploads", input.Status{Last: now, Counts: event.Source{Read: 9, NoUpload: 9, Advice: "configure this"}}, "ok 9 lines|warn uploads are unknown"},
		{"lost", input.Status{Last: now, Counts: event.Source{Lost: 3}}, "ok 0 lines|warn 3 messages or files were lost"},
		{"times", input.Status{Last: now, Counts: event.Source{Ahead: 1, Old: 2, NoTime: 3}}, "ok 0 lines|warn has not come|warn older than anything|warn tell no time"},
		{"problem", input.Status{Last: now, Problems: []string{"no permission"}}, "ok 0 lines|warn no permission"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checks := judgeLog("log proxy", &tt.st, 24*time.Hour, now)
			want := strings.Split(tt.want, "|")
			if len(checks) != len(want) {
				t.Fatalf("it says %+v", checks)
			}
			for i, c := range checks {
				v, part, _ := strings.Cut(want[i], " ")
				if string(c.Verdict) != v || !strings.Contains(c.Says, part) || c.Verdict != fine && c.Do == "" {
					t.Errorf("it says %+v, not %s", c, want[i])
				}
			}
		})
	}
}

func TestJudgeEyes(t *testing.T) {
	for _, tt := range []struct {
		name string
		is   event.TwoEyes
		want []string
	}{
		{"both", event.TwoEyes{Joined: 9, Uncounted: 4}, []string{"9 records are of visits that packets and logs both saw; 4 do not count"}},
		{"silent", event.TwoEyes{Silent: 2}, []string{"0 records", "in 2 visits packets took over"}},
		{"untold", event.TwoEyes{Joined: 1, Untold: 3}, []string{"1 records", "3 visits were left to a log"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checks := judgeEyes(&tt.is)
			if len(checks) != len(tt.want) {
				t.Fatalf("it says %+v", checks)
			}
			for i, c := range checks {
				if !strings.Contains(c.Says, tt.want[i]) || (i > 0) != (c.Verdict == warn && c.Do != "") {
					t.Errorf("it says %+v, not %q", c, tt.want[i])
				}
			}
		})
	}
}
