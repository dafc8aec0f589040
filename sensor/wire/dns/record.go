package dns

import (
	"encoding/binary"
	"net/netip"
)

// record is the place of one resource record (RFC 1035, section 4.1.3) in the message.
type record struct {
	owner int // where its name begins
	ttlAt int
	data  int // where RDATA begins
	next  int // where RDATA ends
	ttl   uint32
	typ   uint16
	class uint16 // without mDNS's cache-flush bit
}

// readRecord finds the parts of the record at off.
func readRecord(b []byte, off int) (r record, err error) {
	end, _, err := skipName(b, off)
	if err != nil {
		return record{}, err
	}
	if len(b)-end < 10 {
		return record{}, ErrTruncated
	}
	fixed := b[end : end+10]
	r = record{
		owner: off,
		typ:   binary.BigEndian.Uint16(fixed),
		class: binary.BigEndian.Uint16(fixed[2:]) & classMask,
		ttlAt: end + 4,
		ttl:   binary.BigEndian.Uint32(fixed[4:]),
		data:  end + 10,
		next:  end + 10 + int(binary.BigEndian.Uint16(fixed[8:])),
	}
	if r.next > len(b) {
		return record{}, ErrTruncated
	}
	if r.ttl > 1<<31-1 {
		r.ttl = 0 // RFC 2181, section 8
	}
	return r, nil
}

// Keys of SvcParams (RFC 9460, section 14.3.2; ech: RFC 9848, section 3).
const (
	paramALPN  = 1
	paramIPv4  = 4
	paramECH   = 5
	paramIPv6  = 6
	paramFixed = 4 // key and length
)

// service reads an HTTPS or SVCB record (RFC 9460, section 2.2).
func (m *Message) service(b []byte, r *record) error {
	if r.next-r.data < 3 {
		return nil // no room for a target: nothing to read
	}
	m.Service = true
	target, _, err := skipName(b[:r.next], r.data+2)
	if err != nil {
		return ErrMalformed
	}
	for params := b[target:r.next]; len(params) > 0; {
		if len(params) < paramFixed {
			return ErrMalformed
		}
		key, n := binary.BigEndian.Uint16(params), int(binary.BigEndian.Uint16(params[2:]))
		if params = params[paramFixed:]; len(params) < n {
			return ErrMalformed
		}
		if err := m.param(r, key, params[:n:n]); err != nil {
			return err
		}
		params = params[n:]
	}
	return nil
}

func (m *Message) param(r *record, key uint16, value []byte) (err error) { //nolint:gocyclo // one case for each parameter
	switch key {
	case paramALPN:
		if m.ALPN == nil {
			m.ALPN = value
		}
	case paramECH:
		if !m.ECH && len(value) > 0 {
			m.ECH, m.ECHConfigs = true, value
		}
	case paramIPv4:
		for ; len(value) >= 4 && err == nil; value = value[4:] {
			m.Hints, err = m.keep(m.Hints, r, netip.AddrFrom4([4]byte(value)))
		}
	case paramIPv6:
		for ; len(value) >= 16 && err == nil; value = value[16:] {
			m.Hints, err = m.keep(m.Hints, r, netip.AddrFrom16([16]byte(value)))
		}
	}
	return err
}

// HasALPN says whether the HTTPS or SVCB record offers protocol, such as "h3".
func (m *Message) HasALPN(protocol string) bool {
	for list := m.ALPN; len(list) > 0; {
		n := int(list[0])
		if n >= len(list) {
			return false
		}
		if string(list[1:1+n]) == protocol {
			return true
		}
		list = list[1+n:]
	}
	return false
}
