package dashboard

import (
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

func TestSourceNote(t *testing.T) {
	for _, tt := range []struct {
		name string
		n    event.Source
		want string
	}{
		{"silent", event.Source{}, "silent in this period"},
		{"fine", event.Source{Read: 5, Format: "w3c"}, "w3c"},
		{"rejected", event.Source{Read: 5, RejectedBy: map[string]uint64{"too long": 1, "too few columns": 2}}, "2 rejected: too few columns; 1 rejected: too long"},
		{"no uploads", event.Source{Read: 5, Advice: "this line"}, "uploads are unknown: configure this line"},
		{"clocks", event.Source{Read: 5, Ahead: 1, Old: 2, NoTime: 3}, "1 of a time that has not come: a clock or a zone is wrong; 2 older than anything is kept; 3 without a time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := sourceNote(&tt.n); got != tt.want {
				t.Errorf("it says %q", got)
			}
		})
	}
	if got := sourceNote(&event.Source{Read: 1, Problem: "10.1.2.3 has no certificate"}); strings.Contains(got, "10.1.2.3") || !strings.Contains(got, "gnomon doctor") {
		t.Errorf("it says %q", got)
	}
}

// What packets and logs both saw is a panel of its own, if there were both.
func TestEyesPanel(t *testing.T) {
	p := eyesPanel(&seen{Coverage: event.Coverage{TwoEyes: &event.TwoEyes{Joined: 7, Uncounted: 5, Silent: 3, Untold: 2}}})
	want := []string{"joined 7", "uncounted 5", "silent 3", "untold 2"}
	for i, row := range p.Table.Rows {
		if got := row[0].CSV[0] + " " + row[1].Text; got != want[i] {
			t.Errorf("row %d says %q, want %q", i, got, want[i])
		}
	}
	if len(p.Table.Rows) != len(want) {
		t.Errorf("%d rows", len(p.Table.Rows))
	}
}
