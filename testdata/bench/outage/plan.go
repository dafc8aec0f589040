package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/exportertest"
	"github.com/gnomon-sensor/gnomon/exporters/spool"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// plan says how long what lasts.
type plan struct {
	rate                       int // records a second
	before, away, after, every time.Duration
	maxBytes                   int64
}

// closing bounds how long what waits may take at the end.
const closing = 10 * time.Minute

// measured is an outage under way.
type measured struct {
	plan
	out     io.Writer
	spool   *spool.Spool
	sample  []event.Event
	offered int
	memory  []int64 // of the process while the node was away, KiB, at every line
}

// run goes through an outage. start starts the node.
func (p *plan) run(ctx context.Context, out io.Writer, address, dir string, start func() (func(), error)) error {
	m := &measured{plan: *p, out: out}
	if err := m.open(address, filepath.Join(dir, "spool")); err != nil {
		return err
	}
	stop, err := start()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%8s  %12s  %12s  %10s  %10s\n", "time", "offered", "waiting", "spool", "RssAnon")
	begun := time.Now()
	m.offer(ctx, begun, p.before, false)
	stop()
	fmt.Fprintln(out, "the node was killed")
	m.offer(ctx, begun, p.before+p.away, true)
	if stop, err = start(); err != nil {
		return err
	}
	defer func() { stop() }()
	fmt.Fprintln(out, "the node is back")
	m.offer(ctx, begun, p.before+p.away+p.after, false)
	closed := m.spool.Close(closing)
	return errors.Join(m.judge(ctx, address, time.Since(begun)), closed, context.Cause(ctx))
}

// open opens the spool and what empties it, as the sensor does.
func (m *measured) open(address, dir string) error {
	c := elasticsearch.Default()
	c.Addresses, c.Proxy = []string{"http://" + address}, "direct"
	log := slog.New(slog.DiscardHandler)
	e, err := elasticsearch.Open(c, nil, log)
	if err != nil {
		return err
	}
	config := spool.Default(dir)
	config.Exporters, config.MaxBytes, config.Log = []string{"elasticsearch"}, m.maxBytes, log
	if m.spool, err = spool.Open(config); err != nil {
		return err
	}
	m.sample = make([]event.Event, 4000)
	for i := range m.sample {
		m.sample[i] = exportertest.Full(i)
	}
	return m.spool.Attach("elasticsearch", e)
}

// offer offers records until so much time has gone by.
func (m *measured) offer(ctx context.Context, begun time.Time, until time.Duration, away bool) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	said := time.Now()
	for ctx.Err() == nil && time.Since(begun) < until {
		for due := int(time.Since(begun).Seconds() * float64(m.rate)); m.offered < due; m.offered++ {
			ev := m.sample[m.offered%len(m.sample)]
			ev.Event.ID = fmt.Sprintf("06h0%022d", m.offered)
			ev.Timestamp = event.At(time.Now())
			ev.Event.Ingested = ev.Timestamp
			m.spool.Offer(&ev)
		}
		if time.Since(said) >= m.every {
			said = time.Now()
			m.line(time.Since(begun), away)
		}
		<-tick.C
	}
}

// line prints how things stand.
func (m *measured) line(at time.Duration, away bool) {
	s, memory := m.spool.Stats(), rssAnon()
	if away {
		m.memory = append(m.memory, memory)
	}
	fmt.Fprintf(m.out, "%8v  %12d  %12d  %6d MiB  %6.1f MiB\n", at.Round(time.Second), m.offered, s.Exporters[0].Waiting, s.Bytes>>20, float64(memory)/1024)
}

// judge compares what was offered with what the node has and what is counted as lost, and the memory at the outage's end with that at its
// beginning.
func (m *measured) judge(ctx context.Context, address string, took time.Duration) error {
	there, err := ask(ctx, address)
	if err != nil {
		return err
	}
	s := m.spool.Stats()
	e := s.Exporters[0]
	lost := int(e.Lost + s.Refused)
	fmt.Fprintf(m.out, "%d offered in %v: %d stored, of them %d sent again; %d lost and counted (%d of the oldest for the cap, %d that the disk did not take in time)\n",
		m.offered, took.Round(time.Second), there, e.Duplicates, lost, e.Lost, s.Refused)
	if there+lost != m.offered || int(e.Stored) != there {
		return fmt.Errorf("counting: %d are stored by the exporter's count, %d are there, %d are lost, of %d", e.Stored, there, lost, m.offered)
	}
	if n := len(m.memory); n > 1 {
		fmt.Fprintf(m.out, "memory while the node was away: %.1f MiB at first, %.1f MiB at last\n", float64(m.memory[0])/1024, float64(m.memory[n-1])/1024)
		if m.memory[n-1] > m.memory[0]*3/2 {
			return errors.New("memory grew while the node was away")
		}
	}
	return nil
}

// ask asks the node how many records it has.
func ask(ctx context.Context, address string) (n int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/count", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("asking the node for its records: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, fmt.Errorf("asking the node for its records: %w", err)
	}
	return strconv.Atoi(string(text))
}

// rssAnon is the process's own memory in KiB; 0 where the system does not say.
func rssAnon() (kib int64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kib, _ = strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		}
	}
	return kib
}
