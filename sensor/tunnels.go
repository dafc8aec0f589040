package sensor

import (
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/wire/ike"
	"github.com/gnomon-sensor/gnomon/sensor/wire/openvpn"
	"github.com/gnomon-sensor/gnomon/sensor/wire/wireguard"
)

// Protocols of tunnels, as in gnomon.coverage.hidden_by.
const (
	byWireGuard = "wireguard"
	byOpenVPN   = "openvpn"
	byIPsec     = "ipsec"
)

const (
	// askedSets times askedWays is how many beginnings of tunnels may wait for what proves them.
	askedSets = 1 << 8
	askedWays = 4
	// askedFor is how long an answer is waited for.
	askedFor = int64(30e9)
	// maxStep is how far the counters of two packets of a tunnel may lie apart: what is lost or comes in another order is little.
	maxStep = 1 << 10
)

// tunnels recognises tunnels by what both sides say at their beginning, or by two packets that go on from each other. One packet alone
// proves nothing: it could be anything.
type tunnels struct {
	asked [askedSets][askedWays]asked
	lost  uint64 // beginnings that had to make room while they were waited for
}

// asked is what one side of a flow has sent, and what would prove it.
type asked struct {
	key  decode.Key
	at   int64
	what claim
}

// claim is a packet that may belong to a tunnel.
type claim struct {
	proto  string
	stage  stage
	dir    uint8
	number uint64 // of the session
	count  uint64 // of the packet within it
}

// stage says which packet of a tunnel it is.
type stage uint8

const (
	stageNone stage = iota
	stageAsks       // the client begins: its number is to be answered
	stageAnswers
	stageCarries // packets of the tunnel itself: same number, growing count
)

// mayClaim says whether a segment is worth reading, mostly by its first octet: over TCP a tunnel's first may be, which begins with a length
// below 1400. It is asked of every segment before a name is found.
func mayClaim(f *flow.Flow, seg *decode.Segment) bool {
	if len(seg.Payload) == 0 {
		return false
	}
	first := seg.Payload[0]
	if seg.Key.Proto != decode.UDP {
		return first <= 5 && f.Half[seg.Dir].Bytes == 0
	}
	return first <= byte(wireguard.Data) || openvpn.Opens(first) || seg.Key.HasPort(ike.Port) || seg.Key.HasPort(ike.PortNAT)
}

// look reads a segment that may claim something, of a flow that is not settled.
func (t *tunnels) look(s *Sensor, f *flow.Flow, seg *decode.Segment) {
	now := claimOf(f, seg)
	now.dir = seg.Dir
	if now.stage == stageNone {
		return
	}
	slot, same := t.slot(seg)
	waiting := slot.at != 0 && seg.Time-slot.at <= askedFor
	switch {
	case waiting && same && now.proves(&slot.what):
		slot.what.client(f)
		*slot = asked{}
		s.hides(f, seg.Time, sightRelay, now.proto)
		return
	case now.stage == stageAnswers: // nothing was asked
		return
	case waiting && !same:
		t.lost++
	}
	*slot = asked{key: f.Key, at: seg.Time, what: now}
}

// slot is where the flow's last claim stands, or else the oldest of its set.
func (t *tunnels) slot(seg *decode.Segment) (slot *asked, same bool) {
	set := &t.asked[seg.Hash%askedSets]
	slot = &set[0]
	for i := range set {
		if set[i].key == seg.Key {
			return &set[i], true
		}
		if set[i].at < slot.at {
			slot = &set[i]
		}
	}
	return slot, false
}

// client takes the side that asked for the client, unless that is known better.
func (c *claim) client(f *flow.Flow) {
	if c.stage == stageAsks && f.State&flow.NoClient != 0 {
		f.State = f.State&^(flow.ClientA|flow.ClientB|flow.NoClient) | flow.ClientA<<c.dir
	}
}

// proves says whether a packet makes a tunnel of what came before.
func (c *claim) proves(before *claim) bool {
	if c.proto != before.proto {
		return false
	}
	switch c.stage {
	case stageAnswers:
		return before.stage == stageAsks && c.dir != before.dir && (c.number == before.number || c.number == 0)
	case stageCarries:
		return before.stage == stageCarries && c.dir == before.dir && c.number == before.number && c.count-before.count-1 < maxStep
	}
	return false
}

// claimOf says what a segment that may claim something is.
func claimOf(f *flow.Flow, seg *decode.Segment) claim {
	b := seg.Payload
	if seg.Cut() {
		return claim{}
	}
	if seg.Key.Proto != decode.UDP {
		r, err := openvpn.Stream(b)
		return claimOfOpenVPN(&r, err)
	}
	switch {
	case seg.Key.HasPort(ike.Port):
		m, err := ike.Parse(b)
		return claimOfIKE(&m, err)
	case seg.Key.HasPort(ike.PortNAT):
		m, err := ike.ParseNAT(b)
		return claimOfIKE(&m, err)
	case b[0] <= byte(wireguard.Data):
		m, err := wireguard.Parse(b)
		return claimOfWireGuard(&m, err)
	}
	r, err := openvpn.Parse(b)
	return claimOfOpenVPN(&r, err)
}

func claimOfWireGuard(m *wireguard.Message, err error) claim {
	c := claim{proto: byWireGuard}
	switch {
	case err != nil:
	case m.Type == wireguard.Initiation:
		c.stage, c.number = stageAsks, uint64(m.Sender)
	case m.Type == wireguard.Response && m.Receiver != 0, m.Type == wireguard.Cookie && m.Receiver != 0:
		c.stage, c.number = stageAnswers, uint64(m.Receiver)
	case m.Type == wireguard.Data:
		c.stage, c.number, c.count = stageCarries, uint64(m.Receiver), m.Counter
	}
	return c
}

// claimOfOpenVPN reads a hard reset; where it is encrypted, a server's does not show whom it answers, and its number is 0.
func claimOfOpenVPN(r *openvpn.Reset, err error) claim {
	switch {
	case err != nil:
		return claim{}
	case r.Client():
		return claim{proto: byOpenVPN, stage: stageAsks, number: r.Session}
	}
	return claim{proto: byOpenVPN, stage: stageAnswers, number: r.Peer}
}

// claimOfIKE takes a message without a responder for the question, and any other of the same initiator for its answer.
func claimOfIKE(m *ike.Message, err error) claim {
	switch {
	case err != nil:
		return claim{}
	case m.ESP:
		return claim{proto: byIPsec, stage: stageCarries, number: uint64(m.SPI), count: uint64(m.Sequence)}
	case m.Responder == 0:
		return claim{proto: byIPsec, stage: stageAsks, number: m.Initiator}
	}
	return claim{proto: byIPsec, stage: stageAnswers, number: m.Initiator}
}
