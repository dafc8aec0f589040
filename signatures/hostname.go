package signatures

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

const (
	maxName  = 253 // octets of a host name in text form, without the dot at its end (RFC 1035, section 3.1)
	maxLabel = 63  // octets of a label (RFC 1035, section 2.3.4)
)

// fold is the lower-case form of every octet that may stand in a host name, and 0 for every other. The underscore is no letter of
// host names but of DNS names that clients do ask for.
var fold = [256]byte{
	'-': '-', '.': '.', '_': '_',
	'0': '0', '1': '1', '2': '2', '3': '3', '4': '4', '5': '5', '6': '6', '7': '7', '8': '8', '9': '9',
	'a': 'a', 'b': 'b', 'c': 'c', 'd': 'd', 'e': 'e', 'f': 'f', 'g': 'g', 'h': 'h', 'i': 'i', 'j': 'j', 'k': 'k', 'l': 'l', 'm': 'm',
	'n': 'n', 'o': 'o', 'p': 'p', 'q': 'q', 'r': 'r', 's': 's', 't': 't', 'u': 'u', 'v': 'v', 'w': 'w', 'x': 'x', 'y': 'y', 'z': 'z',
	'A': 'a', 'B': 'b', 'C': 'c', 'D': 'd', 'E': 'e', 'F': 'f', 'G': 'g', 'H': 'h', 'I': 'i', 'J': 'j', 'K': 'k', 'L': 'l', 'M': 'm',
	'N': 'n', 'O': 'o', 'P': 'p', 'Q': 'q', 'R': 'r', 'S': 's', 'T': 't', 'U': 'u', 'V': 'v', 'W': 'w', 'X': 'x', 'Y': 'y', 'Z': 'z',
}

// validLabels says whether name, without a dot at its end, is a row of labels of 1 to 63 allowed octets.
func validLabels(name []byte) bool {
	length := 0
	for _, b := range name {
		switch {
		case fold[b] == 0:
			return false
		case b != '.':
			if length++; length > maxLabel {
				return false
			}
		case length == 0:
			return false
		default:
			length = 0
		}
	}
	return length > 0
}

// canonicalName brings a name of a catalogue file into the form that the matcher compares: lower case, A-labels, no dot at the end.
// Stars are kept for wildcards.
func canonicalName(name string, match Match) (string, error) {
	s := strings.ToLower(strings.TrimSuffix(name, "."))
	plain := strings.ReplaceAll(s, "*", "x")
	if !isASCII(s) {
		if plain != s {
			return "", fmt.Errorf("reading name %q: a star beside letters outside ASCII; write the A-label (xn--...)", name)
		}
		ascii, err := idna.Lookup.ToASCII(s)
		if err != nil {
			return "", fmt.Errorf("converting name %q to A-labels: %w; write the A-label (xn--...)", name, err)
		}
		s, plain = ascii, ascii
	}
	if len(plain) > maxName || !validLabels([]byte(plain)) {
		return "", fmt.Errorf("reading name %q: not a host name; write labels of letters, digits and hyphens, without scheme, port or path", name)
	}
	if strings.Count(plain, ".") == 0 {
		return "", fmt.Errorf("reading name %q: a name of one label is a whole top-level domain; write the full name", name)
	}
	if last := plain[strings.LastIndexByte(plain, '.')+1:]; strings.Trim(last, "0123456789") == "" {
		return "", fmt.Errorf("reading name %q: an address is no name; write it under ip_ranges", name)
	}
	return s, checkStars(name, s, match)
}

// checkStars holds the stars of a canonical name against its way to match.
func checkStars(name, s string, match Match) error {
	stars := strings.Contains(s, "*")
	switch {
	case stars && match != MatchWildcard:
		return fmt.Errorf("reading name %q: a star needs match = \"wildcard\"; for everything below a name write the name alone with match = \"suffix\"", name)
	case !stars && match == MatchWildcard:
		return fmt.Errorf("reading name %q: match = \"wildcard\" without a star; use exact or suffix", name)
	case !stars:
		return nil
	}
	labels := strings.Split(s, ".")
	for i, label := range labels {
		if strings.Count(label, "*") > 1 {
			return fmt.Errorf("reading name %q: two stars in one label; one star stands for any part of it", name)
		}
		if strings.Contains(label, "*") && i >= len(labels)-2 {
			return fmt.Errorf("reading name %q: a star in the last two labels covers other owners' names; write these labels out", name)
		}
	}
	return nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
