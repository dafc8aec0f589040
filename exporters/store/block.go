package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"sort"
)

// A block is rows in columns: a version, the number of rows, the moment that times count from, the first user, a width in bytes (0 to 8) for
// each column, then the columns, little-endian, and eight bytes of nothing so that any cell may be read as eight bytes. Rows stand in the
// order of compareRows. Cells can be read without reading what is before them: variable-length numbers took a quarter less room, and more than
// twice as long to add up.
const (
	blockVersion = 1
	// maxRows bounds what is read of a block: far more than 1024 users make in a day of hours.
	maxRows = 1 << 22
	padding = 8
)

// The columns of a block, in their order.
const (
	colUser    = iota // from the block's first user
	colFacet          //
	colHour           // quarters of an hour from the block's moment
	colFlows          //
	colVisits         // zigzag, as all that may be below zero
	colUp             //
	colDown           //
	colUpload         //
	colLow            // upload less low, zigzag
	colHigh           // high less upload, zigzag
	colUnknown        //
	colFirst          // seconds from the row's hour, zigzag
	colLast           // seconds from first, zigzag
	columns
)

var (
	errBlock        = errors.New("a block of sums cannot be read")
	errBlockVersion = fmt.Errorf("%w: a newer gnomon wrote it", errBlock)
	errBlockShort   = fmt.Errorf("%w: it ends too early", errBlock)
)

// appendBlock writes sorted rows; base is a moment that none of them begins before.
func appendBlock(b []byte, base int64, rows []row) []byte {
	first := uint32(0)
	if len(rows) > 0 {
		first = rows[0].user
	}
	b = append(b, blockVersion)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(rows)))
	b = binary.LittleEndian.AppendUint64(b, uint64(base))
	b = binary.LittleEndian.AppendUint32(b, first)
	widths := len(b)
	b = append(b, make([]byte, columns)...)
	for c := range columns {
		most := uint64(0)
		for i := range rows {
			most |= cell(rows, i, c, base)
		}
		width := (bits.Len64(most) + 7) / 8
		b[widths+c] = byte(width)
		for i := range rows {
			v := cell(rows, i, c, base)
			for range width {
				b = append(b, byte(v))
				v >>= 8
			}
		}
	}
	return append(b, make([]byte, padding)...)
}

// cell is the value of row i in column c.
func cell(rows []row, i, c int, base int64) uint64 { //nolint:gocyclo // one case for each column
	r := &rows[i]
	switch c {
	case colUser:
		return uint64(r.user - rows[0].user)
	case colFacet:
		return uint64(r.facet)
	case colHour:
		return uint64((r.hour - base) / quarter)
	case colFlows:
		return r.flows
	case colVisits:
		return zigzag(r.visits)
	case colUp:
		return r.up
	case colDown:
		return r.down
	case colUpload:
		return r.upload
	case colLow:
		return zigzag(int64(r.upload - r.low))
	case colHigh:
		return zigzag(int64(r.high - r.upload))
	case colUnknown:
		return r.unknown
	case colFirst:
		return zigzag(r.first - r.hour)
	default:
		return zigzag(r.last - r.first)
	}
}

func zigzag(v int64) uint64   { return uint64(v<<1) ^ uint64(v>>63) }
func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// headerLength is what stands before the columns.
const headerLength = 1 + 4 + 8 + 4 + columns

// block reads a block where it lies.
type block struct {
	base  int64
	first uint32
	n     int
	col   [columns]column
}

// column is a column and all that follows it.
type column struct {
	data  []byte
	width int
	mask  uint64
}

// at returns the cell of row i.
func (c *column) at(i int) uint64 { return binary.LittleEndian.Uint64(c.data[i*c.width:]) & c.mask }

// sum adds n cells up, with overflow, as all sums are.
func (c *column) sum(n int) (sum uint64) {
	if c.width == 0 {
		return 0
	}
	for i := range n {
		sum += c.at(i)
	}
	return sum
}

// signedSum adds n cells up that may be below zero.
func (c *column) signedSum(n int) (sum uint64) {
	if c.width == 0 {
		return 0
	}
	for i := range n {
		sum += uint64(unzigzag(c.at(i)))
	}
	return sum
}

// decode looks at a block; it makes sure that every cell lies within data, which is kept.
func (b *block) decode(data []byte) error {
	if len(data) == 0 || data[0] == 0 {
		return errBlockShort
	}
	if data[0] > blockVersion {
		return errBlockVersion
	}
	if len(data) < headerLength+padding {
		return errBlockShort
	}
	n := binary.LittleEndian.Uint32(data[1:])
	if n > maxRows {
		return fmt.Errorf("%w: it says that it has %d rows", errBlock, n)
	}
	b.n, b.base, b.first = int(n), int64(binary.LittleEndian.Uint64(data[5:])), binary.LittleEndian.Uint32(data[13:])
	widths, rest := data[17:headerLength], data[headerLength:]
	for c, width := range widths {
		if width > 8 {
			return fmt.Errorf("%w: a column is %d bytes wide", errBlock, width)
		}
		size := b.n * int(width)
		if size > len(rest)-padding {
			return errBlockShort
		}
		b.col[c] = column{data: rest, width: int(width), mask: 1<<(8*width) - 1}
		rest = rest[size:]
	}
	if len(rest) > padding {
		return fmt.Errorf("%w: bytes are left over", errBlock)
	}
	return nil
}

// sums returns the figures of row i.
func (b *block) sums(i int, hour int64) sums {
	c := &b.col
	s := sums{flows: c[colFlows].at(i), visits: unzigzag(c[colVisits].at(i)), up: c[colUp].at(i), down: c[colDown].at(i),
		upload: c[colUpload].at(i), unknown: c[colUnknown].at(i)}
	s.low = s.upload - uint64(unzigzag(c[colLow].at(i)))
	s.high = s.upload + uint64(unzigzag(c[colHigh].at(i)))
	s.first = hour + unzigzag(c[colFirst].at(i))
	s.last = s.first + unzigzag(c[colLast].at(i))
	return s
}

// user and hour return who row i counts for, and where its span begins.
func (b *block) user(i int) uint32 { return b.first + uint32(b.col[colUser].at(i)) }
func (b *block) hour(i int) int64  { return b.base + int64(b.col[colHour].at(i))*quarter }

// find returns the first row of a user or of one with a larger number: rows stand in the order of users.
func (b *block) find(user uint32) int {
	return sort.Search(b.n, func(i int) bool { return b.user(i) >= user })
}

// rows appends all rows to out.
func (b *block) rows(out []row) []row {
	for i := range b.n {
		hour := b.hour(i)
		out = append(out, row{user: b.user(i), facet: uint32(b.col[colFacet].at(i)), hour: hour, sums: b.sums(i, hour)})
	}
	return out
}

// decodeRows reads a block as rows, after those in out.
func decodeRows(out []row, data []byte) ([]row, error) {
	var b block
	if err := b.decode(data); err != nil {
		return nil, err
	}
	return b.rows(out), nil
}
