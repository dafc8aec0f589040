package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// coverageSection says what the figures rest on. For management it is short.
func coverageSection(r *Report) section {
	s := section{ID: "coverage", Title: "What the figures rest on"}
	c := r.Coverage
	if c.Watched == 0 {
		s.Blocks = []block{{Text: basis(r)}}
	}
	if c.Watched > 0 || c.Received > 0 || c.Flows > 0 {
		t := &table{Caption: "Coverage", Columns: []column{{"What", false, 5}, {"Figure", true, 3}, {"Share", true, 2}}}
		for _, line := range coverageLines(r) {
			t.Rows = append(t.Rows, row{Cells: texts(line[:]...)})
		}
		s.Blocks = append(s.Blocks, block{Table: t})
	}
	if g := gapText(r); g != "" {
		s.Blocks = append(s.Blocks, block{Text: g})
	}
	for _, text := range [...]string{reasonText(c), hiddenText(c)} {
		if text != "" && r.Audience == DLP {
			s.Blocks = append(s.Blocks, block{Small: true, Text: text})
		}
	}
	return withSources(r, s)
}

// hiddenText says by what names were hidden.
func hiddenText(c Coverage) string {
	if len(c.HiddenBy) == 0 {
		return ""
	}
	var parts []string
	for _, by := range slices.Sorted(maps.Keys(c.HiddenBy)) {
		parts = append(parts, by+space+number(c.HiddenBy[by].Flows))
	}
	return "Connections whose names were hidden, by what: " + strings.Join(parts, ", ") + "."
}

// coverageLines are what, how much of it, and its share.
func coverageLines(r *Report) [][3]string {
	c := r.Coverage
	lines := [][3]string{{"Time watched by at least one sensor", span(minutesOf(c.Watched)) + " of " + span(minutesOf(c.Minutes)),
		percent(uint64(c.Watched), uint64(c.Minutes))}}
	of := func(what string, part, whole uint64) {
		lines = append(lines, [3]string{what, number(part), percent(part, whole)})
	}
	if c.Received > 0 {
		of("Packets lost before they could be read", c.Dropped, c.Received+c.Dropped)
	}
	if n := undecodable(c); n > 0 {
		of("Packets of kinds that are not understood", n, c.Received)
	}
	if c.Flows > 0 {
		lines = append(lines, [3]string{"Connections with a readable name", number(c.Named) + " of " + number(c.Readable), percent(c.Named, c.Readable)})
		for _, s := range sights(&c) {
			lines = append(lines, [3]string{s.says, number(s.part.Flows) + ", " + size(s.part.Bytes), percent(s.part.Flows, s.whole.Flows)})
		}
		of("Seen in one direction only", c.OneSided, c.Flows)
	}
	if r.Audience == DLP {
		of("Forgotten for want of memory", c.Evicted, c.Flows)
		lines = append(lines, [3]string{"Bytes of which the user is known", size(c.BytesWithUser), dash})
	}
	return lines
}

// sightLine is a part of the traffic whose names are not seen, and what it is a part of.
type sightLine struct {
	id, says    string
	part, whole event.Part
}

// sights are what hides names on any port, as parts of that and of the traffic to port 443, and what is nameless on port 443.
func sights(c *Coverage) []sightLine {
	web := c.Web.Total()
	dns, relay := c.Web.EncryptedDNS.Plus(c.OtherPorts.EncryptedDNS), c.Web.Relay.Plus(c.OtherPorts.Relay)
	all := web.Plus(c.OtherPorts.Total())
	return []sightLine{
		{"with a hidden name (ECH)", "Names hidden in encrypted hellos (ECH)", c.Web.ECH, web},
		{"of encrypted DNS", "Encrypted name look-ups (DoH, DoT, DoQ)", dns, all},
		{"to relays and VPNs", "Connections into relays and VPNs", relay, all},
		{"nameless", "Port 443 without a name for other reasons", c.Web.OneSided.Plus(c.Web.Cut).Plus(c.Web.Nameless), web},
	}
}

// reasonText says why packets could not be read.
func reasonText(c Coverage) string {
	if len(c.Undecodable) == 0 {
		return ""
	}
	var parts []string
	for _, u := range c.Undecodable {
		parts = append(parts, u.Name+space+number(u.Packets))
	}
	return "Packets that could not be read, by reason: " + strings.Join(parts, ", ") + "."
}

// withSources adds what logs gave.
func withSources(r *Report, s section) section {
	if len(r.Coverage.Sources) == 0 {
		return s
	}
	if r.Audience == Management {
		all := r.Coverage.Sources[0]
		s.Blocks = append(s.Blocks, block{Text: fmt.Sprintf("Of %s log lines from %s, %s could not be read (%s).", number(all.Read),
			plural(uint64(r.Coverage.LogSources), "source", "sources"), number(all.Rejected), percent(all.Rejected, all.Read))})
		return s
	}
	t := &table{Caption: "Log sources", Columns: []column{{"Log source", false, 5}, {"Lines read", true, 2}, {"used", true, 2}, {"rejected", true, 2}, {"rejected share", true, 2}}}
	for _, l := range r.Coverage.Sources {
		t.Rows = append(t.Rows, row{Cells: texts(l.Name, number(l.Read), number(l.Used), number(l.Rejected), percent(l.Rejected, l.Read))})
	}
	s.Blocks = append(s.Blocks, block{Table: t})
	return s
}

func undecodable(c Coverage) (n uint64) {
	for _, u := range c.Undecodable {
		n += u.Packets
	}
	return n
}

// gapText lists when nothing watched.
func gapText(r *Report) string {
	c := r.Coverage
	if c.Watched == 0 || c.GapsAll == 0 {
		return ""
	}
	gaps, most := c.Gaps, maxGaps
	if r.Audience == Management {
		most = 3
	}
	gaps = longest(gaps, most)
	var parts []string
	for _, g := range gaps {
		parts = append(parts, moment(g.From)+", "+span(g.To.Sub(g.From)))
	}
	s := "Nothing watched from: " + strings.Join(parts, "; ")
	if more := c.GapsAll - len(gaps); more > 0 {
		s += "; and " + plural(uint64(more), "shorter time", "shorter times")
	}
	return s + "."
}

// notesSection says how to read the figures.
func notesSection(r *Report) section {
	var list []string
	for _, n := range r.Notes {
		list = append(list, n.Topic+". "+n.Text)
	}
	return section{ID: "notes", Title: "How to read this, and what cannot be seen", Blocks: []block{{List: list}}}
}
