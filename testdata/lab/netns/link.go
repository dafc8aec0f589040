package netns

import (
	"context"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Connect lays a veth pair between two namespaces, gives the ends their names, and brings both up without offloads.
func Connect(ctx context.Context, a *Space, aName string, b *Space, bName string) error {
	err := ip(ctx, "link", "add", aName, "netns", a.Name, "type", "veth", "peer", "name", bName, "netns", b.Name)
	if err != nil {
		return err
	}
	for _, end := range []struct {
		space *Space
		link  string
	}{{a, aName}, {b, bName}} {
		if err := end.space.Do(func() error { return plainFrames(end.link) }); err != nil {
			return err
		}
		if err := end.space.IP(ctx, "link", "set", end.link, "up"); err != nil {
			return err
		}
	}
	return nil
}

// plainFrames turns off the offloads of a link: what leaves it then are frames as on a cable, each with its
// own checksum and none longer than the MTU.
func plainFrames(link string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening a control socket for %s: %w", link, err)
	}
	defer unix.Close(fd)
	for _, cmd := range []uint32{unix.ETHTOOL_STXCSUM, unix.ETHTOOL_STSO, unix.ETHTOOL_SGSO, unix.ETHTOOL_SGRO} {
		if err := setOff(fd, link, cmd); err != nil {
			return fmt.Errorf("turning off offload %#x of %s: %w", cmd, link, err)
		}
	}
	return nil
}

// ethtoolValue and ifreqData are struct ethtool_value and struct ifreq of linux/ethtool.h and linux/if.h.
type ethtoolValue struct{ cmd, data uint32 }

type ifreqData struct {
	name [unix.IFNAMSIZ]byte
	data unsafe.Pointer
	_    [24 - unsafe.Sizeof(uintptr(0))]byte
}

func setOff(fd int, link string, cmd uint32) error {
	value := ethtoolValue{cmd: cmd}
	req := ifreqData{data: unsafe.Pointer(&value)}
	copy(req.name[:unix.IFNAMSIZ-1], link)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&req))); errno != 0 {
		return errno
	}
	return nil
}
