package policy

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	maxEvidence = 5 // records that a finding names: the largest
	keepDays    = 8 // how far behind the newest day records may come and still be added up
)

// sumKey is what uploads are added up by.
type sumKey struct {
	site, user string
	limit      int
	day        event.Time // its begin
}

// sum is what a user sent within a day.
type sum struct {
	bytes, low, high uint64
	largest          []part // the largest first
	raised           bool
}

type part struct {
	id    string
	bytes uint64
}

func (s *sum) add(bytes, low, high uint64) {
	s.bytes, s.low, s.high = s.bytes+bytes, s.low+low, s.high+high
}

// name notes a record as evidence if it is one of the largest.
func (s *sum) name(id string, bytes uint64) {
	at, _ := slices.BinarySearchFunc(s.largest, bytes, func(p part, n uint64) int { return cmp.Compare(n, p.bytes) })
	if at >= maxEvidence {
		return
	}
	s.largest = slices.Insert(s.largest, at, part{id, bytes})
	s.largest = s.largest[:min(len(s.largest), maxEvidence)]
}

// uploads adds a record up and finds the limits that are reached with it.
func (f *Findings) uploads(ev *event.Event) (out []*event.Event) {
	up, who := ev.Gnomon.Upload, uploader(ev)
	if up == nil || who == "" { // what a record does not know is not added
		return nil
	}
	at := timeOf(ev)
	for _, u := range f.sumsOf(ev.Gnomon.Site, who, ev.Gnomon.Service.ID, at) {
		u.sum.add(up.Bytes, up.Low, up.High)
		u.sum.name(ev.Event.ID, up.Bytes)
		if u.sum.bytes < u.limit.bytes || u.sum.raised {
			continue
		}
		u.sum.raised = true
		if found := f.raise(u.sum.finding(ev, u.limit, who, dayOf(at, f.location))); found != nil {
			out = append(out, found)
		}
	}
	return out
}

// uploader is who a record's upload is added to: nobody for an address that stands for several people.
func uploader(ev *event.Event) string {
	if shared := ev.Gnomon.Attribution != nil && ev.Gnomon.Attribution.Shared; shared && (ev.User == nil || ev.User.ID == "") {
		return ""
	}
	return userKey(ev)
}

// finding tells of a limit that is reached.
func (s *sum) finding(ev *event.Event, l *limit, who string, day Date) *finding {
	found := &finding{action: UploadLimit, subject: []string{who, l.name()}, severity: 60, day: day, about: ev, user: ev.User, named: true,
		limit: l.bytes, value: s.bytes, upload: &event.Upload{Bytes: s.bytes, Low: s.low, High: s.high}}
	if s.low >= l.bytes { // whatever the error of the estimate
		found.severity = 70
	}
	if s.low >= 10*l.bytes {
		found.severity = 80
	}
	to := "AI services"
	if len(l.services) > 0 {
		to = l.name()
	} else {
		found.allServices = true
	}
	found.reason = fmt.Sprintf("%.1f MiB sent to %s on %s (between %.1f and %.1f); the limit is %d MiB", mebi(s.bytes), to, day, mebi(s.low), mebi(s.high), l.bytes>>20)
	for _, p := range s.largest {
		found.evidence = append(found.evidence, p.id)
	}
	return found
}

func mebi(n uint64) float64 { return float64(n) / (1 << 20) }

// limited is a sum and the limit that it is held against.
type limited struct {
	limit *limit
	sum   *sum
}

// sumsOf finds or makes the sums that a use is added to, in the order of the limits.
func (f *Findings) sumsOf(site, user, service string, at event.Time) (out []limited) {
	day := dayOf(at, f.location)
	key := sumKey{site: site, user: user, day: day.begin(f.location)}
	if key.day > f.newest {
		f.newest = key.day
		f.forgetDays(Date{day.year, day.month, day.day - keepDays}.begin(f.location))
	}
	for n := range f.limits {
		if !f.limits[n].covers(service) {
			continue
		}
		key.limit = n
		s := f.sums[key]
		if s == nil && len(f.sums) >= maxSums {
			f.forgotten++
			continue
		}
		if s == nil {
			s = &sum{}
			f.sums[key] = s
		}
		out = append(out, limited{&f.limits[n], s})
	}
	return out
}

// forgetDays forgets the sums of days that began before a time.
func (f *Findings) forgetDays(before event.Time) {
	for key := range f.sums {
		if key.day < before {
			delete(f.sums, key)
		}
	}
}
