package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/capture/pcapfile"
)

// replay reads the captures that args name and hands each run of them to read: rotated captures are one run, in the order of time. A
// damaged one is complained about and the others are still read; the result is errReported then.
func (p *program) replay(ctx context.Context, args []string, together bool, read func(capture.Source) error) error {
	if len(args) == 0 {
		return nil
	}
	files, err := pcapfile.Find(args)
	if err != nil {
		return err
	}
	bar := newProgress(p.stderr, "packets")
	defer bar.clear()
	failed := false
	complain := func(err error) {
		bar.clear()
		p.complain(err)
		failed = true
	}
	runs := [][]string{files}
	if !together {
		runs = nil
		for _, name := range files {
			runs = append(runs, []string{name})
		}
	}
	for _, run := range runs {
		if err := p.replaySeries(ctx, run, bar, complain, read); err != nil {
			return err
		}
	}
	if failed {
		return errReported
	}
	return nil
}

func (p *program) replaySeries(ctx context.Context, files []string, bar *progress, complain func(error), read func(capture.Source) error) error {
	series, err := pcapfile.NewSeries(files, p.openCapture, complain)
	if err != nil {
		return err
	}
	defer func() { _ = series.Close() }() // what went wrong was complained about
	for {
		err := series.Guard(func() error { return read(&progressSource{Series: series, bar: bar}) })
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("reading captures: interrupted in %s; what was read before was used", series.Name())
		}
		if !series.Resume() {
			return nil
		}
	}
}

func (p *program) openCapture(name string) (*pcapfile.File, error) {
	if name == "-" {
		return pcapfile.NewReader(p.stdin, "stdin")
	}
	return pcapfile.Open(name)
}

// progressSource shows how far captures have been read.
type progressSource struct {
	*pcapfile.Series
	bar *progress
}

// Next implements capture.Source.
func (s *progressSource) Next(batch []capture.Frame) (int, error) {
	n, err := s.Series.Next(batch)
	if s.bar.tick(n) {
		done, total := s.Progress()
		s.bar.show(s.Name(), done, total)
	}
	return n, err
}

// progress is a line on a terminal that says how far a long reading is. Elsewhere it is silent.
type progress struct {
	w       io.Writer
	on      bool
	shown   bool
	unit    string
	frames  uint64
	calls   uint
	began   time.Time
	updated time.Time
}

func newProgress(w io.Writer, unit string) *progress {
	now := time.Now()
	return &progress{w: w, on: terminal(w), unit: unit, began: now, updated: now}
}

// tick counts frames and says whether the line is due: a few times a second, and the clock is asked now and then only.
func (b *progress) tick(n int) bool {
	if !b.on {
		return false
	}
	b.frames += uint64(n)
	if b.calls++; b.calls%256 != 0 {
		return false
	}
	now := time.Now()
	if now.Sub(b.updated) < 200*time.Millisecond {
		return false
	}
	b.updated = now
	return true
}

func (b *progress) show(name string, done, total int64) {
	seconds := b.updated.Sub(b.began).Seconds()
	rate := float64(b.frames) / seconds
	b.shown = true
	if total <= 0 {
		fmt.Fprintf(b.w, "\r\x1b[K%s  %s %s  %s %s/s", name, short(float64(b.frames)), b.unit, short(rate), b.unit)
		return
	}
	const width = 24
	part := min(float64(done)/float64(total), 1)
	bar := make([]byte, width)
	for i := range bar {
		bar[i] = '.'
		if float64(i) < part*width {
			bar[i] = '#'
		}
	}
	left := "?"
	if part > 0 {
		left = (time.Duration(seconds*(1-part)/part) * time.Second).String()
	}
	fmt.Fprintf(b.w, "\r\x1b[K[%s] %3.0f%%  %s left  %s  %s %s/s", bar, part*100, left, name, short(rate), b.unit)
}

// clear takes the line away, so that another can be written.
func (b *progress) clear() {
	if b.shown {
		fmt.Fprint(b.w, "\r\x1b[K")
		b.shown = false
	}
}

// short writes a count with a unit: 1.2 M.
func short(n float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if n >= u.size {
			return fmt.Sprintf("%.1f%s", n/u.size, u.name)
		}
	}
	return fmt.Sprintf("%.0f", n)
}
