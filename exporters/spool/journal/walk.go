package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// Walk reads the records that are in a directory now, oldest first, beside the process that writes it. What it gives visit is valid until
// visit returns; an error from there ends the walk.
func Walk(dir Dir, visit func(number uint64, meta, payload []byte) error) error {
	files, err := segmentsOf(dir)
	if err != nil {
		return err
	}
	for _, name := range files {
		err := walkFile(dir, name, func(h *head, _ []byte, f frame) error { return visit(f.number, h.meta, f.payload) })
		if err != nil {
			return err
		}
	}
	return nil
}

// segmentsOf names the files of records, oldest first.
func segmentsOf(dir Dir) ([]string, error) {
	entries, err := dir.List()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if _, ok := firstOf(e.Name); ok && e.Size <= maxFile {
			names = append(names, e.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// walkFile gives visit the head, the whole record and its parts. A file that is damaged or has just gone ends early.
func walkFile(dir Dir, name string, visit func(*head, []byte, frame) error) error {
	b, err := readAll(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s of the spool: %w", name, err)
	}
	h, err := parseHead(b)
	if err != nil {
		return nil //nolint:nilerr // the writer may just have begun it; else the next start says what is wrong with it
	}
	for b = b[h.size:]; len(b) > 0; {
		f, err := parseFrame(b, h.epoch)
		if err != nil {
			at, found := nextFrame(b, h.epoch, h.first, ^uint64(0))
			if !found {
				return nil
			}
			b = b[at:]
			continue
		}
		if err := visit(&h, b[:f.size], f); err != nil {
			return err
		}
		b = b[f.size:]
	}
	return nil
}

func readAll(dir Dir, name string) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.NewSectionReader(f, 0, maxFile))
}

// Delete rewrites the files of a directory without some records. No journal has the directory open.
func Delete(dir Dir, gone func(number uint64) bool) error {
	files, err := segmentsOf(dir)
	if err != nil {
		return err
	}
	for _, name := range files {
		var kept []byte
		records, before := 0, 0
		err := walkFile(dir, name, func(h *head, whole []byte, f frame) error {
			if before == 0 {
				kept = appendHead(nil, h)
			}
			before++
			if !gone(f.number) {
				kept = append(kept, whole...)
				records++
			}
			return nil
		})
		switch {
		case err != nil:
			return err
		case before == records:
			continue
		case records == 0:
			err = dir.Remove(name)
		default:
			err = replaceFile(dir, name, kept)
		}
		if err != nil {
			return fmt.Errorf("removing records from %s of the spool: %w", name, err)
		}
	}
	return dir.Sync()
}
