package flow

import (
	"slices"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/prefetch"
)

const (
	// sweepEvery is how long, in packet time, one look at the whole table may take. What is over is over by the times of its packets;
	// the sweep only decides how soon memory is free again.
	sweepEvery = int64(30e9)
	// tickEvery is how often matched flows are looked at for slices that are due.
	tickEvery = int64(500e6)
)

// Due emits what is over at the given packet time: slices whose border has passed, and flows that are idle. Of those that are not sliced it
// looks at a share of the table that fits the time since the last call. When a sliced flow ends follows from its packets alone, for what is
// known of its client by then decides what becomes of it.
func (t *Table) Due(now int64) {
	t.now = max(t.now, now)
	t.dropEnded()
	if now-t.ticks >= tickEvery || now < t.ticks {
		t.ticks = now
		t.dueSlices(now)
	}
	if t.used == 0 {
		t.swept = now
		return
	}
	n := t.share(now - t.swept)
	if n < min(64, t.used) {
		return // a longer stretch at once costs less
	}
	t.swept = now
	for range n {
		if t.hand++; t.hand >= t.used {
			t.hand = 0
		}
		t.ahead(t.hand+soon, now)
		if f := t.at(t.hand); f.State&(Live|Matched) == Live {
			if end, idle := t.idle(f, now); idle {
				t.over(f, end, now)
			}
		}
	}
}

// ahead has what the end of a flow changes on its way to the cache, if the flow is over.
func (t *Table) ahead(slot uint32, now int64) {
	if slot >= t.used {
		return
	}
	f := t.at(slot)
	if _, idle := t.idle(f, now); idle && f.State&(Live|Matched) == Live {
		prefetch.At(&t.index[f.tag&t.mask])
		t.owner.Soon(f)
	}
}

// share is how many flows are to be looked at for the time that has gone by since the last look.
func (t *Table) share(gone int64) uint32 {
	if gone < 0 || gone >= sweepEvery {
		return t.used
	}
	return uint32(gone * int64(t.used) / sweepEvery)
}

// dueSlices emits the slices whose border has passed, and drops flows from the list that have ended.
func (t *Table) dueSlices(now int64) {
	kept := t.matched[:0]
	for _, l := range t.matched {
		if now >= l.border {
			s := t.sides[l.at]
			if s.serial != l.serial || t.dueSlice(s.flow, s, now) {
				continue
			}
			l.border = t.nextLook(s)
		}
		kept = append(kept, l)
	}
	t.matched = kept
}

// dropEnded takes flows off the list that have ended, if they are most of it.
func (t *Table) dropEnded() {
	if len(t.matched) > 2*len(t.sides)+64 {
		t.matched = slices.DeleteFunc(t.matched, func(l listing) bool { return t.sides[l.at].serial != l.serial })
	}
}

// dueSlice emits what is pending of f if its border has passed, and ends f if it was over by then, or was closed and nothing followed: it
// returns true.
func (t *Table) dueSlice(f *Flow, s *Side, now int64) bool {
	if f.shut() && now >= t.shutOver(f) {
		t.over(f, f.closed(EndIdle), now)
		return true
	}
	if now < s.Slice.Border {
		return false
	}
	end, over := t.idle(f, s.Slice.Border)
	if over {
		t.end(f, end)
		return true
	}
	t.border(f, now)
	return false
}

// nextLook is when a sliced flow is to be looked at again.
func (t *Table) nextLook(s *Side) int64 {
	if s.flow.shut() {
		return min(s.Slice.Border, t.shutOver(s.flow))
	}
	return s.Slice.Border
}

// shutOver is when a sliced flow that is closed ends: as late as the sweep may come by at others, for until then it counts what its client is
// seen to use.
func (t *Table) shutOver(f *Flow) int64 { return f.Last + t.config.Linger + sweepEvery + 1 }

// over ends f, of which it is known at the given time that it is over. What the last slice says of the end follows packet time, too: if
// its border came before f was over, it was written, or is written now, as a slice of a flow that goes on.
func (t *Table) over(f *Flow, end End, now int64) {
	if f.State&Matched != 0 {
		if _, over := t.idle(f, t.sides[f.Side].Slice.Border); !over {
			t.border(f, now)
		}
	}
	t.end(f, end)
}

