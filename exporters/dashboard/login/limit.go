package login

import (
	"hash/maphash"
	"sync"
	"time"
)

// buckets is how many counters a Limiter has. Keys share them by hash: memory is bounded whatever is tried, and nothing has to be
// forgotten to make room, which an attacker with many addresses could use.
const buckets = 4096

// Limiter bounds how often something may be tried for each key: Burst times at once, then once for every pause. Its methods may be
// called from several goroutines at once.
type Limiter struct {
	burst float64
	pause time.Duration
	now   func() time.Time
	seed  maphash.Seed

	mu    sync.Mutex // guards spent
	spent [buckets]spending
}

// spending is how much of the burst is used up, as of then; the zero value is nothing.
type spending struct {
	used float64
	at   time.Time
}

// NewLimiter returns a Limiter that has seen nothing yet.
func NewLimiter(burst int, pause time.Duration, now func() time.Time) *Limiter {
	return &Limiter{burst: float64(burst), pause: pause, now: now, seed: maphash.MakeSeed()}
}

// Take counts a try. If there were too many it counts nothing and says how long to wait.
func (l *Limiter) Take(key string) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.current(key)
	if over := s.used + 1 - l.burst; over > 0 {
		return time.Duration(over * float64(l.pause)), false
	}
	s.used++
	return 0, true
}

// Return takes a try back: it succeeded.
func (l *Limiter) Return(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.current(key)
	s.used = max(s.used-1, 0)
}

// current is what is used up now.
func (l *Limiter) current(key string) *spending {
	s := &l.spent[maphash.String(l.seed, key)%buckets]
	now := l.now()
	if passed := now.Sub(s.at); passed > 0 {
		s.used = max(s.used-float64(passed)/float64(l.pause), 0)
		s.at = now
	}
	return s
}
