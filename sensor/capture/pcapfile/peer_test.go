package pcapfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcapgo"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// peerSource is what both of pcapgo's readers can do.
type peerSource interface {
	ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
}

// TestAgainstPeer reads the same sound bytes with gopacket's readers.
func TestAgainstPeer(t *testing.T) {
	for _, v := range []variant{
		classicVariant("pcap micro little", binary.LittleEndian, magicMicro, 1000, 0),
		classicVariant("pcap micro big", binary.BigEndian, magicMicro, 1000, 0),
		classicVariant("pcap nano little", binary.LittleEndian, magicNano, 1, 0),
		classicVariant("pcap nano big", binary.BigEndian, magicNano, 1, 0),
		peerNG("pcapng little", binary.LittleEndian),
		peerNG("pcapng big", binary.BigEndian),
	} {
		t.Run(v.name, func(t *testing.T) {
			if !isNG(v.file) {
				copy(v.file[16:20], []byte{1, 1, 1, 1}) // a large snaplen in either byte order: pcapgo believes it
			}
			got, _, err := readAll(t, bytes.NewReader(v.file), 4)
			if !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			same(t, got, peerFrames(t, v.file))
		})
	}
}

// peerNG leaves out what pcapgo does not read: old packet blocks, simple ones among several interfaces, and fractions in powers of two,
// which it rounds to whole nanoseconds before it multiplies.
func peerNG(name string, o order) variant {
	n := &ngFile{}
	n.section(o)
	n.iface(1, 0, option{2, []byte("eth1")}, option{9, []byte{9}})
	n.iface(113, 0, option{9, []byte{6}})
	n.iface(101, 0, option{9, []byte{0x80 | 20}}, option{14, o.AppendUint64(nil, start)})
	for i := range uint64(20) {
		n.enhanced(0, uint64(startNano)+i, 1500, payload(60+int(i)))
		n.enhanced(1, start*1_000_000+i, 60, payload(60))
		n.enhanced(2, i<<20, 61, payload(61))
		n.block(0x0bad, payload(int(i)))
	}
	return variant{name: name, file: n.b}
}

func peerFrames(t *testing.T, file []byte) []capture.Frame {
	t.Helper()
	var source peerSource
	var link func(gopacket.CaptureInfo) capture.LinkType
	if isNG(file) {
		r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.NgReaderOptions{WantMixedLinkType: true})
		if err != nil {
			t.Fatal(err)
		}
		source, link = r, func(ci gopacket.CaptureInfo) capture.LinkType {
			i, err := r.Interface(ci.InterfaceIndex)
			if err != nil {
				t.Fatal(err)
			}
			return capture.LinkType(i.LinkType)
		}
	} else {
		r, err := pcapgo.NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		source, link = r, func(gopacket.CaptureInfo) capture.LinkType { return capture.LinkType(uint16(r.LinkType())) }
	}
	var frames []capture.Frame
	for {
		data, ci, err := source.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, capture.Frame{
			Data: data, Time: ci.Timestamp.Sub(time.Unix(0, 0)).Nanoseconds(), WireLen: uint32(ci.Length),
			Link: link(ci), Interface: uint16(ci.InterfaceIndex),
		})
	}
}
