package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"
)

// The form of a record: marker, length of the payload, CRC32C over epoch, number and payload, number, payload. All numbers are
// little-endian. The marker is what reading looks for behind damage.
const (
	frameHead = 20
	marker    = "\xf5gn\x0a"
	// MaxPayload bounds a record.
	MaxPayload = 4 << 20
)

// errFrame is a record that is not whole.
var errFrame = errors.New("the record is not whole")

// castagnoli is the table of CRC32C, which the library makes once.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// reserveFrame begins a record whose number is not known yet.
func reserveFrame(b, payload []byte) []byte {
	b = append(b, marker...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	return append(b, payload...)
}

// numberFrames gives the reserved records of b their numbers, from first on, and their checksums. It returns the number after the last.
func numberFrames(b []byte, epoch, first uint64) uint64 {
	for len(b) > 0 {
		end := frameHead + int(binary.LittleEndian.Uint32(b[4:]))
		binary.LittleEndian.PutUint64(b[12:], first)
		binary.LittleEndian.PutUint32(b[8:], checksum(epoch, b[12:end]))
		b = b[end:]
		first++
	}
	return first
}

func checksum(epoch uint64, b []byte) uint32 {
	seed := uint32(epoch) ^ uint32(epoch>>32)
	return crc32.Update(seed, castagnoli(), b)
}

// frame is a record as it was read; payload aliases what it was read from.
type frame struct {
	number  uint64
	payload []byte
	size    int // with its head
}

// errShort is a record of which not all bytes are there; more may be read.
type errShort struct{ need int }

func (e errShort) Error() string { return fmt.Sprintf("the record needs %d bytes", e.need) }

// parseFrame reads the record at the beginning of b.
func parseFrame(b []byte, epoch uint64) (frame, error) {
	if len(b) < frameHead {
		return frame{}, errShort{frameHead}
	}
	length := binary.LittleEndian.Uint32(b[4:])
	if string(b[:4]) != marker || length > MaxPayload {
		return frame{}, errFrame
	}
	size := frameHead + int(length)
	if len(b) < size {
		return frame{}, errShort{size}
	}
	if checksum(epoch, b[12:size]) != binary.LittleEndian.Uint32(b[8:]) {
		return frame{}, errFrame
	}
	return frame{number: binary.LittleEndian.Uint64(b[12:]), payload: b[frameHead:size], size: size}, nil
}

// searchBudget bounds how many bytes are summed up in search of the next whole record, as a multiple of what is searched: bytes of a
// payload may look like the beginnings of long records.
const searchBudget = 8

// nextFrame finds the first whole record of b whose number lies in [from, until).
func nextFrame(b []byte, epoch, from, until uint64) (at int, found bool) {
	budget := searchBudget * len(b)
	for at < len(b) && budget > 0 {
		i := bytes.Index(b[at:], []byte(marker))
		if i < 0 {
			return 0, false
		}
		at += i
		if number, size := peekFrame(b[at:]); size > 0 && number >= from && number < until {
			if _, err := parseFrame(b[at:], epoch); err == nil {
				return at, true
			}
			budget -= size
		}
		at++
	}
	return 0, false
}

// peekFrame says what a record would be whose marker is at the beginning of b; size is 0 if there cannot be one.
func peekFrame(b []byte) (number uint64, size int) {
	if len(b) < frameHead {
		return 0, 0
	}
	length := binary.LittleEndian.Uint32(b[4:])
	if length > MaxPayload || frameHead+int(length) > len(b) {
		return 0, 0
	}
	return binary.LittleEndian.Uint64(b[12:]), frameHead + int(length)
}

// The head of a file: magic with the version, length of the rest, CRC32C of the rest; then epoch, first number, time in ms, the reader it
// is for, and what the user of the journal wants to know when it reads the records.
const (
	magic    = "gnomonJ\x01"
	headMost = 256 << 10
)

// head says what a file holds.
type head struct {
	epoch, first uint64
	begun        time.Time
	only         string // the reader it is for; empty: all
	meta         []byte
	size         int64
}

func appendHead(b []byte, h *head) []byte {
	start := len(b)
	b = append(b, magic...)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, h.epoch)
	b = binary.LittleEndian.AppendUint64(b, h.first)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.begun.UnixMilli()))
	b = append(b, byte(len(h.only)))
	b = append(b, h.only...)
	b = append(b, h.meta...)
	rest := b[start+16:]
	binary.LittleEndian.PutUint32(b[start+8:], uint32(len(rest)))
	binary.LittleEndian.PutUint32(b[start+12:], crc32.Checksum(rest, castagnoli()))
	return b
}

// headLength says how long a head is, from its first 16 bytes.
func headLength(b []byte) (int, error) {
	if len(b) < 16 || string(b[:8]) != magic {
		return 0, errors.New("it does not begin as a file of this version does")
	}
	n := binary.LittleEndian.Uint32(b[8:])
	if n < 25 || n > headMost {
		return 0, fmt.Errorf("its head would be %d bytes long", n)
	}
	return 16 + int(n), nil
}

// parseHead reads a whole head; what it returns does not alias b.
func parseHead(b []byte) (head, error) {
	n, err := headLength(b)
	if err != nil {
		return head{}, err
	}
	if len(b) < n {
		return head{}, errors.New("its head is cut short")
	}
	rest := b[16:n]
	if crc32.Checksum(rest, castagnoli()) != binary.LittleEndian.Uint32(b[12:]) {
		return head{}, errors.New("its head is damaged")
	}
	h := head{epoch: binary.LittleEndian.Uint64(rest), first: binary.LittleEndian.Uint64(rest[8:]),
		begun: time.UnixMilli(int64(binary.LittleEndian.Uint64(rest[16:]))), size: int64(n)}
	only := int(rest[24])
	if 25+only > len(rest) || h.first > math.MaxInt64 {
		return head{}, errors.New("its head makes no sense")
	}
	h.only = string(rest[25 : 25+only])
	h.meta = bytes.Clone(rest[25+only:])
	return h, nil
}
