package pcapfile

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// Options of the blocks that describe a section (draft-ietf-opsawg-pcapng, sections 3.5, 4.2 and 4.6).
const (
	optionEnd        = 0
	optionIfName     = 2
	optionIfTsresol  = 9
	optionIfTsoffset = 14
	optionIsbIfdrop  = 5
	optionIsbOsdrop  = 7
)

const (
	sectionHeader    = 16 // byte-order magic, version, section length
	sectionMajor     = 1
	interfaceHeader  = 8  // link type, reserved, snaplen
	statisticsHeader = 12 // interface, time

	microseconds     = 6       // if_tsresol where it is not given
	maxInterfaceName = 255     // bytes
	maxInterfaces    = 1 << 16 // what Frame.Interface can count

	linkUnknown capture.LinkType = 0xffff // in no registry: the frames are counted as undecodable
)

// iface is an interface description of the section that is being read.
type iface struct {
	clock   clock
	snaplen uint32
	link    capture.LinkType
	index   uint16 // of the file's interfaces
	lost    uint64 // the drops that the last statistics block told of
}

// ifaceKey is what makes two descriptions in different sections the same interface.
type ifaceKey struct {
	name  string
	link  capture.LinkType
	place int // among the interfaces of its section
}

// section reads a section header block (section 4.1). The section length is not believed.
func (g *ng) section(body []byte) string {
	g.interfaces = g.interfaces[:0]
	if len(body) < sectionHeader {
		return tooShort(body, sectionHeader)
	}
	if major := order16(body[4:], g.big); major != sectionMajor {
		return fmt.Sprintf("starts a section in version %d of pcapng; version 1 can be read", major)
	}
	return ""
}

// describe reads an interface description block (section 4.2). One that cannot be used still takes its place in the numbering, or
// the frames of those after it would be taken for another link.
func (g *ng) describe(body []byte) string {
	if len(g.interfaces) == maxInterfaces {
		return "describes one interface more than 65536 in a section"
	}
	if len(body) < interfaceHeader {
		g.interfaces = append(g.interfaces, iface{clock: newClock(microseconds, 0), link: linkUnknown})
		return tooShort(body, interfaceHeader)
	}
	var name string
	var resolution byte = microseconds
	var offset int64
	for code, value := range g.options(body[interfaceHeader:]) {
		switch {
		case code == optionIfName:
			name = ifaceName(value)
		case code == optionIfTsresol && len(value) >= 1:
			resolution = value[0]
		case code == optionIfTsoffset && len(value) >= 8:
			offset = int64(g.order64(value))
		}
	}
	i := iface{
		clock:   newClock(resolution, offset),
		snaplen: order32(body[4:], g.big),
		link:    linkType(order16(body, g.big)),
	}
	var fault string
	if i.index, fault = g.indexOf(ifaceKey{name: name, link: i.link, place: len(g.interfaces)}); fault != "" {
		i.link = linkUnknown
	}
	g.interfaces = append(g.interfaces, i)
	return fault
}

// indexOf returns the index of an interface among those of the file.
func (g *ng) indexOf(key ifaceKey) (uint16, string) {
	index, known := g.index[key]
	switch {
	case known:
		return index, ""
	case len(g.names) == maxInterfaces:
		return 0, "describes one interface more than 65536 in a file"
	}
	index = uint16(len(g.names))
	g.index[key] = index
	g.names = append(g.names, key.name)
	return index, ""
}

// ifaceName cuts a name to a length that any system allows.
func ifaceName(value []byte) string {
	name, _, _ := strings.Cut(string(value[:min(len(value), maxInterfaceName)]), "\x00")
	return strings.ToValidUTF8(name, "")
}

