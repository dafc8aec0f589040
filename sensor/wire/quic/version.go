package quic

// Versions of QUIC (IANA registry "QUIC Versions").
const (
	version1         = 0x00000001 // RFC 9000, section 15
	version2         = 0x6b3343cf // RFC 9369, section 3.1
	versionDraft     = 0xff000000 // drafts of RFC 9000: the number in the low byte
	versionMvfst     = 0xfaceb000 // Facebook's mvfst: a variant in the low nibble
	firstDraft       = 21         // the first whose packets look like those of version 1
	lastDraft        = 34
	firstDraftSalt23 = 23
	firstDraftSalt29 = 29
	firstDraftSaltV1 = 33
)

// suite is what the keys of a version's Initial packets derive from.
type suite uint8

// The suites: each one a salt and, for version 2, labels of its own.
const (
	suiteV1 suite = iota
	suiteV2
	suiteDraft21
	suiteDraft23
	suiteDraft29
	suites
)

// salts are the initial salts by suite: RFC 9001, section 5.2; RFC 9369, section 3.3.1; draft-ietf-quic-tls-21, -23 and -29, section 5.2.
var salts = [suites]string{
	suiteV1:      "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a",
	suiteV2:      "\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9",
	suiteDraft21: "\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a",
	suiteDraft23: "\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02",
	suiteDraft29: "\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99",
}

// suitesOf returns the suites to try for a version, the likely one first. Versions that are not known use version 1's: greased ones, and
// those that clients send to force a negotiation, are built that way, and a wrong guess opens nothing. mvfst's say nothing
// of the draft that they follow.
func suitesOf(version uint32) (first, second suite) {
	switch {
	case version == version2:
		return suiteV2, suiteV2
	case version&^0xf == versionMvfst:
		if version&0xf == 1 {
			return suiteDraft21, suiteDraft23
		}
		return suiteDraft23, suiteDraft29
	case isDraft(version):
		return draftSuite(version & 0xff), draftSuite(version & 0xff)
	case version&0x0f0f0f0f == 0x0a0a0a0a: // reserved to force a negotiation (RFC 9000, section 15)
		return suiteV1, suiteDraft29
	}
	return suiteV1, suiteV1
}

func draftSuite(draft uint32) suite {
	switch {
	case draft >= firstDraftSaltV1:
		return suiteV1
	case draft >= firstDraftSalt29:
		return suiteDraft29
	case draft >= firstDraftSalt23:
		return suiteDraft23
	}
	return suiteDraft21
}

// known tells whether version is one whose long headers are read as of right, not on suspicion.
func known(version uint32) bool {
	return version == version1 || version == version2 || version&^0xf == versionMvfst || isDraft(version)
}

func isDraft(version uint32) bool {
	return version >= versionDraft+firstDraft && version <= versionDraft+lastDraft
}
