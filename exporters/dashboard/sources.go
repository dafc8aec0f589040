package dashboard

import (
	"maps"
	"slices"
	"strings"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// sourcePanel lists the log sources, and what became of every line of each.
func sourcePanel(s *seen) panel {
	t := &table{ID: "sources", Caption: "Log sources", Empty: "No log source is configured, or none has reported."}
	for _, c := range [...]struct{ title, class, csv string }{{"Source", "", "source"}, {"Lines read", "num", "read"}, {"Used", "num opt", "used"},
		{"Not AI", "num opt", "not_ai"}, {"Other", "num opt", "other"}, {"Rejected", "num", "rejected"}, {"Lost", "num opt", "lost"}} {
		t.Columns = append(t.Columns, column{Title: c.title, Class: c.class, CSV: []string{c.csv}})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Sources)) {
		n := s.Sources[name]
		t.Rows = append(t.Rows, []cell{{Text: clean(name), Note: clean(sourceNote(&n))}, number(n.Read), number(n.Used), number(n.NotAI), number(n.Other),
			number(n.Rejected), number(n.Lost)})
	}
	return panel{ID: "log-sources", Title: "Log sources", Table: t, Lead: "Each line read is used, not of an AI service, other (a header, a line that tells of no " +
		"traffic) or rejected. A silent source is not a clean one."}
}

// eyesPanel says what packets and logs both told of, and which of it counted.
func eyesPanel(s *seen) panel {
	t := &table{ID: "eyes", Caption: "Packets and logs", Columns: []column{{Title: "What both saw", CSV: []string{"what"}}, {Title: "Number", Class: "num", CSV: []string{"number"}}}}
	line := func(name, key, note string, n uint64) {
		t.Rows = append(t.Rows, []cell{{Text: name, Note: note, CSV: []string{key}}, number(n)})
	}
	eyes := s.TwoEyes
	line("Records of visits that both saw", "joined", "", eyes.Joined)
	line("Records that do not count", "uncounted", "the other eye's do: nothing counts twice", eyes.Uncounted)
	line("Visits in which packets took over", "silent", "the log that should have told of them fell silent", eyes.Silent)
	line("Visits that no log told of", "untold", "they were left to a log that has gone on without them, so what they carried is missing in sums: read the logs of every "+
		"proxy, or see visit.prefer", eyes.Untold)
	return panel{ID: "two-eyes", Title: "Packets and logs", Table: t, Lead: "What a tap and a log both tell of counts once."}
}

// sourceNote says in a few clauses what to know of a source.
func sourceNote(n *event.Source) string {
	var notes []string
	say := func(when bool, note string) {
		if when {
			notes = append(notes, note)
		}
	}
	say(n.Read == 0, "silent in this period")
	say(n.Format != "", n.Format)
	for _, reason := range slices.Sorted(maps.Keys(n.RejectedBy)) {
		say(true, count(n.RejectedBy[reason])+" rejected: "+reason)
	}
	say(n.Ahead > 0, count(n.Ahead)+" of a time that has not come: a clock or a zone is wrong")
	say(n.Old > 0, count(n.Old)+" older than anything is kept")
	say(n.NoTime > 0, count(n.NoTime)+" without a time")
	say(n.Advice != "", "uploads are unknown: configure "+n.Advice)
	say(n.Problem != "", "cannot be read: gnomon doctor on the sensor says why") // what it says may hold addresses
	return strings.Join(notes, "; ")
}
