package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/gnomon-sensor/gnomon/exporters/spool/journal"
)

// lock is the right to write a spool. The kernel takes it back when the process ends, however it ends.
type lock struct{ file *os.File }

// errLocked is a spool that another process has.
var errLocked = errors.New("another process has it open")

// takeLock makes the directory and takes it for this process, or says which has it.
func takeLock(dir string) (*lock, error) {
	if _, err := journal.OpenDisk(dir); err != nil {
		return nil, fmt.Errorf("opening the spool %s: %w", dir, err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the spool %s: %w", dir, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking the spool %s: %w", dir, err)
		}
		owner := make([]byte, 20)
		n, _ := file.ReadAt(owner, 0) // without it the message is less helpful, no more
		return nil, fmt.Errorf("opening the spool %s: process %s has it open; stop that one first, or choose another directory: %w", dir,
			strings.TrimSpace(string(owner[:n])), errLocked)
	}
	if err := file.Truncate(0); err == nil {
		_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0) // on a full disk it stays empty; the lock holds
	}
	return &lock{file}, nil
}

func (l *lock) release() { _ = l.file.Close() }
