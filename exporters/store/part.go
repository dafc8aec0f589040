package store

import (
	"context"
	"database/sql"
	"math"
	"slices"
)

// maxPart bounds the records of a part, so that dropping one is short: 1.2 s with a cold cache for a million.
const maxPart = 1_000_000

// part is a row of the table part: where records taken in during one day lie.
type part struct {
	id           int64
	class        int
	begun, ended int64 // seconds
	rows         int64
	idmin, idmax int64
	tsmin, tsmax int64
	changed      bool
	services     map[string]bool
}

const partColumns = "id, class, begun, ended, rows, idmin, idmax, tsmin, tsmax"

func (p *part) scan(rows *sql.Rows) error {
	return rows.Scan(&p.id, &p.class, &p.begun, &p.ended, &p.rows, &p.idmin, &p.idmax, &p.tsmin, &p.tsmax)
}

// readParts reads the list of parts.
func (w *writer) readParts(ctx context.Context) error {
	w.parts = nil
	err := w.each(ctx, "SELECT "+partColumns+" FROM part ORDER BY id", nil, func(rows *sql.Rows) error {
		p := part{services: map[string]bool{}}
		err := p.scan(rows)
		w.parts = append(w.parts, p)
		return err
	})
	if err != nil {
		return err
	}
	return w.each(ctx, "SELECT part, service FROM part_service", nil, func(rows *sql.Rows) error {
		var id int64
		var service string
		if err := rows.Scan(&id, &service); err != nil {
			return err
		}
		if i := slices.IndexFunc(w.parts, func(p part) bool { return p.id == id }); i >= 0 {
			w.parts[i].services[service] = true
		}
		return nil
	})
}

// classOf says how long records of a dataset live.
func classOf(dataset int) int {
	if dataset == datasets["gnomon.activity"] || dataset == datasets["gnomon.coverage"] {
		return classShort
	}
	return classLong
}

// openFor is how long a part takes records in: short ones for a day, long ones for a month of 30.
func openFor(class int) int64 {
	if class == classShort {
		return secondsPerDay
	}
	return 30 * secondsPerDay
}

// partFor returns the part that takes records of a class now, a new one if need be. The index is into w.parts.
func (w *writer) partFor(ctx context.Context, class int, now int64) (int, error) {
	for i := len(w.parts) - 1; i >= 0; i-- {
		p := &w.parts[i]
		if p.class != class {
			continue
		}
		if p.rows < w.partRows() && floor(p.begun, openFor(class)) == floor(now, openFor(class)) {
			return i, nil
		}
		break
	}
	return w.beginPart(ctx, class, now)
}

// partRows bounds the records of a part: in a small store parts are small, so that something is left when the oldest is dropped.
func (w *writer) partRows() int64 {
	const recordBytes = 400 // with its indexes
	if w.config.MaxBytes <= 0 {
		return maxPart
	}
	return min(max(w.config.MaxBytes/8/recordBytes, 1000), maxPart)
}

// beginPart makes the tables of a new part.
func (w *writer) beginPart(ctx context.Context, class int, now int64) (int, error) {
	p := part{class: class, begun: now, ended: now, idmin: math.MaxInt64, idmax: math.MinInt64, tsmin: math.MaxInt64, tsmax: math.MinInt64,
		services: map[string]bool{}}
	_, id, err := w.exec(ctx, "INSERT INTO part (class, begun, ended, idmin, idmax, tsmin, tsmax) VALUES (?, ?, ?, ?, ?, ?, ?)",
		p.class, p.begun, p.ended, p.idmin, p.idmax, p.tsmin, p.tsmax)
	if err != nil {
		return 0, err
	}
	p.id = id
	for _, text := range partTables() {
		if _, err := w.conn.ExecContext(ctx, numbered(text, id)); err != nil {
			return 0, err
		}
	}
	w.parts = append(w.parts, p)
	return len(w.parts) - 1, nil
}

