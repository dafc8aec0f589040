package store

import (
	"bytes"
	"encoding/base32"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzBlock reads anything as a block: it is an error, or rows that are the same when they are written and read again.
func FuzzBlock(f *testing.F) {
	f.Add(appendBlock(nil, 0, blockRows(0)[:30]))
	f.Add(appendBlock(nil, -3600, []row{{user: 3, facet: 9, hour: 0, sums: sums{flows: 1, visits: -1}}}))
	f.Add(appendBlock(nil, 0, nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		var b block
		if b.decode(data) == nil && b.n > 1<<14 {
			return // rows without columns take no bytes: millions of them would only be slow to compare
		}
		rows, err := decodeRows(nil, data)
		if err != nil || len(rows) == 0 {
			return
		}
		for _, r := range rows {
			if r.hour < rows[0].hour {
				return // not as this program writes it: no base is before all rows
			}
		}
		again, err := decodeRows(nil, appendBlock(nil, rows[0].hour, rows))
		if err != nil || !reflect.DeepEqual(rows, again) {
			t.Fatalf("%v\n%+v\n%+v", err, rows, again)
		}
	})
}

// FuzzDigest reads anything as a digest: it is an error, or a digest that is the same when it is written and read again.
func FuzzDigest(f *testing.F) {
	f.Add(digestOf(many(3, 1)...).encode())
	f.Add(digestOf(many(3000, 2)...).encode())
	f.Add(digestOf().encode())
	f.Add([]byte("\x01\x00\x01\x00\x02\x30\x00\x00\x00")) // a user behind whom nobody stands, who was lost when it was written again
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 8<<10 {
			return // each class may have a user with a number so large that its set takes megabytes
		}
		d, err := decodeDigest(data)
		if err != nil {
			return
		}
		again, err := decodeDigest(d.encode())
		if err != nil || !bytes.Equal(d.encode(), again.encode()) {
			t.Fatalf("%v\n%+v\n%+v", err, d, again)
		}
	})
}

// FuzzParseFacet reads anything as a facet of a list: it is an error, or nine words of which none has a separator.
func FuzzParseFacet(f *testing.F) {
	f.Add("7\xffa\xffbb\xffccc\xff\xff\xffs\xffd\xff")
	f.Add("1\xff\xff\xff\xff\xff\xff\xff\xff")
	f.Add("1")
	f.Fuzz(func(t *testing.T, one string) {
		_, got, ok := parseFacet(one)
		if ok && (strings.Count(one, "\xff") != 8 || strings.Contains(got.site+got.use, "\xff")) {
			t.Fatalf("%q was read as %+v", one, got)
		}
	})
}

// FuzzCursor reads anything as a place: it is an error, or a place that is written as it was read.
func FuzzCursor(f *testing.F) {
	f.Add((&cursor{ts: 1, id: parseID("0123456789abcdefghijklmnoo")}).String())
	f.Add((&cursor{ts: -1, id: parseID("elsewhere")}).String())
	f.Add("")
	f.Add("AQA")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseCursor(s)
		if err != nil {
			return
		}
		if c.String() != s {
			t.Fatalf("%q was read and written as %q", s, c.String())
		}
		if c.id.ms < 0 && !utf8.ValidString(c.id.text) {
			t.Fatalf("%q has an identifier that is not UTF-8", s)
		}
	})
}

// FuzzID reads anything as an identifier: what a table holds says the same.
func FuzzID(f *testing.F) {
	f.Add("0123456789abcdefghijklmnog")
	f.Add("0123456789abcdefghijklmnoo\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		id := parseID(s)
		if id.ms >= 0 && base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding).EncodeToString(id.raw[:]) != s {
			t.Fatalf("%q was taken for one of ours: %x", s, id.raw)
		}
		var again recordID
		if id.ms < 0 {
			again = idOf(id.value().(string))
		} else {
			again = idOf(id.value().([]byte))
		}
		if id != again {
			t.Fatalf("%+v is read back as %+v", id, again)
		}
	})
}
