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
		a := &log.account
		sum := out[log.name]
		out[log.name] = event.Source{Read: sum.Read + a.Read, Used: sum.Used + a.Used, Rejected: sum.Rejected + a.Rejected()}
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

// writeAdvice names the logs that do not tell how much went up, and what to configure instead.
func (in *inputs) writeAdvice(w io.Writer) {
	said := map[string]bool{}
	for _, log := range in.logs {
		library, err := in.formats()
		if err != nil { // then no log was read
			return
		}
		info, _ := library.Info(log.format)
		if info.Upload == "" || said[log.format] || log.account.NoBytes == 0 {
			continue
		}
		said[log.format] = true
		fmt.Fprintf(w, "\nUploads are unknown from %s (%s). To have them, configure:\n  %s\n", log.name, info.Title, info.Upload)
	}
}

// writeSources says what became of the lines of logs.
func writeSources(w io.Writer, c *sensor.Coverage) {
	fmt.Fprintln(w)
	t := newTable("LOG", "LINES", "OF AI SERVICES", "NOT AI OR NO RECORD", "REJECTED")
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		s := c.Sources[name]
		t.row(printable(name), fmt.Sprint(s.Read), fmt.Sprint(s.Used), fmt.Sprint(s.Read-s.Used-s.Rejected), fmt.Sprint(s.Rejected))
	}
	t.write(w)
	if both := c.TwoEyes; both != nil {
		fmt.Fprintf(w, "\nPackets and logs both told of visits: %d records; %d of all records were not counted, for the other's were (visit.prefer).\n", both.Joined, both.Uncounted)
	}
}
