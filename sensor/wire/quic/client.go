package quic

// Client gathers the ClientHello of one QUIC client from the datagrams of its flow. It holds several kilobytes, so keep a few in a
// pool: most hellos come in one datagram, and a Client that has given its hello is free for another flow after Reset.
// The zero value is ready. A Client must not be copied.
type Client struct {
	// Version is the version of the last Initial packet that was authenticated.
	Version uint32

	active *keys        // the keys that the CRYPTO stream came under; nil before any packet was authenticated
	turn   int          // the entry of cache to replace next
	cache  [cached]keys // keys by connection id, so that each is derived once
	opener opener
	crypto assembly
	hmac   *authenticator // nil if it was not tried yet, or is not to be used
	tried  bool
}

// cached is how many connection ids have their keys kept: the first, that of a Retry, and one that turned out to be a server's.
const cached = 4

// maxDerivations bounds the work that one datagram can cause.
const maxDerivations = 4

// Reset makes c ready for another flow.
func (c *Client) Reset() {
	c.Version, c.active, c.turn, c.opener.owner = 0, nil, 0, nil
	for i := range c.cache {
		c.cache[i].dcidLen = 0
	}
	c.crypto.reset()
}

// Add takes the payload of a UDP datagram, or of several that were glued together by receive offload. It returns the ClientHello
// handshake message once it is whole, for the Hello of package tls; the message lies in c and is valid until the next call of Add or Reset. Until then hello is nil,
// and err is nil if the datagram brought a part of it. The datagrams of a server do no harm: they are ErrSealed.
func (c *Client) Add(datagram []byte) (hello []byte, err error) {
	err = ErrNotInitial
	opened := false
	budget := maxDerivations
	for len(datagram) > 0 {
		var h header
		rest, ok := h.next(datagram)
		if !ok {
			break
		}
		datagram = afterPadding(rest)
		if h.typ != initial {
			continue
		}
		plain := c.unseal(&h, &budget)
		if plain == nil {
			err = ErrSealed
			continue
		}
		opened = true
		if hello, err = c.take(&h, plain); hello != nil || err != nil {
			return hello, err
		}
	}
	if opened {
		return nil, nil
	}
	return nil, err
}

// take reads the frames of an opened packet, and returns the hello if it is whole now.
func (c *Client) take(h *header, plain []byte) (hello []byte, err error) {
	c.Version = h.version
	if !frames(plain, &c.crypto) {
		return nil, ErrMalformed
	}
	hello, ok := c.crypto.hello()
	if !ok {
		return nil, ErrMalformed
	}
	return hello, nil
}

// afterPadding steps over zeros between packets. A sender may fill a datagram up behind its packets, and in a glued one, more packets
// follow.
func afterPadding(b []byte) []byte {
	if b = b[afterZeros(b, 0):]; len(b) == 0 {
		return nil
	}
	return b
}

// unseal finds the keys of an Initial packet and returns its frames, or nil. First come the keys that fitted last: a client goes on
// with those of its first connection id when it learns its server's (RFC 9001, section 5.2). Then those of the packet's own
// connection id: of a first packet, of one after a Retry, or of another connection on the same ports.
func (c *Client) unseal(h *header, budget *int) []byte {
	if c.active != nil {
		if plain := c.opener.open(c.active, h); plain != nil {
			return plain
		}
	}
	if len(h.dcid) == 0 || len(h.dcid) < minClientCID && !h.token {
		return nil
	}
	first, second := suitesOf(h.version)
	if plain := c.try(first, h, budget); plain != nil || second == first {
		return plain
	}
	return c.try(second, h, budget)
}

// try opens a packet with the keys of its own connection id. If they fit, it is the start of a CRYPTO stream: after a Retry the
// client says all of it again (RFC 9000, section 17.2.5.2), and another connection's must not mix with it.
func (c *Client) try(s suite, h *header, budget *int) []byte {
	k := c.find(s, h.dcid)
	if k == nil {
		if *budget == 0 {
			return nil
		}
		*budget--
		k = c.slot()
		c.derive(k, s, h.dcid)
	} else if k == c.active {
		return nil // tried before
	}
	plain := c.opener.open(k, h)
	if plain != nil {
		c.active = k
		c.crypto.reset()
	}
	return plain
}

// derive fills k, in place where that can be.
func (c *Client) derive(k *keys, s suite, dcid []byte) {
	if !c.tried {
		c.tried, c.hmac = true, provenAuthenticator()
	}
	if c.hmac == nil {
		k.derive(s, dcid)
		return
	}
	c.hmac.derive(k, s, dcid)
}

// find looks for keys in the cache.
func (c *Client) find(s suite, dcid []byte) *keys {
	for i := range c.cache {
		if c.cache[i].is(s, dcid) {
			return &c.cache[i]
		}
	}
	return nil
}

// slot chooses the entry of the cache to overwrite: in turn, but never the active one.
func (c *Client) slot() *keys {
	if c.active == &c.cache[c.turn] {
		c.turn = (c.turn + 1) % cached
	}
	k := &c.cache[c.turn]
	c.turn = (c.turn + 1) % cached
	if c.opener.owner == k {
		c.opener.owner = nil
	}
	return k
}

// Progress says how much of the hello is there without a gap, and how long it is; 0 where that is not known yet.
func (c *Client) Progress() (have, want int) {
	if c.crypto.prefix >= helloHeader {
		want = helloLen(c.crypto.data)
	}
	return c.crypto.prefix, want
}