// statistics reads an interface statistics block (section 4.6) for the frames that were lost while the file was captured. The counts
// are totals since the capture began, so only what they grew by is added. A faulty block costs no frame and is passed over in silence.
func (g *ng) statistics(body []byte) {
	if len(body) < statisticsHeader {
		return
	}
	id := order32(body, g.big)
	if uint64(id) >= uint64(len(g.interfaces)) {
		return
	}
	var lost uint64
	for code, value := range g.options(body[statisticsHeader:]) {
		if (code == optionIsbIfdrop || code == optionIsbOsdrop) && len(value) >= 8 {
			lost += g.order64(value)
		}
	}
	if i := &g.interfaces[id]; lost > i.lost {
		g.dropped += lost - i.lost
		i.lost = lost
	}
}

// options walks a list of options (section 3.5). A list that is cut short ends where it is cut.
func (g *ng) options(b []byte) func(yield func(uint16, []byte) bool) {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= 4 {
			code, size := order16(b, g.big), int(order16(b[2:], g.big))
			if code == optionEnd || len(b) < 4+size || !yield(code, b[4:4+size]) {
				return
			}
			b = b[min(len(b), 4+(size+3)&^3):]
		}
	}
}

func (g *ng) order64(b []byte) uint64 {
	if g.big {
		return uint64(order32(b, true))<<32 | uint64(order32(b[4:], true))
	}
	return uint64(order32(b[4:], false))<<32 | uint64(order32(b, false))
}

// maxTime bounds every time that is read from pcapng (it lies in the year 2116), so that whoever adds an hour to it cannot overflow.
const maxTime = 1<<62 - 1

const nanosPerSecond = 1_000_000_000

// clock turns the time stamps of an interface into nanoseconds since 1970 (section 4.2, if_tsresol and if_tsoffset).
type clock struct {
	times  uint64 // nanoseconds in a unit, if it is a power of ten of one or more; else 0
	most   uint64 // the largest count of such units that is not over maxTime
	by     uint64 // units in a nanosecond, if it is a power of ten of less; else 0
	shift  uint   // bits of the fraction, if it is a power of two
	offset int64  // nanoseconds to add
}

// newClock reads if_tsresol: the top bit tells powers of two from powers of ten, the rest is the negative exponent.
func newClock(resolution byte, offset int64) clock {
	const limit = maxTime / nanosPerSecond
	c := clock{offset: min(max(offset, -limit), limit) * nanosPerSecond}
	exponent := uint(resolution & 0x7f)
	switch {
	case resolution == 0x80: // 2^-0, which is seconds as 10^-0 is
		c.times = nanosPerSecond
	case resolution&0x80 != 0:
		c.shift = exponent
	case exponent <= 9:
		c.times = pow10(9 - exponent)
	default:
		c.by = pow10(min(exponent-9, 19)) // 10^19 is the largest in 64 bits, and leaves at most one nanosecond
	}
	if c.times != 0 {
		c.most = maxTime / c.times
	}
	return c
}

func pow10(n uint) uint64 {
	v := uint64(1)
	for range n {
		v *= 10
	}
	return v
}

// nanos converts a time stamp. A nonsense one ends at 1970 or at maxTime.
func (c *clock) nanos(ts uint64) int64 {
	t := int64(ts * c.times)
	if ts > c.most {
		t = c.rare(ts)
	}
	return min(max(t+c.offset, 0), maxTime)
}

// rare converts what does not go by one multiplication.
func (c *clock) rare(ts uint64) int64 {
	switch {
	case c.times != 0:
		return maxTime
	case c.by != 0:
		return int64(min(ts/c.by, maxTime))
	}
	return c.binary(ts)
}

// binary converts a time stamp in units of 2^-shift seconds: ts times 10^9 in 128 bits, shifted down.
func (c *clock) binary(ts uint64) int64 {
	hi, lo := bits.Mul64(ts, nanosPerSecond)
	if c.shift >= 64 {
		return int64(min(hi>>(c.shift-64), maxTime))
	}
	if hi>>c.shift != 0 {
		return maxTime
	}
	return int64(min(hi<<(64-c.shift)|lo>>c.shift, maxTime))
}
