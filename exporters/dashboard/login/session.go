package login

import (
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"
)

// MaxSessions bounds how many sessions there are; beyond it the one that would end first ends.
const MaxSessions = 1024

// tokenLen is 256 bits, which cannot be guessed.
const tokenLen = 32

// Session is someone who has logged in.
type Session struct {
	User    string
	Role    Role
	Expires time.Time
}

// Sessions remembers who has logged in, in memory alone: a restart ends them all. Its methods may be called from several goroutines at
// once.
type Sessions struct {
	life time.Duration
	now  func() time.Time

	mu      sync.Mutex // guards byToken
	byToken map[[sha256.Size]byte]Session
}

// NewSessions returns none, each of which will end after life.
func NewSessions(life time.Duration, now func() time.Time) *Sessions {
	return &Sessions{life: life, now: now, byToken: map[[sha256.Size]byte]Session{}}
}

// Begin starts a session and returns the token that stands for it. Only its hash is kept.
func (s *Sessions) Begin(user string, role Role) (token string, expires time.Time) {
	token = base64.RawURLEncoding.EncodeToString(random(tokenLen))
	expires = s.now().Add(s.life)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.byToken) >= MaxSessions {
		s.makeRoom()
	}
	s.byToken[sha256.Sum256([]byte(token))] = Session{User: user, Role: role, Expires: expires}
	return token, expires
}

// makeRoom drops what is over, or else the session that would end first.
func (s *Sessions) makeRoom() {
	var first [sha256.Size]byte
	var end time.Time
	now := s.now()
	for id, session := range s.byToken {
		if !session.Expires.After(now) {
			delete(s.byToken, id)
			continue
		}
		if end.IsZero() || session.Expires.Before(end) {
			first, end = id, session.Expires
		}
	}
	if len(s.byToken) >= MaxSessions {
		delete(s.byToken, first)
	}
}

// Find returns the session that a token stands for, if it is not over.
func (s *Sessions) Find(token string) (Session, bool) {
	id := sha256.Sum256([]byte(token)) // a look-up by hash: its time says nothing of the token
	s.mu.Lock()
	defer s.mu.Unlock()
	session, ok := s.byToken[id]
	if ok && !session.Expires.After(s.now()) {
		delete(s.byToken, id)
		return Session{}, false
	}
	return session, ok
}

// End ends a session; a token that stands for none is none of its business.
func (s *Sessions) End(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byToken, sha256.Sum256([]byte(token)))
}
