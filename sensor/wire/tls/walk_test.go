package tls

import (
	"slices"
	"testing"
)

// mixed is a stream with every kind of record, and what a walk over it has to count.
func mixed() ([]byte, Records) {
	stream := slices.Concat(
		record(recordHandshake, make([]byte, 300)), record(recordChangeCipherSpec, []byte{1}),
		record(recordApplicationData, make([]byte, 1400)), record(recordApplicationData, make([]byte, 16401)),
		record(recordHeartbeat, make([]byte, 61)), record(recordAlert, make([]byte, 19)), record(recordApplicationData, []byte{0}))
	return stream, Records{
		ApplicationRecords: 3, ApplicationBytes: 17802, HandshakeBytes: 300, ChangeCipherBytes: 1, AlertBytes: 19, HeartbeatBytes: 61,
	}
}

// counts is a walk's figures without its position.
func counts(r Records) Records {
	return Records{
		ApplicationRecords: r.ApplicationRecords, ApplicationBytes: r.ApplicationBytes, HandshakeBytes: r.HandshakeBytes,
		ChangeCipherBytes: r.ChangeCipherBytes, AlertBytes: r.AlertBytes, HeartbeatBytes: r.HeartbeatBytes, Lost: r.Lost,
	}
}

func TestRecordsAdvance(t *testing.T) {
	stream, want := mixed()
	for _, size := range []int{1, 2, 3, 4, 5, 6, 100, 1448, 9000, len(stream)} {
		var r Records
		for part := range slices.Chunk(stream, size) {
			r.Advance(part)
		}
		if counts(r) != want || r.Pending() != 0 {
			t.Errorf("pieces of %d bytes: %+v, want %+v", size, r, want)
		}
	}
}

func TestRecordsTruncated(t *testing.T) {
	stream, _ := mixed()
	for n := range stream {
		var r Records
		r.Advance(stream[:n])
		body := r.ApplicationBytes + r.HandshakeBytes + r.ChangeCipherBytes + r.AlertBytes + r.HeartbeatBytes
		if r.Lost || body > uint64(n) || uint64(n)-body > 7*recordHeaderLen {
			t.Fatalf("%d bytes: %+v", n, r)
		}
	}
}

func TestRecordsSkip(t *testing.T) {
	stream, want := mixed()
	const inside = 300 + 1 + 3*recordHeaderLen + 10 // ten bytes into the first application record
	tests := []struct {
		name string
		skip uint64
		lost bool
	}{
		{"nothing", 0, false},
		{"part of the record", 700, false},
		{"the rest of the record", 1390, false},
		{"into the next header", 1391, true},
		{"more than 4 GiB", 1<<32 + 1, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r Records
			r.Advance(stream[:inside])
			r.Skip(tt.skip)
			if r.Lost != tt.lost {
				t.Fatalf("lost %v, want %v", r.Lost, tt.lost)
			}
			if tt.lost {
				before := r
				r.Skip(1)
				r.Advance(stream)
				if r != before {
					t.Error("counts go on after the walk was lost")
				}
				return
			}
			r.Advance(stream[inside+int(tt.skip):])
			if counts(r) != want {
				t.Errorf("%+v, want %+v", r, want)
			}
		})
	}
}

func TestRecordsLost(t *testing.T) {
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
			r.Advance([]byte(tt.stream[:len(tt.stream)-1]))
			if r.Lost {
				t.Fatal("lost too early")
			}
			r.Advance([]byte(tt.stream[len(tt.stream)-1:]))
			if !r.Lost {
				t.Error("not lost")
			}
		})
	}
}

func TestRecordsDoNotAllocate(t *testing.T) {
	stream, _ := mixed()
	if got := testing.AllocsPerRun(100, func() { new(Records).Advance(stream) }); got != 0 {
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
		r.Advance(stream[at : at+mss])
		if at += mss; at+mss > len(stream) {
			r, at = Records{}, 0
		}
	}
	if r.Lost {
		b.Fatal("lost")
	}
}
