package evidence

import (
	"bytes"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/wire/tls"
)

// Certificate is what a server's certificate says of names. Nothing of it is verified: a server can show any name.
type Certificate struct {
	// Names are the DNS names of subjectAltName, wildcards as they stand; the common name where there are none (RFC 9525, section 2,
	// keeps it for that case alone out of old habit). Empty: no certificate could be read.
	Names [][]byte
	// CommonName is the subject's, nil if there is none.
	CommonName []byte
}

const (
	// flightBytes is how much of a server's first flight is read: ServerHello and its own certificate stand in front of the chain.
	flightBytes = 16 << 10
	// maxShown bounds the names of one certificate that are looked at. One with more says nothing of which was meant.
	maxShown = 128
	// maxAwaited bounds how many flows wait for a certificate at once; a flood of hellos without names must not eat the memory.
	maxAwaited = 4096
)

// flight is the wait for the first flight of a server whose client gave no name. Only TLS 1.2 and earlier show a certificate.
type flight struct {
	awaited bool
	begun   bool   // an assembly was lent
	based   bool   // base is known
	base    uint32 // sequence number that the flight begins at
}

// await begins to wait for the server's certificate, after a hello without a name. It returns false if there is no room.
func (r *Reader) await(f *flow.Flow, seg *decode.Segment) bool {
	if r.awaited >= maxAwaited {
		r.refused++
		return false
	}
	st := r.openStream(f)
	if st.flight.awaited {
		return true
	}
	r.awaited++
	server := 1 - seg.Dir
	st.flight = flight{awaited: true}
	switch {
	case seg.Flags&decode.ACK != 0: // whatever the server said before, the client has read it
		st.flight.based, st.flight.base = true, seg.Ack
	case f.State&(flow.SeenA<<server) != 0:
		st.flight.based, st.flight.base = true, f.Half[server].Next
	}
	return true
}

// stopWaiting ends the wait, if there is one.
func (r *Reader) stopWaiting(st *stream) {
	if st.flight.awaited {
		st.flight.awaited = false
		r.awaited--
	}
}

// serverFlight goes on with a flow whose certificate is waited for.
func (r *Reader) serverFlight(f *flow.Flow, seg *decode.Segment, st *stream, p piece) {
	wait := &st.flight
	if f.Half[seg.Dir].Bytes > flightBytes+searchBytes { // either side has gone on: it came and was not captured, or will not come
		r.noCertificate(f, seg)
		return
	}
	if seg.Dir == f.Client() {
		return // its hello again; what comes next waits for the server's flight
	}
	a := st.dir[seg.Dir]
	if a == nil {
		if wait.begun { // given up for want of memory
			r.noCertificate(f, seg)
			return
		}
		if !wait.based {
			wait.based, wait.base = true, p.seq
		}
		wait.begun = true
		a = r.shop.lend(wait.base, kindCertificate, st, seg.Dir)
	}
	r.goOn(f, seg, a, p)
	if f.State&flow.Settled == 0 && st.dir[seg.Dir] == nil {
		r.noCertificate(f, seg)
	}
}

// readCertificate looks for the server's own certificate. It returns true when nothing more is to be put together.
func (r *Reader) readCertificate(f *flow.Flow, seg *decode.Segment, p piece) bool {
	der, need, err := tls.LeafCertificate(r.message[:0], p.b)
	if need > 0 && len(p.b) < flightBytes {
		return false
	}
	if need > 0 || err != nil || r.leaf.Parse(der) != nil {
		r.noCertificate(f, seg)
		return true
	}
	r.showNames()
	r.tellCertificate(f, seg)
	return true
}

// showNames collects the names of the certificate that was just parsed.
func (r *Reader) showNames() {
	c := &r.shown
	c.Names, c.CommonName = c.Names[:0], r.leaf.CommonName
	for name := range r.leaf.Names() {
		if len(c.Names) == maxShown {
			break
		}
		c.Names = append(c.Names, name)
	}
	if len(c.Names) == 0 && looksHost(c.CommonName) {
		c.Names = append(c.Names, c.CommonName)
	}
}

// noCertificate tells the sink that the wait is over, and that nothing came of it.
func (r *Reader) noCertificate(f *flow.Flow, seg *decode.Segment) {
	r.shown.Names, r.shown.CommonName = r.shown.Names[:0], nil
	r.tellCertificate(f, seg)
}

func (r *Reader) tellCertificate(f *flow.Flow, seg *decode.Segment) {
	name := soleName(r.shown.Names)
	if name != nil {
		f.State |= flow.Named
	}
	r.seen = Observation{Class: classifiers.ClassCertificate, Name: name, Certificate: &r.shown}
	r.sink.Found(f, seg, &r.seen)
	r.settle(f)
}

// soleName is the one host that a certificate can be for: its only name, or its only name beside the same with "www." in front. A
// wildcard is no host, and of several names nobody knows which was meant.
func soleName(names [][]byte) []byte {
	var sole []byte
	for _, name := range names {
		switch {
		case !looksHost(name):
			return nil
		case sole == nil, isWWW(sole, name):
			sole = name
		case !isWWW(name, sole) && !bytes.EqualFold(name, sole):
			return nil
		}
	}
	return sole
}

// isWWW says whether name is host with "www." in front.
func isWWW(name, host []byte) bool {
	return len(name) == len(host)+4 && bytes.EqualFold(name[:4], []byte("www.")) && bytes.EqualFold(name[4:], host)
}

// looksHost says whether a name of a certificate is that of one host: labels with a dot between, no wildcard, no address.
func looksHost(name []byte) bool {
	dot, letter := false, false
	for _, c := range name {
		switch {
		case c == '.':
			dot = true
		case 'a' <= c|0x20 && c|0x20 <= 'z':
			letter = true
		case '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return dot && letter
}