// evictShare is the part of the table that one eviction frees: a pass over the table costs the same however many go.
const evictShare = 64

// evict ends the flows that have been idle longest.
func (t *Table) evict() {
	const samples = 1024
	last := make([]int64, 0, samples)
	step := max(1, t.used/samples)
	for slot := uint32(0); slot < t.used; slot += step {
		if f := t.at(slot); f.State&Live != 0 {
			last = append(last, f.Last)
		}
	}
	if len(last) == 0 {
		return
	}
	slices.Sort(last)
	oldest := last[len(last)/evictShare]
	quota := t.stats.Live/evictShare + 1
	for slot := uint32(0); slot < t.used && quota > 0; slot++ {
		if f := t.at(slot); f.State&Live != 0 && f.Last <= oldest {
			t.stats.Evicted++
			quota--
			t.end(f, EndEvicted)
		}
	}
}

// tombstone is what is kept of an evicted flow: enough to go on with its name and numbers when it comes back.
type tombstone struct {
	at    int // in tombstones.order
	first int64
	last  int64
	state State
	half  [2]Half
	low   [2]uint32
	acked [2]uint32
	slice Slice
	owner any
}

// tombstones are bounded: the oldest make room.
type tombstones struct {
	limit int
	of    map[decode.Key]tombstone
	order []decode.Key
	free  []int // places in order whose flow came back
	next  int   // the place that makes room next
}

func (ts *tombstones) any() bool { return len(ts.of) > 0 }

// bury keeps what is worth keeping of f.
func (ts *tombstones) bury(f *Flow, s *Side) {
	if f.State&(Named|Settled|Matched) == 0 {
		return
	}
	if ts.of == nil {
		ts.of = make(map[decode.Key]tombstone)
		ts.order = make([]decode.Key, 0, ts.limit)
	}
	tomb := tombstone{at: ts.place(), first: f.First, last: f.Last, state: f.State, half: f.Half, low: f.Low, acked: f.Acked}
	if s != nil {
		tomb.slice, tomb.owner = s.Slice, s.Owner
	}
	ts.order[tomb.at] = f.Key
	ts.of[f.Key] = tomb
}

// place hands out a place in order.
func (ts *tombstones) place() int {
	if n := len(ts.free); n > 0 {
		at := ts.free[n-1]
		ts.free = ts.free[:n-1]
		return at
	}
	if n := len(ts.order); n < ts.limit {
		ts.order = ts.order[:n+1]
		return n
	}
	at := ts.next
	delete(ts.of, ts.order[at])
	ts.next = (at + 1) % ts.limit
	return at
}

// take takes the tombstone of a five-tuple away.
func (ts *tombstones) take(key decode.Key) (tombstone, bool) {
	tomb, ok := ts.of[key]
	if ok {
		delete(ts.of, key)
		ts.free = append(ts.free, tomb.at)
	}
	return tomb, ok
}

// resume gives a flow that was evicted its name and numbers back. A flow that begins with a SYN is another one, and so is one that comes
// when the evicted flow would have ended by itself.
func (t *Table) resume(f *Flow) {
	tomb, ok := t.tombs.take(f.Key)
	if !ok {
		return
	}
	old := Flow{Key: f.Key, Last: tomb.last, State: tomb.state, Half: tomb.half}
	if _, over := t.idle(&old, f.First); over || f.State&NoClient == 0 {
		return
	}
	now := f.First
	t.stats.Resumed++
	f.First, f.Half, f.Low, f.Acked = tomb.first, tomb.half, tomb.low, tomb.acked
	f.State = tomb.state&^(Matched|Gap) | Live | Resumed
	if tomb.owner != nil {
		t.SideOf(f).Owner = tomb.owner
	}
	if tomb.state&Matched != 0 {
		s := t.SideOf(f)
		s.Slice = tomb.slice
		s.Slice.Pending = false
		s.Slice.Border = s.Slice.next(now)
		f.State |= Matched
		t.list(s)
	}
}
