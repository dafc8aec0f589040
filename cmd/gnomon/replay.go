package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/capture/pcapfile"
)

// replay opens the captures that args name, one after the other, and hands each to read. A damaged one is complained about and the
// others are still read; the result is errReported then.
func (p *program) replay(ctx context.Context, args []string, read func(*progressSource) error) error {
	files, err := pcapfile.Find(args)
	if err != nil {
		return err
	}
	bar := newProgress(p.stderr, len(files))
	defer bar.done()
	failed := false
	for _, name := range files {
		if ctx.Err() != nil {
			return fmt.Errorf("reading %s: interrupted; what was read before was used", name)
		}
		if err := p.replayOne(name, bar, read); err != nil {
			bar.clear()
			p.complain(err)
			failed = true
		}
	}
	if failed {
		return errReported
	}
	return nil
}

func (p *program) replayOne(name string, bar *progress, read func(*progressSource) error) (err error) {
	var file *pcapfile.File
	if name == "-" {
		file, err = pcapfile.NewReader(p.stdin, "stdin")
	} else {
		file, err = pcapfile.Open(name)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return read(&progressSource{File: file, bar: bar})
}

// progressSource shows how far a capture file has been read.
type progressSource struct {
	*pcapfile.File
	bar *progress
}

// Next implements capture.Source.
func (s *progressSource) Next(batch []capture.Frame) (int, error) {
	n, err := s.File.Next(batch)
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
	files   int
	frames  uint64
	calls   uint
	began   time.Time
	updated time.Time
}

func newProgress(w io.Writer, files int) *progress {
	now := time.Now()
	return &progress{w: w, on: terminal(w), files: files, began: now, updated: now}
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
		fmt.Fprintf(b.w, "\r\x1b[K%s  %s packets  %s packets/s", name, short(float64(b.frames)), short(rate))
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
	fmt.Fprintf(b.w, "\r\x1b[K[%s] %3.0f%%  %s  %s packets/s", bar, part*100, name, short(rate))
}

// clear takes the line away, so that another can be written.
func (b *progress) clear() {
	if b.shown {
		fmt.Fprint(b.w, "\r\x1b[K")
		b.shown = false
	}
}

func (b *progress) done() { b.clear() }

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
