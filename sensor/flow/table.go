package flow

import (
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/hugepage"
)

// Owner is told what becomes of flows, from within the table's methods. Nothing that it is given may be kept.
type Owner interface {
	// Soon may be called for a flow that will end within the next few, so that what its end changes can be on its way to the cache. The
	// flow may be another by then.
	Soon(f *Flow)
	// Ending is called once for every flow, before it is emitted for the last time; side is nil if it has none. What was only half
	// read may still be used, and what Reader holds is let go.
	Ending(f *Flow, side *Side)
	// Emit is told of every slice of a matched flow, and of the end of every other flow; side may be nil then. end is EndNone for a
	// slice of a flow that goes on.
	Emit(f *Flow, side *Side, end End)
}

// Table holds the flows of one capture worker and belongs to one goroutine.
type Table struct {
	config Config
	owner  Owner

	first  []Flow // of chunks
	chunks [][]Flow
	room   int      // slots in chunks
	used   uint32   // slots handed out so far
	free   []uint32 // slots given back
	index  []bucket
	mask   uint32

	sides     []*Side // [0] is unused
	freeSides []uint32
	freeHoles []*holes
	matched   []listing // the flows that are sliced, and some that were

	tombs     tombstones
	stats     Stats
	finishing bool   // every flow ends, and the index is emptied afterwards
	hand      uint32 // where the sweep for idle flows goes on
	swept     int64  // packet time up to which it is paid for
	ticks     int64  // packet time of the last look at matched flows
	now       int64  // latest time that Due or Reached was told
}

