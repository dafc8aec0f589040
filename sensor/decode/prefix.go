package decode

import "net/netip"

// Prefix is a network, made ready to be asked for every flow: two words masked and compared, where netip.Prefix shifts 128 bits.
type Prefix struct {
	net, mask Address
	is4       bool
}

// PrefixOf converts p. An invalid one contains no address, as in package netip.
func PrefixOf(p netip.Prefix) Prefix {
	bits := p.Bits()
	if bits < 0 {
		return Prefix{net: Address{Hi: 1}}
	}
	if p.Addr().Is4() {
		bits += 96
	}
	mask := Address{Hi: ^uint64(0) << max(0, 64-bits), Lo: ^uint64(0) << min(64, 128-bits)}
	net := AddressOf(p.Addr())
	return Prefix{net: Address{Hi: net.Hi & mask.Hi, Lo: net.Lo & mask.Lo}, mask: mask, is4: p.Addr().Is4()}
}

// Contains says whether a lies in the network. An IPv4 address lies in IPv4 networks alone.
func (p *Prefix) Contains(a Address) bool {
	return a.Hi&p.mask.Hi == p.net.Hi && a.Lo&p.mask.Lo == p.net.Lo && a.Is4() == p.is4
}
