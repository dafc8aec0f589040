package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/capture/pcapfile"
	"github.com/gnomon-sensor/gnomon/sensor/logs"
)

// logOptions are the flags of commands that read logs.
type logOptions struct{ format, timezone string }

func (o *logOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.format, "format", "auto", "format of the input: auto, pcap (pcap and pcapng), or one of `gnomon logs formats`")
	cmd.Flags().StringVar(&o.timezone, "timezone", "", "zone of log times that carry none, as in Europe/Berlin (logs.timezone)")
}

// inputs are what a command reads, by what it is.
type inputs struct {
	p        *program
	formats  func() (*logs.Library, error)
	location *time.Location
	format   string // of all, auto or pcap
	pipe     bool   // stdin is read as well
	captures []string
	workers  int // that read them together; 0: as many as suit
	logs     []*logInput
	failed   bool
}

// logInput is one log.
type logInput struct {
	name    string
	format  string
	written int64 // when the file was changed last
	account logs.Account
	eye     *sensor.LogEye // nil: there are no packets beside
}

// logUse takes a record and says whether it was of an AI service.
type logUse func(line []byte, r *logs.Record) (bool, error)

// inputs finds out what each argument is. With a format of logs everything is one.
func (p *program) inputs(c *settings, args []string, o *logOptions) (*inputs, error) {
	return p.inputsOf(c, func() (*logs.Library, error) { return logs.Load(c.Logs.Formats) }, args, o)
}

// inputsOf is inputs with formats from elsewhere. They are asked for when the first input is no capture: reading them takes longer than
// many a capture.
func (p *program) inputsOf(c *settings, formats func() (*logs.Library, error), args []string, o *logOptions) (*inputs, error) {
	in := &inputs{p: p, formats: sync.OnceValues(formats), format: o.format}
	if o.format != "auto" && o.format != "pcap" {
		library, err := in.formats()
		if err != nil {
			return nil, err
		}
		if _, ok := library.Info(o.format); !ok {
			return nil, usage("--format %s: unknown format; use auto, pcap or one of `gnomon logs formats`", o.format)
		}
	}
	var err error
	if o.timezone != "" {
		c.Logs.Timezone = o.timezone
	}
	if in.location, err = c.Logs.Location(); err != nil {
		return nil, usageError{err}
	}
	for _, arg := range args {
		if err := in.add(arg, o.format); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// add sorts one argument in.
func (in *inputs) add(arg, format string) error {
	if format == "pcap" {
		in.captures = append(in.captures, arg)
		return nil
	}
	info, err := os.Stat(arg)
	switch {
	case arg == "-":
		return in.addStdin(format)
	case err != nil:
		return fmt.Errorf("looking for captures and logs: %w; check the path", err)
	case info.IsDir():
		return in.addDir(arg, format)
	}
	return in.addFile(arg, format, info.ModTime(), false)
}

// addStdin looks at the first bytes of stdin, which others read again.
func (in *inputs) addStdin(format string) error {
	b := bufio.NewReaderSize(in.p.stdin, sniffed)
	in.p.stdin = b
	if format == "auto" {
		head, _ := b.Peek(4) // what is there
		if pcapfile.Sniff(head) {
			in.captures = append(in.captures, "-")
			return nil
		}
		head, _ = b.Peek(sniffed)
		guessed, ok, err := in.guess("stdin", head)
		if err != nil {
			return err
		}
		if !ok {
			return in.unknown("stdin")
		}
		format = guessed
	}
	in.logs = append(in.logs, &logInput{name: "-", format: format, written: time.Now().UnixNano()})
	return nil
}

// addDir takes every capture and every log in and below a directory, in the order of their paths. Links are not followed.
func (in *inputs) addDir(dir, format string) error {
	found := len(in.captures) + len(in.logs)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if hidden := strings.HasPrefix(d.Name(), ".") && path != dir; hidden {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return in.addFile(path, format, info.ModTime(), true)
	})
	if err != nil {
		return fmt.Errorf("looking for captures and logs in %s: %w; allow reading it or leave it out", dir, err)
	}
	if found == len(in.captures)+len(in.logs) {
		return fmt.Errorf("looking for captures and logs in %s: none of its files is a capture or a log of a known format; name the format with --format", dir)
	}
	return nil
}

// sniffed is how much of a file is looked at to find out what it is.
const sniffed = 64 << 10

// addFile sorts a file in by its first bytes.
func (in *inputs) addFile(path, format string, written time.Time, several bool) error {
	if format == "auto" {
		head, err := sniff(path)
		switch {
		case err != nil:
			return err
		case pcapfile.Sniff(head):
			in.captures = append(in.captures, path)
			return nil
		}
		guessed, ok, err := in.guess(path, head)
		switch {
		case err != nil:
			return err
		case !ok && several:
			in.p.note("%s: passed over: neither a capture nor a log of a known format", path)
			return nil
		case !ok:
			return in.unknown(path)
		}
		format = guessed
	}
	in.logs = append(in.logs, &logInput{name: path, format: format, written: written.UnixNano()})
	return nil
}

// sniff returns the beginning of a file, without its compression.
func sniff(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("looking into a file: %w", err)
	}
	defer f.Close()
	r, err := unpack(f, f)
	if err != nil {
		return nil, fmt.Errorf("looking into %s: %w", path, err)
	}
	head := make([]byte, sniffed)
	n, _ := io.ReadFull(r, head) // what is there
	return head[:n], nil
}

