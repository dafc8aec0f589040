package sensor

import (
	"hash/maphash"

	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
)

// steady is implemented by classifiers that know a name of a hello or do not, whatever else the evidence is. Edition differs, compared with
// ==, whenever they may know another set of names.
type steady interface{ Edition() any }

const (
	strangerSets = 1 << 12 // of two names each: 512 KiB
	// maxStranger bounds a name that is remembered, so that all that is kept of it lies in one cache line; one name in a thousand is longer.
	maxStranger = 50
)

// strangers remembers names of hellos that the catalogue knows nothing of: nearly all, and they repeat. What a name in it costs is one look
// instead of one at the catalogue's services, one at what hides names, and one at the names that were counted.
type strangers struct {
	of      steady // nil: nothing is remembered
	edition any
	sets    [][2]stranger // made at the first name
}

// stranger is such a name: lower case, without a dot at its end.
type stranger struct {
	ref       candidates.Ref // where it was counted last
	hash      uint32
	length    uint8 // 0: free
	countable bool
	name      [maxStranger]byte
}

// find returns what is remembered of a name, or nil. It is valid until the next call of add.
func (t *strangers) find(hash uint64, name []byte) *stranger {
	if len(t.sets) == 0 {
		return nil
	}
	set := &t.sets[hash>>32%strangerSets]
	for i := range set {
		if k := &set[i]; k.hash == uint32(hash) && string(k.name[:k.length]) == string(name) {
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
	if t.of == nil || len(name) == 0 || len(name) > maxStranger || !isLower(name) {
		return nil
	}
	if t.sets == nil {
		t.sets, t.edition = make([][2]stranger, strangerSets), t.of.Edition()
	}
	set := &t.sets[hash>>32%strangerSets]
	set[1] = set[0]
	set[0] = stranger{hash: uint32(hash), length: uint8(len(name)), countable: candidates.Countable(name)}
	copy(set[0].name[:], name)
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

// meet looks whether the name that was read is a stranger's. The names of requests are not asked for: they may carry a port.
func (s *Sensor) meet(o *evidence.Observation) {
	s.met, s.hider = nil, hider{}
	if o.Hello != nil && len(o.Name) > 0 {
		s.metHash = maphash.Bytes(s.unlisted.seed, o.Name)
		if s.met = s.strangers.find(s.metHash, o.Name); s.met != nil {
			s.hider.known = true // that it hides nothing
			if s.config.Unlisted != nil {
				s.config.Unlisted.Ahead(s.met.ref)
			}
		}
	}
}

// remember keeps the name that was read if it turned out to be a stranger's.
func (s *Sensor) remember(o *evidence.Observation) {
	if s.met != nil || o.Hello == nil || len(o.Name) == 0 || s.listed {
		return
	}
	if id, _ := s.hiderOf(o); id == "" {
		s.met = s.strangers.add(s.metHash, o.Name)
	}
}
