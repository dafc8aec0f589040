package ech

import (
	"encoding/binary"
	"errors"
	"testing"
)

// config makes one configuration: DHKEM(X25519), HKDF-SHA256, AES-128-GCM (RFC 9180, section 7).
func config(id byte, name string) []byte {
	c := []byte{id, 0x00, 0x20, 0, 32}
	c = append(c, make([]byte, 32)...)
	c = append(c, 0, 4, 0, 1, 0, 1, 64, byte(len(name)))
	c = append(append(c, name...), 0, 0)
	return record(version, c)
}

func record(version uint16, contents []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, version)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(contents))), contents...)
}

func listOf(configs ...[]byte) []byte {
	list := []byte{0, 0}
	for _, c := range configs {
		list = append(list, c...)
	}
	binary.BigEndian.PutUint16(list, uint16(len(list)-2))
	return list
}

// read returns the names and identifiers of a list, each name before its identifier.
func read(value []byte) (got []string, err error) {
	list, err := Open(value)
	for err == nil && len(list) > 0 {
		var c Config
		var known bool
		if c, known, list, err = Next(list); known {
			got = append(got, string(c.PublicName)+string(rune('0'+c.ID)))
		}
	}
	return got, err
}

func TestNext(t *testing.T) {
	broken := config(1, "front.example")
	broken[len(broken)-1] = 9 // extensions longer than the rest
	tests := []struct {
		name  string
		value []byte
		want  string
		err   error
	}{
		{"one", listOf(config(1, "front.example")), "front.example1", nil},
		{"two", listOf(config(1, "a.example"), config(2, "b.example")), "a.example1 b.example2", nil},
		{"of another version", listOf(record(0xfe0a, []byte{1, 2, 3}), config(3, "c.example")), "c.example3", nil},
		{"no name", listOf(config(1, "")), "", ErrMalformed},
		{"short contents", listOf(record(version, []byte{1, 2, 3})), "", ErrMalformed},
		{"lengths that lie", listOf(broken), "", ErrMalformed},
		{"more behind it", append(listOf(config(1, "a.example")), 0), "", ErrMalformed},
		{"empty", []byte{0, 0}, "", ErrMalformed},
		{"nothing", nil, "", ErrTruncated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(tt.value)
			joined := ""
			for i, g := range got {
				if i > 0 {
					joined += " "
				}
				joined += g
			}
			if joined != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("%q, %v; want %q, %v", joined, err, tt.want, tt.err)
			}
		})
	}
}

func TestTruncated(t *testing.T) {
	whole := listOf(config(1, "a.example"), config(2, "b.example"))
	for n := range whole {
		if _, err := Open(whole[:n]); !errors.Is(err, ErrTruncated) {
			t.Errorf("list, %d of %d bytes: %v", n, len(whole), err)
		}
	}
	one := config(1, "a.example")
	for n := range one {
		if _, _, _, err := Next(one[:n]); !errors.Is(err, ErrTruncated) {
			t.Errorf("configuration, %d of %d bytes: %v", n, len(one), err)
		}
	}
}

func TestAllocations(t *testing.T) {
	one := config(1, "a.example")
	if n := testing.AllocsPerRun(100, func() { _, _, _, _ = Next(one) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkNext(b *testing.B) {
	one := config(1, "a.example")
	b.ReportAllocs()
	for b.Loop() {
		if _, known, _, err := Next(one); err != nil || !known {
			b.Fatal(err)
		}
	}
}
