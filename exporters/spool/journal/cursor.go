package journal

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
)

// A cursor is a file of one line: the number of the next record, how many records were lost before it, and a checksum.
const (
	cursorPrefix = "cursor."
	temporary    = ".tmp"
	maxCursor    = 200
)

type cursor struct{ next, lost uint64 }

func (c cursor) String() string {
	body := fmt.Sprintf("gnomon cursor 1 next %d lost %d", c.next, c.lost)
	return fmt.Sprintf("%s crc32c %08x\n", body, crc32.Checksum([]byte(body), castagnoli()))
}

// parseCursor reads a cursor; ok is false if it is none.
func parseCursor(text string) (c cursor, ok bool) {
	if n, err := fmt.Sscanf(text, "gnomon cursor 1 next %d lost %d", &c.next, &c.lost); err != nil || n != 2 {
		return cursor{}, false
	}
	return c, c.String() == text
}

// readCursor returns false if there is none that can be read.
func (j *Journal) readCursor(reader string) (cursor, bool) {
	f, err := j.dir.Open(cursorPrefix + reader)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			j.o.Log.Error("the place of a reader in the spool cannot be read; it begins with the oldest record", "reader", reader, "error", err)
		}
		return cursor{}, false
	}
	defer f.Close()
	b := make([]byte, maxCursor)
	n, err := f.ReadAt(b, 0)
	c, ok := parseCursor(string(b[:n]))
	if !ok {
		if errors.Is(err, io.EOF) {
			err = errors.New("it is damaged")
		}
		j.o.Log.Error("the place of a reader in the spool cannot be read; it begins with the oldest record", "reader", reader, "error", err)
	}
	return c, ok
}

// keepPlace brings the place of a reader to the disk: the old one is there until the new one is.
func (j *Journal) keepPlace(r *Reader) error {
	j.placing.Lock()
	defer j.placing.Unlock()
	j.mu.Lock()
	c := cursor{r.committed, r.lost}
	j.mu.Unlock()
	if err := replaceFile(j.dir, cursorPrefix+r.name, []byte(c.String())); err != nil {
		return fmt.Errorf("keeping the place of %s in the spool: %w", r.name, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	r.saved = max(r.saved, c.next)
	return nil
}

// replaceFile writes a small file so that it is there whole, or as it was before.
func replaceFile(dir Dir, name string, text []byte) error {
	f, err := dir.Create(name + temporary)
	if errors.Is(err, fs.ErrExist) {
		if err = dir.Remove(name + temporary); err == nil {
			f, err = dir.Create(name + temporary)
		}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = dir.Rename(name+temporary, name)
	}
	if err != nil {
		return errors.Join(err, dir.Remove(name+temporary))
	}
	return dir.Sync()
}

// validName says whether a reader's name can be part of a file's.
func validName(name string) bool {
	return name != "" && len(name) < 64 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
