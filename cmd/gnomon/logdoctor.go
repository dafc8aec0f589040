package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/logs"
	"github.com/gnomon-sensor/gnomon/sensor/logs/input"
)

// examineLogs says how each source of logs is: whether it can be read, when a line came, what became of the lines, and what to configure
// where uploads are not told.
func (p *program) examineLogs(c *settings, now time.Time) ([]check, error) {
	if len(c.Logs.Sources) == 0 {
		return nil, nil
	}
	library, err := logs.Load(c.Logs.Formats)
	if err != nil {
		return nil, err
	}
	list, err := logConfigs(c)
	if err != nil {
		return nil, err
	}
	var checks []check
	for i := range list {
		name := "log " + list[i].Name
		for _, problem := range input.Probe(list[i]) {
			checks = append(checks, check{name, warn, problem, "see the message"})
		}
		st, err := input.Read(p.logsDir(c), list[i].Name, library)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			checks = append(checks, check{name, warn, "nothing has been read from it yet", "is the daemon running, and does anything write or send it?"})
		case err != nil:
			checks = append(checks, check{name, warn, err.Error(), "see the message"})
		default:
			after := c.Findings.SourceSilent
			if own := c.Logs.Sources[i].SilentAfter; own > 0 {
				after = own
			}
			checks = append(checks, judgeLog(name, &st, after, now)...)
		}
	}
	return checks, nil
}

// judgeLog says of one source what its lines show.
func judgeLog(name string, st *input.Status, silentAfter time.Duration, now time.Time) []check {
	c := &st.Counts
	says := fmt.Sprintf("%d lines: %d of AI services, %d not, %d other, %d rejected", c.Read, c.Used, c.NotAI, c.Other, c.Rejected)
	if c.Format != "" {
		says += "; " + c.Format
	}
	if st.Behind > 0 {
		says += fmt.Sprintf("; %s are still to be read", size(uint64(st.Behind)))
	}
	checks := []check{{Name: name, Verdict: fine, Says: says}}
	tell := func(when bool, v verdict, says, do string) {
		if when {
			checks = append(checks, check{name, v, says, do})
		}
	}
	for _, problem := range st.Problems {
		tell(true, warn, problem, "see the message; the sensor goes on trying")
	}
	silent := now.Sub(st.Last)
	tell(st.Last.IsZero(), warn, "no line has come yet", "look at what writes or sends it")
	tell(!st.Last.IsZero() && silentAfter > 0 && silent > silentAfter, blind, fmt.Sprintf("no line has come for %v", silent.Round(time.Minute)), "look at what writes or sends it")
	tell(c.Rejected*100 > c.Read, warn, "of the lines "+percent(c.Rejected, c.Read)+" are rejected: "+rejections(st.Rejected),
		"name the format (`gnomon logs formats`), and see `gnomon logs test FORMAT FILE` line by line")
	tell(c.Advice != "" && c.NoUpload > 0, warn, fmt.Sprintf("uploads are unknown: %d records do not say how much went up", c.NoUpload), c.Advice)
	tell(c.Lost > 0, warn, fmt.Sprintf("%d messages or files were lost before they could be read", c.Lost),
		"raise net.core.rmem_max for UDP, or send over TCP; for files keep rotated ones longer")
	tell(c.Ahead > 0, warn, fmt.Sprintf("%d records tell a time that has not come", c.Ahead), "set the clock of what writes the log, or timezone of the source")
	tell(c.Old > 0, warn, fmt.Sprintf("%d records are older than anything is kept", c.Old), "they are in no report for long: see store.rollup_months, and skip_history of the source")
	tell(c.NoTime > 0, warn, fmt.Sprintf("%d records tell no time, and count when they were read", c.NoTime), "have the time written into the log")
	return checks
}

// examineEyes says what packets and logs both saw in the last day, if there were both.
func examineEyes(ctx context.Context, q query.Query, now time.Time) []check {
	to := now.UTC().Truncate(time.Hour).Add(time.Hour)
	rows, err := q.Coverage(ctx, to.Add(-24*time.Hour), to, time.Hour)
	if err != nil {
		return []check{{"two eyes", warn, err.Error(), "see the message"}}
	}
	var sum event.Coverage
	for i := range rows {
		sum.Add(&rows[i].Coverage)
	}
	if sum.TwoEyes == nil {
		return nil
	}
	return judgeEyes(sum.TwoEyes)
}

// judgeEyes says of what packets and logs both saw whether it counts once, and whether anything is missing.
func judgeEyes(e *event.TwoEyes) []check {
	checks := []check{{Name: "two eyes", Verdict: fine, Says: fmt.Sprintf("in the last day %d records are of visits that packets and logs both saw; %d do not count, for the other's do",
		e.Joined, e.Uncounted)}}
	if e.Silent > 0 {
		checks = append(checks, check{"two eyes", warn, fmt.Sprintf("in %d visits packets took over: the log that should have told of them fell silent", e.Silent),
			"look at what writes or sends the log; visit.patience is how long it may be silent"})
	}
	if e.Untold > 0 {
		checks = append(checks, check{"two eyes", warn, fmt.Sprintf("%d visits were left to a log that never told of them: what they carried is missing in sums", e.Untold),
			"read the logs of every proxy, or set visit.prefer = \"packets\""})
	}
	return checks
}

// rejections says why lines were rejected, with the shape of one for each reason.
func rejections(list []logs.Rejection) string {
	var all []string
	for _, r := range list {
		text := fmt.Sprintf("%d %s", r.Lines, r.Reason)
		if len(r.Samples) > 0 && r.Samples[0].Text != "" {
			text += fmt.Sprintf(", as line %d: %.80s", r.Samples[0].Line, r.Samples[0].Text)
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}
