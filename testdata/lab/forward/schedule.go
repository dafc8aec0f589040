package forward

import (
	"container/heap"
	"time"
)

// passing is a frame on its way to the tap.
type passing struct {
	arrival
	at      time.Time
	order   uint64
	deliver bool
}

// schedule holds frames by time; frames of the same time keep the order in which they were added.
type schedule struct {
	items byTime
	added uint64
}

func (s *schedule) add(p passing) {
	p.order = s.added
	s.added++
	heap.Push(&s.items, p)
}

// next returns when the next frame is due; ok is false when none waits.
func (s *schedule) next() (at time.Time, ok bool) {
	if len(s.items) == 0 {
		return time.Time{}, false
	}
	return s.items[0].at, true
}

// due removes and returns the next frame if its time has come.
func (s *schedule) due(now time.Time) (passing, bool) {
	if at, ok := s.next(); !ok || at.After(now) {
		return passing{}, false
	}
	return heap.Pop(&s.items).(passing), true
}

// byTime is the heap of a schedule.
type byTime []passing

func (q byTime) Len() int { return len(q) }

func (q byTime) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].order < q[j].order
	}
	return q[i].at.Before(q[j].at)
}

func (q byTime) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

func (q *byTime) Push(x any) { *q = append(*q, x.(passing)) }

func (q *byTime) Pop() any {
	last := len(*q) - 1
	p := (*q)[last]
	*q = (*q)[:last]
	return p
}
