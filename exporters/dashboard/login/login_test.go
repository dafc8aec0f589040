package login

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// cheap is a hash that costs next to nothing, for tests.
func cheap(password string) string {
	h := hash{memory: 8, time: 1, lanes: 1, salt: random(saltLen)}
	h.sum = h.key(password, sumLen)
	return h.String()
}

func TestHashPassword(t *testing.T) {
	for _, tt := range []struct{ name, password, err string }{
		{"good", "correct horse battery", ""},
		{"characters count, not bytes", "äöüäöüäöüäöü", ""},
		{"short", "eleven char", "at least 12"},
		{"long", strings.Repeat("x", MaxPassword+1), "at most 1024"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := HashPassword(tt.password)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v does not say %q", err, tt.err)
				}
				return
			}
			h, err := parseHash(s)
			if err != nil {
				t.Fatalf("%s cannot be read back: %v", s, err)
			}
			if !h.matches(tt.password) || h.matches(tt.password+" ") {
				t.Error("the hash does not tell the password from another")
			}
			if again, _ := HashPassword(tt.password); again == s {
				t.Error("two hashes of one password are the same: there is no salt")
			}
		})
	}
}

func TestParseHash(t *testing.T) {
	good := cheap("correct horse battery")
	for _, tt := range []struct{ name, hash string }{
		{"empty", ""},
		{"plain text", "correct horse battery"},
		{"bcrypt", "$2y$10$abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyza"},
		{"argon2i", strings.Replace(good, "argon2id", "argon2i", 1)},
		{"old version", strings.Replace(good, "v=19", "v=16", 1)},
		{"takes the memory", strings.Replace(good, "m=8,", "m=4000000,", 1)},
		{"takes the time", strings.Replace(good, "t=1,", "t=4000000,", 1)},
		{"no time", strings.Replace(good, "t=1,", "t=0,", 1)},
		{"no lane", strings.Replace(good, "p=1", "p=0", 1)},
		{"more behind the cost", strings.Replace(good, "p=1", "p=1x", 1)},
		{"short sum", good[:len(good)-40]},
		{"more fields", good + "$x"},
		{"line break in the salt", "$argon2id$v=19$m=8,t=1,p=1$00000000000$000000000000\r00000000000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parseHash(tt.hash); err == nil {
				t.Errorf("%q was taken", tt.hash)
			}
		})
	}
	if _, err := parseHash(good); err != nil {
		t.Errorf("%q: %v", good, err)
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(cheap("correct horse battery"))
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$c3Vtc3Vtc3Vtc3Vtc3Vtc3Vt")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseHash(s)
		if err == nil && h.String() != s {
			t.Errorf("%q reads as %q", s, h)
		}
		if err == nil && (h.memory > maxMemory || h.time > maxTime) {
			t.Errorf("%q may cost %s", s, h.cost())
		}
	})
}

func TestUsers(t *testing.T) {
	users, err := NewUsers([]User{{"ada", Analyst, cheap("correct horse battery")}, {"mia", Viewer, cheap("another long password")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, user, password string
		role                 Role
	}{
		{"analyst", "ada", "correct horse battery", Analyst},
		{"viewer", "mia", "another long password", Viewer},
		{"password of another", "ada", "another long password", ""},
		{"no such user", "eve", "correct horse battery", ""},
		{"other case", "Ada", "correct horse battery", ""},
		{"no password", "ada", "", ""},
		{"endless password", "ada", strings.Repeat("x", MaxPassword+1), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			role, ok, err := users.Check(t.Context(), tt.user, tt.password)
			if err != nil || ok != (tt.role != "") || role != tt.role {
				t.Errorf("got %q, %v, %v; want %q", role, ok, err, tt.role)
			}
		})
	}
}

// TestCheckWaits holds all slots and expects the next to give up with its context.
func TestCheckWaits(t *testing.T) {
	users, err := NewUsers([]User{{"ada", Analyst, cheap("correct horse battery")}})
	if err != nil {
		t.Fatal(err)
	}
	for range atOnce {
		users.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok, err := users.Check(ctx, "ada", "correct horse battery"); ok || err == nil {
		t.Errorf("got %v, %v; want an error", ok, err)
	}
}

func TestNewUsersRefuses(t *testing.T) {
	good := cheap("correct horse battery")
	for _, tt := range []struct {
		name  string
		users []User
		err   string
	}{
		{"no name", []User{{"", Viewer, good}}, "is no name"},
		{"name with a line break", []User{{"a\nb", Viewer, good}}, "control characters"},
		{"name with a bidi override", []User{{"a\u202eb", Viewer, good}}, "control characters"},
		{"endless name", []User{{strings.Repeat("a", 65), Viewer, good}}, "1 to 64"},
		{"no role", []User{{"ada", "", good}}, "none of viewer, analyst"},
		{"twice", []User{{"ada", Viewer, good}, {"ada", Analyst, good}}, "twice"},
		{"plain password", []User{{"ada", Viewer, "secret"}}, "hash-password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := NewUsers(tt.users); err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v does not say %q", err, tt.err)
			}
		})
	}
}

