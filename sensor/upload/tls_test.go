package upload

import (
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/wire/tls"
)

// post is a head of 120 bytes and a body behind it, answered.
func post(w *wire, body int) {
	w.says(0, slices.Concat([]int{120 + sealed13}, bulk(body))...)
	w.says(1, 900)
}

func TestTLS(t *testing.T) {
	tests := []struct {
		name string
		h2   bool
		play func(w *wire)
		want uint64
		most float64 // error, in per cent
	}{
		{"nothing", false, func(w *wire) { w.hands() }, 0, 0},
		{"a request without body", false, func(w *wire) { w.hands(); w.says(0, 500); w.says(1, 4000) }, 0, 0},
		{"a body behind its head", false, func(w *wire) { w.hands(); post(w, 50_000) }, 50_000, 0},
		{"three of them", false, func(w *wire) { w.hands(); post(w, 900); post(w, 20_000); post(w, 1400) }, 22_300, 0},
		{"head and body in one", false, func(w *wire) { w.hands(); w.says(0, bulk(200_300)...); w.says(1, 900) }, 200_000, 0.1},
		{"records that grow", false, func(w *wire) {
			w.hands()
			w.says(0, 1203, 2389, 4761, 16401, 16401, 16401)
			w.says(1, 900)
		}, 1186*7 + 3*16384 - 150, 0.6},
		{"a download", false, func(w *wire) { w.hands(); w.says(0, 140); w.says(1, slices.Repeat([]int{16401}, 100)...) }, 0, 0},
		{"a client certificate", false, func(w *wire) {
			w.send(1, append(record(tls.Handshake, 122), record(tls.ChangeCipherSpec, 1)...))
			w.says(1, 36, 2000, 97, 53)
			w.send(0, record(tls.ChangeCipherSpec, 1))
			w.says(0, 1900, 281, finished)
			post(w, 3000)
		}, 3000, 0},
		{"a client certificate in one record", false, func(w *wire) {
			w.says(1, 36, 2000, 97, 53)
			w.says(0, 2234, 120+sealed13, 3000+sealed13)
			w.says(1, 900)
		}, 3000, 0},
		{"TLS 1.2 with GCM", false, func(w *wire) {
			w.send(1, record(tls.Handshake, 3000))
			w.send(0, slices.Concat(record(tls.Handshake, 70), record(tls.ChangeCipherSpec, 1), record(tls.Handshake, 40)))
			w.says(0, 120+24, 16384+24, 5000+24)
			w.says(1, 900)
		}, 21384, 0},
		{"a close", false, func(w *wire) { w.hands(); post(w, 3000); w.says(0, 19) }, 3000, 0},
		{"HTTP/2", true, func(w *wire) {
			w.hands()
			w.says(0, 87, 105, 26) // preface, head, acknowledgement of settings
			w.says(1, 56, 26)
			w.says(0, 9+16384-9+sealed13, 26, 2000+9+sealed13)
			w.says(1, 30, 97, 826)
			w.says(0, 26)
		}, 18384, 0.2},
		{"HTTP/2 downloads", true, func(w *wire) {
			w.hands()
			w.says(0, 87, 90)
			for range 200 {
				w.says(1, 16401, 16401)
				w.says(0, 30, 43, 34)
			}
		}, 0, 0},
		{"HTTP/2, six at once", true, func(w *wire) { w.hands(); w.says(0, 87, 420, 60, 70, 55, 60, 90); w.says(1, 9000) }, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := NewTLS(Hello{HTTP2: tt.h2}, 0)
			w := &wire{meter: m, mss: 1448}
			tt.play(w)
			m.End()
			check(t, m.Total(), tt.want, tt.most)
			if m.Method() != "tls-records" {
				t.Errorf("method %q", m.Method())
			}
		})
	}
}

// check compares an estimate with the truth.
func check(t *testing.T, got Estimate, want uint64, most float64) {
	t.Helper()
	if got.Low > want || got.High < want || got.Low > got.Bytes || got.Bytes > got.High {
		t.Errorf("%d in [%d, %d], want %d", got.Bytes, got.Low, got.High, want)
	}
	if off := 100 * (float64(got.Bytes) - float64(want)) / max(float64(want), 1); off > most || off < -most {
		t.Errorf("%d, want %d: %.2f %% off", got.Bytes, want, off)
	}
}

// TestTLSCapture plays one conversation to captures that are not perfect.
func TestTLSCapture(t *testing.T) {
	const body = 2_000_000
	tests := []struct {
		name   string
		wire   wire
		method string
		most   float64
	}{
		{"whole", wire{}, "tls-records", 0},
		{"every segment twice", wire{twice: true}, "tls-records", 0},
		{"out of order", wire{late: true}, "tls-payload", 0.2},
		{"one in ten lost", wire{lose: func(n int) bool { return n > 20 && n%10 == 0 }}, "tls-payload", 0.2},
		{"the first request lost", wire{lose: func(n int) bool { return n > 6 && n < 30 }}, "tls-payload", 0.3},
		{"snaplen", wire{cut: 62}, "tls-payload", 0.2},
		{"the client alone", wire{only: 1}, "tls-records", 0},
		{"the server alone", wire{only: 2}, "tls-acks", 0.2},
		{"tiny segments", wire{mss: 7}, "tls-records", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := NewTLS(Hello{}, 1000)
			if tt.wire.only == 2 {
				m = NewTCP()
				m.Add(&decode.Segment{Seq: 7, Ack: 483, Flags: decode.SYN | decode.ACK}, false)
			}
			w := tt.wire
			w.meter, w.seq = m, [2]uint32{1000, 8}
			if w.mss == 0 {
				w.mss = 1448
			}
			w.hands()
			post(&w, body)
			m.End()
			check(t, m.Total(), body, tt.most)
			if m.Method() != tt.method {
				t.Errorf("method %q, want %q", m.Method(), tt.method)
			}
		})
	}
}

