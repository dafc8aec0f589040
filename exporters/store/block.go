package store

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A block is rows in columns: a version, the number of rows, the moment that times count from, then each column with its length.
// A column of zeros has no bytes at all. Rows stand in the order of compareRows.
const (
	blockVersion = 1
	// maxRows bounds what is read of a block: far more than 1024 users make in a day of hours.
	maxRows = 1 << 22
)

// The columns of a block, in their order.
const (
	colUser    = iota // difference to the row before
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
	b = append(b, blockVersion)
	b = binary.AppendUvarint(b, uint64(len(rows)))
	b = binary.AppendVarint(b, base)
	var column []byte
	for c := range columns {
		column = column[:0]
		zeros := true
		for i := range rows {
			v := cell(rows, i, c, base)
			zeros = zeros && v == 0
			column = binary.AppendUvarint(column, v)
		}
		if zeros {
			column = column[:0]
		}
		b = binary.AppendUvarint(b, uint64(len(column)))
		b = append(b, column...)
	}
	return b
}

// cell is the value of row i in column c.
func cell(rows []row, i, c int, base int64) uint64 {
	r := &rows[i]
	switch c {
	case colUser:
		if i == 0 {
			return uint64(r.user)
		}
		return uint64(r.user - rows[i-1].user)
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

// block is a decoded block, column by column. Its memory is used again by the next decode.
type block struct {
	base int64
	n    int
	col  [columns][]uint64
}

// decode reads a block. It bounds what it takes by the length of data.
func (b *block) decode(data []byte) error {
	if len(data) == 0 || data[0] == 0 {
		return errBlockShort
	}
	if data[0] > blockVersion {
		return errBlockVersion
	}
	data = data[1:]
	n, w := binary.Uvarint(data)
	if w <= 0 || n > maxRows || n > uint64(len(data)) {
		return errBlockShort
	}
	base, v := binary.Varint(data[w:])
	if v <= 0 {
		return errBlockShort
	}
	b.base, b.n = base, int(n)
	data = data[w+v:]
	for c := range columns {
		size, w := binary.Uvarint(data)
		if w <= 0 || size > uint64(len(data)-w) {
			return errBlockShort
		}
		if err := b.column(c, data[w:w+int(size)]); err != nil {
			return err
		}
		data = data[w+int(size):]
	}
	if len(data) > 0 {
		return fmt.Errorf("%w: bytes are left over", errBlock)
	}
	return nil
}

// column reads one column.
func (b *block) column(c int, data []byte) error {
	if cap(b.col[c]) < b.n {
		b.col[c] = make([]uint64, b.n, b.n+b.n/4)
	}
	col := b.col[c][:b.n]
	b.col[c] = col
	if len(data) == 0 {
		clear(col)
		return nil
	}
	at := 0
	for i := range col {
		if at < len(data) && data[at] < 0x80 { // half of all cells: 1.4 times as fast as Uvarint alone
			col[i] = uint64(data[at])
			at++
			continue
		}
		v, w := binary.Uvarint(data[at:])
		if w <= 0 {
			return errBlockShort
		}
		col[i] = v
		at += w
	}
	if at != len(data) {
		return fmt.Errorf("%w: a column is too long", errBlock)
	}
	return nil
}

// sums returns the figures of row i.
func (b *block) sums(i int, hour int64) sums {
	c := &b.col
	s := sums{flows: c[colFlows][i], visits: unzigzag(c[colVisits][i]), up: c[colUp][i], down: c[colDown][i],
		upload: c[colUpload][i], unknown: c[colUnknown][i]}
	s.low = s.upload - uint64(unzigzag(c[colLow][i]))
	s.high = s.upload + uint64(unzigzag(c[colHigh][i]))
	s.first = hour + unzigzag(c[colFirst][i])
	s.last = s.first + unzigzag(c[colLast][i])
	return s
}

// hour returns where the span of row i begins.
func (b *block) hour(i int) int64 { return b.base + int64(b.col[colHour][i])*quarter }

// rows appends all rows to out.
func (b *block) rows(out []row) []row {
	user := uint32(0)
	for i := range b.n {
		user += uint32(b.col[colUser][i])
		hour := b.hour(i)
		out = append(out, row{user: user, facet: uint32(b.col[colFacet][i]), hour: hour, sums: b.sums(i, hour)})
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
