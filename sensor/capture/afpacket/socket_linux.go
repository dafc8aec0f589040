package afpacket

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// frameUnit only satisfies the kernel's check of a ring's sizes; in TPACKET_V3 frames take as much of a block as they need.
const frameUnit = 2048

// socket is a packet socket with its ring.
type socket struct {
	ring
	fd    int
	index int // of the interface; 0 is any

	dropped, freezes uint64 // what the kernel counted; reading its counters resets them
}

// openSocket opens a ring on the interface with the kernel's index, or on any for 0. Nothing arrives in it until accept.
func openSocket(cfg *Config, index int) (*socket, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	s := &socket{fd: fd, index: index}
	if err := s.setUp(cfg); err != nil {
		_ = s.close() // the first error says more
		return nil, err
	}
	return s, nil
}

func (s *socket) setUp(cfg *Config) error {
	// Between bind and the fanout every socket would get every frame.
	if err := s.refuse(); err != nil {
		return fmt.Errorf("setting a socket filter: %w", err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("choosing TPACKET_V3: %w", err)
	}
	size := cfg.BlockSize * cfg.Blocks
	req := unix.TpacketReq3{
		Block_size: uint32(cfg.BlockSize), Block_nr: uint32(cfg.Blocks),
		Frame_size: frameUnit, Frame_nr: uint32(size / frameUnit),
		Retire_blk_tov: uint32(cfg.Timeout.Milliseconds()),
	}
	if err := unix.SetsockoptTpacketReq3(s.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return fmt.Errorf("allocating a ring of %d KiB: %w; make the ring smaller or the workers fewer if memory is short", size>>10, err)
	}
	mem, err := unix.Mmap(s.fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mapping a ring of %d KiB: %w; make the ring smaller or the workers fewer if memory is short", size>>10, err)
	}
	s.ring.init(mem, cfg.BlockSize)
	if cfg.Promiscuous && s.index != 0 {
		mreq := unix.PacketMreq{Ifindex: int32(s.index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(s.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &mreq); err != nil {
			return fmt.Errorf("switching to promiscuous mode: %w", err)
		}
	}
	if err := unix.Bind(s.fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: s.index}); err != nil {
		return fmt.Errorf("binding to the interface: %w", err)
	}
	return nil
}

func networkOrder(v uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], v)
	return binary.NativeEndian.Uint16(b[:])
}

// newGroup asks for a fanout group that no other on this machine has. Zero is the id of a group like any other: the first that the
// kernel gives after it has started.
const newGroup = -1

// fanoutOption is the value of PACKET_FANOUT that joins a group: flows are spread by hash.
func fanoutOption(group int) int {
	if group == newGroup {
		return (unix.PACKET_FANOUT_HASH | unix.PACKET_FANOUT_FLAG_UNIQUEID) << 16
	}
	return group | unix.PACKET_FANOUT_HASH<<16
}

// fanout joins the socket to a group among which the kernel spreads flows, and returns the group's id.
func (s *socket) fanout(group int) (id int, err error) {
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, fanoutOption(group)); err != nil {
		return 0, fmt.Errorf("joining a fanout group: %w", err)
	}
	got, err := unix.GetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
	if err != nil {
		return 0, fmt.Errorf("asking for the fanout group: %w", err)
	}
	return got & 0xffff, nil
}

// filter lets the first bytes of every frame through: a program of one instruction, "return bytes".
func (s *socket) filter(bytes uint32) error {
	program := [1]unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: bytes}}
	return unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &program[0]})
}

// refuse keeps further frames out of the ring; what it holds stays.
func (s *socket) refuse() error { return s.filter(0) }

// accept lets frames in, cut to snaplen unless that is 0.
func (s *socket) accept(snaplen int) error {
	var err error
	if snaplen > 0 {
		err = s.filter(uint32(snaplen))
	} else {
		err = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
	}
	if err != nil {
		return fmt.Errorf("setting a socket filter: %w", err)
	}
	return nil
}

// count adds what the kernel counted since it was last asked.
func (s *socket) count() {
	st, err := unix.GetsockoptTpacketStatsV3(s.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return // it does not fail on a packet socket with a ring
	}
	s.dropped += uint64(st.Drops)
	s.freezes += uint64(st.Freeze_q_cnt)
}

// add adds the losses of this socket to a sum.
func (s *socket) add(sum capture.Stats) capture.Stats {
	sum.Dropped += s.dropped + s.damaged.Load()
	sum.Freezes += s.freezes
	return sum
}

// fault takes the error off the socket that poll has announced.
func (s *socket) fault() error {
	n, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if n != 0 {
		return unix.Errno(n)
	}
	return nil
}

func (s *socket) close() error {
	var err error
	if s.mem != nil {
		err = unix.Munmap(s.mem)
		s.mem = nil
	}
	return errors.Join(err, unix.Close(s.fd))
}
