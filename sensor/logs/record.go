package logs

import (
	"errors"
	"net/netip"
)

// Format reads the lines of one source. A Format remembers: a header that names the columns, the line before. So every source needs
// one of its own, made by Library.Open, and hands it its lines in order, from one goroutine at a time.
type Format interface {
	// Parse reads one line, without its end, into r, which it resets first. The slices in r alias line or the Format's own memory and
	// hold until the next call. An error is one of the reasons below; r holds nothing then. Parse keeps nothing of line.
	Parse(line []byte, r *Record) error
}

// Reasons why a line gives no record. The first two are no faults: they are counted and not rejected.
var (
	// ErrHeader is a line that describes others, or an empty one.
	ErrHeader = errors.New("a header or comment")
	// ErrOther is a line of the format that tells of something else than traffic.
	ErrOther = errors.New("tells of no traffic")
	// ErrShape is a line that is not of this format at all.
	ErrShape = errors.New("not of this format")
	// ErrColumns is a line with too few columns.
	ErrColumns = errors.New("too few columns")
	// ErrNoHeader is a line whose columns no header has named.
	ErrNoHeader = errors.New("no header names its columns")
	// ErrNothing is a line of the right shape that names neither client nor destination.
	ErrNothing = errors.New("names neither client nor destination")
	// ErrTooLong is a line over MaxLine, of which the rest was thrown away.
	ErrTooLong = errors.New("too long")
)

// Kind is what a line tells of.
type Kind uint8

// The kinds of lines.
const (
	KindWeb        Kind = iota // a request, or a CONNECT tunnel, at a proxy or gateway
	KindConnection             // a connection through a firewall
	KindLookup                 // a DNS question: no use by itself
)

// Phase is what part of a session a line tells of.
type Phase uint8

// The phases of a session.
const (
	PhaseWhole   Phase = iota // all of it, or its end: the figures are totals
	PhaseStart                // its beginning: an end follows and has the same bytes again
	PhaseInterim              // it goes on: the figures are what came since the record before
)

// Action is what was done with the attempt.
type Action uint8

// The actions.
const (
	ActionUnknown    Action = iota
	ActionAllowed           // it went through
	ActionDenied            // it was blocked: an attempt, no use
	ActionChallenged        // it was asked to log in first (HTTP 407): the client comes again
)

// Record is what one line says, and nothing that it does not say: a figure is known only where its Has is true, an address only where
// it is valid, everything else where it is not empty.
type Record struct {
	Time       int64 // nanoseconds since 1970-01-01 UTC; 0: the line has none, or one that could not be understood
	Client     netip.Addr
	Server     netip.Addr
	ClientPort uint16
	ServerPort uint16
	Host       []byte // the name asked for, as written, without port and trailing dot; never an address
	User       []byte // as written; empty for what stands for nobody
	Method     []byte // of the HTTP request
	Path       []byte // path and query: for matching alone, never kept
	Agent      []byte // what the client's program calls itself: for matching alone, never kept
	Session    []byte // what ties the records of one session together

	Elapsed int64 // nanoseconds from the beginning to the end; 0: the line does not say
	Begins  bool  // Time is that of the beginning, not of the end

	Up, Down       uint64 // bytes from and to the client
	HasUp, HasDown bool

	Kind   Kind
	Phase  Phase
	Action Action
	// Nobody says that User names a site, a network or a device and no person.
	Nobody bool
	// Misfit says that the line has another number of columns than its header names: what lies to the right was read with care.
	Misfit bool
}

// Span is from when to when it was, as far as the line says.
func (r *Record) Span() (start, end int64) {
	switch {
	case r.Time == 0:
		return 0, 0
	case r.Begins:
		return r.Time, r.Time + r.Elapsed
	}
	return r.Time - r.Elapsed, r.Time
}

func (r *Record) reset() { *r = Record{} }

// String is the word for a phase; empty for a whole session.
func (p Phase) String() string {
	switch p {
	case PhaseStart:
		return "start"
	case PhaseInterim:
		return "interim"
	}
	return ""
}

// String is event.action.
func (a Action) String() string {
	switch a {
	case ActionAllowed:
		return "allowed"
	case ActionDenied:
		return "denied"
	case ActionChallenged:
		return "authentication-required"
	}
	return ""
}
