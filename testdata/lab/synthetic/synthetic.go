// Package synthetic makes captures of what the laboratory has no client for: tunnels and resolvers whose first packets are laid out by
// hand, as their documents say, around bytes that stand for encryption. The frames are the same at every run. It does not know real
// clients (see package cases).
package synthetic

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/pcapfile"
)

// Case is one capture.
type Case struct {
	Name, Why string
	Frames    []pcapfile.Frame
	// Truth says in plain words what the conversations are, for ABOUT.
	Truth []string
}

// Write puts a case into a directory of its own below dir.
func (c *Case) Write(dir string) error {
	dir = filepath.Join(dir, c.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making a case's directory: %w", err)
	}
	for name, content := range c.Files() {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return fmt.Errorf("writing a case: %w", err)
		}
	}
	return nil
}

// Files are the files of the case by their names.
func (c *Case) Files() map[string][]byte {
	var capture, about bytes.Buffer
	if err := pcapfile.Write(&capture, c.Frames); err != nil {
		panic(err) // a buffer takes everything
	}
	fmt.Fprintf(&about, "Why: %s.\nMade by: testdata/lab (go run . synthetic): frames laid out by hand as the protocols' documents say; where a real one would be\n"+
		"  encrypted stand made-up bytes. No client and no person is behind it.\nConversations:\n", c.Why)
	for _, line := range c.Truth {
		fmt.Fprintf(&about, "  %s\n", line)
	}
	about.WriteString("Truth: the list above; truth.ndjson is empty, for no server was there to write it.\nLicence: the project's own.\n")
	return map[string][]byte{"input.pcap": capture.Bytes(), "ABOUT": about.Bytes(), "truth.ndjson": {}}
}

// wire lays frames out, a millisecond apart.
type wire struct {
	frames []pcapfile.Frame
	truth  []string
	at     time.Time
	noise  uint32
}

func newWire() *wire { return &wire{at: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), noise: 1} }

// note says what comes next.
func (w *wire) note(format string, args ...any) {
	w.truth = append(w.truth, fmt.Sprintf(format, args...))
}

// sealed makes n bytes that look encrypted.
func (w *wire) sealed(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		w.noise = w.noise*1664525 + 1013904223
		b[i] = byte(w.noise >> 24)
	}
	return b
}

// Numbers of headers (IANA).
const (
	tcp, udp            = 6, 17
	flagSYN, flagACK    = 0x02, 0x10
	ipHeader, udpHeader = 20, 8
)

// pair is a client and a server.
type pair struct {
	client, server netip.AddrPort
	seq            [2]uint32 // TCP: what each side has sent
}

func talk(client, server string) *pair {
	return &pair{client: netip.MustParseAddrPort(client), server: netip.MustParseAddrPort(server), seq: [2]uint32{1000, 5000}}
}

// datagram goes from the client, or up is false.
func (w *wire) datagram(p *pair, up bool, payload []byte) {
	from, to := p.ends(up)
	b := binary.BigEndian.AppendUint16(nil, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(udpHeader+len(payload)))
	w.packet(from, to, udp, append(append(b, 0, 0), payload...)) // 0: no checksum
}

// segment is one of TCP.
func (w *wire) segment(p *pair, up bool, flags byte, payload []byte) {
	from, to := p.ends(up)
	mine, other := &p.seq[0], &p.seq[1]
	if !up {
		mine, other = other, mine
	}
	b := binary.BigEndian.AppendUint16(nil, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = binary.BigEndian.AppendUint32(b, *mine)
	b = binary.BigEndian.AppendUint32(b, *other)
	b = append(b, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	*mine += uint32(len(payload))
	if flags&flagSYN != 0 {
		*mine++
	}
	w.packet(from, to, tcp, append(b, payload...))
}

// connect is the handshake of TCP.
func (w *wire) connect(p *pair) {
	w.segment(p, true, flagSYN, nil)
	w.segment(p, false, flagSYN|flagACK, nil)
	w.segment(p, true, flagACK, nil)
}

func (p *pair) ends(up bool) (from, to netip.AddrPort) {
	if up {
		return p.client, p.server
	}
	return p.server, p.client
}

// packet puts IPv4 and Ethernet around a transport header.
func (w *wire) packet(from, to netip.AddrPort, proto byte, transport []byte) {
	src, dst := from.Addr().As4(), to.Addr().As4()
	frame := []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00}
	ip := []byte{0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, proto, 0, 0}
	binary.BigEndian.PutUint16(ip[2:], uint16(ipHeader+len(transport)))
	ip = append(append(ip, src[:]...), dst[:]...)
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))
	w.frames = append(w.frames, pcapfile.Frame{Time: w.at, Data: append(append(frame, ip...), transport...)})
	w.at = w.at.Add(time.Millisecond)
}

// checksum is that of an IP header (RFC 791, section 3.1).
func checksum(header []byte) uint16 {
	sum := uint32(0)
	for i := 0; i < len(header); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(header[i:]))
	}
	for sum>>16 > 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
