package report

import (
	"fmt"
	"strings"
)

// coverageSection says what the figures rest on. For management it is short.
func coverageSection(r *Report) section {
	s := section{ID: "coverage", Title: "What the figures rest on"}
	c := r.Coverage
	if c.Watched == 0 {
		s.Blocks = []block{{Text: basis(r)}}
	}
	t := &table{Caption: "Coverage", Columns: []column{{"What", false, 5}, {"Figure", true, 3}, {"Share", true, 2}}}
	add := func(what, figure, share string) { t.Rows = append(t.Rows, row{Cells: texts(what, figure, share)}) }
	of := func(part, whole uint64) string { return percent(part, whole) }
	add("Time watched by at least one sensor", span2(c.Watched)+" of "+span2(c.Minutes), of(uint64(c.Watched), uint64(c.Minutes)))
	if c.Received > 0 {
		add("Packets lost before they could be read", number(c.Dropped), of(c.Dropped, c.Received+c.Dropped))
	}
	if n := undecodable(c); n > 0 {
		add("Packets of kinds that are not understood", number(n), of(n, c.Received))
	}
	if c.Flows > 0 {
		add("Connections with a readable name", number(c.Named)+" of "+number(c.Flows), of(c.Named, c.Flows))
		add("Names hidden or possibly hidden (ECH)", number(c.ECH), of(c.ECH, c.Flows))
		add("Encrypted name look-ups (DoH, DoT)", number(c.EncryptedDNS), of(c.EncryptedDNS, c.Flows))
		add("Connections into relays and VPNs", number(c.Relay), of(c.Relay, c.Flows))
		add("Seen in one direction only", number(c.OneSided), of(c.OneSided, c.Flows))
	}
	if r.Audience == DLP {
		add("Forgotten for want of memory", number(c.Evicted), of(c.Evicted, c.Flows))
		add("Bytes of which the user is known", size(c.BytesWithUser), dash)
	}
	if c.Watched > 0 || c.Received > 0 || c.Flows > 0 {
		s.Blocks = append(s.Blocks, block{Table: t})
	}
	if g := gapText(r); g != "" {
		s.Blocks = append(s.Blocks, block{Text: g})
	}
	if reasons := reasonText(c); reasons != "" && r.Audience == DLP {
		s.Blocks = append(s.Blocks, block{Small: true, Text: reasons})
	}
	return withSources(r, s)
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

// span2 writes minutes.
func span2(minutes int) string { return span(minutesOf(minutes)) }

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
