// Package jsonl writes records as NDJSON: to a file that is rotated when it is full, or to a stream. What a record holds is decided in
// package event, when to try again in front of the exporter.
package jsonl

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Config says where to write.
type Config struct {
	// Path of the file that is being written. Full ones become PATH.1 (the newest), PATH.2, ...
	Path string
	// MaxBytes is the size at which a file is full.
	MaxBytes int64
	// Keep is how many full files stay.
	Keep int
}

// File writes to a file. What Export has called stored is on the disk.
type File struct {
	config Config
	file   *os.File
	size   int64
	buf    []byte
	recent map[string]bool // the ids of the last lines, for what comes again after a crash; nil: it has come
}

// batchSize is how many records are written and synced at once.
const batchSize = 2048

// Open opens or goes on with the file. A last line without its end, as a crash leaves it, is cut off: the record was never called
// stored.
func Open(config Config) (*File, error) {
	f := &File{config: config}
	if err := f.open(); err != nil {
		return nil, err
	}
	var err error
	if f.recent, err = recentIDs(config.Path, f.size); err != nil {
		return nil, errors.Join(fmt.Errorf("reading the end of the record file %s: %w", config.Path, err), f.file.Close())
	}
	return f, nil
}

func (f *File) open() error {
	file, err := os.OpenFile(f.config.Path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return fmt.Errorf("opening the record file: %w", err)
	}
	size, err := wholeLines(file)
	if err != nil {
		_ = file.Close()
		return fmt.Errorf("reading the end of the record file %s: %w", f.config.Path, err)
	}
	f.file, f.size = file, size
	return nil
}

// wholeLines cuts a last line that has no end and returns the size; the file stands at its end then.
func wholeLines(file *os.File) (int64, error) {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	size := end
	block := make([]byte, 64<<10)
	for size > 0 {
		n := min(int64(len(block)), size)
		if _, err := file.ReadAt(block[:n], size-n); err != nil {
			return 0, err
		}
		i := n
		for i > 0 && block[i-1] != '\n' {
			i--
		}
		size -= n - i
		if i > 0 {
			break
		}
	}
	if size < end {
		if err := file.Truncate(size); err != nil {
			return 0, err
		}
	}
	_, err = file.Seek(size, io.SeekStart)
	return size, err
}

var _ exporters.Exporter = (*File)(nil)

// Export implements exporters.Exporter. A full disk leaves no half line behind: the batch can be tried again.
func (f *File) Export(ctx context.Context, batch []event.Event, out []exporters.Outcome) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.size >= f.config.MaxBytes {
		if err := f.rotate(); err != nil {
			return err
		}
	}
	f.buf = f.buf[:0]
	repeated := false
	for i := range batch {
		if f.recent[batch[i].Event.ID] {
			repeated = true
			out[i] = exporters.Outcome{State: exporters.Stored, Duplicate: true}
			continue
		}
		buf, err := batch[i].AppendJSON(f.buf)
		if err != nil {
			out[i] = exporters.Outcome{State: exporters.Never, Reason: err.Error()}
			continue
		}
		f.buf = append(buf, '\n')
		out[i] = exporters.Outcome{State: exporters.Stored}
	}
	if len(batch) > 0 && !repeated {
		f.recent = nil // what came again after the crash has all come
	}
	return f.write(len(batch))
}

// write brings buf to the disk, as a whole.
func (f *File) write(records int) error {
	if len(f.buf) == 0 {
		return nil
	}
	n, err := f.file.Write(f.buf)
	if err == nil {
		err = f.file.Sync()
	}
	if err != nil {
		if n > 0 {
			err = errors.Join(err, f.file.Truncate(f.size))
			_, seekErr := f.file.Seek(f.size, io.SeekStart)
			err = errors.Join(err, seekErr)
		}
		return fmt.Errorf("writing %d records to %s: %w", records, f.config.Path, err)
	}
	f.size += int64(n)
	return nil
}

var _ exporters.Sized = (*File)(nil)

// BatchSize implements exporters.Sized.
func (f *File) BatchSize() int { return batchSize }

var _ exporters.Forgetful = (*File)(nil)

// Forgets implements exporters.Forgetful: only the last lines are looked at for what comes again.
func (f *File) Forgets() bool { return true }

// rotate renames the full file and those before it by one, and begins a new one.
func (f *File) rotate() error {
	path := f.config.Path
	for i := f.config.Keep; i > 0; i-- {
		from := path
		if i > 1 {
			from = path + "." + strconv.Itoa(i-1)
		}
		if err := os.Rename(from, path+"."+strconv.Itoa(i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("rotating the record file: %w", err)
		}
	}
	if err := f.file.Close(); err != nil {
		return fmt.Errorf("closing the full record file: %w", err)
	}
	return f.open()
}

// Close implements exporters.Exporter.
func (f *File) Close() error {
	return errors.Join(f.file.Sync(), f.file.Close())
}

// Stream writes to w, for programs behind a pipe.
type Stream struct {
	w *bufio.Writer
	e *json.Encoder
}

// NewStream returns a stream; Close flushes it and leaves w open.
func NewStream(w io.Writer) *Stream {
	b := bufio.NewWriterSize(w, 64<<10)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	return &Stream{w: b, e: e}
}

var _ exporters.Exporter = (*Stream)(nil)

// Export implements exporters.Exporter.
func (s *Stream) Export(_ context.Context, batch []event.Event, out []exporters.Outcome) error {
	for i := range batch {
		if err := s.e.Encode(&batch[i]); err != nil {
			return fmt.Errorf("writing records: %w", err)
		}
		out[i] = exporters.Outcome{State: exporters.Stored}
	}
	return nil
}

// Flush hands everything written so far on.
func (s *Stream) Flush() error { return s.w.Flush() }

// Close implements exporters.Exporter.
func (s *Stream) Close() error { return s.w.Flush() }
