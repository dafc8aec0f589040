package afpacket

import (
	"errors"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// State asks the kernel for the state of an interface. An interface that does not exist gives ENODEV.
func State(name string) (LinkState, error) {
	s, err := stateOf(name)
	if err != nil {
		return LinkState{}, explain("asking for the state of", name, err)
	}
	return s, nil
}

func stateOf(name string) (LinkState, error) {
	var s LinkState
	err := withControl(name, func(fd int, ifr *unix.Ifreq) error {
		if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr); err != nil {
			return err
		}
		s.Index = int(ifr.Uint32())
		if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, ifr); err != nil {
			return err
		}
		flags := ifr.Uint16()
		s.Up = flags&unix.IFF_UP != 0
		s.Running = flags&unix.IFF_RUNNING != 0
		s.Promiscuous = flags&unix.IFF_PROMISC != 0
		s.Loopback = flags&unix.IFF_LOOPBACK != 0
		if err := unix.IoctlIfreq(fd, unix.SIOCGIFMTU, ifr); err != nil {
			return err
		}
		s.MTU = int(ifr.Uint32())
		if err := unix.IoctlIfreq(fd, unix.SIOCGIFHWADDR, ifr); err != nil {
			return err
		}
		s.Hardware = ifr.Uint16() // sa_family of the address
		return nil
	})
	return s, err
}

// withControl calls ask with a socket for ioctls, which needs no privilege, and a request that names the interface.
func withControl(name string, ask func(fd int, ifr *unix.Ifreq) error) error {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return unix.ENODEV // the name is too long for an interface
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return ask(fd, ifr)
}

// nameOf is the name of the interface with the kernel's index.
func nameOf(index int32) (string, error) {
	var name string
	err := withControl("", func(fd int, ifr *unix.Ifreq) error {
		ifr.SetUint32(uint32(index))
		if err := unix.IoctlIfreq(fd, unix.SIOCGIFNAME, ifr); err != nil {
			return err
		}
		name = ifr.Name()
		return nil
	})
	return name, err
}

// Offloads asks the driver of an interface for its offloads.
func Offloads(name string) (OffloadState, error) {
	var s OffloadState
	err := withControl(name, func(fd int, ifr *unix.Ifreq) error {
		if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr); err != nil {
			return err
		}
		for _, q := range []struct {
			command uint32
			mask    uint32
			on      *bool
		}{
			{unix.ETHTOOL_GGRO, ^uint32(0), &s.GRO},
			{unix.ETHTOOL_GFLAGS, flagLRO, &s.LRO},
			{unix.ETHTOOL_GGSO, ^uint32(0), &s.GSO},
			{unix.ETHTOOL_GTSO, ^uint32(0), &s.TSO},
		} {
			value, err := ethtool(fd, name, q.command)
			if err != nil && !errors.Is(err, unix.EOPNOTSUPP) { // what a driver does not know is off
				return err
			}
			*q.on = value&q.mask != 0
		}
		return nil
	})
	if err != nil {
		return OffloadState{}, explain("asking for the offloads of", name, err)
	}
	return s, nil
}

// flagLRO is ETH_FLAG_LRO of <linux/ethtool.h>.
const flagLRO = 1 << 15

// ethtool asks for one number by the SIOCETHTOOL ioctl: struct ethtool_value behind struct ifreq, both of <linux/...>.
func ethtool(fd int, name string, command uint32) (uint32, error) {
	value := struct{ command, data uint32 }{command: command}
	request := struct {
		name  [unix.IFNAMSIZ]byte
		value unsafe.Pointer
		_     [16]byte // the rest of the union; the kernel copies the whole ifreq
	}{value: unsafe.Pointer(&value)}
	copy(request.name[:unix.IFNAMSIZ-1], name)
	var pinner runtime.Pinner // the kernel follows a pointer within the request
	pinner.Pin(&value)
	defer pinner.Unpin()
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
	if errno != 0 {
		return 0, errno
	}
	return value.data, nil
}
