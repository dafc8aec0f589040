package tls

const echOuter = 0 // ECHClientHelloType outer (RFC 9849, section 5)

// ECHConfigID returns the config_id of the hello's Encrypted Client Hello extension (RFC 9849, section 5). A real one repeats that of the
// configuration which the client was given, GREASE has a random one (section 6.2.1). ok is false if there is none in the form of the RFC.
func (h *Hello) ECHConfigID() (id uint8, ok bool) {
	c := cursor{b: h.ech}
	outer := c.uint8()
	c.take(4) // cipher_suite
	found := c.uint8()
	c.take(c.uint16()) // enc
	payload := c.take(c.uint16())
	return uint8(found), outer == echOuter && !c.short && len(c.b) == 0 && len(payload) > 0
}
