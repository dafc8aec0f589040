package pcapfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// order is a byte order that can append.
type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// classicFile builds a classic pcap file, piece by piece.
type classicFile struct {
	order order
	b     []byte
}

func newClassicFile(o order, magic uint32, minor uint16, link uint32) *classicFile {
	c := &classicFile{order: o}
	c.b = o.AppendUint32(c.b, magic)
	c.b = o.AppendUint16(c.b, 2)
	c.b = o.AppendUint16(c.b, minor)
	c.words(0, 0, 96, link)
	return c
}

func (c *classicFile) words(words ...uint32) {
	for _, w := range words {
		c.b = c.order.AppendUint32(c.b, w)
	}
}

// record appends a record; extra is what Kuznetzov's format puts after the header.
func (c *classicFile) record(sec, frac, have, wire uint32, extra int, data []byte) {
	c.words(sec, frac, have, wire)
	c.b = append(c.b, make([]byte, extra)...)
	c.b = append(c.b, data...)
}

// ngFile builds a pcapng file.
type ngFile struct {
	order order
	b     []byte
}

// option is one option of a block.
type option struct {
	code  uint16
	value []byte
}

func (n *ngFile) block(kind uint32, body []byte) {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	size := uint32(len(body) + 12)
	n.b = n.order.AppendUint32(n.b, kind)
	n.b = n.order.AppendUint32(n.b, size)
	n.b = append(n.b, body...)
	n.b = n.order.AppendUint32(n.b, size)
}

func (n *ngFile) section(o order) {
	n.order = o
	var body []byte
	body = o.AppendUint32(body, 0x1a2b3c4d)
	body = o.AppendUint16(body, 1)
	body = o.AppendUint16(body, 0)
	body = o.AppendUint64(body, 1<<64-1)
	n.block(0x0a0d0d0a, n.options(body, []option{{code: 4, value: []byte("a test")}}))
}

