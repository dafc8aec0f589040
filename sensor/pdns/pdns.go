// Package pdns is the sensor's passive DNS: which name an address was last looked up for, by whom, and whether other names share it. It
// reads no packets (see wire/dns) and decides nothing about names (see classifiers).
package pdns

import (
	"encoding/binary"
	"math"
	"math/bits"
	"runtime"
	"sync"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/hugepage"
)

const (
	// ways is how many places a key may stand in: two cache lines.
	ways = 4
	// sharedShards are the locks that workers compete for; a table of one worker has one, and does not lock.
	sharedShards = 64
	// grace is how many seconds after its lifetime an answer still counts: clients and their libraries use addresses longer than they may.
	grace = 300
	// least is the least that an answer counts, in seconds: load balancers give short lifetimes, connections are made later.
	least = 60
)

// Config bounds a table.
type Config struct {
	// Entries is how many (client, address) pairs and addresses are remembered together; the oldest give way. Default 262144.
	Entries int
	// NameBytes is how much memory their names may take; the oldest are forgotten. Default 8 MiB.
	NameBytes int
	// Workers is how many goroutines use the table. Default 1.
	Workers int
	// Lasting says that the table will be used for long, so that huge pages are worth their price; see package hugepage.
	Lasting bool
}

// Default returns the defaults.
func Default() Config { return Config{Entries: 1 << 18, NameBytes: 8 << 20, Workers: 1} }

// Bytes is the memory that a table of this configuration takes.
func (c Config) Bytes() int { return c.Entries*entrySize + c.NameBytes }

// entrySize is the size of an entry: with ways of them to a place, none lies across more than two cache lines.
const entrySize = 32

// entry is what is known of an address, for one client or for all. It holds no pointers.
type entry struct {
	key    uint64 // hash of the address, and of the client if it is one's own
	name   ref    // the last name
	sum    uint32 // its hash
	last   uint32 // the hash of the other name that was counted last
	expiry uint32 // seconds since 1970-01-01 UTC
	others uint32 // other names seen while this one was alive, as far as they could be told apart
}

// Table is shared by the workers of a sensor. Its methods may be called from as many goroutines at once as it was made for.
type Table struct {
	seed  uint64
	lock  bool
	shift uint8 // of an address's hash, for its shard
	mask  uint64
	shard []shard
	// there says of which stretches of a table for one worker the memory is there.
	there []bool
	late  late // of a table for one worker
}

type shard struct {
	mu    sync.Mutex
	slots []entry
	names arena
}

// New returns an empty table. seed is secret: it keeps hostile answers from aiming at one place.
func New(config Config, seed uint64) (*Table, error) {
	shards := 1
	if config.Workers > 1 {
		shards = sharedShards
	}
	per := max(64, config.Entries/shards)
	per = 1 << (bits.Len(uint(per)) - 1)
	t := &Table{seed: seed | 1, lock: shards > 1, shift: uint8(64 - bits.Len(uint(shards-1))), mask: uint64(per/ways - 1), shard: make([]shard, shards)}
	slots, err := hugepage.Make[entry](per*shards, "the names of addresses", config.Lasting)
	if err != nil {
		return nil, err
	}
	t.there = make([]bool, (len(slots)+stretch-1)/stretch)
	runtime.AddCleanup(t, hugepage.Free[entry], slots)
	for i := range t.shard {
		t.shard[i].slots = slots[i*per : (i+1)*per]
		t.shard[i].names.init(max(4096, config.NameBytes/shards))
	}
	return t, nil
}

// everyone is the client of what all clients' look-ups say together.
var everyone = decode.Address{Hi: math.MaxUint64, Lo: math.MaxUint64}

// place hashes an address with the secret: its upper bits choose the shard, so that what one client was told of an address and what
// everyone was lie in the same.
func (t *Table) place(addr decode.Address) uint64 {
	h, l := bits.Mul64(addr.Hi^t.seed, addr.Lo^0x9e3779b97f4a7c15)
	return h ^ l
}

// key mixes a client into the place of an address. It is never 0, which marks an empty entry.
func (t *Table) key(place uint64, client decode.Address) uint64 {
	h, l := bits.Mul64(client.Hi^place, client.Lo^t.seed)
	return place ^ h ^ l | 1
}

func (t *Table) shardOf(place uint64) *shard { return &t.shard[place>>1>>(t.shift-1)] }

// set is the places that a key may stand in.
func (t *Table) set(s *shard, key uint64) *[ways]entry {
	at := key >> 8 & t.mask * ways
	return (*[ways]entry)(s.slots[at:])
}

