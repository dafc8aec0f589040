package afpacket

import (
	"bytes"
	"encoding/binary"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// A fakeFrame is what the kernel would write for one frame.
type fakeFrame struct {
	time    int64
	data    []byte
	wire    uint32 // 0: len(data)
	status  uint32
	tci     uint32
	tpid    uint16
	index   int32
	hatype  uint16 // 0: Ethernet
	pkttype uint8
	header  int // length of the link-layer header within data; 0: 14
}

const fakeBlockSize = 8192

// fakeRing is ring memory with blocks that nobody has filled yet.
func fakeRing(blocks int) *socket { return fakeRingOf(blocks, fakeBlockSize) }

func fakeRingOf(blocks, size int) *socket {
	s := &socket{fd: -1}
	s.ring.init(make([]byte, blocks*size), size)
	return s
}

// fill writes frames into block i as the kernel does (prb_fill_curr_block and tpacket_rcv) and hands the block over.
func (s *socket) fill(i int, frames ...fakeFrame) {
	ne := binary.NativeEndian
	b := s.mem[i*s.blockSize:][:s.blockSize]
	clear(b)
	off := blockHeader
	for j, f := range frames {
		h := b[off:]
		header := f.header
		if header == 0 {
			header = 14
		}
		net := (frameHeader+max(header, 16)+15)&^15 + 0
		mac := net - header
		next := (mac + len(f.data) + 7) &^ 7
		ne.PutUint32(h[frameNext:], uint32(next))
		if j == len(frames)-1 {
			ne.PutUint32(h[frameNext:], 0)
		}
		ne.PutUint32(h[frameSec:], uint32(f.time/1e9))
		ne.PutUint32(h[frameNsec:], uint32(f.time%1e9))
		ne.PutUint32(h[frameSnaplen:], uint32(len(f.data)))
		ne.PutUint32(h[frameLen:], max(f.wire, uint32(len(f.data))))
		ne.PutUint32(h[frameStatus:], f.status|unix.TP_STATUS_USER)
		ne.PutUint16(h[frameMac:], uint16(mac))
		ne.PutUint16(h[frameNet:], uint16(net))
		ne.PutUint32(h[frameTCI:], f.tci)
		ne.PutUint16(h[frameTPID:], f.tpid)
		ne.PutUint32(h[frameIndex:], uint32(f.index))
		ne.PutUint16(h[frameHatype:], max(f.hatype, unix.ARPHRD_ETHER))
		h[framePkttype] = f.pkttype
		copy(h[mac:], f.data)
		off += next
	}
	ne.PutUint32(b[blockPackets:], uint32(len(frames)))
	ne.PutUint32(b[blockFirst:], blockHeader)
	ne.PutUint32(b[blockLen:], uint32(off))
	*status(b) = unix.TP_STATUS_USER
}

// payload is the bytes of a frame that can be told from others.
func payload(n int) []byte { return bytes.Repeat([]byte{byte(n)}, 40+n%20) }

func TestOffsets(t *testing.T) {
	var block unix.TpacketBlockDesc
	var v1 unix.TpacketHdrV1
	var h unix.Tpacket3Hdr
	var ll unix.RawSockaddrLinklayer
	hdr, variant, from := unsafe.Offsetof(block.Hdr), unsafe.Offsetof(h.Hv1), unsafe.Sizeof(h)
	for _, tt := range []struct {
		name      string
		got, want uintptr
	}{
		{"block status", blockStatus, hdr + unsafe.Offsetof(v1.Block_status)},
		{"block packets", blockPackets, hdr + unsafe.Offsetof(v1.Num_pkts)},
		{"block length", blockLen, hdr + unsafe.Offsetof(v1.Blk_len)},
		{"first frame", blockFirst, hdr + unsafe.Offsetof(v1.Offset_to_first_pkt)},
		{"block header", blockHeader, unsafe.Sizeof(block)},
		{"next frame", frameNext, unsafe.Offsetof(h.Next_offset)},
		{"seconds", frameSec, unsafe.Offsetof(h.Sec)},
		{"nanoseconds", frameNsec, unsafe.Offsetof(h.Nsec)},
		{"captured length", frameSnaplen, unsafe.Offsetof(h.Snaplen)},
		{"length", frameLen, unsafe.Offsetof(h.Len)},
		{"status", frameStatus, unsafe.Offsetof(h.Status)},
		{"link layer", frameMac, unsafe.Offsetof(h.Mac)},
		{"network layer", frameNet, unsafe.Offsetof(h.Net)},
		{"tag", frameTCI, variant + unsafe.Offsetof(h.Hv1.Vlan_tci)},
		{"tag protocol", frameTPID, variant + unsafe.Offsetof(h.Hv1.Vlan_tpid)},
		{"interface", frameIndex, from + unsafe.Offsetof(ll.Ifindex)},
		{"hardware type", frameHatype, from + unsafe.Offsetof(ll.Hatype)},
		{"packet type", framePkttype, from + unsafe.Offsetof(ll.Pkttype)},
		{"frame header", frameHeader, from + unsafe.Sizeof(ll)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("offset %d, want %d", tt.got, tt.want)
			}
		})
	}
}

