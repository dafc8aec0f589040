package pcapfile

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// placeSize is how much of a file is mapped at once, 256 MiB where addresses have 64 bits. To unmap it has every other processor let go of what it
	// knows of it: 0.1 ms each time, 10 ms of 390 for 1.6 GB where that was every 16 MiB.
	placeSize = placeStep << (4 * (^uint(0) >> 63))
	// placeStep is how much of that is asked for at once, whether it is worth while: more would not be in the near caches when it is read.
	placeStep = 16 << 20
	// placeFar is the longest stretch that is read before a window is tried again.
	placeFar = 256 << 20
	// placeProbe is what the kernel maps at least with one fault, and placeFolio what it maps with one if the page cache holds it in
	// folios of that size.
	placeProbe, placeFolio = 64 << 10, 1 << 20
	// placeAlign is the size of a huge page on most machines, and a multiple of a page everywhere.
	placeAlign = 2 << 20
)

// place is a file in the page cache that is read where it lies. One goroutine uses it.
//
// A copy out of the page cache takes 80 ns for a frame of 809 bytes. Where it holds large folios, which files have that were written or read in
// large pieces, mapping it takes a fault for each of them, and fetching it 35 ns for each frame. Over 1.6 GB of such frames scan took 0.42 s for 0.52
// (medians of twelve pairs), over 0.5 GB of handshakes 6 % less, of small packets 10 % less.
type place struct {
	fd     int // a descriptor of its own: the file's may be closed meanwhile
	size   int64
	window []byte // what is mapped
	at     int64  // where window begins in the file
	upto   int64  // where in the file ends what of it was found worth while
	again  int64  // from where on a window is tried again
	pause  int64  // how far that was from the last that was not worth while
	tried  []byte // a window that is looked at now, whether it is worth while

	most  int64                    // bytes in a window: placeSize, but in tests
	step  int64                    // bytes in a step, no fewer than placeAlign and bufferSize together: placeStep, but in tests
	worth func(window []byte) bool // cheap, but in tests
}

// newPlace returns the place of a file of a size; nil if it cannot be had.
func newPlace(file *os.File, size int64) *place {
	raw, err := file.SyscallConn()
	if err != nil {
		return nil
	}
	p := &place{fd: -1, size: size, most: placeSize, step: placeStep, worth: cheap}
	_ = raw.Control(func(fd uintptr) { p.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err != nil || p.fd < 0 {
		return nil
	}
	// Close may come from another goroutine while frames of the window are looked at, and does not unmap it.
	runtime.SetFinalizer(p, (*place).release)
	return p
}

// look asks how long the file is now, and says if it became no shorter.
func (p *place) look() bool {
	var info unix.Stat_t
	if unix.Fstat(p.fd, &info) != nil || info.Size < p.size {
		return false
	}
	p.size = info.Size
	return true
}

// move has the file seen up to an offset, from one that is at most bufferSize before it, if that is worth while: the file is still that long, all of the
// next step is in the page cache, and most of it in large folios. Otherwise all stays as it is.
func (p *place) move(from, to int64) bool {
	if from < p.again || !p.look() {
		return false
	}
	if to <= p.at+int64(len(p.window)) {
		return p.tread(from, p.window, p.at, p.upto)
	}
	at := from &^ (placeAlign - 1)
	window, err := unix.Mmap(p.fd, at, int(min(p.size-at, p.most)), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		p.rest(from)
		return false
	}
	p.tried = window
	if !p.tread(from, window, at, at) {
		_ = unix.Munmap(window) // it was mapped as it is
		p.tried = nil
		return false
	}
	return true
}

// tread takes the next step in a window, if it is worth while.
func (p *place) tread(from int64, window []byte, at, upto int64) bool {
	step := window[min(upto-at, int64(len(window))):min(upto-at+p.step, int64(len(window)))]
	if len(step) == 0 || !p.worth(step) {
		p.rest(from)
		return false
	}
	if p.tried != nil {
		p.unmap()
		p.window, p.at, p.tried = window, at, nil
	}
	p.upto, p.pause = upto+int64(len(step)), 0
	return true
}

// rest has no step tried for a while, each time for longer.
func (p *place) rest(from int64) {
	p.pause = min(max(p.step, 2*p.pause), placeFar)
	p.again = from + p.pause
}

// cheap touches a step twice in each folio that it may have. It says if none of that had to wait for a disk, and at most half of the second touches
// was a fault once more: one for every 64 KiB then, at 3 to 4 µs each, takes as long as a copy.
func cheap(window []byte) bool {
	_, waits := faults()
	touch(window[:1])
	if _, waited := faults(); waited != waits {
		return false // reading is better at waiting
	}
	touch(window)
	first, _ := faults()
	touch(window[min(placeProbe, len(window)):])
	second, waited := faults()
	return waited == waits && second-first <= len(window)/placeFolio/2
}

// faults counts those of this process: all, and of them those that waited.
func faults() (all, waited int) {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0, 0
	}
	return int(u.Minflt) + int(u.Majflt), int(u.Majflt)
}

func touch(window []byte) {
	sum := byte(0)
	for i := 0; i < len(window); i += placeFolio {
		sum += window[i]
	}
	runtime.KeepAlive(sum)
}

// holds says if an address is in a window.
func (p *place) holds(addr uintptr) bool {
	if p == nil {
		return false
	}
	for _, w := range [][]byte{p.window, p.tried} {
		if addr-uintptr(unsafe.Pointer(unsafe.SliceData(w))) < uintptr(len(w)) {
			return true
		}
	}
	return false
}

func (p *place) unmap() {
	if p.window != nil {
		_ = unix.Munmap(p.window) // it was mapped as it is
		p.window, p.upto = nil, p.at
	}
}

// release gives everything back. It may be called again.
func (p *place) release() {
	p.unmap()
	if p.fd >= 0 {
		_ = unix.Close(p.fd) // nothing was written
		p.fd = -1
	}
}
