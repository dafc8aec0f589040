package pcapfile

import (
	"encoding/binary"
	"fmt"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// Block types of pcapng (draft-ietf-opsawg-pcapng, section 4; the obsolete packet block: appendix A).
const (
	blockSection    = 0x0a0d0d0a // reads the same in either byte order
	blockInterface  = 1
	blockPacketOld  = 2
	blockSimple     = 3
	blockStatistics = 5
	blockEnhanced   = 6
)

const (
	blockOverhead  = 12 // type, length, and the length again (section 3.1)
	bodyStart      = 8
	byteOrderMagic = 0x1a2b3c4d // section 4.1

	// blockProbe is how much of a block must be there to know its byte order and length.
	blockProbe = 12

	// maxBlock is the largest block that is held. One that is not wanted may be larger: it is thrown away piece by piece.
	maxBlock = bufferSize
)

// ng walks the blocks of a pcapng file.
type ng struct {
	big        bool
	interfaces []iface // of this section
	last       int64   // the time of the last frame: simple packet blocks have none of their own
	dropped    uint64

	// Sections often repeat their interfaces; in the whole file, each distinct one has one index.
	names []string
	index map[ifaceKey]uint16
}

func newNG() *ng { return &ng{index: map[ifaceKey]uint16{}} }

// isNG says if head starts with the type of a section header block.
func isNG(head []byte) bool {
	return len(head) >= magicSize && binary.LittleEndian.Uint32(head) == blockSection
}

// sectionOrder reads the byte order of a section header block from its first 12 bytes (section 4.1).
func sectionOrder(b []byte) (big, ok bool) {
	big = b[bodyStart] == byteOrderMagic>>24
	return big, order32(b[bodyStart:], big) == byteOrderMagic
}

// walk is the loop that every block goes through. A block whose borders are sound and whose body is not is passed over.
func (g *ng) walk(b []byte, batch []capture.Frame) (s step) {
	n, used := 0, 0
	for n < len(batch) {
		block := g.block(b[used:], &s)
		if block == nil {
			break
		}
		var filled bool
		var fault string
		body := block[bodyStart : len(block)-4]
		if kind := order32(block, g.big); kind == blockEnhanced && len(body) >= packetHeader {
			filled, fault = g.packet(&batch[n], order32(body, g.big), body)
		} else {
			filled, fault = g.other(&batch[n], kind, body)
		}
		if fault != "" && s.passed.reason == "" {
			s.passed = passed{reason: fault, at: used, frames: n}
		}
		if filled {
			n++
		}
		used += len(block)
	}
	s.frames, s.used, s.dropped = n, used, g.dropped
	return s
}

// block returns the block at the start of b if all of it is there and both copies of its length agree (section 3.1). If not, it returns
// nil and says in s what is needed or wrong.
func (g *ng) block(b []byte, s *step) []byte {
	if len(b) < blockProbe {
		s.need = blockProbe
		return nil
	}
	if order32(b, g.big) == blockSection {
		big, ok := sectionOrder(b)
		if !ok {
			s.damage = fmt.Sprintf("starts a section with the unknown byte-order magic %x", b[bodyStart:blockProbe])
			return nil
		}
		g.big = big
	}
	size := order32(b[4:], g.big)
	switch {
	case size < blockOverhead || size%4 != 0:
		s.damage = fmt.Sprintf("claims a block of %d bytes, which is less than 12 or no multiple of 4", size)
	case size > maxBlock:
		g.oversized(order32(b, g.big), size, s)
	case len(b) < int(size):
		s.need = int(size)
	case order32(b[size-4:], g.big) != size:
		s.damage = fmt.Sprintf("claims a block of %d bytes at its start and of %d at its end", size, order32(b[size-4:], g.big))
	default:
		return b[:size:size]
	}
	return nil
}

// oversized skips a block that is too big to hold, or says that none of its kind is so big.
func (g *ng) oversized(kind, size uint32, s *step) {
	switch kind {
	case blockSection, blockInterface, blockPacketOld, blockSimple, blockStatistics, blockEnhanced:
		s.damage = fmt.Sprintf("claims %d bytes", size)
	default:
		s.skip = int64(size)
	}
}

// packetHeader is the fixed part of an enhanced packet block and of an obsolete one: interface, time, lengths.
const packetHeader = 20

// packet reads an enhanced packet block (section 4.3), without its options, or an obsolete one (appendix A): the two differ only in
// their first four bytes, where the obsolete one has a 16-bit interface and a count of drops that is not used.
func (g *ng) packet(frame *capture.Frame, id uint32, body []byte) (bool, string) {
	if uint64(id) >= uint64(len(g.interfaces)) {
		return false, g.unknownInterface(id)
	}
	have := order32(body[12:], g.big)
	if have > maxFrame || int(have) > len(body)-packetHeader {
		return false, tooLong(have, len(body)-packetHeader)
	}
	i := &g.interfaces[id]
	g.last = i.clock.nanos(uint64(order32(body[4:], g.big))<<32 | uint64(order32(body[8:], g.big)))
	put(frame, body[packetHeader:packetHeader+have:packetHeader+have], g.last)
	frame.WireLen, frame.Link, frame.Interface = max(order32(body[16:], g.big), have), i.link, i.index
	return true, ""
}

// other reads the blocks that are rare. Those of unknown types are passed over in silence, as section 3.1 asks.
func (g *ng) other(frame *capture.Frame, kind uint32, body []byte) (bool, string) {
	switch kind {
	case blockEnhanced, blockPacketOld: // an enhanced one comes here only if it is too short
		if len(body) < packetHeader {
			return false, tooShort(body, packetHeader)
		}
		return g.packet(frame, uint32(order16(body, g.big)), body)
	case blockSimple:
		return g.simple(frame, body)
	case blockSection:
		return false, g.section(body)
	case blockInterface:
		return false, g.describe(body)
	case blockStatistics:
		g.statistics(body)
	}
	return false, ""
}

// simple reads a simple packet block (section 4.4): a frame of the section's first interface, without a time. It takes that of the frame
// before it.
func (g *ng) simple(frame *capture.Frame, body []byte) (bool, string) {
	const header = 4
	if len(body) < header {
		return false, tooShort(body, header)
	}
	if len(g.interfaces) == 0 {
		return false, g.unknownInterface(0)
	}
	i := &g.interfaces[0]
	wire := order32(body, g.big)
	have := min(wire, uint32(len(body)-header))
	if i.snaplen != 0 {
		have = min(have, i.snaplen)
	}
	if have > maxFrame {
		return false, tooLong(have, len(body)-header)
	}
	put(frame, body[header:header+have:header+have], g.last)
	frame.WireLen, frame.Link, frame.Interface = wire, i.link, i.index
	return true, ""
}

func tooShort(body []byte, least int) string {
	return fmt.Sprintf("is a block with a body of %d bytes, where %d is the least", len(body), least)
}

func (g *ng) unknownInterface(id uint32) string {
	return fmt.Sprintf("is of interface %d, and the section describes %d", id, len(g.interfaces))
}

func tooLong(have uint32, room int) string {
	return fmt.Sprintf("claims %d bytes, and its block has room for %d", have, room)
}
