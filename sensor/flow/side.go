package flow

// Side is what few flows need: gaps in the sequence, slices, and whatever the reader of the payload keeps.
type Side struct {
	flow   *Flow
	at     uint32    // own index
	serial uint32    // tells the flows apart that have the side one after the other
	holes  [2]*holes // by direction; nil: no gap is open
	// Slice is kept for flows with State Matched.
	Slice Slice
	// Reader belongs to package evidence: what it has put together of the payload and found in it.
	Reader any
	// Owner belongs to the table's Owner: what the flow means (verdict, names).
	Owner any
}

// Slice is the part of a flow that is not written yet. Its borders follow packet time alone, so that the same input gives the same
// slices however it is batched.
type Slice struct {
	Number  uint32
	Pending bool  // something was counted since the slice before
	Start   int64 // time of the first segment in it
	Border  int64 // the slice ends before the first segment at or after this time
	Every   int64 // distance of the borders after the first
	// Bytes and Packets are the flow's totals, by direction, at the end of the slice before.
	Bytes   [2]uint64
	Packets [2]uint32
}

// next returns the first border after t.
func (s *Slice) next(t int64) int64 {
	if t < s.Border {
		return s.Border
	}
	return s.Border + ((t-s.Border)/s.Every+1)*s.Every
}

// SideOf returns f's side state, made at first use. It is valid until the flow ends.
func (t *Table) SideOf(f *Flow) *Side {
	if f.Side != 0 {
		return t.sides[f.Side]
	}
	if n := len(t.freeSides); n > 0 {
		f.Side = t.freeSides[n-1]
		t.freeSides = t.freeSides[:n-1]
	} else {
		f.Side = uint32(len(t.sides))
		t.sides = append(t.sides, &Side{at: f.Side})
	}
	s := t.sides[f.Side]
	s.flow = f
	return s
}

// sideIf returns f's side state or nil.
func (t *Table) sideIf(f *Flow) *Side {
	if f.Side == 0 {
		return nil
	}
	return t.sides[f.Side]
}

// Peek returns f's side state, or nil if it has none.
func (t *Table) Peek(f *Flow) *Side { return t.sideIf(f) }

// Forget lets go of f's side state if nothing in it is needed any more: no open gap, no slices.
func (t *Table) Forget(f *Flow) {
	s := t.sideIf(f)
	if s == nil || f.State&Matched != 0 || s.holes[0] != nil || s.holes[1] != nil || s.Reader != nil || s.Owner != nil {
		return
	}
	t.freeSide(f, s)
}

// gaps returns the gaps of one direction, made at first use.
func (t *Table) gaps(s *Side, dir uint8) *holes {
	if s.holes[dir] == nil {
		s.holes[dir] = &holes{}
		if n := len(t.freeHoles); n > 0 {
			s.holes[dir], t.freeHoles = t.freeHoles[n-1], t.freeHoles[:n-1]
		}
	}
	return s.holes[dir]
}

// fillUp lets go of a direction's gaps.
func (t *Table) fillUp(s *Side, dir uint8) {
	if h := s.holes[dir]; h != nil {
		h.n = 0
		t.freeHoles = append(t.freeHoles, h)
		s.holes[dir] = nil
	}
}

func (t *Table) freeSide(f *Flow, s *Side) {
	t.fillUp(s, 0)
	t.fillUp(s, 1)
	*s = Side{at: s.at, serial: s.serial + 1}
	t.freeSides = append(t.freeSides, s.at)
	f.Side = 0
}

// Slices begins slices for f: the first ends `first` nanoseconds after now, the others `every` apart. What was counted before belongs
// to the first slice.
func (t *Table) Slices(f *Flow, now, first, every int64) *Side {
	s := t.SideOf(f)
	if f.State&Matched == 0 {
		f.State |= Matched
		s.Slice.Border, s.Slice.Every = now+first, every
		s.Slice.Pending, s.Slice.Start = true, f.First
		t.list(s)
	}
	return s
}

// listing is a sliced flow on the list that Due looks through: as long as the serial is the side's, it is the same flow. The border stands
// here as well, no later than the slice's own and the flow's end, so that what is not due costs no look at side and flow: twice a second that was 2 % of reading
// handshakes.
type listing struct {
	border     int64
	at, serial uint32
}

// list puts a sliced flow on the list: when its slices begin, and once more when it is closed.
func (t *Table) list(s *Side) {
	t.matched = append(t.matched, listing{t.nextLook(s), s.at, s.serial})
}

// Flush writes what is pending of f's slice, for a caller that is about to give the flow another meaning.
func (t *Table) Flush(f *Flow) {
	if s := t.sideIf(f); s != nil && f.State&Matched != 0 {
		t.emitSlice(f, s, EndNone)
	}
}

// emitSlice hands the pending slice over and begins the next one; nothing happens if nothing is pending.
func (t *Table) emitSlice(f *Flow, s *Side, end End) {
	if !s.Slice.Pending {
		return
	}
	t.owner.Emit(f, s, end)
	s.Slice.Number++
	s.Slice.Pending = false
	for d := range s.Slice.Bytes {
		s.Slice.Bytes[d], s.Slice.Packets[d] = f.Half[d].Bytes, f.Half[d].Packets
	}
}
