package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// lock is the right to write a store, held through a lock on a file beside it. The kernel lets go of it when the process ends. What the
// file says outlives a crash: a process id in a file that nobody has locked means that the store was not closed.
type lock struct {
	file    *os.File
	unclean bool
}

// takeLock takes the lock of the store at path, or says who holds it.
func takeLock(path string) (*lock, error) {
	file, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("opening the store %s: %w; give a directory that is there and that this user may write to", path, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("opening the store %s: process %s has it open; stop that one first, or choose another store", path, holder(file))
		}
		return nil, fmt.Errorf("locking the store %s: %w", path, err)
	}
	l := &lock{file: file, unclean: holder(file) != unnamed}
	if err := l.write(strconv.Itoa(os.Getpid()) + "\n"); err != nil {
		file.Close()
		return nil, fmt.Errorf("locking the store %s: %w", path, err)
	}
	return l, nil
}

// unnamed stands for a process that has not said which it is.
const unnamed = "(unknown)"

// holder reads who wrote the file last.
func holder(file *os.File) string {
	b := make([]byte, 20)
	n, err := file.ReadAt(b, 0)
	pid := strings.TrimSpace(string(b[:n]))
	if (err != nil && !errors.Is(err, io.EOF)) || pid == "" {
		return unnamed
	}
	return pid
}

// write makes text all that the file says, on the disk.
func (l *lock) write(text string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	if _, err := l.file.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	return l.file.Sync()
}

// release lets go; clean says that the store was closed as it should be.
func (l *lock) release(clean bool) {
	if clean {
		// A mark that stays by mistake costs a check at the next start, nothing else.
		_ = l.write("")
	}
	_ = l.file.Close()
}
