package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	// maxRecord bounds a record as JSON.
	maxRecord = 1 << 20

	classShort = 0 // kept for Config.RawRetention
	classLong  = 1 // kept for Config.RollupMonths

	userShared = 1 // an address that stands for several people or none
	userNobody = 2 // neither user nor address is known

	sharedLabel = "shared addresses (proxy, resolver)"
)

// datasets numbers the datasets as they stand in tables. Numbers never change.
var datasets = map[string]int{event.DatasetActivity: 1, event.DatasetFinding: 2, event.DatasetCoverage: 3, event.DatasetCandidate: 4,
	event.DatasetAudit: 5}

// facet is what a record says besides who and when, as of then.
type facet struct{ site, service, vendor, category, kind, status, department, use string }

// entry is an event on its way into the store.
type entry struct {
	ev      *event.Event
	at      int // in the batch
	id      recordID
	data    []byte // the record, compressed
	userKey string
	facet   facet
	user    uint32
	facetID uint32
	fresh   bool // was not there before
}

// recordID is an identifier as it is kept: the 16 bytes of one of ours, with the time that they begin with, or any other text.
type recordID struct {
	raw  [16]byte
	text string // of a foreign one; else empty
	ms   int64  // -1: foreign
}

// parseID reads an identifier: one of event.KeyID and its like is base32hex in lower case (RFC 4648, section 7).
func parseID(s string) recordID {
	foreign := recordID{text: s, ms: -1}
	if len(s) != 26 {
		return foreign
	}
	id := recordID{}
	bits, n := uint32(0), 0
	for i := range len(s) {
		digit := strings.IndexByte("0123456789abcdefghijklmnopqrstuv", s[i])
		if digit < 0 {
			return foreign
		}
		bits = bits<<5 | uint32(digit)
		if have := (i+1)*5 - n*8; have >= 8 {
			id.raw[n] = byte(bits >> (have - 8))
			n++
		}
	}
	if bits&3 != 0 { // beyond the 128th bit
		return foreign
	}
	for _, b := range id.raw[:6] {
		id.ms = id.ms<<8 | int64(b)
	}
	return id
}

// value is what stands in a table: a blob, or text of a foreign one, which never equals a blob.
func (id *recordID) value() any {
	if id.ms < 0 {
		return id.text
	}
	return id.raw[:]
}

// compare orders identifiers as SQLite does: text before blobs.
func (id *recordID) compare(o *recordID) int {
	if (id.ms < 0) != (o.ms < 0) {
		if id.ms < 0 {
			return -1
		}
		return 1
	}
	if id.ms < 0 {
		return strings.Compare(id.text, o.text)
	}
	return bytes.Compare(id.raw[:], o.raw[:])
}

// idOf reads what value wrote.
func idOf(v any) recordID {
	switch v := v.(type) {
	case []byte:
		id := recordID{}
		copy(id.raw[:], v)
		for _, b := range id.raw[:6] {
			id.ms = id.ms<<8 | int64(b)
		}
		return id
	case string:
		return recordID{text: v, ms: -1}
	}
	return recordID{ms: -1}
}

// prepare makes entries of the events that can be kept and gives the others their outcome.
func (w *writer) prepare(batch []event.Event, out []exporters.Outcome) []entry {
	entries := w.entries[:0]
	for i := range batch {
		ev := &batch[i]
		reason := ""
		switch {
		case ev.Event.ID == "":
			reason = "the record has no event.id"
		case datasets[ev.Event.Dataset] == 0:
			reason = fmt.Sprintf("the store does not know the dataset %.64q", ev.Event.Dataset)
		}
		var data []byte
		if reason == "" {
			data, reason = w.pack(ev)
		}
		if reason != "" {
			out[i] = exporters.Outcome{State: exporters.Never, Reason: reason}
			continue
		}
		entries = append(entries, entry{ev: ev, at: i, id: parseID(valid(ev.Event.ID)), data: data, userKey: query.UserKey(ev), facet: facetOf(ev)})
	}
	w.entries = entries
	return entries
}

// pack writes a record as it is kept.
func (w *writer) pack(ev *event.Event) (data []byte, reason string) {
	b, err := json.Marshal(ev)
	if err != nil {
		return nil, err.Error()
	}
	if len(b) > maxRecord {
		return nil, fmt.Sprintf("the record has %d bytes; at most %d are kept", len(b), maxRecord)
	}
	return w.zip(b), ""
}

// valid replaces what is not UTF-8, as JSON does.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// facetOf collects the words of a record.
func facetOf(ev *event.Event) facet {
	var f facet
	if r := ev.Rule; r != nil {
		f.service, f.category = r.ID, r.Category
	}
	if u := ev.User; u != nil && u.Group != nil {
		f.department = u.Group.Name
	}
	if g := ev.Gnomon; g != nil {
		f.site, f.use = g.Site, g.Use
		if s := g.Service; s != nil {
			f.service, f.vendor, f.category, f.kind = s.ID, s.Vendor, s.Category, s.Kind
		}
		if g.Policy != nil {
			f.status = g.Policy.Status
		}
	}
	for _, s := range []*string{&f.site, &f.service, &f.vendor, &f.category, &f.kind, &f.status, &f.department, &f.use} {
		*s = valid(*s)
	}
	return f
}

// counted says whether a record belongs in sums.
func counted(ev *event.Event) bool {
	return ev.Event.Dataset == event.DatasetActivity && ev.Gnomon != nil && ev.Gnomon.Counted != nil && *ev.Gnomon.Counted
}

// sumsOf is what a counted record adds, but for its visit.
func sumsOf(ev *event.Event) sums {
	at := seconds(ev.Timestamp)
	s := sums{first: at, last: at}
	first := ev.Gnomon.Flow == nil || ev.Gnomon.Flow.Slice == 0
	if first {
		s.flows = 1
	}
	if ev.Source != nil && ev.Source.Bytes != nil {
		s.up = *ev.Source.Bytes
	}
	if ev.Destination != nil && ev.Destination.Bytes != nil {
		s.down = *ev.Destination.Bytes
	}
	switch u := ev.Gnomon.Upload; {
	case u != nil:
		s.upload, s.low, s.high = u.Bytes, u.Low, u.High
	case first:
		s.unknown = 1
	}
	return s
}

// seconds rounds down.
func seconds(t event.Time) int64 { return floor(int64(t), 1e9) / 1e9 }
