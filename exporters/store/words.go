package store

import (
	"context"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// maxWords bounds each cache of words; beyond it the cache begins anew.
const maxWords = 1 << 17

const secondsPerDay = 86400

// userEntry is what the cache knows of a user.
type userEntry struct {
	id   uint32
	name string
	seen int64 // a day
}

// userID returns the number of the user that an entry counts for, a new one if need be.
func (w *writer) userID(ctx context.Context, e *entry, today int64) (uint32, error) {
	switch e.userKey {
	case query.SharedUser:
		return userShared, nil
	case "":
		return userNobody, nil
	}
	u, known := w.users[e.userKey]
	if !known {
		var err error
		if u, err = w.findUser(ctx, e.userKey, today); err != nil {
			return 0, err
		}
		if len(w.users) >= maxWords {
			clear(w.users)
		}
		w.users[e.userKey] = u
	}
	return u.id, w.noteUser(ctx, e, u, today)
}

// noteUser keeps a user's latest name, and on which day a record was last taken in.
func (w *writer) noteUser(ctx context.Context, e *entry, u userEntry, today int64) error {
	before := u
	if e.ev.User != nil && e.ev.User.Name != "" {
		u.name = valid(e.ev.User.Name)
	}
	u.seen = max(u.seen, today)
	if u == before {
		return nil
	}
	w.users[e.userKey] = u
	_, _, err := w.exec(ctx, "UPDATE user SET name = ?, seen = ? WHERE id = ?", u.name, u.seen, u.id)
	return err
}

// findUser reads or begins a user.
func (w *writer) findUser(ctx context.Context, key string, today int64) (userEntry, error) {
	u := userEntry{}
	found, err := w.get(ctx, "SELECT id, name, seen FROM user WHERE key = ?", []any{key}, []any{&u.id, &u.name, &u.seen})
	if err != nil || found {
		return u, err
	}
	_, id, err := w.exec(ctx, "INSERT INTO user (key, seen) VALUES (?, ?)", key, today)
	return userEntry{id: uint32(id), seen: today}, err
}

// facetNumber returns the number of a facet, a new one if need be.
func (w *writer) facetNumber(ctx context.Context, f facet) (uint32, error) {
	if id, known := w.facets[f]; known {
		return id, nil
	}
	args := []any{f.site, f.service, f.vendor, f.category, f.kind, f.status, f.department, f.use}
	var id int64
	found, err := w.get(ctx, `SELECT id FROM facet WHERE site = ? AND service = ? AND vendor = ? AND category = ? AND kind = ? AND status = ?
		AND department = ? AND use = ?`, args, []any{&id})
	if err != nil {
		return 0, err
	}
	if !found {
		if _, id, err = w.exec(ctx, `INSERT INTO facet (site, service, vendor, category, kind, status, department, use)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, args...); err != nil {
			return 0, err
		}
	}
	if len(w.facets) >= maxWords {
		clear(w.facets)
	}
	w.facets[f] = uint32(id)
	return uint32(id), nil
}

// nameService keeps what a service is called.
func (w *writer) nameService(ctx context.Context, e *entry) error {
	r := e.ev.Rule
	if r == nil || r.Name == "" || e.facet.service == "" || w.names[e.facet.service] == r.Name {
		return nil
	}
	if len(w.names) >= maxWords {
		clear(w.names)
	}
	w.names[e.facet.service] = r.Name
	_, _, err := w.exec(ctx, `INSERT INTO service (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name
		WHERE name <> excluded.name`, e.facet.service, valid(r.Name))
	return err
}
