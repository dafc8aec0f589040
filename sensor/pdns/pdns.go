// Package pdns is the sensor's passive DNS: which name an address was last looked up for, by whom, and whether other names share it. It
// reads no packets (see wire/dns) and decides nothing about names (see classifiers).
package pdns

import (
	"math/bits"
	"sync"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

const (
	shards = 64
	ways   = 4
	// graceNS is how long after its lifetime an answer still counts: clients and their libraries use addresses longer than they may.
	graceNS = int64(300e9)
	// leastNS is the least that an answer counts: load balancers give lifetimes of seconds, connections are made later.
	leastNS = int64(60e9)
)

// Config bounds a table.
type Config struct {
	// Entries is how many (client, address) pairs and addresses are remembered together; the oldest give way. Default 262144.
	Entries int
	// NameBytes is how much memory their names may take; the oldest are forgotten. Default 8 MiB.
	NameBytes int
}

// Default returns the defaults.
func Default() Config { return Config{Entries: 1 << 18, NameBytes: 8 << 20} }

// entry is what is known of an address, for one client or for all.
type entry struct {
	key    uint64 // hash of the address, and of the client if it is one's own
	expiry int64  // nanoseconds since 1970-01-01 UTC
	name   ref    // the last name
	others uint32 // other names seen while this one was alive, as far as they could be told apart
	last   uint32 // a hash of the other name that was counted last
}

// Table is shared by the workers of a sensor. Its methods may be called from several goroutines at once.
type Table struct {
	seed  uint64
	mask  uint64
	shard [shards]shard
}

type shard struct {
	mu    sync.Mutex
	slots []entry
	names arena
}

// New returns an empty table. seed is secret: it keeps hostile answers from aiming at one place.
func New(config Config, seed uint64) *Table {
	per := max(64, config.Entries/shards)
	per = 1 << (bits.Len(uint(per)) - 1)
	t := &Table{seed: seed | 1, mask: uint64(per/ways - 1)}
	for i := range t.shard {
		t.shard[i].slots = make([]entry, per)
		t.shard[i].names.init(max(4096, config.NameBytes/shards))
	}
	return t
}

// hash mixes an address, and a client, with the secret.
func (t *Table) hash(client, addr decode.Address) uint64 {
	h, l := bits.Mul64(addr.Hi^t.seed, addr.Lo^0x9e3779b97f4a7c15)
	h2, l2 := bits.Mul64(client.Hi^h^l, client.Lo^t.seed)
	return h ^ l ^ h2 ^ l2 | 1
}

// everyone is the client of what all clients' look-ups say together.
var everyone = decode.Address{Hi: 1<<64 - 1, Lo: 1<<64 - 1}

// Learn notes that client was told that name (lower case) has the address, at a time, for ttl seconds. It does not allocate and does not
// keep name.
func (t *Table) Learn(client, addr decode.Address, name []byte, at int64, ttl uint32) {
	if len(name) == 0 || len(name) > maxName {
		return
	}
	told := told{name: name, sum: t.sum(name), at: at, expiry: at + max(leastNS, int64(ttl)*1e9) + graceNS}
	for _, who := range [2]decode.Address{client, everyone} {
		key := t.hash(who, addr)
		s := &t.shard[key>>58]
		s.mu.Lock()
		s.learn(t.slot(key), key, &told)
		s.mu.Unlock()
	}
}

// told is one answer.
type told struct {
	name   []byte
	sum    uint32
	at     int64
	expiry int64
}

// slot is where the ways of a key begin.
func (t *Table) slot(key uint64) int { return int(key>>8&t.mask) * ways }

func (s *shard) learn(at int, key uint64, told *told) {
	set := s.slots[at : at+ways]
	oldest := &set[0]
	for i := range set {
		e := &set[i]
		if e.key == key {
			e.learn(s, told)
			return
		}
		if e.expiry < oldest.expiry {
			oldest = e
		}
	}
	*oldest = entry{key: key, expiry: told.expiry, name: s.names.put(told.name, told.sum)}
}

func (e *entry) learn(s *shard, told *told) {
	name, sum, expiry := told.name, told.sum, told.expiry
	switch {
	case told.at > e.expiry: // what was known is over
		*e = entry{key: e.key, expiry: expiry, name: s.names.put(name, sum)}
		return
	case e.name.sum == sum && s.names.holds(e.name):
	case e.last == sum:
	default: // another name for the address
		e.others++
		e.last = e.name.sum
		e.name = s.names.put(name, sum)
	}
	if e.last == sum && e.name.sum != sum { // back to the other one: both are alive
		e.last = e.name.sum
		e.name = s.names.put(name, sum)
	}
	e.expiry = max(e.expiry, expiry)
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
	for i, who := range [2]decode.Address{client, everyone} {
		key := t.hash(who, server)
		s := &t.shard[key>>58]
		s.mu.Lock()
		a, ok := s.lookup(t.slot(key), key, at, buf)
		s.mu.Unlock()
		if ok {
			a.Own = i == 0
			return a, true
		}
	}
	return Answer{}, false
}

func (s *shard) lookup(at int, key uint64, now int64, buf []byte) (Answer, bool) {
	for _, e := range s.slots[at : at+ways] {
		if e.key != key || now > e.expiry {
			continue
		}
		name, ok := s.names.get(e.name, buf)
		return Answer{Name: name, Others: int(e.others)}, ok
	}
	return Answer{}, false
}

// sum is a short hash of a name.
func (t *Table) sum(name []byte) uint32 {
	h := t.seed
	for len(name) >= 8 {
		w := uint64(name[0]) | uint64(name[1])<<8 | uint64(name[2])<<16 | uint64(name[3])<<24 |
			uint64(name[4])<<32 | uint64(name[5])<<40 | uint64(name[6])<<48 | uint64(name[7])<<56
		hi, lo := bits.Mul64(h^w, 0x9e3779b97f4a7c15)
		h = hi ^ lo
		name = name[8:]
	}
	for _, c := range name {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	return uint32(h>>32) | 1
}
