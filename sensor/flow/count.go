package flow

import "github.com/gnomon-sensor/gnomon/sensor/decode"

// Add counts the segment into f, which Open returned for it: each byte of a TCP stream once, by its sequence number, however often it was sent
// or mirrored.
func (t *Table) Add(f *Flow, seg *decode.Segment) {
	h := &f.Half[seg.Dir]
	h.Packets++
	if seg.Time > f.Last {
		f.Last = seg.Time
	}
	if f.State&Matched != 0 {
		if s := t.sides[f.Side]; !s.Slice.Pending {
			s.Slice.Pending, s.Slice.Start = true, seg.Time
		}
	}
	if seg.Cut() {
		f.State |= Cut
	}
	if f.State&Settled == 0 && seg.Flags&decode.ACK != 0 {
		f.acknowledge(seg)
	}
	if seg.Flags&(decode.SYN|decode.FIN|decode.RST) != 0 || f.State&(SeenA<<seg.Dir) == 0 {
		t.addEdge(f, h, seg)
		return
	}
	datagram := -(seg.Key.Proto >> 4 & 1) // all ones for 17, UDP, and none for 6, TCP
	if (seg.Seq^h.Next)&^datagram != 0 {
		t.addOutOfOrder(f, h, seg.Seq, seg.Len, seg)
		return
	}
	// Nearly every segment, of either protocol, with data or without: which of them no processor guesses.
	h.Bytes += uint64(seg.Len)
	h.Next += seg.Len &^ datagram
}

// acknowledge notes the highest acknowledgement of a side, which the search for names asks for.
func (f *Flow) acknowledge(seg *decode.Segment) {
	latest := f.Acked[seg.Dir]
	if acked := AckA << seg.Dir; f.State&acked == 0 || int32(seg.Ack-latest) > 0 {
		latest = seg.Ack
		f.State |= acked
	}
	f.Acked[seg.Dir] = latest
}

// addEdge counts a segment with which a direction begins or ends.
func (t *Table) addEdge(f *Flow, h *Half, seg *decode.Segment) {
	seq := seg.Seq
	if seg.Flags&(decode.SYN|decode.FIN|decode.RST) != 0 {
		t.control(f, h, seg)
		if seg.Flags&decode.SYN != 0 {
			seq++ // data on a SYN follows it in sequence (RFC 7413)
		}
	}
	if f.State&(SeenA<<seg.Dir) == 0 {
		f.begin(h, seg)
	}
	carried := seg.Len
	if seg.Flags&decode.RST != 0 {
		carried = 0 // the payload of a reset is no stream data (RFC 9293, section 3.5.3)
	}
	if seq == h.Next {
		h.Bytes += uint64(carried)
		h.Next += carried
		return
	}
	t.addOutOfOrder(f, h, seq, carried, seg)
}

// begin notes where the direction was first seen. What a reset carries is not where the stream stands.
func (f *Flow) begin(h *Half, seg *decode.Segment) {
	if seg.Flags&decode.RST == 0 {
		f.Low[seg.Dir], h.Next = seg.Seq, seg.Seq
		f.State |= SeenA << seg.Dir
	}
}

// control follows SYN, FIN and RST.
func (t *Table) control(f *Flow, h *Half, seg *decode.Segment) {
	if seg.Flags&decode.SYN != 0 && f.State&(SynA<<seg.Dir) == 0 {
		t.noteSYN(f, h, seg)
	}
	was := f.shut()
	if seg.Flags&decode.FIN != 0 {
		f.State |= FinA << seg.Dir
	}
	if seg.Flags&decode.RST != 0 {
		f.State |= Rst
	}
	if f.State&Matched != 0 && !was && f.shut() {
		t.list(t.sides[f.Side])
	}
}

// shut says whether nothing is to follow but stragglers.
func (f *Flow) shut() bool { return f.State&Rst != 0 || f.Has(FinA|FinB) }

// noteSYN takes the SYN of one direction for its beginning.
func (t *Table) noteSYN(f *Flow, h *Half, seg *decode.Segment) {
	first := seg.Seq + 1
	if f.State&(SeenA<<seg.Dir) == 0 {
		f.Low[seg.Dir], h.Next = first, first
	} else if low := f.Low[seg.Dir]; low != first { // captured after data that it came before
		t.open(f, seg.Dir, first, low)
		f.Low[seg.Dir] = first
	}
	f.State |= (SynA | SeenA) << seg.Dir
	if f.State&NoClient != 0 {
		f.State = f.State&^(ClientA|ClientB|NoClient) | clientBySYN(seg)
	}
}

// addOutOfOrder counts a segment that does not begin where the one before it ended.
func (t *Table) addOutOfOrder(f *Flow, h *Half, seq, carried uint32, seg *decode.Segment) {
	if carried == 0 {
		return
	}
	end := seq + carried
	if int32(seq-h.Next) > 0 { // bytes before it are missing so far
		t.open(f, seg.Dir, h.Next, seq)
		h.Bytes += uint64(carried)
		h.Next = end
		return
	}
	if carried == 1 && end == h.Next {
		return // keep-alive probe (RFC 1122, section 4.2.3.6)
	}
	if tail := int32(end - h.Next); tail > 0 {
		h.Bytes += uint64(tail)
		end, h.Next = h.Next, h.Next+uint32(tail)
	}
	t.fill(f, seg.Dir, seq, end)
	if low := f.Low[seg.Dir]; int32(seq-low) < 0 && f.State&(SynA<<seg.Dir) == 0 { // before the first that was captured
		stop := earlier(end, low)
		h.Bytes += uint64(stop - seq)
		if stop != low {
			t.open(f, seg.Dir, stop, low)
		}
		f.Low[seg.Dir] = seq
	}
}

// fill counts the bytes of [from, to) that were missing until now.
func (t *Table) fill(f *Flow, dir uint8, from, to uint32) {
	s := t.sideIf(f)
	if s == nil || s.holes[dir] == nil {
		return
	}
	filled, kept := s.holes[dir].fill(from, to)
	f.Half[dir].Bytes += uint64(filled)
	if !kept {
		t.stats.HolesLost++
	}
	if s.holes[dir].n == 0 {
		t.fillUp(s, dir)
		t.Forget(f)
	}
}

func (t *Table) open(f *Flow, dir uint8, from, to uint32) {
	f.State |= Gap
	if !t.gaps(t.SideOf(f), dir).add(from, to) {
		t.stats.HolesLost++
	}
}

// Missing is how many bytes of the direction lie between captured ones and were not captured.
func (t *Table) Missing(f *Flow, dir uint8) uint64 {
	if s := t.sideIf(f); s != nil && s.holes[dir] != nil {
		return s.holes[dir].missing()
	}
	return 0
}
