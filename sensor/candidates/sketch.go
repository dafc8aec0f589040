package candidates

import (
	"math"
	"math/bits"

	"github.com/gnomon-sensor/gnomon/sensor/prefetch"
)

// registers is how many registers the sketch of a name's clients has: HyperLogLog (Flajolet and others, 2007), whose standard error with
// 64 is 13 %; up to some forty clients, counting empty registers is far closer. Of a client twelve bits are kept.
const registers = 64

// Sketch says how many clients there were without saying which.
type Sketch [registers]uint8

// split turns a hash into a register and the rank that it would put there.
func split(h uint64) (register, rank uint8) {
	return uint8(h % registers), uint8(bits.LeadingZeros64(h|registers-1)) + 1
}

func (s *Sketch) add(register, rank uint8) {
	s[register] = max(s[register], rank)
}

// Merge makes s the sketch of the clients of both.
func (s *Sketch) Merge(o *Sketch) {
	for i, rank := range o {
		s[i] = max(s[i], rank)
	}
}

// Count estimates how many clients were added.
func (s *Sketch) Count() uint64 {
	sum, empty := 0.0, 0
	for _, rank := range s {
		sum += math.Ldexp(1, -int(rank))
		if rank == 0 {
			empty++
		}
	}
	const alpha = 0.709 // for 64 registers
	estimate := alpha * registers * registers / sum
	if estimate <= 2.5*registers && empty > 0 {
		estimate = registers * math.Log(registers/float64(empty))
	}
	return uint64(math.Round(estimate))
}

// later is what is still to be noted in a dense sketch.
type later struct {
	dense          uint32
	register, rank uint8 // a rank of 0 changes nothing
}

// noteLater notes a client in a dense sketch some contacts on, when that is in the cache: to wait for it at once cost 2.3 % of reading
// handshakes, this way 0.8. settle has to be called before sketches are read.
func (s *shard) noteLater(l later) {
	const ahead = uint8(len(s.later))
	prefetch.At(&s.dense[l.dense])
	old := &s.later[s.turn%ahead]
	s.turn++
	if old.rank > 0 {
		(*Sketch)(&s.dense[old.dense]).add(old.register, old.rank)
	}
	*old = l
}

// settle notes what was put off.
func (s *shard) settle() {
	for i := range s.later {
		if l := &s.later[i]; l.rank > 0 {
			(*Sketch)(&s.dense[l.dense]).add(l.register, l.rank)
			*l = later{}
		}
	}
}

// add notes a client of an entry. The first few registers are kept in the entry itself: most names have few clients.
func (s *shard) add(e *entry, h uint64) {
	register, rank := split(h)
	if e.dense >= 0 {
		s.noteLater(later{uint32(e.dense), register, rank})
		return
	}
	for i, pair := range e.sparse {
		if pair == 0 || uint8(pair>>8) == register {
			e.sparse[i] = uint16(register)<<8 | uint16(max(rank, uint8(pair)))
			return
		}
	}
	e.dense = int32(len(s.dense))
	s.dense = append(s.dense, [registers]uint8{})
	dense := (*Sketch)(&s.dense[e.dense])
	dense.add(register, rank)
	for _, pair := range e.sparse {
		dense.add(uint8(pair>>8), uint8(pair))
	}
}

// clients copies the sketch of an entry.
func (s *shard) clients(e *entry) Sketch {
	if e.dense >= 0 {
		return s.dense[e.dense]
	}
	var out Sketch
	for _, pair := range e.sparse {
		out.add(uint8(pair>>8), uint8(pair))
	}
	return out
}
