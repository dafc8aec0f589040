package logs

import (
	"bytes"
	"errors"
)

// reader is a Format: the compiled layouts and what one source has said so far.
type reader struct {
	layouts  []*layout
	fields   []fields // by layout
	clocks   []clock  // by layout
	comments []byte
	header   []header // by layout
	kept     map[string]kept
	plainAt  int64 // the time in the syslog header of the line
	stripped []byte
}

var _ Format = (*reader)(nil)

// kept is what a line said that only the next one uses.
type kept struct {
	record Record
	user   string
}

// maxKept bounds how many lines wait for their next one; beyond it the table starts anew.
const maxKept = 1 << 14

var (
	bom = []byte("\xef\xbb\xbf")
)

// Parse implements Format.
func (r *reader) Parse(line []byte, rec *Record) error {
	rec.reset()
	line = bytes.TrimRight(line, "\r\n\x00")
	line = bytes.TrimPrefix(line, bom)
	if len(line) == 0 {
		return ErrHeader
	}
	if len(r.comments) > 0 && bytes.HasPrefix(line, r.comments) {
		r.directive(line)
		return ErrHeader
	}
	r.stripped = nil
	worst := ErrShape
	for i, l := range r.layouts {
		if !l.wants(line) {
			continue
		}
		err := r.read(i, l, line, rec)
		if err == nil || errors.Is(err, ErrHeader) || errors.Is(err, ErrOther) {
			return err
		}
		rec.reset()
		if !errors.Is(err, ErrShape) {
			worst = err
		}
	}
	return worst
}

// wants says whether a line can be of the layout at all.
func (l *layout) wants(line []byte) bool {
	for _, text := range l.when {
		if !bytes.Contains(line, text) {
			return false
		}
	}
	return true
}

// read takes a line through one layout.
func (r *reader) read(i int, l *layout, line []byte, rec *Record) error {
	f := &r.fields[i]
	f.reset()
	if err := r.cut(l, line, f); err != nil {
		return err
	}
	l.fill(f, rec, &r.clocks[i])
	if rec.Time == 0 {
		rec.Time = r.headerTime(line)
	}
	if len(l.remember) > 0 {
		r.keep(l, f, rec)
		return ErrOther
	}
	if len(l.recall) > 0 {
		r.complete(l, f, rec)
	}
	if !rec.Client.IsValid() && !rec.Server.IsValid() && len(rec.Host) == 0 && len(rec.User) == 0 {
		return ErrNothing
	}
	return nil
}

// cut takes the line apart, if it is of the layout.
func (r *reader) cut(l *layout, line []byte, f *fields) error {
	for _, text := range l.ignore {
		if bytes.Contains(line, text) {
			return ErrOther
		}
	}
	if err := l.split(r, l, line, f); err != nil {
		return err
	}
	for _, m := range l.match {
		if !m.globs.fit(f.get(m.slot)) {
			return ErrShape
		}
	}
	return nil
}

// message is the line without its syslog header.
func (r *reader) message(line []byte) []byte {
	if r.stripped == nil {
		r.stripped, r.plainAt = stripSyslog(line, &r.clocks[0])
	}
	return r.stripped
}

// headerTime is the time in the syslog header, for lines that have no other.
func (r *reader) headerTime(line []byte) int64 {
	r.message(line)
	return r.plainAt
}

// keep notes what a line says, for the one that goes on with it.
func (r *reader) keep(l *layout, f *fields, rec *Record) {
	if len(r.kept) >= maxKept {
		clear(r.kept)
	}
	if r.kept == nil {
		r.kept = map[string]kept{}
	}
	k := kept{record: *rec, user: string(rec.User)}
	k.record.User, k.record.Host, k.record.Method, k.record.Path, k.record.Session = nil, nil, nil, nil, nil
	r.kept[string(f.join(l.remember))] = k
}

// complete adds what the line before said. It says it once: what it tied together may be used for others next.
func (r *reader) complete(l *layout, f *fields, rec *Record) {
	key := f.join(l.recall)
	k, ok := r.kept[string(key)]
	if !ok {
		return
	}
	if !rec.Client.IsValid() {
		rec.Client, rec.ClientPort = k.record.Client, k.record.ClientPort
	}
	if len(rec.User) == 0 && k.user != "" {
		rec.User = []byte(k.user)
	}
	if rec.Time == 0 {
		rec.Time = k.record.Time
	}
}

// join puts several fields together, with spaces between them.
func (f *fields) join(slots []int) []byte {
	f.joined = f.joined[:0]
	for i, slot := range slots {
		if b := f.get(slot); len(b) > 0 {
			if i > 0 {
				f.joined = append(f.joined, ' ')
			}
			f.joined = append(f.joined, b...)
		}
	}
	return f.joined
}
