// Package pcapfile writes and rewrites the laboratory's captures: pcap, pcapng with an interface per direction, VLAN tags
// and tunnels around frames that were recorded bare. It reads only files of its own making; the product's reader of hostile
// files is sensor/capture.
package pcapfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Frame is one Ethernet frame as the tap saw it.
type Frame struct {
	Time time.Time
	Data []byte
	Port int // the tap port it came in through; only pcapng keeps it
	Wire int // its length on the wire, if Data was cut; 0: that of Data
}

// Header values of the pcap format with microsecond time stamps (draft-ietf-opsawg-pcap, section 4).
const (
	magicMicro   = 0xa1b2c3d4
	versionMajor = 2
	versionMinor = 4
	snapLen      = 262144
	linkEthernet = 1
	linkCooked   = 113 // LINKTYPE_LINUX_SLL
)

// Write puts the frames out as a little-endian pcap file.
func Write(w io.Writer, frames []Frame) error { return write(w, frames, linkEthernet) }

// WriteCooked puts the frames out as Linux's pseudo-device "any" shows them: with a pseudo-header in the place of the Ethernet header.
func WriteCooked(w io.Writer, frames []Frame) error {
	return write(w, rewrite(frames, cook), linkCooked)
}

// cook is a frame under the header of LINKTYPE_LINUX_SLL: packet type, hardware type, address and its length, EtherType.
func cook(data []byte) []byte {
	if len(data) < etherHeader {
		return data
	}
	out := []byte{0, 0, 0, 1, 0, 6}
	out = append(append(out, data[6:addrBytes]...), 0, 0)
	return append(out, data[addrBytes:]...)
}

func write(w io.Writer, frames []Frame, link uint32) error {
	buf := bufio.NewWriter(w)
	le := binary.LittleEndian
	header := le.AppendUint32(nil, magicMicro)
	header = le.AppendUint16(header, versionMajor)
	header = le.AppendUint16(header, versionMinor)
	header = append(header, make([]byte, 8)...) // time zone and accuracy, both zero
	header = le.AppendUint32(header, snapLen)
	header = le.AppendUint32(header, link)
	_, _ = buf.Write(header) // a bufio.Writer keeps its first error for Flush
	for _, f := range frames {
		record := le.AppendUint32(header[:0], uint32(f.Time.Unix()))
		record = le.AppendUint32(record, uint32(f.Time.Nanosecond()/1000))
		record = le.AppendUint32(record, uint32(len(f.Data)))
		record = le.AppendUint32(record, uint32(max(f.Wire, len(f.Data))))
		_, _ = buf.Write(record)
		_, _ = buf.Write(f.Data)
	}
	if err := buf.Flush(); err != nil {
		return fmt.Errorf("writing capture: %w", err)
	}
	return nil
}

// ErrForeign says that a file is not one that Write made.
var ErrForeign = errors.New("not a little-endian microsecond Ethernet pcap file")

// Read returns the frames of a file made by Write.
func Read(r io.Reader) ([]Frame, error) {
	buf := bufio.NewReader(r)
	le := binary.LittleEndian
	var header [24]byte
	if _, err := io.ReadFull(buf, header[:]); err != nil {
		return nil, fmt.Errorf("reading capture header: %w", err)
	}
	if le.Uint32(header[:]) != magicMicro || le.Uint32(header[20:]) != linkEthernet {
		return nil, fmt.Errorf("reading capture header: %w", ErrForeign)
	}
	var frames []Frame
	for {
		var record [16]byte
		if _, err := io.ReadFull(buf, record[:]); errors.Is(err, io.EOF) {
			return frames, nil
		} else if err != nil {
			return frames, fmt.Errorf("reading frame %d: %w", len(frames)+1, err)
		}
		length := le.Uint32(record[8:])
		if length > snapLen {
			return frames, fmt.Errorf("reading frame %d: length %d: %w", len(frames)+1, length, ErrForeign)
		}
		f := Frame{Time: time.Unix(int64(le.Uint32(record[:])), int64(le.Uint32(record[4:]))*1000).UTC(), Data: make([]byte, length)}
		if _, err := io.ReadFull(buf, f.Data); err != nil {
			return frames, fmt.Errorf("reading frame %d: %w", len(frames)+1, err)
		}
		frames = append(frames, f)
	}
}
