package forward

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/packet"
)

const (
	portDNS     = 53
	etherHeader = 14
)

// Rules say how a wire treats frames. The zero value is a perfect wire. Shares are between 0 and 1; DNS and everything
// that is neither TCP nor UDP passes untouched, so that an impairment hits the conversation and not its look-up.
type Rules struct {
	Seed          uint64
	LossBeforeTap float64       // lost before the tap: the tap never sees it, only its retransmission
	LossBehindTap float64       // lost behind the tap: the tap sees it and its retransmission
	Duplicate     float64       // seen twice and delivered twice
	Reorder       float64       // overtaken by the frames right behind it
	Delay         time.Duration // of every frame, each way
	SwapHello     bool          // the first segment or datagram of a hello comes behind the second
}

// overtaken is how long a reordered frame waits: longer than a sender needs for the next frames of a burst, shorter
// than any retransmission timer.
const overtaken = 4 * time.Millisecond

// Passage is one frame's way past the tap: after Delay it is seen, and then delivered unless it is lost behind the tap.
type Passage struct {
	Delay     time.Duration
	Delivered bool
}

// Impairer applies Rules to the frames of one wire, in the order in which they come. It is not safe for concurrent use.
type Impairer struct {
	rules   Rules
	dice    *rand.Rand
	swapped map[packet.Flow]bool
}

// NewImpairer returns an impairer whose decisions depend only on the rules and on the frames it is shown.
func NewImpairer(rules Rules) *Impairer {
	return &Impairer{rules: rules, dice: rand.New(rand.NewPCG(rules.Seed, 0)), swapped: map[packet.Flow]bool{}}
}

// Pass decides what becomes of a frame: no passage means that it is lost before the tap, several mean duplicates.
func (im *Impairer) Pass(frame []byte) []Passage {
	p := Passage{Delay: im.rules.Delay, Delivered: true}
	got, ok := packet.Parse(frame)
	if !ok || got.Src.Port() == portDNS || got.Dst.Port() == portDNS {
		return []Passage{p}
	}
	if im.roll(im.rules.LossBeforeTap) {
		return nil
	}
	p.Delivered = !im.roll(im.rules.LossBehindTap)
	if im.roll(im.rules.Reorder) || im.swap(got) {
		p.Delay += overtaken
	}
	if im.roll(im.rules.Duplicate) {
		return []Passage{p, p}
	}
	return []Passage{p}
}

// roll always throws the dice, so that one rule's share does not change another rule's throws.
func (im *Impairer) roll(share float64) bool {
	return im.dice.Float64() < share
}

// swap reports whether this is the first part of a hello that has more, the first time it is sent. A QUIC client's first
// Initial always counts as such: whether more come cannot be seen from outside.
func (im *Impairer) swap(p packet.Packet) bool {
	if !im.rules.SwapHello || im.swapped[p.Flow] || !cutHello(p) && !firstInitial(p) {
		return false
	}
	im.swapped[p.Flow] = true
	return true
}

// cutHello reports whether a segment starts with a handshake record (RFC 8446, section 5.1) that is longer than the segment.
func cutHello(p packet.Packet) bool {
	const recordHandshake, recordHeader = 22, 5
	return p.Proto == packet.TCP && len(p.Payload) >= recordHeader && p.Payload[0] == recordHandshake &&
		int(binary.BigEndian.Uint16(p.Payload[3:])) > len(p.Payload)-recordHeader
}

// firstInitial reports whether a datagram is a client's Initial (RFC 9000, section 17.2.2).
func firstInitial(p packet.Packet) bool {
	const longHeaderType, initial, portQUIC = 0xf0, 0xc0, 443
	return p.Proto == packet.UDP && p.Dst.Port() == portQUIC && len(p.Payload) > 0 && p.Payload[0]&longHeaderType == initial
}
