package tls

import (
	"bytes"
	"slices"
	"testing"
)

// mixed is a stream with every kind of record, and the records that a walk over it has to return.
func mixed() ([]byte, []Record) {
	records := []Record{
		{Type: Handshake, Len: 300}, {Type: ChangeCipherSpec, Len: 1}, {Type: ApplicationData, Len: 1400}, {Type: ApplicationData, Len: 16401},
		{Type: recordHeartbeat, Len: 61}, {Type: Alert, Len: 19}, {Type: ApplicationData, Len: 1},
	}
	var stream []byte
	for _, r := range records {
		stream = append(stream, record(r.Type, make([]byte, r.Len))...)
	}
	return stream, records
}

// walk tells r of the stream in pieces and returns the records.
func walk(r *Records, stream []byte, size int) []Record {
	var out []Record
	for part := range slices.Chunk(stream, size) {
		for len(part) > 0 {
			if r.Inside(uint32(len(part))) {
				break
			}
			var rec Record
			if rec, part = r.Next(part); rec.Len > 0 {
				out = append(out, rec)
			}
		}
	}
	return out
}

// total is how many bytes of the stream a walk returns, and keeps as pending.
func total(r *Records, stream []byte, size int) int {
	n := 0
	for _, rec := range walk(r, stream, size) {
		if n += int(rec.Len); !rec.Unseen {
			n += HeaderLen
		}
	}
	if rec := r.Pending(); rec.Unseen {
		n += int(rec.Len)
	} else if rec.Type != 0 {
		n += HeaderLen + int(rec.Len)
	}
	return n + int(r.have)
}

func TestRecordsNext(t *testing.T) {
	stream, want := mixed()
	for _, size := range []int{1, 2, 3, 4, 5, 6, 100, 1448, 9000, len(stream)} {
		var r Records
		if got := walk(&r, stream, size); !slices.Equal(got, want) || r.Pending() != (Record{}) || !r.InSight() {
			t.Errorf("pieces of %d bytes: %+v, want %+v; pending %+v", size, got, want, r.Pending())
		}
	}
}

func TestRecordsTruncated(t *testing.T) {
	stream, _ := mixed()
	for n := range stream {
		var r Records
		if got := total(&r, stream[:n], 1448); got != n {
			t.Fatalf("of %d bytes, %d were accounted for", n, got)
		}
	}
}

func TestRecordsSkip(t *testing.T) {
	stream, records := mixed()
	const inside = 300 + 1 + 3*recordHeaderLen + 10 // ten bytes into the first application record
	rest := records[3:]
	first := Record{Type: ApplicationData, Len: 1400}
	tests := []struct {
		name string
		skip uint32
		want []Record // of Skip and of what follows
	}{
		{"nothing", 0, slices.Concat([]Record{first}, rest)},
		{"part of the record", 700, slices.Concat([]Record{first}, rest)},
		{"the rest of the record", 1390, slices.Concat([]Record{first}, rest)},
		{"into the next header", 1391, []Record{first, {Unseen: true, Len: 16406 + 66 + 24}, {Type: ApplicationData, Len: 17}}},
	}
	stream = append(stream[:len(stream)-6], record(ApplicationData, make([]byte, minSealed))...) // one that can be found again
	for i := range tests {
		if n := len(tests[i].want); !tests[i].want[n-1].Unseen && n > 3 {
			tests[i].want = append(slices.Clone(tests[i].want[:n-1]), Record{Type: ApplicationData, Len: minSealed})
		}
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r Records
			walk(&r, stream[:inside], inside)
			var got []Record
			if rec := r.Skip(tt.skip); rec.Len > 0 {
				got = append(got, rec)
			}
			got = append(got, walk(&r, stream[inside+int(tt.skip):], len(stream))...)
			if !slices.Equal(got, tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestRecordsFindTheNextHeader(t *testing.T) {
	data := record(ApplicationData, bytes.Repeat([]byte{0xa5}, 500))
	tests := []struct {
		name   string
		before []byte
		stream []byte
		want   []Record
	}{
		{"ciphertext before it", bytes.Repeat([]byte{0x5a}, 90), data, []Record{{Unseen: true, Len: 90}, {Type: ApplicationData, Len: 500}}},
		{"a header that nothing follows", record(ApplicationData, make([]byte, 30))[:20], data, []Record{{Unseen: true, Len: 20}, {Type: ApplicationData, Len: 500}}},
		{"too short for a tag", record(ApplicationData, make([]byte, 16)), data, []Record{{Unseen: true, Len: 21}, {Type: ApplicationData, Len: 500}}},
		{"at once", nil, data, []Record{{Type: ApplicationData, Len: 500}}},
		{"none", nil, bytes.Repeat([]byte{0x5a}, 600), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r Records
			r.Blind()
			stream := slices.Concat(tt.before, tt.stream)
			if got := walk(&r, stream, len(stream)); !slices.Equal(got, tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestRecordsGoBlind(t *testing.T) {
	tests := []struct {
		name   string
		stream string
	}{
		{"text", "G"},
		{"type 25", "\x19"},
		{"major version", "\x17\x02"},
		{"minor version", "\x17\x03\x05"},
		{"empty record", "\x17\x03\x03\x00\x00"},
		{"too long", "\x17\x03\x03\x48\x01"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r Records
			r.Next([]byte(tt.stream[:len(tt.stream)-1]))
			if !r.InSight() {
				t.Fatal("blind too early")
			}
			r.Next([]byte(tt.stream[len(tt.stream)-1:]))
			if r.InSight() || r.Pending() != (Record{Unseen: true, Len: uint32(len(tt.stream))}) {
				t.Errorf("in sight %v, pending %+v", r.InSight(), r.Pending())
			}
		})
	}
}

func TestRecordsBoundUnseen(t *testing.T) {
	var r Records
	r.Blind()
	junk := make([]byte, 1448)
	var got uint32
	for range 1000 {
		if rec, _ := r.Next(junk); rec.Len > 0 {
			if rec.Len > maxUnseen+uint32(len(junk)) {
				t.Fatalf("a stretch of %d bytes", rec.Len)
			}
			got += rec.Len
		}
	}
	if got += r.Pending().Len; got != 1000*1448 {
		t.Errorf("%d bytes, want %d", got, 1000*1448)
	}
}

func TestRecordsDoNotAllocate(t *testing.T) {
	stream, _ := mixed()
	if got := testing.AllocsPerRun(100, func() {
		var r Records
		for b := stream; len(b) > 0; {
			_, b = r.Next(b)
		}
	}); got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

// BenchmarkRecords is the cost of a full-sized segment amid records of 16 KiB.
func BenchmarkRecords(b *testing.B) {
	stream := record(recordApplicationData, make([]byte, 16401))
	for range 5 {
		stream = append(stream, stream...)
	}
	const mss = 1448
	var r Records
	at := 0
	b.ReportAllocs()
	for b.Loop() {
		for part := stream[at : at+mss]; len(part) > 0 && !r.Inside(uint32(len(part))); {
			_, part = r.Next(part)
		}
		if at += mss; at+mss > len(stream) {
			r, at = Records{}, 0
		}
	}
	if !r.InSight() {
		b.Fatal("blind")
	}
}