// TestTLSFromTheMiddle begins a capture after a part of the connection.
func TestTLSFromTheMiddle(t *testing.T) {
	for _, before := range []int{1, 40, 100, 500} {
		m := NewTCP()
		w := &wire{meter: m, mss: 1448, lose: func(n int) bool { return n < before }}
		w.hands()
		post(w, 1_000_000)
		lost := max(before-8, 0) * 1448 // what came before the request is 7 segments and acknowledgements
		m.End()
		got := m.Total()
		if want := uint64(1_000_000 - lost); got.Bytes < want-want/200-1500 || got.Bytes > want+want/200+1500 || got.High < want {
			t.Errorf("from segment %d on: %d in [%d, %d], want about %d", before, got.Bytes, got.Low, got.High, want)
		}
	}
}

// TestTLSGrows checks that nothing is ever taken back, and that the end adds up.
func TestTLSGrows(t *testing.T) {
	m := NewTLS(Hello{HTTP2: true}, 0)
	grows := &growing{t: t, m: m}
	w := &wire{meter: grows, mss: 1000, lose: func(n int) bool { return n%7 == 0 }}
	w.hands()
	for n := range 60 {
		post(w, 100*n*n)
	}
	m.End()
	grows.look()
}

type growing struct {
	t   *testing.T
	m   meterUnderTest
	was Estimate
}

type meterUnderTest interface {
	Add(seg *decode.Segment, client bool)
	Total() Estimate
}

func (g *growing) Add(seg *decode.Segment, client bool) {
	g.m.Add(seg, client)
	g.look()
}

func (g *growing) look() {
	now := g.m.Total()
	if now.Bytes < g.was.Bytes || now.Low < g.was.Low || now.High < g.was.High || now.Bursts < g.was.Bursts || now.Turns < g.was.Turns ||
		now.Largest < g.was.Largest || now.Low > now.Bytes || now.Bytes > now.High {
		g.t.Fatalf("%+v after %+v", now, g.was)
	}
	g.was = now
}

func TestTCPThatIsNotTLS(t *testing.T) {
	m := NewTCP()
	w := &wire{meter: m, mss: 1448}
	w.send(0, []byte("SSH-2.0-OpenSSH_9.2\r\n"))
	w.send(1, make([]byte, 200_000))
	w.send(0, make([]byte, 200_000))
	m.End()
	if m.Method() != "" || m.Total() != (Estimate{}) {
		t.Errorf("method %q, %+v", m.Method(), m.Total())
	}
}

func TestTLSDoesNotAllocate(t *testing.T) {
	m := NewTLS(Hello{}, 0)
	stream := record(tls.ApplicationData, 16401)
	seg := decode.Segment{Payload: stream, Len: uint32(len(stream)), Flags: decode.ACK}
	if got := testing.AllocsPerRun(100, func() {
		m.Add(&seg, true)
		seg.Seq += seg.Len
	}); got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

func BenchmarkTLS(b *testing.B) {
	m := NewTLS(Hello{}, 0)
	stream := record(tls.ApplicationData, 16401)
	for range 5 {
		stream = append(stream, stream...)
	}
	seg := decode.Segment{Len: 1448, Flags: decode.ACK}
	at := 0
	b.ReportAllocs()
	for b.Loop() {
		if at+1448 > len(stream) {
			at = 0
			m.dir[0].records = tls.Records{}
		}
		seg.Payload = stream[at : at+1448]
		m.Add(&seg, true)
		seg.Seq += seg.Len
		at += 1448
	}
}

// A body goes on whatever the server says meanwhile: session tickets, settings, answers of other streams.
func TestBodyGoesOn(t *testing.T) {
	const full = tls.MaxPlaintext + sealed13
	tickets := func(w *wire) { w.says(1, 255, 255) }
	tests := []struct {
		name  string
		hello Hello
		play  func(w *wire)
		want  uint64
		most  float64
	}{
		{"between full records", Hello{}, func(w *wire) {
			w.says(0, full)
			tickets(w)
			w.says(0, full, full, 50_400-3*tls.MaxPlaintext+sealed13)
		}, 50_000, 0.1},
		{"that the client has not received", Hello{HTTP2: true}, func(w *wire) {
			w.says(0, full, full, full)
			before := w.seq[1]
			tickets(w)
			after := w.seq[1]
			w.seq[1] = before // what the client acknowledges
			w.says(0, 50_400-3*tls.MaxPlaintext+sealed13)
			w.seq[1] = after
		}, 50_000, 0.2},
		{"in the middle of a record", Hello{HTTP2: true}, func(w *wire) {
			b := record(tls.ApplicationData, full)
			w.send(0, b[:9000])
			tickets(w)
			w.send(0, b[9000:])
			w.says(0, 3000+sealed13)
		}, tls.MaxPlaintext + 3000 - 400, 0.3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := NewTLS(tt.hello, 0)
			w := &wire{meter: m, mss: 1448}
			w.hands()
			tt.play(w)
			w.says(1, 900)
			m.End()
			check(t, m.Total(), tt.want, tt.most)
			if n := m.Total().Bursts; n != 1 {
				t.Errorf("%d bursts, want 1", n)
			}
		})
	}
}
