package candidates

import (
	"math/rand/v2"
	"testing"
	"time"
)

// link plays segments of one flow to a Pace.
type link struct {
	p   Pace
	now int64
	r   *rand.Rand
}

func newLink() *link { return &link{now: at(0), r: rand.New(rand.NewPCG(1, 2))} }

func (l *link) wait(d time.Duration)       { l.now += int64(d) }
func (l *link) up(length uint32)           { l.p.Up(length, false) }
func (l *link) down(length uint32)         { l.p.Down(l.now, length) }
func (l *link) between(a, b uint32) uint32 { return a + uint32(l.r.IntN(int(b-a))) }

// hello is a handshake with its certificate.
func (l *link) hello() {
	l.up(517)
	l.wait(20 * time.Millisecond)
	for range 3 {
		l.down(1400)
	}
	l.down(600)
	l.up(80)
}

// answer streams words, with acknowledgements and window updates between them.
func (l *link) answer(words int, pause time.Duration) {
	for i := range words {
		l.wait(pause/2 + time.Duration(l.r.Int64N(int64(pause))))
		l.down(l.between(60, 400))
		l.up(0)
		if i%20 == 19 {
			l.up(48)
		}
	}
}

func TestPace(t *testing.T) {
	for _, c := range []struct {
		name string
		play func(l *link)
		want uint32
	}{
		{"one answer", func(l *link) {
			l.hello()
			l.up(900)
			l.wait(700 * time.Millisecond)
			l.answer(120, 30*time.Millisecond)
		}, 1},
		{"a short answer", func(l *link) { l.hello(); l.up(700); l.answer(30, 50*time.Millisecond) }, 1},
		{"a fast model", func(l *link) { l.hello(); l.up(700); l.answer(400, 6*time.Millisecond) }, 1},
		{"a slow model", func(l *link) { l.hello(); l.up(700); l.answer(40, 400*time.Millisecond) }, 1},
		{"a long thought before it", func(l *link) { l.hello(); l.up(700); l.wait(40 * time.Second); l.answer(100, 30*time.Millisecond) }, 1},
		{"three turns", func(l *link) {
			l.hello()
			for range 3 {
				l.up(1300)
				l.wait(time.Second)
				l.answer(80, 40*time.Millisecond)
				l.wait(20 * time.Second)
			}
		}, 3},
		{"a large prompt", func(l *link) {
			l.hello()
			for range 50 {
				l.up(1400)
			}
			l.wait(time.Second)
			l.answer(80, 40*time.Millisecond)
		}, 1},
		{"hello alone", func(l *link) { l.hello() }, 0},
		{"a download", func(l *link) {
			l.hello()
			l.up(400)
			for range 3000 {
				l.wait(5 * time.Millisecond)
				l.down(1400)
			}
		}, 0},
		{"a page and its parts", func(l *link) {
			l.hello()
			for range 40 {
				l.up(l.between(80, 400))
				l.wait(30 * time.Millisecond)
				for range l.r.IntN(12) {
					l.down(1400)
				}
				l.down(l.between(100, 1000))
			}
		}, 0},
		{"a video call", func(l *link) {
			l.hello()
			for range 3000 {
				l.wait(10 * time.Millisecond)
				l.up(l.between(200, 1100))
				l.down(l.between(200, 1100))
			}
		}, 0},
		{"a voice channel, listening", func(l *link) {
			l.hello()
			l.up(500)
			for range 30_000 {
				l.wait(20 * time.Millisecond)
				l.down(l.between(100, 220))
			}
		}, 0},
		{"a video in pieces", func(l *link) {
			l.hello()
			for range 30 {
				l.up(450)
				for range 200 {
					l.wait(2 * time.Millisecond)
					l.down(1400)
				}
				l.wait(4 * time.Second)
			}
		}, 0},
		{"a chat among people", func(l *link) {
			l.hello()
			for range 300 {
				l.wait(time.Duration(l.r.Int64N(int64(9*time.Second))) + 2*time.Second)
				if l.r.IntN(3) == 0 {
					l.up(l.between(90, 400))
				}
				l.down(l.between(90, 400))
			}
		}, 0},
		{"typing into a search", func(l *link) {
			l.hello()
			for range 60 {
				l.wait(150 * time.Millisecond)
				l.up(l.between(100, 200))
				l.wait(40 * time.Millisecond)
				l.down(l.between(300, 900))
			}
		}, 0},
		{"searching with short requests", func(l *link) {
			l.hello()
			l.up(500)
			for range 60 {
				l.wait(150 * time.Millisecond)
				l.up(l.between(44, 60))
				l.wait(40 * time.Millisecond)
				l.down(l.between(300, 900))
			}
		}, 0},
		{"a ticker for an hour", func(l *link) {
			l.hello()
			l.up(600)
			for range 12_000 {
				l.wait(300 * time.Millisecond)
				l.down(l.between(60, 160))
			}
		}, 0},
		{"a remote shell", func(l *link) {
			l.hello()
			for range 500 {
				l.wait(120 * time.Millisecond)
				l.up(68)
				l.wait(10 * time.Millisecond)
				l.down(68)
			}
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLink()
			c.play(l)
			if got := l.p.Answers(); got != c.want {
				t.Errorf("%d answers, want %d", got, c.want)
			}
		})
	}
}

// Over QUIC every few datagrams are acknowledged by one.
func TestPaceDatagrams(t *testing.T) {
	l := newLink()
	l.p.Up(1200, true)
	l.down(1200)
	l.p.Up(1200, true)
	for range 100 {
		l.wait(30 * time.Millisecond)
		l.down(l.between(60, 300))
		l.p.Up(l.between(33, 46), true)
	}
	if got := l.p.Answers(); got != 1 {
		t.Errorf("%d answers, want 1", got)
	}
}

// However times and lengths jump, nothing breaks.
func FuzzPace(f *testing.F) {
	f.Add([]byte{200, 0, 10, 130, 20, 50, 130, 0, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		var p Pace
		now, segments := at(0), uint32(0)
		for ; len(b) >= 3; b = b[3:] {
			now += (int64(b[0]) - 8) * 5e6
			length := uint32(b[1]) * 6
			if b[2]&1 == 0 {
				p.Up(length, b[2]&2 == 0)
			} else {
				p.Down(now, length)
				segments++
			}
		}
		if got := p.Answers(); got > segments/leastTicks {
			t.Fatalf("%d answers in %d segments", got, segments)
		}
	})
}