func (n *ngFile) options(body []byte, options []option) []byte {
	for _, opt := range options {
		body = n.order.AppendUint16(body, opt.code)
		body = n.order.AppendUint16(body, uint16(len(opt.value)))
		body = append(body, opt.value...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	if len(options) > 0 {
		body = append(body, 0, 0, 0, 0)
	}
	return body
}

func (n *ngFile) iface(link uint16, snaplen uint32, options ...option) {
	var body []byte
	body = n.order.AppendUint16(body, link)
	body = n.order.AppendUint16(body, 0)
	body = n.order.AppendUint32(body, snaplen)
	n.block(1, n.options(body, options))
}

func (n *ngFile) enhanced(id uint32, ts uint64, wire uint32, data []byte, options ...option) {
	var body []byte
	for _, w := range []uint32{id, uint32(ts >> 32), uint32(ts), uint32(len(data)), wire} {
		body = n.order.AppendUint32(body, w)
	}
	body = append(body, data...)
	for len(body)%4 != 0 {
		body = append(body, 0xee)
	}
	n.block(6, n.options(body, options))
}

func (n *ngFile) old(id uint16, ts uint64, wire uint32, data []byte) {
	var body []byte
	body = n.order.AppendUint16(body, id)
	body = n.order.AppendUint16(body, 0xffff)
	for _, w := range []uint32{uint32(ts >> 32), uint32(ts), uint32(len(data)), wire} {
		body = n.order.AppendUint32(body, w)
	}
	n.block(2, append(body, data...))
}

func (n *ngFile) simple(wire uint32, data []byte) {
	n.block(3, append(n.order.AppendUint32(nil, wire), data...))
}

func (n *ngFile) statistics(id uint32, options ...option) {
	var body []byte
	for _, w := range []uint32{id, 0, 0} {
		body = n.order.AppendUint32(body, w)
	}
	n.block(5, n.options(body, options))
}

// payload makes n bytes that differ from frame to frame.
func payload(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(n + 7*i)
	}
	return b
}

// variant is a file and what must be read from it.
type variant struct {
	name string
	file []byte
	want []capture.Frame
}

const (
	start     = 1_700_000_000
	startNano = start * int64(1_000_000_000)
)

// variants returns a small sound file in every form that is read.
func variants() []variant {
	var all []variant
	for _, o := range []struct {
		name  string
		order order
	}{{"little", binary.LittleEndian}, {"big", binary.BigEndian}} {
		all = append(all,
			classicVariant("pcap micro "+o.name, o.order, 0xa1b2c3d4, 1000, 0),
			classicVariant("pcap nano "+o.name, o.order, 0xa1b23c4d, 1, 0),
			classicVariant("pcap modified "+o.name, o.order, 0xa1b2cd34, 1000, 8),
			ngVariant("pcapng "+o.name, o.order),
		)
	}
	return append(all, sectionsVariant())
}

func classicVariant(name string, o order, magic uint32, unit int64, extra int) variant {
	c := newClassicFile(o, magic, 4, 0xf4000001) // the upper half tells of a frame check sequence
	v := variant{name: name}
	for i, n := range []int{60, 0, 1, 97, 64} { // 97 is over the snaplen of the header
		c.record(start+uint32(i), 123_456, uint32(n), uint32(n)+4, extra, payload(n))
		v.want = append(v.want, capture.Frame{
			Data: payload(n), Time: startNano + int64(i)*1e9 + 123_456*unit, WireLen: uint32(n) + 4, Link: 1,
		})
	}
	v.file = c.b
	return v
}

func ngVariant(name string, o order) variant {
	n := &ngFile{}
	n.section(o)
	n.iface(1, 0, option{2, []byte("eth1")})
	n.iface(113, 70, option{1, []byte("no matter")}, option{2, []byte("any\x00")}, option{9, []byte{9}})
	n.block(4, []byte{0, 0, 0, 0}) // name resolution: not wanted
	micros := uint64(start) * 1_000_000
	n.enhanced(0, micros+5, 60, payload(60), option{1, []byte("with a comment")})
	n.enhanced(1, uint64(startNano)+7, 1500, payload(61))
	n.block(0x80000001, payload(40))
	n.old(1, uint64(startNano)+8, 33, payload(33))
	n.simple(35, payload(35))
	n.statistics(0, option{5, o.AppendUint64(nil, 11)}, option{7, o.AppendUint64(nil, 2)})
	n.enhanced(0, micros+9, 0, nil)
	return variant{name: name, file: n.b, want: []capture.Frame{
		{Data: payload(60), Time: startNano + 5000, WireLen: 60, Link: 1},
		{Data: payload(61), Time: startNano + 7, WireLen: 1500, Link: 113, Interface: 1},
		{Data: payload(33), Time: startNano + 8, WireLen: 33, Link: 113, Interface: 1},
		{Data: payload(35), Time: startNano + 8, WireLen: 35, Link: 1},
		{Data: nil, Time: startNano + 9000, WireLen: 0, Link: 1},
	}}
}

// sectionsVariant changes the byte order from section to section, and repeats an interface.
func sectionsVariant() variant {
	n := &ngFile{}
	v := variant{name: "pcapng sections"}
	for i, o := range []order{binary.BigEndian, binary.LittleEndian, binary.BigEndian} {
		n.section(o)
		name := "eth1"
		if i == 1 {
			name = "eth2"
		}
		n.iface(1, 0, option{2, []byte(name)}, option{9, []byte{0}})
		n.enhanced(0, start+uint64(i), 50, payload(50+i))
		v.want = append(v.want, capture.Frame{
			Data: payload(50 + i), Time: startNano + int64(i)*1e9, WireLen: uint32(50 + i), Link: 1, Interface: uint16(i % 2),
		})
	}
	v.file = n.b
	return v
}

// readAll reads r to its end. It copies the frames, as their bytes do not outlive a call of Next.
func readAll(t testing.TB, r io.Reader, batch int) ([]capture.Frame, *File, error) {
	t.Helper()
	f, err := NewReader(r, "x.pcap")
	if err != nil {
		return nil, nil, err
	}
	frames, err := drain(f, batch)
	return frames, f, err
}

func drain(f *File, batch int) ([]capture.Frame, error) {
	var all []capture.Frame
	frames := make([]capture.Frame, batch)
	for {
		n, err := f.Next(frames)
		for _, frame := range frames[:n] {
			frame.Data = bytes.Clone(frame.Data)
			all = append(all, frame)
		}
		if err != nil {
			return all, err
		}
	}
}

// same compares what was read with what was written.
func same(t *testing.T, got, want []capture.Frame) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d frames, want %d", len(got), len(want))
	}
	for i := range want {
		g, w := got[i], want[i]
		if !bytes.Equal(g.Data, w.Data) {
			t.Errorf("frame %d: got data %x, want %x", i, g.Data, w.Data)
		}
		g.Data, w.Data = nil, nil
		if !equal(g, w) {
			t.Errorf("frame %d: got %+v, want %+v", i, g, w)
		}
	}
}

// equal compares everything but the data.
func equal(a, b capture.Frame) bool {
	return a.Time == b.Time && a.WireLen == b.WireLen && a.Link == b.Link && a.Interface == b.Interface &&
		a.VLAN == b.VLAN && a.VLANProto == b.VLANProto && a.VLANValid == b.VLANValid
}

func gzipOf(t testing.TB, parts ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, part := range parts { // one member each
		w := gzip.NewWriter(&b)
		_, err := w.Write(part)
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func zstdOf(t testing.TB, parts ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, part := range parts { // one frame each
		w, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Write(part)
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}
