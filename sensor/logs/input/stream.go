package input

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/logs"
)

// stream is lines in their order: a file, a connection, a sender of datagrams. Its format remembers headers, and the line before.
type stream struct {
	format  logs.Format // nil: not known yet
	header  header
	written int64 // when a file was changed; 0: lines are as young as they look
	skip    bool  // in a line that is too long

	held  [][]byte // lines that came before the format was known
	bytes int
	first time.Time // when the oldest of them came
	tries uint      // of finding a format, for a file
}

const (
	// enoughHeld is how many lines are waited for to tell a format from, heldFor how long, and maxHeld how many octets of them.
	enoughHeld = 16
	heldFor    = 5 * time.Second
	maxHeld    = 256 << 10
)

// writtenAt is about when the stream's lines were written.
func (st *stream) writtenAt(now time.Time) int64 {
	if st.written != 0 {
		return st.written
	}
	return now.UnixNano()
}

// begin gives a stream its format, if it is known. mu is held.
func (s *source) begin(st *stream) {
	if name := s.format(); name != "" {
		s.speak(st, name)
	}
}

// speak makes name the format of a stream. mu is held.
func (s *source) speak(st *stream, name string) {
	// The library has the name: from the configuration, which was checked, or from the library.
	st.format, _ = s.o.Library.Open(name, logs.Options{Location: s.config.Location, Now: func() int64 { return st.writtenAt(s.o.Now()) }})
	s.see(name)
	for _, line := range st.header.lines {
		var r logs.Record
		_ = st.format.Parse([]byte(line), &r) // a header again
	}
}

// see tells whoever joins packets and logs of the source's format. mu is held.
func (s *source) see(format string) {
	if s.o.Eye == nil || s.seen == format {
		return
	}
	info, _ := s.o.Library.Info(format) // it was opened before
	eye := s.o.Eye(s.config.Name, format, info.Uploads)
	eye.Resume(s.heard, s.doubted) // as of the place from which it is read on
	s.eye = eye
	s.use.See(eye)
	s.seen = format
}

// hold keeps a line until there are enough to tell the format from. mu is held.
func (s *source) hold(st *stream, line []byte) {
	if s.begin(st); st.format != nil {
		s.take(st, line)
		return
	}
	if len(st.held) == 0 {
		st.first = s.last
		s.holding[st] = true
	}
	st.held = append(st.held, bytes.Clone(line))
	if st.bytes += len(line); len(st.held) >= enoughHeld || st.bytes >= maxHeld {
		s.release(st)
	}
}

// settle takes what has been held for long enough.
func (s *source) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	for st := range s.holding {
		if now.Sub(st.first) >= heldFor {
			s.release(st)
		}
	}
}

// release finds the format of what was held, or rejects it. mu is held.
func (s *source) release(st *stream) {
	held := st.held
	st.held, st.bytes = nil, 0
	delete(s.holding, st)
	if len(held) == 0 {
		return
	}
	s.detect(st, append(bytes.Join(held, []byte("\n")), '\n'))
	for _, line := range held {
		if st.format == nil {
			s.reject(line, logs.ErrUnknown)
			continue
		}
		s.take(st, line)
	}
}

// detect gives a stream the format that its lines are likely to be of; what the source's lines have been of so far goes first. mu is held.
func (s *source) detect(st *stream, sample []byte) {
	guesses := s.o.Library.Detect(sample, logs.Options{Location: s.config.Location, Now: func() int64 { return st.writtenAt(s.o.Now()) }})
	if len(guesses) == 0 {
		s.problem.note("format", "the lines are of no known format; name one with format, see `gnomon logs formats`")
		return
	}
	s.problem.solved("format")
	best := guesses[0]
	for _, g := range guesses {
		if g.Name == s.detected {
			best = g
		}
	}
	if best.Name != s.detected {
		s.o.Log.Info("found the format of a log", "source", s.config.Name, "format", best.Name, "read", best.Read, "of", best.Lines)
		s.detected = best.Name
	}
	s.speak(st, best.Name)
}

// header remembers the lines that describe others, the last of each kind: those that begin with the same word.
type header struct{ lines []string }

const (
	maxHeaderLines = 32
	maxHeaderLine  = 16 << 10
)

func (h *header) note(line []byte) {
	if len(line) == 0 || len(line) > maxHeaderLine {
		return
	}
	text := string(line)
	word, _, _ := strings.Cut(text, " ")
	h.lines = slices.DeleteFunc(h.lines, func(old string) bool {
		first, _, _ := strings.Cut(old, " ")
		return first == word
	})
	if h.lines = append(h.lines, text); len(h.lines) > maxHeaderLines {
		h.lines = h.lines[1:]
	}
}
