package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// sources counts lines by log.
func (in *inputs) sources() map[string]event.Source {
	out := map[string]event.Source{}
	for _, log := range in.logs {
		upload := ""
		if library, err := in.formats(); err == nil { // else no log was read
			info, _ := library.Info(log.format) // it was looked up before
			upload = info.Upload
		}
		out[log.name] = out[log.name].Plus(log.account.Counts(log.format, upload))
	}
	return out
}

// tell says on stderr what became of the lines.
func (in *inputs) tell() {
	for _, log := range in.logs {
		a := &log.account
		in.p.note("%s: %s: %d lines, %d records, %d other, %d rejected", log.name, log.format, a.Read, a.Records, a.Other(), a.Rejected())
		for _, r := range a.Rejections() {
			in.p.note("  %d %s", r.Lines, r.Reason)
			for _, s := range r.Samples {
				in.p.note("    line %d: %s", s.Line, printable(s.Text))
			}
		}
	}
}

// writeSources says what became of the lines of logs, and names those that do not tell how much went up, with what to configure instead.
func writeSources(w io.Writer, c *sensor.Coverage) {
	fmt.Fprintln(w)
	t := newTable("LOG", "LINES", "OF AI SERVICES", "NOT AI", "OTHER", "REJECTED")
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		s := c.Sources[name]
		t.row(printable(name), fmt.Sprint(s.Read), fmt.Sprint(s.Used), fmt.Sprint(s.NotAI), fmt.Sprint(s.Other), fmt.Sprint(s.Rejected))
	}
	t.write(w)
	said := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		s := c.Sources[name]
		writeDoubts(w, name, &s)
		if s.Advice == "" || said[s.Format] {
			continue
		}
		said[s.Format] = true
		fmt.Fprintf(w, "\nUploads are unknown from %s (%s). To have them, configure:\n  %s\n", printable(name), s.Format, s.Advice)
	}
}

// writeDoubts says what of a source's lines wants to be looked at.
func writeDoubts(w io.Writer, name string, s *event.Source) {
	for _, doubt := range [...]struct {
		n    uint64
		says string
	}{{s.Ahead, "records tell a time that has not come: is a clock or a time zone wrong?"}, {s.Old, "records are older than anything is kept"},
		{s.NoTime, "records tell no time, and count when the log was written"}, {s.Lost, "messages or files were lost before they could be read"}} {
		if doubt.n > 0 {
			fmt.Fprintf(w, "%s: %d %s\n", printable(name), doubt.n, doubt.says)
		}
	}
	if s.Problem != "" {
		fmt.Fprintf(w, "%s: %s\n", printable(name), printable(s.Problem))
	}
}
