package tls

const echOuter = 0 // ECHClientHelloType outer (RFC 9849, section 5)

// ECHConfigID returns the config_id of the hello's Encrypted Client Hello extension (RFC 9849, section 5). A real one repeats that of the
// configuration which the client was given, GREASE has a random one (section 6.2.1). ok is false if there is none in the form of the RFC.
func (h *Hello) ECHConfigID() (id uint8, ok bool) {
	c := cursor{b: h.extensions}
	for h.ECH && len(c.b) > 0 {
		typ := c.uint16()
		content := cursor{b: c.take(c.uint16())}
		if typ != extECH {
			continue
		}
		outer := content.uint8()
		content.take(4) // cipher_suite
		found := content.uint8()
		content.take(content.uint16()) // enc
		payload := content.take(content.uint16())
		return uint8(found), outer == echOuter && !content.short && len(content.b) == 0 && len(payload) > 0
	}
	return 0, false
}
