package upload

import "github.com/gnomon-sensor/gnomon/sensor/wire/tls"

// data takes the content of one of the client's records: n bytes of heads, bodies and frames.
func (t *TLS) data(n uint32, at int64) {
	if t.preface(n) {
		return
	}
	t.guess(n)
	if t.goesOn(n) {
		t.answered = false
	}
	switch {
	case n <= alertLen:
		return
	case t.h2 && control(n):
		return
	case !t.open || t.answered:
		t.finish()
		t.begin(at)
		t.opening(n)
	default:
		t.more(n)
	}
	t.previous = n
}

// preface says whether the client's first record is the preface of HTTP/2 and nothing more.
func (t *TLS) preface(n uint32) bool {
	if !t.first {
		return false
	}
	t.first = false
	if !t.h2 && t.offered || n < h2Preface || n > h2Settings {
		return false
	}
	t.h2 = true
	return true
}

// guess recognises HTTP/2 by a frame that hardly any other record is as short as, where the hello does not tell: an acknowledgement of
// settings, a window update.
func (t *TLS) guess(n uint32) {
	if !t.offered && (n == h2Frame || n == h2Window) {
		t.h2 = true
	}
}

// alertLen is an alert (RFC 8446, section 6), which TLS 1.3 sends as application data.
const alertLen = 2

// control says whether n bytes are HTTP/2 frames that carry no request: an acknowledgement of settings, window updates, pings.
func control(n uint32) bool {
	switch n {
	case h2Frame, h2Window, h2Ping, h2Frame + h2Window, 2 * h2Window, h2Window + h2Ping, 2 * h2Ping:
		return true
	}
	return false
}

// opening takes the first record of a burst. One that is too long for a head is a head and the beginning of a body.
func (t *TLS) opening(n uint32) {
	if n > t.headMost() {
		t.mixed(uint64(n), uint64(t.headMost())+t.slack)
		t.doubt(t.spare)
		return
	}
	t.head = n
}

// headMost is what this client's heads may take: browsers, which send cookies, offer HTTP/2.
func (t *TLS) headMost() uint32 {
	if t.h2 {
		return headCookies
	}
	return headMost
}

// more takes a further record of a burst.
func (t *TLS) more(n uint32) {
	if head := t.head; head > 0 {
		t.head = 0
		if n == head || n == 2*head { // one write cut into pieces that grow with the window, as by stacks that size records dynamically
			t.mixed(uint64(head), uint64(t.headMost()))
		} else {
			t.learned = head
			t.doubt(uint64(head))
		}
	}
	if t.h2 && n <= h2Head && t.previous <= h2MaxData/4 {
		t.doubt(uint64(n)) // another request of several at once
		return
	}
	t.body(n)
}

// body takes n bytes that are body, and frames of HTTP/2 around it. Low allows for chunks (RFC 9112, section 7.1) and padding.
func (t *TLS) body(n uint32) {
	bytes := uint64(n)
	if t.h2 {
		bytes = less(bytes, uint64((n-1)/(h2MaxData+h2Frame)+1)*h2Frame)
	}
	t.add(bytes, less(bytes, bytes/lowShare+padMost+t.slack), uint64(n)+t.spare)
}

// lowShare is the part of a body's bytes that may be chunk sizes or padding: 8 bytes around a chunk of 4 KiB, a 16-byte pad in a record of
// 4 KiB or more (RFC 8446, section 5.4).
const lowShare, padMost = 256, 16

// finish ends the current burst.
func (t *TLS) finish() {
	t.decide()
	t.end()
}

// decide counts what the current burst began with, if nothing followed.
func (t *TLS) decide() {
	if head := t.head; head > 0 {
		t.head = 0
		if head > headAlone {
			t.mixed(uint64(head), uint64(t.headMost()))
		} else {
			t.learned = head
			t.doubt(uint64(head))
		}
	}
}

// End takes what has passed of records that will not be whole.
func (t *TLS) End() {
	d := &t.dir[0]
	t.settle(t.rhythm.last)
	switch rec := d.records.Pending(); {
	case !t.known:
	case rec.Unseen && rec.Len > tls.HeaderLen+sealed13:
		t.unseen(rec.Len, t.rhythm.last)
	case !rec.Unseen && rec.Type == tls.ApplicationData && t.phase == talking && rec.Len > t.sealed:
		t.data(rec.Len, t.rhythm.last)
	}
	d.records = tls.Records{}
	t.finish()
}

// Total is the estimate so far.
func (t *TLS) Total() Estimate { return t.Estimate }
