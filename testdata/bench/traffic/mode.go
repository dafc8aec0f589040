package traffic

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
)

// Mode is a kind of traffic.
type Mode struct {
	Name  string
	flows int
	step  func(*maker) error // begins a flow
	// packets bounds how many there are; 0: as many as the flows have.
	packets int
}

// Modes are what is measured: the size and the mix of each put another part of a sensor to work.
func Modes() []Mode {
	return []Mode{
		{Name: "bulk", flows: 20_000, step: (*maker).bulk},
		{Name: "handshakes", flows: 200_000, step: (*maker).handshake},
		{Name: "dns", flows: 500_000, step: (*maker).lookup},
		{Name: "smallpkt", flows: 60_000, packets: 2_500_000, step: (*maker).small},
	}
}

// Truth is what a capture holds.
type Truth struct {
	Packets  int
	Names    map[string]int // connections by server name, and look-ups by question
	Up, Down uint64         // transport payload of connections, each byte once
}

// flow is a conversation under way.
type flow struct {
	ends
	todo  []packet // what is still to come
	seq   [2]uint32
	again bool // begin anew when nothing is left
}

type maker struct {
	r        *rand.Rand
	out      *writer
	hellos   *hellos
	filler   []byte
	live     []*flow
	truth    Truth
	scratch  []byte
	datagram []byte
}

// concurrent is how many flows are mixed with one another.
const concurrent = 3000

// Make writes a capture of the mode to path.
func Make(m Mode, path string) (Truth, error) {
	hellos, err := newHellos()
	if err != nil {
		return Truth{}, err
	}
	file, err := os.Create(path)
	if err != nil {
		return Truth{}, fmt.Errorf("making a capture: %w", err)
	}
	defer file.Close()
	out, err := newWriter(file)
	if err != nil {
		return Truth{}, err
	}
	mk := &maker{r: rand.New(rand.NewPCG(1, uint64(len(m.Name)))), out: out, hellos: hellos, filler: make([]byte, 1<<16),
		truth: Truth{Names: map[string]int{}}}
	for i := range mk.filler {
		mk.filler[i] = byte(mk.r.Uint32())
	}
	if err := mk.run(m); err != nil {
		return Truth{}, err
	}
	return mk.truth, out.close()
}

// run mixes flows until all have ended, or there are packets enough.
func (m *maker) run(mode Mode) error {
	for begun := 0; ; {
		for begun < mode.flows && (len(m.live) < concurrent || mode.packets > 0) {
			if err := mode.step(m); err != nil {
				return err
			}
			begun++
		}
		if len(m.live) == 0 || mode.packets > 0 && m.truth.Packets >= mode.packets {
			return nil
		}
		if err := m.train(m.r.IntN(len(m.live))); err != nil {
			return err
		}
	}
}

// train writes a few packets of one flow, and forgets it at its end.
func (m *maker) train(i int) error {
	f := m.live[i]
	for range min(1+m.r.IntN(3), len(f.todo)) {
		if err := m.write(f); err != nil {
			return err
		}
	}
	if len(f.todo) == 0 {
		m.live[i] = m.live[len(m.live)-1]
		m.live = m.live[:len(m.live)-1]
	}
	return nil
}

// write writes the next packet of a flow.
func (m *maker) write(f *flow) error {
	p := f.todo[0]
	if f.again {
		f.todo = append(f.todo[:0], f.todo[1:]...)
		f.todo = append(f.todo, p)
	} else {
		f.todo = f.todo[1:]
	}
	side := 1 - from(p.up)
	p.seq, p.ack = f.seq[side], f.seq[1-side]
	f.seq[side] += uint32(len(p.payload))
	if p.flags&(syn|fin) != 0 {
		f.seq[side]++
	}
	if p.up {
		m.truth.Up += uint64(len(p.payload))
	} else {
		m.truth.Down += uint64(len(p.payload))
	}
	m.truth.Packets++
	p.id = uint16(m.truth.Packets)
	if f.proto == protoUDP && f.server.Port() != 53 && p.payload[0]&0x80 == 0 { // encrypted or numbered, two datagrams are never alike
		m.datagram = append(m.datagram[:0], p.payload...)
		binary.LittleEndian.PutUint32(m.datagram[len(p.payload)-4:], uint32(m.truth.Packets))
		p.payload = m.datagram
	}
	m.scratch = appendFrame(m.scratch[:0], &f.ends, &p)
	return m.out.write(m.scratch)
}

// begin opens a flow of a client to a server.
func (m *maker) begin(proto byte, port uint16) *flow {
	f := &flow{ends: ends{proto: proto}, seq: [2]uint32{m.r.Uint32(), m.r.Uint32()}}
	who, where := m.r.IntN(500), m.r.IntN(2000)
	clientPort := uint16(1024 + m.r.IntN(64000))
	if m.r.IntN(4) == 0 {
		f.client = netip.AddrPortFrom(v6(0x10, who), clientPort)
		f.server = netip.AddrPortFrom(v6(0x20, where), port)
	} else {
		f.client = netip.AddrPortFrom(v4(10, who), clientPort)
		f.server = netip.AddrPortFrom(v4(203, where), port)
	}
	if m.r.IntN(7) == 0 {
		f.vlan = uint16(10 + who%50)
	}
	m.live = append(m.live, f)
	return f
}

func v4(net byte, i int) netip.Addr { return netip.AddrFrom4([4]byte{net, 0, byte(i >> 8), byte(i)}) }

func v6(net byte, i int) netip.Addr {
	a := [16]byte{0: 0x20, 1: 1, 2: 0xd, 3: 0xb8, 5: net}
	binary.BigEndian.PutUint16(a[14:], uint16(i))
	return netip.AddrFrom16(a)
}

// name draws a server name; 3 in 100 are of an AI service.
func (m *maker) name() string {
	if m.r.IntN(100) < 3 {
		return fmt.Sprintf("c%06d.openai.azure.com", m.r.IntN(60))
	}
	return fmt.Sprintf("host%08d.example.com", m.r.IntN(2000))
}

// writer writes classic pcap.
type writer struct {
	w  io.WriteCloser
	b  []byte
	us uint64
}

func newWriter(w io.WriteCloser) (*writer, error) {
	b := make([]byte, 0, 1<<20)
	b = binary.LittleEndian.AppendUint32(b, 0xa1b2c3d4)
	b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0)
	return &writer{w: w, b: b, us: 1_790_000_000_000_000}, nil
}

// write appends a frame, 10 microseconds after the one before.
func (w *writer) write(frame []byte) error {
	if len(w.b)+16+len(frame) > cap(w.b) {
		if _, err := w.w.Write(w.b); err != nil {
			return fmt.Errorf("writing a capture: %w", err)
		}
		w.b = w.b[:0]
	}
	w.us += 10
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(w.us/1e6))
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(w.us%1e6))
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(len(frame)))
	w.b = binary.LittleEndian.AppendUint32(w.b, uint32(len(frame)))
	w.b = append(w.b, frame...)
	return nil
}

func (w *writer) close() error {
	if _, err := w.w.Write(w.b); err != nil {
		return fmt.Errorf("writing a capture: %w", err)
	}
	return w.w.Close()
}
