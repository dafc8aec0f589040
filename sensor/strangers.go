package sensor

import (
	"hash/maphash"

	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/prefetch"
)

// steady is implemented by classifiers that know a name of a hello or do not, whatever else the evidence is. Edition differs, compared with
// ==, whenever they may know another set of names.
type steady interface{ Edition() any }

const (
	strangerSets = 1 << 11 // 128 KiB
	strangerWays = 4       // of a set: one cache line
)

// strangers remembers names of hellos that the catalogue knows nothing of: nearly all, and they repeat. What a name in it costs is one look
// instead of one at the catalogue's services, one at what hides names, and one at the names that were counted.
//
// A name is known by 62 bits of its hash, which hangs on a secret of the process: that one is taken for another is as likely as to guess that
// secret. With the names themselves, four times as long, reading handshakes waited here for memory 4.4 % of its time, and with their hashes
// 1.8: what many packets lie between is in no near cache, and it was spread over four times as many pages.
type strangers struct {
	of      steady // nil: nothing is remembered
	edition any
	sets    [][strangerWays]stranger // made at the first name
}

// stranger is such a name: lower case, without a dot at its end.
type stranger struct {
	key uint64         // the hash of the name, with the last bits for what follows; 0: free
	ref candidates.Ref // where it was counted last
}

// The last bits of a key.
const (
	countable = 1 << iota
	taken
)

// countable says whether the name could stand in a catalogue.
func (k *stranger) countable() bool { return k.key&countable != 0 }

// set is where a name is if it is anywhere.
func (t *strangers) set(hash uint64) *[strangerWays]stranger { return &t.sets[hash>>32%strangerSets] }

// ahead has the set of a name on its way to the cache.
func (t *strangers) ahead(hash uint64) {
	if len(t.sets) > 0 {
		prefetch.At(t.set(hash))
	}
}

// find returns what is remembered of a name, or nil. It is valid until the next call of add.
func (t *strangers) find(hash uint64) *stranger {
	if len(t.sets) == 0 {
		return nil
	}
	set := t.set(hash)
	for i := range set {
		if k := &set[i]; k.key|countable == hash|countable|taken {
			return k
		}
	}
	return nil
}

// renew forgets all if the catalogue is another one. It is called once for each batch of frames: a catalogue may come a few names late.
func (t *strangers) renew() {
	if t.sets == nil {
		return
	}
	if now := t.of.Edition(); now != t.edition {
		t.edition = now
		clear(t.sets)
	}
}

// add remembers a name; the one of its set that was added first makes room. Where a name is not remembered, it returns nil.
func (t *strangers) add(hash uint64, name []byte) *stranger {
	if t.of == nil || len(name) == 0 || !isLower(name) {
		return nil
	}
	if t.sets == nil {
		t.sets, t.edition = make([][strangerWays]stranger, strangerSets), t.of.Edition()
	}
	set := t.set(hash)
	copy(set[1:], set[:])
	set[0] = stranger{key: hash&^countable | taken}
	if candidates.Countable(name) {
		set[0].key |= countable
	}
	return &set[0]
}

// isLower says whether a name is in the form in which names are counted.
func isLower(name []byte) bool {
	for _, b := range name {
		if b >= 'A' && b <= 'Z' {
			return false
		}
	}
	return name[len(name)-1] != '.'
}

// expect has what meet will look at on its way to the cache. The names of requests are not asked for: they may carry a port.
func (s *Sensor) expect(o *evidence.Observation) {
	if s.metHash = 0; o.Hello != nil && len(o.Name) > 0 {
		s.metHash = maphash.Bytes(s.unlisted.seed, o.Name)
		s.strangers.ahead(s.metHash)
	}
}

// meet looks whether the name that was read is a stranger's.
func (s *Sensor) meet() {
	s.met, s.hider = nil, hider{}
	if s.metHash == 0 {
		return
	}
	if s.met = s.strangers.find(s.metHash); s.met != nil {
		s.hider.known = true // that it hides nothing
		if s.config.Unlisted != nil {
			s.config.Unlisted.Ahead(s.met.ref)
		}
	}
}

// remember keeps the name that was read if it turned out to be a stranger's.
func (s *Sensor) remember(o *evidence.Observation) {
	if s.met != nil || s.metHash == 0 || s.listed {
		return
	}
	if id, _ := s.hiderOf(o); id == "" {
		s.met = s.strangers.add(s.metHash, o.Name)
	}
}
