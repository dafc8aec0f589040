package sensor

import (
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Eyes sees to it that what two eyes see counts once: packets, and the logs of the proxies and firewalls that they pass. Who tells of a visit
// first is no accident that figures may hang on, and lines come minutes after the packets, so that a visit belongs to one eye as a whole:
//
//	the first record of a visit -> does the preferred eye see this client at this service? -> that eye's records count
//	                                 no: the eye that has seen it first                    -> and all others' do not
//
// That an eye sees a client at a service is learned from the visits before, or configured. A record is never changed afterwards; so that
// nothing is lost when an eye goes blind, what it saw before is believed only while it speaks.
//
// It stands behind identity: a log in the cloud knows the user and only the address of a gateway. It may be used by several goroutines.
type Eyes struct {
	config  EyesConfig
	mu      sync.Mutex
	logs    map[string]*LogEye // by source
	seen    map[eyeKey][]*seen
	past    map[string]LogState // of eyes that no source belongs to yet, from before a restart
	size    int
	passed  []*seen            // by a log, since the last record
	written map[string]outcome // records of logs that were written before a restart, by identifier
	counts  eyesCounts
}

// EyesConfig says which eye counts.
type EyesConfig struct {
	// PreferPackets has packets count where logs tell of the same; else logs that tell of uploads do.
	PreferPackets bool
	// Covered are networks of whose use the logs tell in full, from the start: clients behind a proxy, and the proxy's own address.
	Covered []netip.Prefix
	// Patience is how long a log may be silent, in nanoseconds of record time, before packets count again.
	Patience int64
	// Internal says which addresses tell clients apart; nil: all.
	Internal func(netip.Addr) bool
	// Key makes what is remembered of a client unreadable; it is that of the pseudonyms.
	Key []byte
	// Whole says that what the preferred eye saw was read to its end before: what it does not know it did not see.
	Whole bool
}

// LogEye is what is known of one kind of log. Several sources may be one eye: the same proxy's files of several days, a pair of proxies.
type LogEye struct {
	name    string
	uploads bool // its lines may tell how much was uploaded
	told    bool // one has
	newest  atomic.Int64
	doubted atomic.Int64 // a time far ahead that one line claimed
}

type eyesCounts struct{ joined, uncounted, silent, untold atomic.Uint64 }

// packetEye is the name of the eye that sees packets, and anyLog stands for a log that covers a client and has not told of the visit yet.
const (
	packetEye = ""
	anyLog    = "*"
)

// seen is a visit as the eyes saw it.
type seen struct {
	id          string
	first, last int64
	byUser      bool   // a log knows its client by the user alone
	owner       string // the eye whose records count
	log         string // the log that told of it; empty: none
	packets     int64  // when packets did last; 0: never
	from        int64  // packets count from then on, for the owner has fallen silent; 0: it has not
}

const (
	// maxSeen bounds how many visits are remembered; beyond it the older half goes.
	maxSeen = 1 << 18
	// maxSeenEach is the same for one client at one service.
	maxSeenEach = 512
	// coverFor is how long an eye that saw a client at a service is expected to see it again: over a weekend.
	coverFor = int64(72 * 3600e9)
)

// NewEyes returns eyes that have seen nothing.
func NewEyes(c EyesConfig) *Eyes {
	return &Eyes{config: c, logs: map[string]*LogEye{}, seen: map[eyeKey][]*seen{}}
}

// Source says that a source of lines, as log.file.path names it, belongs to the eye of this name, and whether its lines may tell how much was
// uploaded. It is called before the first record of the source.
func (e *Eyes) Source(source, name string, uploads bool) *LogEye {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, known := range e.logs {
		if known.name == name {
			e.logs[source] = known
			return known
		}
	}
	l := &LogEye{name: name, uploads: uploads}
	if was, ok := e.past[name]; ok {
		l.told = was.Told
		l.Resume(was.Newest, was.Doubted)
	}
	e.logs[source] = l
	return l
}

// Beat notes that a line of a time was read, of whatever it tells. A time far ahead of those before that one line alone claims is not
// believed. It may be called from several goroutines.
func (l *LogEye) Beat(at int64) {
	newest := l.newest.Load()
	if at <= newest {
		return
	}
	if newest != 0 && at-newest > farAhead {
		if doubted := l.doubted.Load(); doubted == 0 || at < doubted-farAhead || at > doubted+farAhead {
			l.doubted.Store(at)
			return
		}
		l.doubted.Store(0)
	}
	for newest < at && !l.newest.CompareAndSwap(newest, at) {
		newest = l.newest.Load()
	}
}

// Heard is the latest time of a line that was believed, and one far ahead that was not yet.
func (l *LogEye) Heard() (newest, doubted int64) { return l.newest.Load(), l.doubted.Load() }

// Resume has the log go on from what it had told before a restart, as Heard said.
func (l *LogEye) Resume(newest, doubted int64) {
	if newest >= l.newest.Load() {
		l.newest.Store(newest)
		l.doubted.Store(doubted)
	}
}

// Stats counts since the start. It may be called from other goroutines.
func (e *Eyes) Stats() event.TwoEyes {
	c := &e.counts
	return event.TwoEyes{Joined: c.joined.Load(), Uncounted: c.uncounted.Load(), Silent: c.silent.Load(), Untold: c.untold.Load()}
}

// Join gives a record of use the visit that the other eye saw too, and says that it does not count if the other eye's records do.
func (e *Eyes) Join(ev *event.Event) {
	g := ev.Gnomon
	if ev.Event.Dataset != event.DatasetActivity || g == nil || g.Visit == nil || g.Counted == nil || g.Service == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.again(ev) {
		e.join(ev)
	}
}

// join is Join for a record that was not written before. mu is held.
func (e *Eyes) join(ev *event.Event) {
	g := ev.Gnomon
	r := e.record(ev)
	v := e.find(&r)
	if v != nil {
		g.Visit.ID = v.id
	}
	if !*g.Counted { // a look-up, an attempt that was denied: no use that another eye may have seen
		return
	}
	if v == nil {
		v = &seen{id: g.Visit.ID, first: r.start, last: r.end, owner: e.owner(&r)}
	}
	if counted := e.add(&r, v); !counted {
		g.Counted = &counted
	}
	g.Visit.Eyes = e.noteOf(&r, v)
}

// add adds a record to its visit and says whether it counts.
func (e *Eyes) add(r *record, v *seen) bool {
	e.remember(r, v)
	counted := e.count(r, v)
	v.note(r)
	if v.log != "" && v.packets != 0 {
		e.counts.joined.Add(1)
	}
	if !counted {
		e.counts.uncounted.Add(1)
	}
	return counted
}

// record is what of an event matters here.
type record struct {
	eye        string
	uploads    bool // it tells how much was uploaded
	start, end int64
	byUser     bool  // its client is known by the user alone
	onward     bool  // a later part of something that began before
	newest     int64 // what its log had told of by then
	doubted    int64
	keys       []eyeKey // the client's address, its user
	client     netip.Addr
}

// record reads an event.
func (e *Eyes) record(ev *event.Event) (r record) {
	r.start, r.end = int64(ev.Event.Start), int64(ev.Event.End)
	if r.end < r.start || r.start == 0 {
		r.start, r.end = int64(ev.Timestamp), int64(ev.Timestamp)
	}
	r.onward = ev.Gnomon.Flow != nil && ev.Gnomon.Flow.Slice > 0
	if ev.Log != nil && ev.Log.File != nil {
		r.eye, r.uploads = ev.Log.File.Path, ev.Source != nil && ev.Source.Bytes != nil
		if l := e.logs[r.eye]; l != nil {
			l.told = l.told || r.uploads
			r.eye, r.uploads = l.name, l.uploads && l.told
			r.newest, r.doubted = l.Heard()
		}
	}
	e.whose(&r, ev)
	return r
}

// whose finds out what a record knows its client by: the address, and where a log has none that tells clients apart, the user.
func (e *Eyes) whose(r *record, ev *event.Event) {
	if ev.Source != nil {
		r.client, _ = netip.ParseAddr(ev.Source.IP) // an invalid one is unknown
	}
	known := r.client.IsValid() && (r.eye == packetEye || e.config.Internal == nil || e.config.Internal(r.client))
	if known {
		r.keys = append(r.keys, e.key(r.client.String(), ev.Gnomon.Service.ID))
	}
	if ev.User != nil && ev.User.Name != "" && (!known || r.eye == packetEye) {
		r.byUser = !known
		r.keys = append(r.keys, e.key("@"+strings.ToLower(ev.User.Domain+`\`+ev.User.Name), ev.Gnomon.Service.ID))
	}
}

// find is the latest visit that a record belongs to.
func (e *Eyes) find(r *record) *seen {
	for n, key := range r.keys {
		list := e.seen[key]
		for i := len(list) - 1; i >= 0; i-- {
			v := list[i]
			if r.start-v.last > visitPause {
				break
			}
			if v.first-r.end <= visitPause && (n == 0 || v.byUser) { // another device of the same user has visits of its own
				return v
			}
		}
	}
	return nil
}

// remember has a visit found under what a record knows its client by.
func (e *Eyes) remember(r *record, v *seen) {
	for _, key := range r.keys {
		e.enter(key, v)
	}
	v.byUser = v.byUser || r.byUser
}

// enter puts a visit among those of a client and service, in the order of time.
func (e *Eyes) enter(key eyeKey, v *seen) {
	list := e.seen[key]
	at := len(list)
	for ; at > 0; at-- {
		if list[at-1] == v {
			return
		}
		if list[at-1].first <= v.first {
			break
		}
	}
	if e.size >= maxSeen {
		e.forget()
		list, at = e.seen[key], min(at, len(e.seen[key]))
	}
	if len(list) >= maxSeenEach {
		drop := len(list) / 2
		list, at, e.size = append(list[:0:0], list[drop:]...), max(at-drop, 0), e.size-drop
	}
	list = append(list, nil)
	copy(list[at+1:], list[at:])
	list[at] = v
	e.seen[key] = list
	e.size++
}

// forget drops the older half of what is remembered.
func (e *Eyes) forget() {
	oldest, newest := e.span()
	for e.size > maxSeen/2 && oldest < newest {
		oldest += (newest-oldest)/2 + 1
		e.drop(oldest)
	}
	if e.size > maxSeen/2 { // all of one time
		clear(e.seen)
		e.size = 0
	}
}

// span is from when to when visits are remembered.
func (e *Eyes) span() (oldest, newest int64) {
	for _, list := range e.seen {
		if first := list[0].last; oldest == 0 || first < oldest {
			oldest = first
		}
		newest = max(newest, list[len(list)-1].last)
	}
	return oldest, newest
}

// drop forgets what was over before a time.
func (e *Eyes) drop(before int64) {
	for key, list := range e.seen {
		keep := list
		for len(keep) > 0 && keep[0].last < before {
			keep = keep[1:]
		}
		e.size -= len(list) - len(keep)
		if len(keep) == 0 {
			delete(e.seen, key)
		} else {
			e.seen[key] = keep
		}
	}
}
