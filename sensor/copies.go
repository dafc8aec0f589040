package sensor

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

// copies finds segments that were captured before: a mirror port that sends what enters and what leaves, a capture on all interfaces, two
// taps along one path. TCP's bytes are unique by their numbers anyhow; datagrams, packets and look-ups are not.
//
// Copies are rare on a well-made mirror and half of everything on another, so that only beginnings are compared as long as none is seen:
// look-ups, SYNs, the first datagrams of a flow. The first copy among them has every segment compared until none was seen for a minute.
//
// A copy has the same five-tuple, IP identification, length and content, whatever its MAC, VLAN, TTL and checksums, and comes within a
// tenth of a second. A sender who says the same twice gives it another identification in IPv4, or waits longer than that. Where there is no
// identification, TCP's checksum stands for it: acknowledgements that repeat each other differ in their options. Short datagrams without one
// prove nothing.
type copies struct {
	found uint64
	// Watching says that every segment is to be compared.
	watching bool
	until    int64 // packet time; with watching
	few      [fewSets]printSet
	all      []printSet // of manySets, made at the first copy
}

// printSet holds the last fingerprints that fell to one place, the latest first: half a cache line.
type printSet [4]uint64

const (
	fewSets  = 1 << 8  // 8 KiB: the beginnings of the window on all but the busiest links
	manySets = 1 << 13 // 256 KiB: 327,000 segments a second for the whole window, more for a shorter one
	// copyWindow is how far apart copies may be: mirror ports and tunnels to a collector queue for milliseconds.
	copyWindow = int64(100e6)
	// watchFor is how long every segment is compared after a copy.
	watchFor = int64(60e9)
	// beginning is how many datagrams each way of a flow are compared anyhow.
	beginning = 16
	// telling is how many bytes of a datagram without identification tell it from another.
	telling = 16

	printTime = 24 // bits of a mark that hold its time, in units of 1<<timeUnit ns; the other bits hold what was seen
	timeUnit  = 17
	timeMask  = 1<<printTime - 1
)

// again says whether the segment is a copy, while every segment is compared.
func (c *copies) again(seg *decode.Segment) bool {
	if seg.Time > c.until {
		c.watching = false
	}
	mark := printOf(seg)
	return c.note(&c.all[mark>>printTime%manySets], mark, seg.Time)
}

// beganBefore says whether the segment, with which something begins, is a copy, while only beginnings are compared.
func (c *copies) beganBefore(seg *decode.Segment) bool {
	if c.watching {
		return false
	}
	mark := printOf(seg)
	return c.note(&c.few[mark>>printTime%fewSets], mark, seg.Time)
}

// begins says whether a segment of f belongs to its beginning.
func begins(f *flow.Flow, seg *decode.Segment) bool {
	// Without a branch for each: which of them are datagrams, and which are early, no processor guesses.
	datagram, syn := seg.Key.Proto>>4, uint32(seg.Flags/decode.SYN) // their last bit: 17 is UDP, and 6 TCP
	if (f.Half[seg.Dir].Packets-beginning)>>31&(datagram|syn)&1 == 0 {
		return false
	}
	return seg.Flags&decode.SYN != 0 || seg.ID != 0 || len(seg.Payload) >= telling
}

// note compares with what was seen at a place of the table, and puts the segment there.
func (c *copies) note(set *printSet, mark uint64, at int64) bool {
	const window = uint64(copyWindow >> timeUnit)
	for _, was := range set {
		if was>>printTime == mark>>printTime && (mark-was+window)&timeMask <= 2*window { // either way: captures of several interfaces are not quite in order
			c.found++
			c.watch(at)
			return true
		}
	}
	set.put(mark)
	return false
}

// put lets the oldest go.
func (s *printSet) put(mark uint64) { s[3], s[2], s[1], s[0] = s[2], s[1], s[0], mark }

// watch has every segment compared for a while.
func (c *copies) watch(at int64) {
	c.until = max(c.until, at+watchFor)
	if c.watching {
		return
	}
	c.watching = true
	if c.all == nil {
		c.all = make([]printSet, manySets)
	}
	for i := range c.few {
		for _, mark := range slices.Backward(c.few[i][:]) { // the latest last
			c.all[mark>>printTime%manySets].put(mark)
		}
	}
}

// printOf is a fingerprint of a segment, and its time. Of long payloads it takes the start, the middle and the end: that tells apart what is
// encrypted or numbered, and costs the same for every length.
func printOf(seg *decode.Segment) uint64 {
	h := seg.Hash ^ uint64(seg.Dir)
	h = mix(h^uint64(seg.Len)<<32^uint64(seg.ID)<<16, uint64(len(seg.Payload))|1<<63)
	if seg.Key.Proto == decode.TCP {
		h = mix(h^uint64(seg.Seq)<<32^uint64(seg.Ack), uint64(seg.Flags)<<16^uint64(seg.Window)|1<<62)
	} else {
		h = printContent(h, seg.Payload)
	}
	return h&^timeMask | uint64(seg.Time)>>timeUnit&timeMask
}

// printContent goes on with a payload's fingerprint: all of up to 64 bytes, of more the first and the last 16 and 32 around the middle.
// The products do not wait for one another.
func printContent(h uint64, b []byte) uint64 {
	const step = 16
	n := len(b)
	if n < step {
		var short [step]byte
		copy(short[:], b)
		return mix16(h, short[:])
	}
	sum := mix16(h, b[:step]) ^ mix16(h+1, b[n-step:])
	if n > 2*step {
		middle := n/2 - step
		sum ^= mix16(h+2, b[middle:middle+step]) ^ mix16(h+3, b[middle+step:middle+2*step])
	}
	return sum
}

func mix16(h uint64, b []byte) uint64 {
	return mix(h^binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]))
}

// mix folds a product; the addends keep a word of zeros from ending it.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a+0x9e3779b97f4a7c15, b^0xd6e8feb86659fd93)
	return hi ^ lo
}
