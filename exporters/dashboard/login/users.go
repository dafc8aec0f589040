package login

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Role says what someone may see.
type Role string

// The roles.
const (
	Viewer  Role = "viewer"  // sums; no names, no addresses, no small departments
	Analyst Role = "analyst" // everything that is kept
)

// MaxName bounds the name of a user, in bytes.
const MaxName = 64

// maxUsers bounds a users file.
const maxUsers = 10_000

// atOnce is how many passwords are hashed at a time: each takes memory and a core for tens of milliseconds.
const atOnce = 2

// User is someone who may log in.
type User struct {
	// Name is what they type.
	Name string `toml:"name"`
	// Role is viewer or analyst.
	Role Role `toml:"role"`
	// Hash is what `gnomon dashboard hash-password` prints for their password.
	Hash string `toml:"hash"`
}

// Users checks passwords. Its methods may be called from several goroutines at once.
type Users struct {
	byName map[string]known
	nobody hash          // hashed for a name that is not known, so that an answer takes as long
	slots  chan struct{} // bounds how many hashes are made at once
}

type known struct {
	role Role
	hash hash
}

// NewUsers checks the users and returns them.
func NewUsers(list []User) (*Users, error) {
	u := &Users{byName: map[string]known{}, slots: make(chan struct{}, atOnce)}
	u.nobody = hash{memory: newMemory, time: newTime, lanes: newLanes, salt: random(saltLen), sum: random(sumLen)}
	for i, user := range list {
		if err := checkName(user.Name); err != nil {
			return nil, fmt.Errorf("reading user %d: %w", i+1, err)
		}
		if user.Role != Viewer && user.Role != Analyst {
			return nil, fmt.Errorf("reading user %q: role = %q is none of %s, %s", user.Name, user.Role, Viewer, Analyst)
		}
		if _, twice := u.byName[user.Name]; twice {
			return nil, fmt.Errorf("reading user %q: the name stands there twice; remove one", user.Name)
		}
		h, err := parseHash(user.Hash)
		if err != nil {
			return nil, fmt.Errorf("reading the password hash of user %q: %w", user.Name, err)
		}
		u.byName[user.Name] = known{user.Role, h}
		if i == 0 {
			u.nobody.memory, u.nobody.time, u.nobody.lanes = h.memory, h.time, h.lanes
		}
	}
	return u, nil
}

func checkName(name string) error {
	if name == "" || len(name) > MaxName || !utf8.ValidString(name) {
		return fmt.Errorf("name = %q is no name; write 1 to %d bytes of text", name, MaxName)
	}
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == ':' }) {
		return fmt.Errorf("name = %q is no name; write it without spaces, colons and control characters", name)
	}
	return nil
}

// Len is how many users there are.
func (u *Users) Len() int { return len(u.byName) }

// Check says whether the password is that of the user. It takes as long for a name that is not known. Its only error is the end of ctx
// while it waits for its turn.
func (u *Users) Check(ctx context.Context, name, password string) (Role, bool, error) {
	if len(password) > MaxPassword {
		return "", false, nil
	}
	select {
	case u.slots <- struct{}{}:
		defer func() { <-u.slots }()
	case <-ctx.Done():
		return "", false, fmt.Errorf("waiting to check a password: %w", ctx.Err())
	}
	user, found := u.byName[name]
	if !found {
		user.hash = u.nobody
	}
	if !user.hash.matches(password) || !found {
		return "", false, nil
	}
	return user.role, true, nil
}

// ReadUsers reads a users file: on each line a name, a role and a hash with colons between them. Empty lines and those that begin with #
// are passed over.
func ReadUsers(r io.Reader) ([]User, error) {
	var users []User
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		fields := strings.Split(text, ":")
		if len(fields) != 3 {
			return nil, fmt.Errorf("reading users: line %d has %d fields; write name:role:hash", n, len(fields))
		}
		if len(users) == maxUsers {
			return nil, fmt.Errorf("reading users: there are more than %d; use a proxy that knows them", maxUsers)
		}
		users = append(users, User{Name: fields[0], Role: Role(fields[1]), Hash: fields[2]})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading users: %w", err)
	}
	if len(users) == 0 {
		return nil, errors.New("reading users: there are none; write a line name:role:hash")
	}
	return users, nil
}