// unpack returns what a log holds without its compression. A ZIP file is read where it lies, everything else by way of through, which reads raw too.
func unpack(raw, through io.Reader) (io.Reader, error) {
	if f, ok := raw.(*os.File); ok {
		head := make([]byte, 4)
		n, _ := f.ReadAt(head, 0) // a pipe is no ZIP file
		info, err := f.Stat()
		if err == nil && logs.Archived(head[:n]) {
			return logs.Unpack(f, info.Size())
		}
	}
	return logs.Decompress(through)
}

// guess finds the format of a log and says which and how sure.
func (in *inputs) guess(name string, head []byte) (format string, ok bool, err error) {
	library, err := in.formats()
	if err != nil {
		return "", false, err
	}
	guesses := library.Detect(head, logs.Options{Location: in.location, Now: func() int64 { return time.Now().UnixNano() }})
	if len(guesses) == 0 {
		return "", false, nil
	}
	best := guesses[0]
	next := ""
	if len(guesses) > 1 {
		next = "; next " + guesses[1].Name
	}
	in.p.note("%s: format %s (%.0f %% sure: %d of the first %d lines read%s)", name, best.Name, 100*best.Sure, best.Read, best.Lines, next)
	return best.Name, true, nil
}

// unknown complains about an input that is nothing known; the others are still read.
func (in *inputs) unknown(name string) error {
	in.p.complain(fmt.Errorf("reading %s: neither a capture nor a log of a known format; name its format with --format (see `gnomon logs formats`)", name))
	in.failed = true
	return nil
}

// read hands the records of every log to what open returns for it. A log that breaks off is complained about and the others are still
// read; the result is errReported then.
func (in *inputs) read(ctx context.Context, list []*logInput, open func(*logInput) logUse) error {
	bar := &logProgress{progress: newProgress(in.p.stderr, "lines"), total: sizeOf(list)}
	defer bar.clear()
	for _, log := range list {
		err := in.readOne(ctx, log, bar, open(log))
		var stop stopError
		switch {
		case errors.As(err, &stop):
			return stop.error
		case err != nil:
			bar.clear()
			in.p.complain(fmt.Errorf("reading the log %s: %w; what was read before was used", log.name, err))
			in.failed = true
		}
	}
	if in.failed {
		return errReported
	}
	return nil
}

// logProgress shows how far all logs have been read, as they lie on the disk.
type logProgress struct {
	*progress
	done, total int64
}

// sizeOf is the size of all logs together; 0 if one has none.
func sizeOf(list []*logInput) (total int64) {
	for _, log := range list {
		info, err := os.Stat(log.name)
		if err != nil || !info.Mode().IsRegular() {
			return 0
		}
		total += info.Size()
	}
	return total
}

// stopError ends all reading.
type stopError struct{ error }

func (in *inputs) readOne(ctx context.Context, log *logInput, bar *logProgress, use logUse) error {
	raw, err := in.open(log)
	if err != nil {
		return err
	}
	defer raw.Close()
	counted := &countingReader{r: raw}
	defer func() { bar.done += counted.n }()
	r, err := unpack(raw, counted)
	if err != nil {
		return err
	}
	format, err := in.reader(log)
	if err != nil {
		return err
	}
	now := time.Now().UnixNano()
	return logs.Read(logs.NewLines(r), format, &log.account, func(line []byte, r *logs.Record, err error) error {
		if bar.tick(1) {
			bar.show(log.name, bar.done+counted.n, bar.total)
		}
		if log.account.Read%4096 == 0 && ctx.Err() != nil {
			return stopError{fmt.Errorf("reading logs: interrupted in %s; what was read before was used", log.name)}
		}
		if err != nil {
			return nil //nolint:nilerr // it is accounted for
		}
		log.account.Age(r, now, 0)
		used, err := use(line, r)
		if used {
			log.account.Used++
		}
		if err != nil {
			return stopError{err}
		}
		return nil
	})
}

// reader is the format of a log, made ready for it.
func (in *inputs) reader(log *logInput) (logs.Format, error) {
	library, err := in.formats()
	if err != nil {
		return nil, err
	}
	return library.Open(log.format, logs.Options{Location: in.location, Now: func() int64 { return log.written }})
}

func (in *inputs) open(log *logInput) (io.ReadCloser, error) {
	if log.name == "-" {
		return io.NopCloser(in.p.stdin), nil
	}
	return os.Open(log.name)
}

type countingReader struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}