func TestTakeReadsFrame(t *testing.T) {
	data := payload(1)
	for _, tt := range []struct {
		name  string
		frame fakeFrame
		want  capture.Frame
	}{
		{"plain", fakeFrame{time: 5_000_000_007, data: data},
			capture.Frame{Data: data, Time: 5_000_000_007, WireLen: 41, Link: 1, Interface: 3}},
		{"cut by the snaplen", fakeFrame{data: data, wire: 1500},
			capture.Frame{Data: data, WireLen: 1500, Link: 1, Interface: 3}},
		{"after 2038", fakeFrame{time: 4_000_000_000_999_999_999, data: data},
			capture.Frame{Data: data, Time: 4_000_000_000_999_999_999, WireLen: 41, Link: 1, Interface: 3}},
		{"empty", fakeFrame{}, capture.Frame{Link: 1, Interface: 3}},
		{"tag with protocol", fakeFrame{data: data, status: unix.TP_STATUS_VLAN_VALID | unix.TP_STATUS_VLAN_TPID_VALID, tci: 0x600c, tpid: 0x88a8},
			capture.Frame{Data: data, WireLen: 41, Link: 1, Interface: 3, VLAN: 0x600c, VLANProto: 0x88a8, VLANValid: true}},
		{"tag without protocol", fakeFrame{data: data, status: unix.TP_STATUS_VLAN_VALID, tci: 12, tpid: 0x1234},
			capture.Frame{Data: data, WireLen: 41, Link: 1, Interface: 3, VLAN: 12, VLANProto: 0x8100, VLANValid: true}},
		{"no tag but stale bytes", fakeFrame{data: data, status: unix.TP_STATUS_CSUM_VALID, tci: 12, tpid: 0x8100},
			capture.Frame{Data: data, WireLen: 41, Link: 1, Interface: 3}},
		{"sent on Ethernet", fakeFrame{data: data, pkttype: unix.PACKET_OUTGOING},
			capture.Frame{Data: data, WireLen: 41, Link: 1, Interface: 3}},
		{"received on the loopback", fakeFrame{data: data, hatype: unix.ARPHRD_LOOPBACK},
			capture.Frame{Data: data, WireLen: 41, Link: 1, Interface: 3}},
		{"tunnel without header", fakeFrame{data: data, hatype: unix.ARPHRD_NONE, header: -1},
			capture.Frame{Data: data, WireLen: 41, Link: 101, Interface: 3}},
		{"GRE tunnel with a header of its own", fakeFrame{data: data, wire: 90, hatype: unix.ARPHRD_IPGRE, header: 24},
			capture.Frame{Data: data[24:], WireLen: 66, Link: 101, Interface: 3}},
		{"header longer than what was captured", fakeFrame{data: data[:10], hatype: unix.ARPHRD_INFINIBAND, header: 20},
			capture.Frame{Data: nil, WireLen: 0, Link: 101, Interface: 3}},
		{"monitor mode", fakeFrame{data: data, hatype: unix.ARPHRD_IEEE80211_RADIOTAP},
			capture.Frame{Data: data, WireLen: 41, Link: 127, Interface: 3}},
		{"802.11", fakeFrame{data: data, hatype: unix.ARPHRD_IEEE80211}, capture.Frame{Data: data, WireLen: 41, Link: 105, Interface: 3}},
		{"Prism", fakeFrame{data: data, hatype: unix.ARPHRD_IEEE80211_PRISM}, capture.Frame{Data: data, WireLen: 41, Link: 119, Interface: 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.frame.header == -1 {
				tt.frame.header = 0
				tt.frame.hatype = unix.ARPHRD_NONE
			}
			s := fakeRing(2)
			s.iface = 3
			s.fill(0, tt.frame)
			if tt.frame.hatype == unix.ARPHRD_NONE { // no header: link and network layer begin together
				h := s.mem[blockHeader:]
				binary.NativeEndian.PutUint16(h[frameNet:], binary.NativeEndian.Uint16(h[frameMac:]))
			}
			batch := []capture.Frame{{VLAN: 9, VLANProto: 9, VLANValid: true, Link: 9}} // from a batch before
			if !s.ready() || s.take(batch, 1<<62) != 1 {
				t.Fatal("no frame")
			}
			got := batch[0]
			if !bytes.Equal(got.Data, tt.want.Data) {
				t.Errorf("data %x, want %x", got.Data, tt.want.Data)
			}
			if cap(got.Data) != len(got.Data) {
				t.Error("the frame can be appended to, over the ring")
			}
			got.Data, tt.want.Data = nil, nil
			if g, w := frameFacts(got), frameFacts(tt.want); g != w {
				t.Errorf("got %+v, want %+v", g, w)
			}
		})
	}
}

