package pcapfile

import (
	"io"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// cached reads a file past Go's scheduler as long as the bytes are in the page cache: RWF_NOWAIT has the kernel say EAGAIN where it
// would wait for a disk, and only then is read(2) used, which lets the scheduler know. A copy of half a megabyte takes longer than the
// scheduler's monitor expects of a system call: it takes the processor away, gives it back and stays awake to look again.
//
// Measured: 0.03 s of 0.25 s for 1.6 GB from the page cache.
type cached struct {
	*os.File
	conn    syscall.RawConn
	read    func(fd uintptr) // one closure for all reads
	to      []byte
	got     int
	errno   syscall.Errno
	refused bool // the kernel or the file system knows no such reading
}

// fromCache returns a reader of file that does not mind what is cached. Closing it is closing file.
func fromCache(file *os.File) io.Reader {
	conn, err := file.SyscallConn()
	if err != nil {
		return file
	}
	c := &cached{File: file, conn: conn}
	c.read = func(fd uintptr) { c.got, c.errno = readNow(fd, c.to) }
	return c
}

// Read reads what is cached, or else waits for the disk.
func (c *cached) Read(b []byte) (int, error) {
	if c.refused || len(b) == 0 {
		return c.File.Read(b)
	}
	c.to = b
	err := c.conn.Control(c.read) // keeps the descriptor open meanwhile
	c.to = nil
	switch {
	case err == nil && c.errno == 0 && c.got > 0:
		return c.got, nil
	case c.errno != 0 && c.errno != unix.EAGAIN && c.errno != unix.EINTR:
		c.refused = true
	}
	return c.File.Read(b) // which also knows the end and what is wrong
}

// readNow reads at the file's position into b, which is not empty, without waiting.
func readNow(fd uintptr, b []byte) (int, syscall.Errno) {
	const here = ^uintptr(0) // preadv2(2): an offset of -1 stands for the file's position, and moves it
	vec := unix.Iovec{Base: unsafe.SliceData(b)}
	vec.SetLen(len(b))
	n, _, errno := syscall.RawSyscall6(unix.SYS_PREADV2, fd, uintptr(unsafe.Pointer(&vec)), 1, here, here, unix.RWF_NOWAIT)
	runtime.KeepAlive(b)
	return int(n), errno
}
