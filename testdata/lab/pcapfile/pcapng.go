package pcapfile

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Block types, option codes and the byte-order magic of pcapng (draft-ietf-opsawg-pcapng, sections 4.1 to 4.3).
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockEnhanced  = 6
	byteOrderMagic = 0x1a2b3c4d
	optionName     = 2
)

// WriteNG puts the frames out as a little-endian pcapng file with one interface per name; Frame.Port is the index into names.
func WriteNG(w io.Writer, names []string, frames []Frame) error {
	buf := bufio.NewWriter(w)
	le := binary.LittleEndian
	section := le.AppendUint32(nil, byteOrderMagic)
	section = le.AppendUint16(section, 1) // version 1.0
	section = le.AppendUint16(section, 0)
	section = le.AppendUint64(section, ^uint64(0)) // section length unknown
	writeBlock(buf, blockSection, section)
	for _, name := range names {
		body := le.AppendUint16(nil, linkEthernet)
		body = le.AppendUint16(body, 0)
		body = le.AppendUint32(body, snapLen)
		body = le.AppendUint16(body, optionName)
		body = le.AppendUint16(body, uint16(len(name)))
		body = pad(append(body, name...))
		body = append(body, 0, 0, 0, 0) // end of options
		writeBlock(buf, blockInterface, body)
	}
	for i, f := range frames {
		if f.Port < 0 || f.Port >= len(names) {
			return fmt.Errorf("writing frame %d: tap port %d has no interface", i+1, f.Port)
		}
		micro := uint64(f.Time.UnixMicro())
		body := le.AppendUint32(nil, uint32(f.Port))
		body = le.AppendUint32(body, uint32(micro>>32))
		body = le.AppendUint32(body, uint32(micro))
		body = le.AppendUint32(body, uint32(len(f.Data)))
		body = le.AppendUint32(body, uint32(len(f.Data)))
		writeBlock(buf, blockEnhanced, pad(append(body, f.Data...)))
	}
	if err := buf.Flush(); err != nil {
		return fmt.Errorf("writing capture: %w", err)
	}
	return nil
}

// writeBlock writes a block around a body that is a multiple of four bytes long. The writer keeps its first error for Flush.
func writeBlock(w *bufio.Writer, typ uint32, body []byte) {
	total := uint32(len(body) + 12)
	block := binary.LittleEndian.AppendUint32(nil, typ)
	block = binary.LittleEndian.AppendUint32(block, total)
	block = append(block, body...)
	block = binary.LittleEndian.AppendUint32(block, total)
	_, _ = w.Write(block)
}

func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
