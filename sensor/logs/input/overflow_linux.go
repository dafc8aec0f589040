package input

import (
	"encoding/binary"
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// countOverflow asks the kernel to say with each datagram how many it has dropped before (SO_RXQ_OVFL, socket(7)). Every Linux can since 2.6.33;
// what only imitates one (QEMU's user mode, gVisor) may not, and that is no reason not to listen.
func countOverflow(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1) })
	if errors.Is(failed, unix.ENOPROTOOPT) {
		failed = nil
	}
	return errors.Join(err, failed)
}

// overflow reads how many datagrams have been dropped since the socket was opened. The counter goes round.
func overflow(oob []byte) (n uint32, ok bool) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return 0, false
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_RXQ_OVFL && len(m.Data) >= 4 {
			return binary.NativeEndian.Uint32(m.Data), true
		}
	}
	return 0, false
}
