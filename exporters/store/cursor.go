package store

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"unicode/utf8"
)

// cursor is a place among records, newest first: the record that a page ended with.
type cursor struct {
	ts int64
	id recordID
}

// errCursor is a place that no page ended at.
var errCursor = errors.New("the place to go on at is none that a page has given; begin with the first page")

const cursorVersion = 1

// maxCursor bounds what is decoded: more than the longest identifier that fits a record.
const maxCursor = 2 * maxRecord

// String writes the place for Page.Next.
func (c *cursor) String() string {
	b := binary.BigEndian.AppendUint64([]byte{cursorVersion, 0}, uint64(c.ts))
	if c.id.ms < 0 {
		b[1] = 1
		b = append(b, c.id.text...)
	} else {
		b = append(b, c.id.raw[:]...)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor reads a place.
func parseCursor(s string) (*cursor, error) {
	if len(s) > maxCursor {
		return nil, errCursor
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < 10 || b[0] != cursorVersion {
		return nil, errCursor
	}
	c := &cursor{ts: int64(binary.BigEndian.Uint64(b[2:]))}
	switch form, id := b[1], b[10:]; {
	case form == 1 && utf8.Valid(id):
		c.id = recordID{text: string(id), ms: -1}
	case form == 0 && len(id) == 16:
		c.id = idOf(id)
	default:
		return nil, errCursor
	}
	if c.String() != s { // base64 leaves line ends out
		return nil, errCursor
	}
	return c, nil
}
