package identity

import "github.com/gnomon-sensor/gnomon/sensor/wire/dhcp"

// parseMAC reads 00:00:5e:00:53:01, 00-00-5E-00-53-01, 0000.5e00.5301 and 00005e005301. Addresses of groups and of nobody are none.
func parseMAC(s string) (m dhcp.MAC, ok bool) {
	group, separator := 12, byte(0) // digits between separators
	switch len(s) {
	case 12:
	case 14:
		group, separator = 4, '.'
	case 17:
		group, separator = 2, ':'
		if s[2] == '-' {
			separator = '-'
		}
	default:
		return dhcp.MAC{}, false
	}
	if !readDigits(&m, s, group, separator) || m.IsZero() || m[0]&1 != 0 {
		return dhcp.MAC{}, false
	}
	return m, true
}

// readDigits reads hexadecimal digits in groups.
func readDigits(m *dhcp.MAC, s string, group int, separator byte) bool {
	digits := 0
	for i := range len(s) {
		if i%(group+1) == group {
			if s[i] != separator {
				return false
			}
			continue
		}
		v, ok := hexDigit(s[i])
		if !ok {
			return false
		}
		m[digits/2] |= v << (4 * (1 - digits%2))
		digits++
	}
	return true
}

func hexDigit(c byte) (v byte, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// formatMAC writes an address as ECS has it (RFC 7042, section 2.1): capitals and hyphens.
func formatMAC(m dhcp.MAC) string {
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, 17)
	for i, v := range m {
		if i > 0 {
			b = append(b, '-')
		}
		b = append(b, digits[v>>4], digits[v&15])
	}
	return string(b)
}