// Told is one address of an answer, and for how many seconds it holds.
type Told struct {
	Addr decode.Address
	TTL  uint32
}

// Learn notes that client was told, at a time in nanoseconds, that name (lower case) has the addresses. It does not allocate and keeps
// nothing that it is given.
func (t *Table) Learn(client decode.Address, name []byte, at int64, told []Told) {
	if len(name) == 0 || len(name) > maxName {
		return
	}
	n := answer{name: name, sum: t.sum(name), now: seconds(at)}
	for len(told) > 0 {
		some := told[:min(batch, len(told))]
		if t.lock {
			t.learn(client, &n, some)
		} else {
			t.postpone(client, &n, some)
		}
		told = told[len(some):]
	}
	runtime.KeepAlive(t) // the memory of its entries is given back with it
}

// answer is a name that was looked up.
type answer struct {
	name   []byte
	sum    uint32
	now    uint32
	expiry uint32
}

// expires is when an address of the answer is forgotten.
func (n *answer) expires(told *Told) uint32 {
	return n.now + min(max(least, told.TTL), math.MaxInt32) + grace
}

// learn puts an answer into its places in a table of several workers.
func (t *Table) learn(client decode.Address, n *answer, told []Told) {
	for i := range told {
		place := t.place(told[i].Addr)
		s := t.shardOf(place)
		n.expiry = n.expires(&told[i])
		s.mu.Lock()
		for _, who := range [2]*decode.Address{&client, &everyone} {
			key := t.key(place, *who)
			s.learn(t.set(s, key), key, n)
		}
		s.mu.Unlock()
	}
}

// seconds is a time in the unit of an entry; what lies outside of it is damage.
func seconds(at int64) uint32 {
	return uint32(min(max(at/1e9, 0), math.MaxInt32))
}

func (s *shard) learn(set *[ways]entry, key uint64, n *answer) {
	oldest := &set[0]
	for i := range set {
		e := &set[i]
		if e.key == key {
			s.again(e, n)
			return
		}
		if e.expiry < oldest.expiry {
			oldest = e
		}
	}
	*oldest = entry{key: key, expiry: n.expiry, sum: n.sum, name: s.names.put(n.name, n.sum)}
}

// again notes another answer for what e knows.
func (s *shard) again(e *entry, n *answer) {
	switch {
	case n.now > e.expiry: // what was known is over
		*e = entry{key: e.key, expiry: n.expiry, sum: n.sum, name: s.names.put(n.name, n.sum)}
		return
	case e.sum == n.sum:
		if !s.names.holds(e.name) {
			e.name = s.names.put(n.name, n.sum)
		}
	default: // another name for the address, or back to the one before: both are alive
		if e.last != n.sum {
			e.others++
		}
		e.last = e.sum
		e.sum, e.name = n.sum, s.names.put(n.name, n.sum)
	}
	e.expiry = max(e.expiry, n.expiry)
}

// Answer is what a table knows of an address.
type Answer struct {
	Name []byte // appended to the buffer that was given
	// Others counts other names that were looked up for the address while this one was alive.
	Others int
	// Own says that the client itself was told, not just someone.
	Own bool
}

// Lookup says which name the server's address was last looked up for: by the client itself, else by anyone. buf is where the name is
// put.
func (t *Table) Lookup(client, server decode.Address, at int64, buf []byte) (Answer, bool) {
	place := t.place(server)
	s := t.shardOf(place)
	if t.lock {
		s.mu.Lock()
		defer s.mu.Unlock()
	} else {
		t.settle()
	}
	for i, who := range [2]decode.Address{client, everyone} {
		key := t.key(place, who)
		if a, ok := s.lookup(t.set(s, key), key, seconds(at), buf); ok {
			a.Own = i == 0
			return a, true
		}
	}
	runtime.KeepAlive(t)
	return Answer{}, false
}

func (s *shard) lookup(set *[ways]entry, key uint64, now uint32, buf []byte) (Answer, bool) {
	for i := range set {
		e := &set[i]
		if e.key != key || now > e.expiry {
			continue
		}
		name, ok := s.names.get(e.name, buf)
		return Answer{Name: name, Others: int(e.others)}, ok
	}
	return Answer{}, false
}

// sum is a short hash of a name, never 0.
func (t *Table) sum(name []byte) uint32 {
	h := t.seed
	for len(name) >= 8 {
		hi, lo := bits.Mul64(h^binary.LittleEndian.Uint64(name), 0x9e3779b97f4a7c15)
		h = hi ^ lo
		name = name[8:]
	}
	for _, c := range name {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	return uint32(h>>32) | 1
}