func TestReadUsers(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       int
		err        string
	}{
		{"two", "# who may see\nada:analyst:$argon2id$x\n\n  mia:viewer:$argon2id$y\n", 2, ""},
		{"none", "# nobody\n", 0, "there are none"},
		{"a field too few", "ada:analyst\n", 0, "line 1 has 2 fields"},
		{"endless line", strings.Repeat("x", 1<<17), 0, "too long"},
		{"endless file", strings.Repeat("a:b:c\n", maxUsers+1), 0, "more than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			users, err := ReadUsers(strings.NewReader(tt.text))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v does not say %q", err, tt.err)
				}
				return
			}
			if err != nil || len(users) != tt.want {
				t.Errorf("got %d users, %v; want %d", len(users), err, tt.want)
			}
		})
	}
}

// clock is a time that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestLimiter(t *testing.T) {
	c := &clock{time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	l := NewLimiter(3, time.Minute, c.now)
	for i := range 3 {
		if _, ok := l.Take("10.0.0.1"); !ok {
			t.Fatalf("try %d was refused", i+1)
		}
	}
	wait, ok := l.Take("10.0.0.1")
	if ok || wait != time.Minute {
		t.Fatalf("the fourth try: %v, %v; want to wait a minute", wait, ok)
	}
	c.t = c.t.Add(59 * time.Second)
	if _, ok := l.Take("10.0.0.1"); ok {
		t.Error("a try was let through too early")
	}
	c.t = c.t.Add(time.Second)
	if _, ok := l.Take("10.0.0.1"); !ok {
		t.Error("the try after a minute was refused")
	}
	l.Return("10.0.0.1")
	if _, ok := l.Take("10.0.0.1"); !ok {
		t.Error("a try that was given back is not there")
	}
	c.t = c.t.Add(-time.Hour)
	if _, ok := l.Take("10.0.0.1"); ok {
		t.Error("a clock set back gave a try")
	}
}

// TestLimiterIsBounded floods it with keys: a key that was refused stays refused.
func TestLimiterIsBounded(t *testing.T) {
	c := &clock{time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	l := NewLimiter(1, time.Minute, c.now)
	l.Take("10.0.0.1")
	for i := range 100_000 {
		l.Take(fmt.Sprint("flood ", i))
	}
	if _, ok := l.Take("10.0.0.1"); ok {
		t.Error("a flood of keys made the limiter forget one")
	}
}

func TestSessions(t *testing.T) {
	c := &clock{time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	s := NewSessions(time.Hour, c.now)
	token, expires := s.Begin("ada", Analyst)
	if !expires.Equal(c.t.Add(time.Hour)) || len(token) < 43 {
		t.Errorf("a token of %d characters until %v", len(token), expires)
	}
	if got, ok := s.Find(token); !ok || got.User != "ada" || got.Role != Analyst {
		t.Errorf("found %+v, %v", got, ok)
	}
	if _, ok := s.Find(token[:len(token)-1]); ok {
		t.Error("a part of a token was enough")
	}
	c.t = c.t.Add(time.Hour)
	if _, ok := s.Find(token); ok {
		t.Error("a session outlived its life")
	}
	token, _ = s.Begin("ada", Analyst)
	s.End(token)
	if _, ok := s.Find(token); ok {
		t.Error("a session outlived its end")
	}
}

func TestSessionsAreBounded(t *testing.T) {
	c := &clock{time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	s := NewSessions(time.Hour, c.now)
	first, _ := s.Begin("ada", Analyst)
	var last string
	for range MaxSessions + 10 {
		c.t = c.t.Add(time.Millisecond)
		last, _ = s.Begin("mia", Viewer)
	}
	if len(s.byToken) > MaxSessions {
		t.Errorf("there are %d sessions, at most %d", len(s.byToken), MaxSessions)
	}
	if _, ok := s.Find(first); ok {
		t.Error("the oldest session is still there")
	}
	if _, ok := s.Find(last); !ok {
		t.Error("the newest session is gone")
	}
}
