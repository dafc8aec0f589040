package tls

import (
	"bytes"
	"iter"
)

// ASN.1 tags in DER (X.690, section 8.1.2).
const (
	tagBoolean     = 0x01
	tagInteger     = 0x02
	tagOctetString = 0x04
	tagOID         = 0x06
	tagUTF8        = 0x0c
	tagPrintable   = 0x13
	tagTeletex     = 0x14
	tagIA5         = 0x16
	tagSequence    = 0x30
	tagSet         = 0x31
	tagVersion     = 0xa0 // [0] EXPLICIT in TBSCertificate (RFC 5280, section 4.1)
	tagExtensions  = 0xa3 // [3] EXPLICIT in TBSCertificate
	tagDNSName     = 0x82 // [2] IMPLICIT in GeneralName (RFC 5280, section 4.2.1.6)
)

const (
	oidCommonName = "\x55\x04\x03" // 2.5.4.3 (RFC 5280, appendix A.1)
	oidAltName    = "\x55\x1d\x11" // 2.5.29.17 (RFC 5280, section 4.2.1.6)
)

// Certificate is what an X.509 certificate says of names (RFC 5280). Nothing in it is verified: a server can show any name. Its slices
// alias the DER given to Parse.
type Certificate struct {
	// CommonName is the last common name of the subject, nil if there is none in printable ASCII.
	CommonName []byte

	names []byte // the content of GeneralNames
}

// Parse reads a certificate in DER. It needs the certificate only up to the end of its extensions.
func (c *Certificate) Parse(der []byte) error {
	*c = Certificate{}
	in := derReader{b: der}
	outer := derReader{b: in.element(tagSequence)}
	tbs := derReader{b: outer.element(tagSequence)}
	tbs.optional(tagVersion)
	tbs.element(tagInteger)  // serialNumber
	tbs.element(tagSequence) // signature
	tbs.element(tagSequence) // issuer
	tbs.element(tagSequence) // validity
	subject := derReader{b: tbs.element(tagSequence)}
	tbs.element(tagSequence) // subjectPublicKeyInfo
	if in.bad || outer.bad || tbs.bad {
		return ErrMalformed
	}
	c.commonName(subject)
	c.altNames(tbs)
	return nil
}

// commonName looks through an RDNSequence (RFC 5280, section 4.1.2.4).
func (c *Certificate) commonName(subject derReader) {
	for len(subject.b) > 0 && !subject.bad {
		set := derReader{b: subject.element(tagSet)}
		for len(set.b) > 0 && !set.bad {
			pair := derReader{b: set.element(tagSequence)}
			oid := pair.element(tagOID)
			tag, value := pair.any()
			if string(oid) == oidCommonName && textTag(tag) && plainName(value) {
				c.CommonName = value
			}
		}
	}
}

// altNames looks for subjectAltName among the extensions, which follow the public key (RFC 5280, section 4.1).
func (c *Certificate) altNames(tbs derReader) {
	for len(tbs.b) > 0 && !tbs.bad {
		tag, body := tbs.any()
		if tag != tagExtensions {
			continue // issuerUniqueID, subjectUniqueID
		}
		explicit := derReader{b: body}
		extensions := derReader{b: explicit.element(tagSequence)}
		for len(extensions.b) > 0 && !extensions.bad {
			ext := derReader{b: extensions.element(tagSequence)}
			oid := ext.element(tagOID)
			ext.optional(tagBoolean) // critical
			value := derReader{b: ext.element(tagOctetString)}
			if string(oid) == oidAltName && !ext.bad {
				c.names = value.element(tagSequence)
				return
			}
		}
		return
	}
}

// Names iterates over the DNS names of subjectAltName, in the certificate's order, wildcards as they stand. Names that are not
// printable ASCII are left out.
func (c *Certificate) Names() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		names := derReader{b: c.names}
		for len(names.b) > 0 && !names.bad {
			tag, name := names.any()
			if tag == tagDNSName && plainName(name) && !yield(name) {
				return
			}
		}
	}
}

func textTag(tag byte) bool {
	return bytes.IndexByte([]byte{tagUTF8, tagPrintable, tagTeletex, tagIA5}, tag) >= 0
}

// derReader walks over the elements of one level of DER (X.690, section 10). It never looks deeper by itself, so its work is bounded by
// the length of its input. Once bad it stays bad and yields nothing.
type derReader struct {
	b   []byte
	bad bool
}

// any consumes the next element, whatever its tag.
func (d *derReader) any() (tag byte, body []byte) {
	c := cursor{b: d.b}
	tag = byte(c.uint8())
	size := c.uint8()
	switch {
	case size < 0x80:
	case size == 0x81:
		size = c.uint8()
	case size == 0x82:
		size = c.uint16()
	case size == 0x83:
		size = c.uint24()
	default: // indefinite, or longer than any certificate
		c.short = true
	}
	body = c.take(size)
	if c.short || tag&0x1f == 0x1f { // tags of more than one byte occur nowhere in a certificate
		d.b, d.bad = nil, true
		return 0, nil
	}
	d.b = c.b
	return tag, body
}

// element consumes the next element, which has to carry tag.
func (d *derReader) element(tag byte) []byte {
	got, body := d.any()
	if got != tag {
		d.b, d.bad = nil, true
		return nil
	}
	return body
}

// optional consumes the next element if it carries tag.
func (d *derReader) optional(tag byte) {
	if len(d.b) > 0 && d.b[0] == tag {
		d.any()
	}
}
