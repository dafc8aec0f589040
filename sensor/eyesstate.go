package sensor

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"maps"
	"slices"
)

// eyeKey is a client's use of a service, as the eyes remember it: a keyed hash, so that neither memory nor the state says whose it was.
type eyeKey [16]byte

func (e *Eyes) key(client, service string) eyeKey {
	h := hmac.New(sha256.New, e.config.Key)
	h.Write([]byte(client))
	h.Write([]byte{0})
	h.Write([]byte(service))
	return eyeKey(h.Sum(nil)[:len(eyeKey{})])
}

// EyesState is what has to outlive a restart, so that lines which come after it do not count what packets counted before.
type EyesState struct {
	Visits []VisitState        `json:"visits"`
	Logs   map[string]LogState `json:"logs"`
}

// VisitState is one visit.
type VisitState struct {
	Keys    [][]byte `json:"keys"`
	ID      string   `json:"id"`
	First   int64    `json:"first"`
	Last    int64    `json:"last"`
	Owner   string   `json:"owner,omitempty"`
	Log     string   `json:"log,omitempty"`
	Packets int64    `json:"packets,omitempty"`
	From    int64    `json:"from,omitempty"`
	ByUser  bool     `json:"by_user,omitempty"`
}

// LogState is how far a log has spoken, and whether of uploads.
type LogState struct {
	Newest  int64 `json:"newest"`
	Doubted int64 `json:"doubted,omitempty"`
	Told    bool  `json:"told"`
}

const (
	// maxKept bounds how many visits outlive a restart; the latest do.
	maxKept = 1 << 14
	// keptFor is how long before the latest visit others may have ended: for as long they say which eye to expect, and lines may come late.
	keptFor = coverFor
)

// State returns what has to outlive a restart.
func (e *Eyes) State() EyesState {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, newest := e.span()
	at := map[*seen]int{}
	s := EyesState{Logs: map[string]LogState{}}
	for key, list := range e.seen {
		for _, v := range list {
			if v.last < newest-keptFor {
				continue
			}
			i, known := at[v]
			if !known {
				i, at[v] = len(s.Visits), len(s.Visits)
				s.Visits = append(s.Visits, VisitState{ID: v.id, First: v.first, Last: v.last, Owner: v.owner, Log: v.log, Packets: v.packets, From: v.from, ByUser: v.byUser})
			}
			s.Visits[i].Keys = append(s.Visits[i].Keys, key[:])
		}
	}
	slices.SortFunc(s.Visits, func(a, b VisitState) int { return cmp.Compare(b.Last, a.Last) })
	s.Visits = s.Visits[:min(len(s.Visits), maxKept)]
	for name, was := range e.past {
		s.Logs[name] = was
	}
	for _, l := range e.logs {
		newest, doubted := l.Heard()
		s.Logs[l.name] = LogState{newest, doubted, l.told}
	}
	return s
}

// Restore makes eyes that have seen nothing go on from s, and from the records that were written since, oldest first, which Add is told of.
func (e *Eyes) Restore(s EyesState) *Recall {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.past = map[string]LogState{}
	maps.Copy(e.past, s.Logs)
	r := &Recall{eyes: e, byID: map[string]*seen{}}
	for i := len(s.Visits) - 1; i >= 0; i-- { // the earliest first
		k := &s.Visits[i]
		v := &seen{id: k.ID, first: k.First, last: k.Last, owner: k.Owner, log: k.Log, packets: k.Packets, from: k.From, byUser: k.ByUser}
		r.byID[v.id] = v
		for _, key := range k.Keys {
			if len(key) == len(eyeKey{}) {
				e.enter(eyeKey(key), v)
			}
		}
	}
	return r
}
