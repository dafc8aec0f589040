package upload

import "math"

// Use says what a connection is for, as far as its sizes and rhythm show.
type Use uint8

// The kinds of use, as in gnomon.use.
const (
	Unknown     Use = iota
	Interactive     // somebody reads the answers, or sent a file
	Background      // a timer's telemetry or keep-alive, a connection made ahead of need
)

var useNames = [...]string{"unknown", "interactive", "background"}

// String is the ECS value.
func (u Use) String() string { return useNames[u] }

const (
	// answerLeast is less than any answer to a prompt: a status line and a few words.
	answerLeast = 300
	// answerText is an answer that somebody may read. A shorter one tells nothing: a report is acknowledged with it, and so is a question to
	// which the answer is "yes".
	answerText = 1500
	// fileLeast is more than telemetry sends at once.
	fileLeast = 64 << 10
	// beats is how many bursts show a rhythm, and beatJitter how far the pauses of a timer vary at most, as a share of their mean: people
	// vary by more than their mean.
	beats, beatJitter = 5, 0.15
)

// rhythm notes when bursts came and what became of them.
type rhythm struct {
	last     int64   // when the last burst began
	pauses   int     // between the beginnings of bursts
	mean, m2 float64 // of the pauses in seconds, by Welford's method
	bodies   bool    // a body was answered by something to read
}

// began notes the beginning of a burst.
func (r *rhythm) began(at int64) {
	if r.last != 0 {
		pause := float64(at-r.last) / 1e9
		r.pauses++
		d := pause - r.mean
		r.mean += d / float64(r.pauses)
		r.m2 += d * (pause - r.mean)
	}
	r.last = at
}

// ended notes what a burst carried and how much was answered.
func (r *rhythm) ended(body, said, down uint64) {
	r.bodies = r.bodies || down >= answerText && (body > 0 || said > headAlone/2)
}

// regular says whether a timer is behind the bursts.
func (r *rhythm) regular() bool {
	return r.pauses >= beats && r.mean >= 1 && math.Sqrt(r.m2/float64(r.pauses)) < beatJitter*r.mean
}

// use judges the connection so far; ready says that it could carry requests. One that did not was made ahead of need.
func (t *tally) use(ready bool) Use {
	now := t.rhythm
	if t.open {
		now.ended(t.burst, t.said, t.down)
	}
	switch {
	case t.Bursts == 0 && ready, now.regular() && t.Largest < fileLeast:
		return Background
	case t.Largest >= fileLeast, now.bodies:
		return Interactive
	}
	return Unknown
}

// Use judges the connection so far.
func (t *TLS) Use() Use { return t.use(t.phase == talking && t.dir[0].begun) }

// Use judges the connection so far.
func (q *QUIC) Use() Use { return q.use(q.ready) }
