package pcapfile

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// Writer writes a classic pcap file with nanoseconds, little-endian. It is not safe for concurrent use.
type Writer struct {
	w      io.Writer
	record []byte // one record, kept for its memory
	link   capture.LinkType
}

// NewWriter writes the file header. All frames must be of the given link type. The caller buffers and closes w.
func NewWriter(w io.Writer, link capture.LinkType) (*Writer, error) {
	head := make([]byte, 0, classicHeaderSize)
	head = binary.LittleEndian.AppendUint32(head, magicNano)
	head = binary.LittleEndian.AppendUint16(head, 2)
	head = binary.LittleEndian.AppendUint16(head, 4)
	head = append(head, make([]byte, 8)...) // time zone and accuracy: always 0
	head = binary.LittleEndian.AppendUint32(head, maxFrame)
	head = binary.LittleEndian.AppendUint32(head, uint32(link))
	if _, err := w.Write(head); err != nil {
		return nil, fmt.Errorf("writing the header of a capture file: %w", err)
	}
	return &Writer{w: w, link: link}, nil
}

// Write appends one frame with a single call of the underlying Write. A frame that the format has no room for is an error, and nothing
// of it is written: more than 256 KiB, another link type, or a time outside 1970 to 2106. A tag that the kernel took out of the frame is
// not written.
func (w *Writer) Write(frame capture.Frame) error {
	seconds := frame.Time / nanosPerSecond
	switch {
	case len(frame.Data) > maxFrame:
		return fmt.Errorf("writing a frame of %d bytes: a capture file holds %d at most", len(frame.Data), maxFrame)
	case frame.Link != w.link:
		return fmt.Errorf("writing a frame of link type %d: this file is for type %d; use one file for each", frame.Link, w.link)
	case frame.Time < 0 || seconds > 1<<32-1:
		return fmt.Errorf("writing a frame of time %d ns: a capture file holds times from 1970 to 2106", frame.Time)
	}
	r := w.record[:0]
	r = binary.LittleEndian.AppendUint32(r, uint32(seconds))
	r = binary.LittleEndian.AppendUint32(r, uint32(frame.Time%nanosPerSecond))
	r = binary.LittleEndian.AppendUint32(r, uint32(len(frame.Data)))
	r = binary.LittleEndian.AppendUint32(r, max(frame.WireLen, uint32(len(frame.Data))))
	w.record = append(r, frame.Data...)
	if _, err := w.w.Write(w.record); err != nil {
		return fmt.Errorf("writing a frame to a capture file: %w", err)
	}
	return nil
}