// facts are the fields of a frame that can be compared.
type facts struct {
	time             int64
	wire             uint32
	link             capture.LinkType
	iface, vlan, tpd uint16
	tagged           bool
}

func frameFacts(f capture.Frame) facts {
	return facts{f.Time, f.WireLen, f.Link, f.Interface, f.VLAN, f.VLANProto, f.VLANValid}
}

// drain takes everything in batches of the given size, giving blocks back as Next does, and returns the first byte of each frame.
func drain(s *socket, size int) (got []byte) {
	batch := make([]capture.Frame, size)
	for s.ready() {
		for _, f := range batch[:s.take(batch, 1<<62)] {
			got = append(got, f.Data[0])
		}
		s.release()
	}
	return got
}

func TestRingWalksBlocks(t *testing.T) {
	frame := func(n int) fakeFrame { return fakeFrame{time: int64(n), data: payload(n)} }
	lo := func(n int, pkttype uint8) fakeFrame {
		return fakeFrame{time: int64(n), data: payload(n), hatype: unix.ARPHRD_LOOPBACK, pkttype: pkttype}
	}
	for _, tt := range []struct {
		name   string
		blocks [][]fakeFrame
		want   []byte
	}{
		{"one block", [][]fakeFrame{{frame(1), frame(2), frame(3)}}, []byte{1, 2, 3}},
		{"two blocks", [][]fakeFrame{{frame(1), frame(2)}, {frame(3)}}, []byte{1, 2, 3}},
		{"empty block between", [][]fakeFrame{{frame(1)}, {}, {frame(2)}}, []byte{1, 2}},
		{"all blocks", [][]fakeFrame{{frame(1)}, {frame(2)}, {frame(3)}, {frame(4)}}, []byte{1, 2, 3, 4}},
		{"loopback twice", [][]fakeFrame{{lo(1, unix.PACKET_OUTGOING), lo(1, unix.PACKET_HOST), lo(2, unix.PACKET_OUTGOING)},
			{lo(2, unix.PACKET_HOST)}}, []byte{1, 2}},
	} {
		for _, size := range []int{1, 2, 64} {
			t.Run(tt.name, func(t *testing.T) {
				s := fakeRing(4)
				for i, frames := range tt.blocks {
					s.fill(i, frames...)
				}
				if got := drain(s, size); !bytes.Equal(got, tt.want) {
					t.Errorf("in batches of %d: %v, want %v", size, got, tt.want)
				}
				for i := range s.blocks {
					if *status(s.mem[i*s.blockSize:]) != unix.TP_STATUS_KERNEL {
						t.Errorf("block %d was not given back", i)
					}
				}
				if s.damaged.Load() != 0 {
					t.Errorf("%d frames damaged", s.damaged.Load())
				}
			})
		}
	}
}

// TestRingHoldsBlocks sees that a block stays the caller's until the call after the one that took its last frame, also when
// the whole ring is held.
func TestRingHoldsBlocks(t *testing.T) {
	s := fakeRing(3)
	for round := range 3 {
		for i := range 3 {
			s.fill(i, fakeFrame{data: payload(i)}, fakeFrame{data: payload(i)})
		}
		batch := make([]capture.Frame, 64)
		n := 0
		for s.ready() {
			n += s.take(batch[n:], 1<<62)
		}
		if n != 6 {
			t.Fatalf("round %d: %d frames, want 6, each once", round, n)
		}
		for i := range 3 {
			if *status(s.mem[i*s.blockSize:]) != unix.TP_STATUS_USER {
				t.Fatalf("round %d: block %d was given back while its frames were in use", round, i)
			}
		}
		s.release()
		for i := range 3 {
			if *status(s.mem[i*s.blockSize:]) != unix.TP_STATUS_KERNEL {
				t.Fatalf("round %d: block %d was not given back", round, i)
			}
		}
	}
}

