package upload

import (
	"testing"
)

func TestUse(t *testing.T) {
	tests := []struct {
		name  string
		play  func(w *wire)
		want  Use
		turns uint32
	}{
		{"made ahead of need", func(*wire) {}, Background, 0},
		{"a prompt", func(w *wire) { post(w, 900); w.says(1, 3000) }, Interactive, 1},
		{"forty prompts", func(w *wire) {
			for n := range 40 {
				w.at += int64(n%7+1) * 11e9
				post(w, 700+10*n)
				w.says(1, 3000, 200, 300)
			}
		}, Interactive, 40},
		{"a file", func(w *wire) { post(w, 20<<20) }, Interactive, 0},
		{"a report, or a question that is answered in a word", func(w *wire) { post(w, 5000) }, Unknown, 1},
		{"a request of a head alone", func(w *wire) { w.says(0, 500); w.says(1, 200) }, Unknown, 0},
		{"a page", func(w *wire) { w.says(0, 500); w.says(1, 9000) }, Unknown, 0},
		{"a timer", func(w *wire) {
			for range 10 {
				w.at += 30e9
				post(w, 2000)
				w.says(1, 4000)
			}
		}, Background, 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := NewTLS(Hello{}, 0)
			w := &wire{meter: m, mss: 1448}
			w.hands()
			tt.play(w)
			if got := m.Use(); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
			m.End()
			if got := m.Total(); got.Turns != tt.turns || m.Use() != tt.want {
				t.Errorf("%v, %+v; want %d turns", m.Use(), got, tt.turns)
			}
		})
	}
}

// What is not seen says nothing.
func TestUseUnseen(t *testing.T) {
	half := NewTLS(Hello{}, 0)
	(&wire{meter: half, mss: 1448}).says(1, 3000) // the server's flight, and no more
	one := NewQUIC(1250)
	(&path{m: one}).send(false, long(0, 8, 1200))
	for name, m := range map[string]interface{ Use() Use }{"a hello alone": NewTLS(Hello{}, 0), "half a handshake": half, "nothing known": NewTCP(), "an Initial": one} {
		if got := m.Use(); got != Unknown {
			t.Errorf("%s: %v, want unknown", name, got)
		}
	}
	p := &path{m: one}
	p.says(true, 30)
	if one.Use() != Background {
		t.Errorf("a handshake that nothing followed: %v, want background", one.Use())
	}
}
