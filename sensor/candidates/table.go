package candidates

import (
	"hash/maphash"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/prefetch"
)

// Config bounds a table.
type Config struct {
	// Names is how many names are kept of a day; contacts with further ones are counted together. Default 200,000.
	Names int
	// Location sets where days begin. Default UTC.
	Location *time.Location
	// Key is secret: it keeps the sketches of clients from being asked for an address. The same key makes those of several days one.
	Key [2]uint64
}

// Default returns the defaults.
func Default() Config { return Config{Names: 200_000, Location: time.UTC} }

const (
	shardBits = 4
	shards    = 1 << shardBits
	// openDays bounds the days that are not taken yet: beyond it the oldest is let go, counted.
	openDays = 40
	// MaxName bounds a name (RFC 1035, section 2.3.4).
	MaxName = 253
)

// Table counts contacts with names that are in no catalogue. It is shared by the workers of a sensor: its methods may be called from
// several goroutines at once.
type Table struct {
	config Config
	seed   maphash.Seed
	today  atomic.Pointer[day]

	mu    sync.Mutex // guards days and what follows
	days  []*day     // the oldest first
	next  uint32     // serial of the next day
	stats Stats
}

// Stats are counters since New.
type Stats struct {
	DaysLost uint64 // days that nobody took
	Late     uint64 // flows that ended after their name's day had been taken: their bytes are missing there
}

// day is one day's names.
type day struct {
	serial      uint32
	from, until int64 // nanoseconds since 1970-01-01 UTC
	label       string
	limit       int // of each shard
	shard       [shards]shard
}

type shard struct {
	mu      sync.Mutex
	of      map[uint64]uint32       // hash of the name -> entry
	chunks  []atomic.Pointer[chunk] // entries stay where they are, so that Ahead needs no lock
	used    uint32                  // entries handed out
	names   []byte
	dense   [][registers]uint8
	later   [8]later // what dense lacks
	turn    uint8    // of later
	aliases map[uint32]string
	over    uint64 // contacts with names beyond the limit
}

// chunkNames is how many entries go together: 16 KiB.
const chunkNames = 1 << 8

type chunk [chunkNames]entry

// entry is what is known of one name on one day: one cache line.
type entry struct {
	up, down uint64
	at       uint32 // of the name, in names
	flows    uint32
	answers  uint32 // at a token's pace
	paced    uint32 // flows with such an answer
	paths    uint32 // log lines with the path of a model API
	dense    int32  // index of the dense sketch; -1: the sparse one holds all
	sparse   [4]uint16
	watched  uint16
	length   uint8
	hinted   bool // the name itself looks like AI
	_        [8]byte
}

// Ref names an entry: the day it belongs to, its shard and its place there. Zero is none.
type Ref uint64

func refOf(d *day, shard, at uint32) Ref { return Ref(d.serial)<<32 | Ref(shard)<<28 | Ref(at) }

func (r Ref) parts() (serial, shard, at uint32) {
	return uint32(r >> 32), uint32(r) >> 28, uint32(r) & (1<<28 - 1)
}

// New returns an empty table.
func New(config Config) *Table {
	d := Default()
	if config.Names <= 0 {
		config.Names = d.Names
	}
	if config.Location == nil {
		config.Location = d.Location
	}
	return &Table{config: config, seed: maphash.MakeSeed(), next: 1}
}

// Beside returns an empty table for another worker on a part of the same traffic, whose days Join adds to those of t.
func (t *Table) Beside() *Table { return New(t.config) }

// watchEach is how many flows of a name are watched before it counts as one that does not stream, for the rest of its day.
const watchEach = 64

