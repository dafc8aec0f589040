package pcapfile

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// pollMillis is how long a wait for standard input goes on before it looks whether it was closed.
const pollMillis = 100

// stdin reads a descriptor that was inherited, so that its flags are not ours to change: without O_NONBLOCK, closing it does not end
// a read that waits. It is polled before each read instead.
type stdin struct {
	file   *os.File
	waits  bool // a pipe, a socket or a terminal
	wanted [1]unix.PollFd
	closed atomic.Bool
}

func newStdin(file *os.File) *stdin {
	info, err := file.Stat()
	return &stdin{file: file, waits: err != nil || !info.Mode().IsRegular()}
}

// size returns how many bytes are to come, or 0 if that cannot be known.
func (s *stdin) size() int64 {
	if s.waits {
		return 0
	}
	info, err := s.file.Stat()
	if err != nil {
		return 0
	}
	at, err := s.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return max(info.Size()-at, 0)
}

// Read waits for bytes and reads them.
func (s *stdin) Read(b []byte) (int, error) {
	for !s.closed.Load() {
		if !s.waits {
			return s.file.Read(b)
		}
		s.wanted[0] = unix.PollFd{Fd: int32(s.file.Fd()), Events: unix.POLLIN}
		n, err := unix.Poll(s.wanted[:], pollMillis)
		if err != nil && err != unix.EINTR {
			return 0, fmt.Errorf("waiting for %s: %w", s.file.Name(), err)
		}
		if n > 0 {
			return s.file.Read(b)
		}
	}
	return 0, os.ErrClosed
}

// Close ends a Read that waits. The descriptor stays open: it is the process's.
func (s *stdin) Close() error {
	s.closed.Store(true)
	return nil
}

// readAhead tells the kernel that the file is read from front to back, which doubles what it reads ahead. It is advice: a file system
// without it loses nothing.
func readAhead(file *os.File) {
	raw, err := file.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _ = unix.Fadvise(int(fd), 0, 0, unix.FADV_SEQUENTIAL) })
}