// partTables are the statements that make the tables of a part. They belong to the schema: a change needs a migration.
func partTables() []string {
	return []string{
		`CREATE TABLE record_{n} (id PRIMARY KEY, dataset INTEGER NOT NULL, ts INTEGER NOT NULL, user INTEGER NOT NULL,
			facet INTEGER NOT NULL, action TEXT, data BLOB NOT NULL) WITHOUT ROWID`,
		// They cover every filter, so that records are read only when they are part of the answer.
		`CREATE INDEX record_{n}_ts ON record_{n} (dataset, ts, id, user, facet, action)`,
		`CREATE INDEX record_{n}_user ON record_{n} (user, ts, id, dataset, facet, action)`,
		`CREATE TABLE visit_{n} (id PRIMARY KEY, ts INTEGER NOT NULL, record NOT NULL, user INTEGER NOT NULL, facet INTEGER NOT NULL) WITHOUT ROWID`,
	}
}

// mayHold says whether a part may hold an identifier: ours begin with a time.
func (p *part) mayHold(id *recordID) bool { return id.ms < 0 || id.ms >= p.idmin && id.ms <= p.idmax }

// noteID widens the span of identifiers.
func (p *part) noteID(id *recordID) {
	if id.ms >= 0 && !(id.ms >= p.idmin && id.ms <= p.idmax) {
		p.idmin, p.idmax, p.changed = min(p.idmin, id.ms), max(p.idmax, id.ms), true
	}
}

// note takes down that an entry is in the part.
func (p *part) note(e *entry, now int64) {
	p.noteID(&e.id)
	p.rows++
	p.ended = max(p.ended, now)
	ts := int64(e.ev.Timestamp)
	p.tsmin, p.tsmax, p.changed = min(p.tsmin, ts), max(p.tsmax, ts), true
}

// insert puts an entry into its part, unless this or another part has it already.
func (w *writer) insert(ctx context.Context, e *entry, now int64) error {
	dataset := datasets[e.ev.Event.Dataset]
	at, err := w.partFor(ctx, classOf(dataset), now)
	if err != nil {
		return err
	}
	p := &w.parts[at]
	if elsewhere, err := w.elsewhere(ctx, p, &e.id); err != nil || elsewhere {
		return err
	}
	var action any
	if e.ev.Event.Action != "" {
		action = valid(e.ev.Event.Action)
	}
	changed, _, err := w.exec(ctx, numbered(`INSERT INTO record_{n} (id, dataset, ts, user, facet, action, data) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`, p.id), e.id.value(), dataset, int64(e.ev.Timestamp), e.user, e.facetID, action, e.data)
	if err != nil || changed == 0 {
		return err
	}
	e.fresh = true
	p.note(e, now)
	if s := e.facet.service; s != "" && !p.services[s] {
		p.services[s] = true
		_, _, err = w.exec(ctx, "INSERT OR IGNORE INTO part_service (part, service) VALUES (?, ?)", p.id, s)
	}
	return err
}

// elsewhere says whether another part has a record. Only parts that may hold its time are asked: for what happens now, none.
func (w *writer) elsewhere(ctx context.Context, current *part, id *recordID) (bool, error) {
	for i := range w.parts {
		p := &w.parts[i]
		if p.id == current.id || p.class != current.class || !p.mayHold(id) {
			continue
		}
		var one int
		found, err := w.get(ctx, numbered("SELECT 1 FROM record_{n} WHERE id = ?", p.id), []any{id.value()}, []any{&one})
		if err != nil || found {
			return found, err
		}
	}
	return false, nil
}

// saveParts writes what changed about parts.
func (w *writer) saveParts(ctx context.Context) error {
	for i := range w.parts {
		p := &w.parts[i]
		if !p.changed {
			continue
		}
		p.changed = false
		if _, _, err := w.exec(ctx, "UPDATE part SET ended = ?, rows = ?, idmin = ?, idmax = ?, tsmin = ?, tsmax = ? WHERE id = ?",
			p.ended, p.rows, p.idmin, p.idmax, p.tsmin, p.tsmax, p.id); err != nil {
			return err
		}
	}
	return nil
}

// dropPart lets go of all records of a part.
func (w *writer) dropPart(ctx context.Context, id int64) error {
	if err := w.closeStatements(); err != nil { // an open statement would keep the table
		return err
	}
	for _, text := range []string{"DROP TABLE record_{n}", "DROP TABLE visit_{n}", "DELETE FROM part WHERE id = {n}"} {
		if _, err := w.conn.ExecContext(ctx, numbered(text, id)); err != nil {
			return err
		}
	}
	w.parts = slices.DeleteFunc(w.parts, func(p part) bool { return p.id == id })
	clear(w.visits)
	return nil
}