// See notes that client contacted a name (lower case, without a dot at its end), and returns its entry. watch says that the flow is worth
// a Pace. A zero Ref says that the day has no room left.
func (t *Table) See(name []byte, client Client, at int64) (ref Ref, watch bool) {
	if len(name) == 0 || len(name) > MaxName {
		return 0, false
	}
	d := t.dayOf(at)
	h := t.hash(name)
	s, n := d.place(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, i := s.entry(d, h, name)
	if e == nil {
		s.over++
		return 0, false
	}
	return refOf(d, n, i), s.contact(e, t.sketch(client))
}

// Again is See for a name whose entry is known. A zero Ref says that the entry is not of that time's day, or that there was none: then See is
// to be asked.
func (t *Table) Again(known Ref, client Client, at int64) (ref Ref, watch bool) {
	serial, n, i := known.parts()
	d := t.today.Load()
	if d == nil || d.serial != serial || at < d.from || at >= d.until {
		return 0, false
	}
	s := &d.shard[n]
	s.mu.Lock()
	defer s.mu.Unlock()
	return known, s.contact(s.at(i), t.sketch(client))
}

// Ahead has the entry on its way to the cache that Again will soon be asked for.
func (t *Table) Ahead(known Ref) {
	serial, n, i := known.parts()
	if d := t.today.Load(); d != nil && d.serial == serial {
		prefetch.At(d.shard[n].at(i))
	}
}

// contact counts a contact with an entry's name, and says whether it is worth a Pace.
func (s *shard) contact(e *entry, client uint64) (watch bool) {
	e.flows++
	s.add(e, client)
	if watch = e.hinted || e.answers > 0 || e.watched < watchEach; watch && e.watched < 1<<16-1 {
		e.watched++
	}
	return watch
}

// Add notes what a flow of See carried, when it ends.
func (t *Table) Add(ref Ref, up, down uint64, answers uint32) {
	serial, n, at := ref.parts()
	d := t.serial(serial)
	if d == nil {
		return
	}
	s := &d.shard[n]
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.at(at)
	e.up += up
	e.down += down
	e.answers += answers
	if answers > 0 {
		e.paced++
	}
}

// Line is what one line of a log says of a contact.
type Line struct {
	Client   Client
	At       int64 // nanoseconds since 1970-01-01 UTC
	Up, Down uint64
	Path     []byte // of the request, where the line has one: only whether it is one of a model API is kept
}

// Log notes one line of a log.
func (t *Table) Log(name []byte, line *Line) {
	ref, _ := t.See(name, line.Client, line.At)
	if ref == 0 {
		return
	}
	t.Add(ref, line.Up, line.Down, 0)
	if APIPath(line.Path) {
		_, n, i := ref.parts()
		if d := t.serial(uint32(ref >> 32)); d != nil {
			s := &d.shard[n]
			s.mu.Lock()
			s.at(i).paths++
			s.mu.Unlock()
		}
	}
}

// Alias notes that a name is another name of an AI platform: a service of the catalogue.
func (t *Table) Alias(name []byte, service string, at int64) {
	if len(name) == 0 || len(name) > MaxName {
		return
	}
	d := t.dayOf(at)
	h := t.hash(name)
	s, _ := d.place(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, i := s.entry(d, h, name); i != none {
		if s.aliases == nil {
			s.aliases = map[uint32]string{}
		}
		s.aliases[i] = leastAlias(s.aliases[i], service)
	}
}

func (t *Table) hash(name []byte) uint64 { return maphash.Bytes(t.seed, name) }

// Client is an address as two words.
type Client struct{ Hi, Lo uint64 }

// sketch is the keyed hash of a client, of which a sketch keeps twelve bits.
func (t *Table) sketch(c Client) uint64 {
	h, l := bits.Mul64(c.Hi^t.config.Key[0], 0x9e3779b97f4a7c15)
	h2, l2 := bits.Mul64(c.Lo^t.config.Key[1]^h^l, 0xd6e8feb86659fd93)
	h3, l3 := bits.Mul64(h2^l2^t.config.Key[0], 0xa0761d6478bd642f)
	return h3 ^ l3
}

// dayOf returns the day of a time, a new one if need be.
func (t *Table) dayOf(at int64) *day {
	if d := t.today.Load(); d != nil && at >= d.from && at < d.until {
		return d
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range t.days {
		if at >= d.from && at < d.until {
			return d
		}
	}
	d := t.newDay(at)
	if now := t.today.Load(); now == nil || d.from > now.from {
		t.today.Store(d)
	}
	return d
}

func (t *Table) newDay(at int64) *day {
	local := time.Unix(0, at).In(t.config.Location)
	y, m, dd := local.Date()
	from, until := midnight(y, m, dd, t.config.Location), midnight(y, m, dd+1, t.config.Location)
	d := &day{serial: t.next, from: from.UnixNano(), until: until.UnixNano(), label: local.Format(time.DateOnly), limit: max(1, t.config.Names/shards)}
	for i := range d.shard {
		d.shard[i].of = map[uint64]uint32{}
		d.shard[i].chunks = make([]atomic.Pointer[chunk], (d.limit+chunkNames-1)/chunkNames)
	}
	t.next++
	t.days = append(t.days, d)
	slices.SortFunc(t.days, func(a, b *day) int { return int(min(1, max(-1, a.from-b.from))) })
	if len(t.days) > openDays {
		t.days = slices.Delete(t.days, 0, 1)
		t.stats.DaysLost++
	}
	return d
}

// midnight is the first moment of a day, also where clocks go forward then.
func midnight(y int, m time.Month, d int, loc *time.Location) time.Time {
	at := time.Date(y, m, d, 0, 0, 0, 0, loc)
	if at.Day() != time.Date(y, m, d, 12, 0, 0, 0, time.UTC).Day() {
		_, at = at.ZoneBounds()
	}
	return at
}

// serial finds a day that was not taken yet.
func (t *Table) serial(n uint32) *day {
	if d := t.today.Load(); d != nil && d.serial == n {
		return d
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range t.days {
		if d.serial == n {
			return d
		}
	}
	if n != 0 {
		t.stats.Late++
	}
	return nil
}

// Stats are the counters since New.
func (t *Table) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats
}

// Take takes the days away that were over at the given time (nanoseconds since 1970-01-01 UTC), the oldest first. Flows that end later
// leave no bytes there: wait a while after midnight.
func (t *Table) Take(at int64) []*Day {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []*Day
	t.days = slices.DeleteFunc(t.days, func(d *day) bool {
		if d.until > at {
			return false
		}
		t.today.CompareAndSwap(d, nil)
		out = append(out, d.copy())
		return true
	})
	return out
}

// Open copies the days that were not taken yet, the oldest first.
func (t *Table) Open() []*Day {
	t.mu.Lock()
	days := slices.Clone(t.days)
	t.mu.Unlock()
	var out []*Day
	for _, d := range days {
		out = append(out, d.copy())
	}
	return out
}

func (d *day) place(h uint64) (*shard, uint32) {
	n := uint32(h >> (64 - shardBits))
	return &d.shard[n], n
}

// none is the place of an entry that there is no room for.
const none = ^uint32(0)

// entry finds or makes the entry of a name; nil if there is no room for another.
func (s *shard) entry(d *day, h uint64, name []byte) (*entry, uint32) {
	if i, ok := s.of[h]; ok {
		return s.at(i), i
	}
	i := s.used
	if int(i) >= d.limit {
		return nil, none
	}
	if i%chunkNames == 0 {
		s.chunks[i/chunkNames].Store(new(chunk))
	}
	s.used++
	e := s.at(i)
	*e = entry{at: uint32(len(s.names)), length: uint8(len(name)), dense: -1, hinted: hinted(string(name))}
	s.names = append(s.names, name...)
	s.of[h] = i
	return e, i
}

// at is the entry of a place that was handed out.
func (s *shard) at(i uint32) *entry { return &s.chunks[i/chunkNames].Load()[i%chunkNames] }