func TestFilling(t *testing.T) {
	s := fakeRing(2)
	check := func(when string, want bool) {
		t.Helper()
		if got := s.filling(); got != want {
			t.Errorf("%s: filling is %v, want %v", when, got, want)
		}
	}
	check("at the start", false)
	s.fill(0, fakeFrame{data: payload(1)})
	*status(s.mem) = unix.TP_STATUS_KERNEL
	check("with a frame in the kernel's block", true)
	for i := range 2 {
		s.fill(i, fakeFrame{data: payload(1)})
	}
	if n := drainAny(s); n != 2 {
		t.Fatalf("%d frames, want 2", n)
	}
	check("when all was read", false)
}

func TestTakeStopsAtTime(t *testing.T) {
	s := fakeRing(2)
	s.fill(0, fakeFrame{time: 10, data: payload(1)}, fakeFrame{time: 20, data: payload(2)}, fakeFrame{time: 30, data: payload(3)})
	batch := make([]capture.Frame, 8)
	for _, tt := range []struct {
		name  string
		until int64
		want  int
	}{
		{"before the first", 9, 0},
		{"to the second", 20, 2},
		{"not further", 29, 0},
		{"the rest", 99, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.ready()
			if n := s.take(batch, tt.until); n != tt.want {
				t.Errorf("%d frames up to %d, want %d", n, tt.until, tt.want)
			}
		})
	}
}

// TestDamagedBlock breaks one number after the other: what is left of the block is dropped and counted, and the next is read.
func TestDamagedBlock(t *testing.T) {
	for _, tt := range []struct {
		name   string
		at     int // offset in the block
		value  uint32
		frames int // taken from the block
		lost   uint64
	}{
		{"first frame within the block header", blockFirst, 8, 0, 3},
		{"first frame behind the block", blockFirst, fakeBlockSize, 0, 3},
		{"first frame far behind", blockFirst, 0xffffffff, 0, 3},
		{"second frame at the first", blockHeader + frameNext, 0, 1, 2},
		{"second frame within the first's header", blockHeader + frameNext, frameHeader - 1, 1, 2},
		{"second frame behind the block", blockHeader + frameNext, fakeBlockSize - blockHeader - frameHeader + 1, 1, 2},
		{"second frame far behind", blockHeader + frameNext, 0xfffffff0, 1, 2},
		{"captured length beyond the block", blockHeader + frameSnaplen, fakeBlockSize, 0, 3},
		{"captured length of 4 GiB", blockHeader + frameSnaplen, 0xffffffff, 0, 3},
		{"data beyond the block", blockHeader + frameMac, 0xffffffff, 0, 3},
		{"block length beyond the block", blockLen, 0xffffffff, 3, 0},
		{"block length of nothing", blockLen, 0, 3, 0},
		{"4 G frames", blockPackets, 0xffffffff, 3, fakeBlockSize / frameHeader},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := fakeRing(2)
			s.fill(0, fakeFrame{data: payload(1)}, fakeFrame{data: payload(2)}, fakeFrame{data: payload(3)})
			binary.NativeEndian.PutUint32(s.mem[tt.at:], tt.value)
			s.fill(1, fakeFrame{data: payload(9)})
			got := drain(s, 64)
			if len(got) != tt.frames+1 || got[len(got)-1] != 9 {
				t.Errorf("frames %v, want %d and then 9", got, tt.frames)
			}
			if s.damaged.Load() != tt.lost {
				t.Errorf("%d frames counted as damaged, want %d", s.damaged.Load(), tt.lost)
			}
		})
	}
}

// TestTruncatedRing cuts what the kernel wrote at every length, and reads zeroes from there on.
func TestTruncatedRing(t *testing.T) {
	whole := fakeRing(1)
	whole.fill(0, fakeFrame{data: payload(1)}, fakeFrame{data: payload(2)}, fakeFrame{data: payload(3)})
	for cut := blockHeader; cut < 600; cut++ {
		s := fakeRing(1)
		copy(s.mem, whole.mem[:cut])
		if got := drainAny(s); got+int(s.damaged.Load()) != 3 {
			t.Fatalf("cut at %d: %d frames and %d damaged, want 3 in all", cut, got, s.damaged.Load())
		}
	}
}

func drainAny(s *socket) (frames int) {
	batch := make([]capture.Frame, 3)
	for s.ready() {
		n := s.take(batch, 1<<62)
		for _, f := range batch[:n] {
			frames++
			if len(f.Data) > 0 { // touch both ends
				_, _ = f.Data[0], f.Data[len(f.Data)-1]
			}
		}
		s.release()
	}
	s.release()
	return frames
}
