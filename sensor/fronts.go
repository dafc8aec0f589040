package sensor

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dns"
	"github.com/gnomon-sensor/gnomon/sensor/wire/ech"
)

const (
	// maxFronts bounds how many public names are remembered: there are a handful of providers.
	maxFronts = 4096
	// frontFor is how long a configuration counts after it was last looked up: clients keep connections and caches for hours.
	frontFor = int64(24 * 3600e9)
)

// Fronts remembers under which public names clients were told to hide the names that they mean (RFC 9849), from the HTTPS records that
// they looked up. It only measures what is hidden: a record is anyone's word, so no name is taken from a flow on its account. It is
// shared by the workers of a sensor.
type Fronts struct {
	ids  [4]atomic.Uint64 // which identifiers were ever seen, a bit for each
	mu   sync.Mutex
	seen map[front]int64 // when it was last told
}

// front is a public name, lower case, and the identifier of one of its configurations.
type front struct {
	name string
	id   uint8
}

// NewFronts returns an empty memory.
func NewFronts() *Fronts { return &Fronts{seen: map[front]int64{}} }

// learn notes the configurations of a message.
func (fr *Fronts) learn(m *dns.Message, at int64) {
	list, err := ech.Open(m.ECHConfigs)
	for err == nil && len(list) > 0 {
		var c ech.Config
		var known bool
		if c, known, list, err = ech.Next(list); known {
			fr.note(front{strings.ToLower(string(c.PublicName)), c.ID}, at)
		}
	}
}

// note keeps one. If there are too many, those that are over go, and if need be all.
func (fr *Fronts) note(f front, at int64) {
	fr.mu.Lock()
	defer fr.mu.Unlock()
	if _, known := fr.seen[f]; !known && len(fr.seen) >= maxFronts {
		for old, last := range fr.seen {
			if at-last > frontFor {
				delete(fr.seen, old)
			}
		}
		if len(fr.seen) >= maxFronts {
			clear(fr.seen)
		}
	}
	fr.seen[f] = max(fr.seen[f], at)
	fr.ids[f.id/64].Or(1 << (f.id % 64))
}

// knows says whether a client was told to hide behind a name by a configuration. GREASE has a random identifier, which is nobody's nearly
// always: it is told by that alone, without the lock.
func (fr *Fronts) knows(name []byte, id uint8, at int64) bool {
	if fr.ids[id/64].Load()>>(id%64)&1 == 0 {
		return false
	}
	var buf [256]byte
	key := append(buf[:0], name...)
	for i, b := range key {
		if b >= 'A' && b <= 'Z' {
			key[i] = b | 0x20
		}
	}
	fr.mu.Lock()
	defer fr.mu.Unlock()
	last, ok := fr.seen[front{string(key), id}] // which allocates nothing
	return ok && at-last <= frontFor
}

// hiddenECH says whether a hello with an encrypted one inside hides the name that the client means, because a look-up has told of a
// configuration with this name and identifier. GREASE is sent under true names and with random identifiers (RFC 9849, section 6.2).
func (s *Sensor) hiddenECH(o *evidence.Observation) bool {
	id, ok := o.Hello.ECHConfigID()
	return ok && s.config.Fronts != nil && s.config.Fronts.knows(o.Name, id, s.now)
}