// New returns an empty table.
func New(config Config, owner Owner) (*Table, error) {
	t := &Table{config: config, owner: owner, sides: make([]*Side, 1)}
	t.tombs.limit = max(1024, config.MaxFlows/8)
	if err := t.lay(); err != nil {
		return nil, err
	}
	if err := t.resize(1 << 12); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// Close lets go of the table's memory, and of every flow without a word: see Finish.
func (t *Table) Close() {
	for _, chunk := range t.chunks {
		hugepage.Free(chunk)
	}
	hugepage.Free(t.index)
	t.first, t.chunks, t.index = nil, nil, nil
}

// Stats are the counters since New.
func (t *Table) Stats() Stats {
	s := t.stats
	s.Bytes = int64(int(t.used)*flowSize + len(t.index)*bucketSize)
	return s
}

// Open returns the flow of the segment, a new one if need be. Flows and slices that are over by the segment's time are emitted first.
// The segment is not counted yet: see Add. The flow is valid until the next Open, Due or Finish.
func (t *Table) Open(seg *decode.Segment) (*Flow, error) {
	f := t.find(seg)
	if f != nil {
		end, over := t.ended(f, seg)
		if !over {
			if f.State&Matched != 0 {
				t.border(f, seg.Time)
			}
			return f, nil
		}
		t.over(f, end, seg.Time)
	}
	return t.create(seg)
}

// Find returns the flow of the segment, or nil if there is none.
func (t *Table) Find(seg *decode.Segment) *Flow { return t.find(seg) }

// Renew ends f, on whose five-tuple the segment begins another connection, and returns the flow of that one. Open does so itself where a
// SYN tells.
func (t *Table) Renew(f *Flow, seg *decode.Segment) (*Flow, error) {
	t.over(f, EndIdle, seg.Time)
	return t.create(seg)
}

// border ends the slice if the time has passed its border.
func (t *Table) border(f *Flow, now int64) {
	s := t.sides[f.Side]
	if now < s.Slice.Border {
		return
	}
	t.emitSlice(f, s, EndNone)
	s.Slice.Border = s.Slice.next(now)
}

// ended says whether f ended before the segment, which then belongs to another connection of the same five-tuple.
func (t *Table) ended(f *Flow, seg *decode.Segment) (End, bool) {
	if seg.Time-f.Last > t.config.Linger {
		if end, idle := t.idle(f, seg.Time); idle {
			return end, true
		}
	}
	if seg.Flags&decode.SYN == 0 { // as in every datagram
		return EndNone, false
	}
	// A SYN that repeats the one before it begins nothing new, nor does one that was captured after the data it came before.
	dir := seg.Dir
	late := f.Low[dir] - (seg.Seq + 1)
	if f.State&(SeenA<<dir) == 0 || late == 0 || f.State&(SynA<<dir) == 0 && late < lateSYN && f.closed(EndNone) == EndNone {
		return EndNone, false
	}
	return f.closed(EndIdle), true
}

// lateSYN is how many bytes of data may have overtaken their SYN on the way to the capture.
const lateSYN = 64 << 10

// closed says how the flow was closed, or otherwise.
func (f *Flow) closed(otherwise End) End {
	switch {
	case f.State&Rst != 0:
		return EndRST
	case f.State&(FinA|FinB) != 0:
		return EndFIN
	}
	return otherwise
}

// halfOpenIdle ends a connection attempt that nobody answered.
const halfOpenIdle = int64(60e9)

// idle says whether nothing is to be expected of f at the given time.
func (t *Table) idle(f *Flow, now int64) (End, bool) {
	silent := now - f.Last
	if f.State&Datagrams != 0 {
		return EndIdle, silent > t.config.UDPIdle
	}
	if f.shut() {
		return f.closed(EndIdle), silent > t.config.Linger
	}
	limit := t.config.TCPIdle
	if f.Half[0].Bytes+f.Half[1].Bytes == 0 {
		limit = min(limit, halfOpenIdle)
	}
	return f.closed(EndIdle), silent > limit
}

func (t *Table) create(seg *decode.Segment) (*Flow, error) {
	if t.stats.Live >= t.config.MaxFlows {
		t.evict()
	}
	if uint32(t.stats.Live+1) > t.mask/8*maxLoad {
		if err := t.resize(len(t.index) * 2); err != nil {
			return nil, err
		}
	}
	slot, err := t.slot()
	if err != nil {
		return nil, err
	}
	f := t.at(slot)
	f.reset(seg)
	t.guessClient(f, seg)
	t.insert(f.tag, slot)
	t.stats.Live++
	t.stats.Created++
	if t.tombs.any() {
		t.resume(f)
	}
	return f, nil
}

// reset makes f the flow of its first segment, whatever it was. It sets field by field: a composite literal is built elsewhere and copied
// in wider pieces, which stalls on the narrower stores before it.
func (f *Flow) reset(seg *decode.Segment) {
	f.Key = seg.Key
	f.First, f.Last = seg.Time, seg.Time
	f.Half, f.Low, f.Acked = [2]Half{}, [2]uint32{}, [2]uint32{}
	f.State, f.Side, f.Watch = Live, 0, 0
	if seg.Key.Proto == decode.UDP {
		f.State |= Datagrams | SeenA | SeenB
	}
	f.tag, f.mark = uint32(seg.Hash), uint32(seg.Hash>>32)
	f.Iface, f.VLAN, f.Tunnels = seg.Link.Interface, seg.Link.VLAN, uint16(seg.Link.Tunnels)
}

// guessClient says who the client is by the first segment alone.
func (t *Table) guessClient(f *Flow, seg *decode.Segment) {
	client := seg.Dir
	if f.Key.Proto == decode.TCP && seg.Flags&decode.SYN != 0 {
		f.State |= clientBySYN(seg)
		return
	}
	from, to := f.Key.Port(seg.Dir), f.Key.Port(1-seg.Dir)
	switch inA, inB := t.internal(f.Key.A), t.internal(f.Key.B); {
	case inA && !inB:
		client = 0
	case inB && !inA:
		client = 1
	case from < 1024 && to >= 1024: // a well-known port is the server's; else whoever came first is the client
		client = 1 - client
	}
	f.State |= ClientA<<client | NoClient
}

// clientBySYN says who the client is by a SYN or by its answer.
func clientBySYN(seg *decode.Segment) State {
	if seg.Flags&decode.ACK != 0 {
		return ClientB >> seg.Dir
	}
	return ClientA << seg.Dir
}

func (t *Table) internal(a decode.Address) bool {
	return t.config.Internal != nil && t.config.Internal(a)
}

// end emits the last slice of f and takes it out of the table.
func (t *Table) end(f *Flow, end End) {
	s := t.sideIf(f)
	t.owner.Ending(f, s)
	s = t.sideIf(f)
	if f.State&Matched == 0 {
		t.owner.Emit(f, s, end)
	} else {
		t.emitSlice(f, s, end)
	}
	if end == EndEvicted {
		t.tombs.bury(f, s)
	}
	if s = t.sideIf(f); s != nil {
		t.freeSide(f, s)
	}
	f.State = 0
	t.stats.Live--
	if !t.finishing {
		t.unlink(f)
		t.free = append(t.free, t.Slot(f))
	}
}

// soon is how many flows ahead the owner is told of an end.
const soon = 6

// Reached says that packet time has come to now, by segments that another table has.
func (t *Table) Reached(now int64) { t.now = max(t.now, now) }

// Finish ends every flow: those that are sliced in the order in which that began, the others oldest slot first. A flow that was over by the
// latest packet ends as if the sweep had come by already, so that how it ended does not hang on how often Due was called. The index is emptied as a whole: to take 400,000 flows out of it one by one cost
// 3 % of reading their handshakes.
func (t *Table) Finish() {
	now := t.now
	for slot := range t.used {
		if f := t.at(slot); f.State&Live != 0 {
			now = max(now, f.Last)
		}
	}
	t.finishing = true
	for _, l := range t.matched {
		if s := t.sides[l.at]; s.serial == l.serial {
			t.last(s.flow, now)
		}
	}
	for slot := range t.used {
		if next := slot + soon; next < t.used {
			t.owner.Soon(t.at(next))
		}
		if f := t.at(slot); f.State&Live != 0 {
			t.last(f, now)
		}
	}
	t.finishing = false
	clear(t.index)
	t.used, t.free = 0, t.free[:0]
	t.matched = t.matched[:0]
}

// last ends f because everything ends.
func (t *Table) last(f *Flow, now int64) {
	end, idle := t.idle(f, now)
	if !idle {
		end = f.closed(EndShutdown)
	}
	t.over(f, end, now)
}
