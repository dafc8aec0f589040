package store

import (
	"context"
	"database/sql"
	"fmt"
)

// classes says which class a facet is of, by its number: the first facet with the same site, status and use stands for it.
type classes struct {
	of    []uint32 // by facet
	first map[[3]string]uint32
}

// readClasses reads the facets that are new.
func (w *writer) readClasses(ctx context.Context) error {
	c := &w.classes
	if c.first == nil {
		c.first = map[[3]string]uint32{}
	}
	return w.each(ctx, "SELECT id, site, status, use FROM facet WHERE id >= ? ORDER BY id", []any{len(c.of)}, func(rows *sql.Rows) error {
		var id uint32
		var key [3]string
		if err := rows.Scan(&id, &key[0], &key[1], &key[2]); err != nil {
			return err
		}
		if _, known := c.first[key]; !known {
			c.first[key] = id
		}
		c.of = append(c.of, make([]uint32, int(id)-len(c.of)+1)...)
		c.of[id] = c.first[key]
		return nil
	})
}

// add adds a row to a digest. One of a facet that is not known, in a damaged store, is left out, as questions leave it out.
func (c *classes) add(d *digest, facet, user uint32, s *sums) {
	if uint64(facet) < uint64(len(c.of)) && c.of[facet] != 0 {
		d.add(c.of[facet], facet, user, s)
	}
}

// addToDigest adds rows that are about to be settled to the digest of their day or month. Where there is none, but blocks are, these alone
// would be too little: then digestNext makes it.
func (w *writer) addToDigest(ctx context.Context, k *blockKey, rows []row) error {
	d := &digest{}
	data, found, err := w.readDigest(ctx, k)
	if err != nil {
		return err
	}
	if !found {
		var one int
		blocks, err := w.get(ctx, "SELECT 1 FROM block WHERE month = ? AND level = ? AND start = ? LIMIT 1", []any{k.month, k.level, k.start}, []any{&one})
		if err != nil || blocks {
			return err
		}
	} else if d, err = decodeDigest(data); err != nil { // it says nothing that blocks do not say
		w.digested = false
		_, _, err = w.exec(ctx, "DELETE FROM digest WHERE month = ? AND level = ? AND start = ?", k.month, k.level, k.start)
		return err
	}
	if err := w.readClasses(ctx); err != nil {
		return err
	}
	for i := range rows {
		w.classes.add(d, rows[i].facet, rows[i].user, &rows[i].sums)
	}
	return w.writeDigest(ctx, k, d)
}

func (w *writer) readDigest(ctx context.Context, k *blockKey) (data []byte, found bool, err error) {
	found, err = w.get(ctx, "SELECT data FROM digest WHERE month = ? AND level = ? AND start = ?", []any{k.month, k.level, k.start}, []any{&data})
	return data, found, err
}

func (w *writer) writeDigest(ctx context.Context, k *blockKey, d *digest) error {
	_, _, err := w.exec(ctx, "REPLACE INTO digest (month, level, start, data) VALUES (?, ?, ?, ?)", k.month, k.level, k.start, d.encode())
	return err
}

// digestNext makes one digest that is missing: of a store that an older gnomon wrote. It returns false when there is none.
func (w *writer) digestNext(ctx context.Context) (bool, error) {
	if w.digested {
		return false, nil
	}
	if len(w.undigested) == 0 {
		if err := w.findUndigested(ctx); err != nil || w.digested {
			return false, err
		}
	}
	next := w.undigested[len(w.undigested)-1]
	w.undigested = w.undigested[:len(w.undigested)-1]
	if err := w.transact(ctx, func(ctx context.Context) error { return w.digestBlocks(ctx, &next) }); err != nil {
		return false, fmt.Errorf("adding up the blocks of a span: %w", err)
	}
	return true, nil
}

// findUndigested lists what is missing.
func (w *writer) findUndigested(ctx context.Context) error {
	err := w.each(ctx, `SELECT DISTINCT month, level, start FROM block WHERE level IN (?, ?) EXCEPT SELECT month, level, start FROM digest
		ORDER BY start`, []any{levelDay, levelMonth}, func(rows *sql.Rows) error {
		var k blockKey
		err := rows.Scan(&k.month, &k.level, &k.start)
		w.undigested = append(w.undigested, k)
		return err
	})
	w.digested = err == nil && len(w.undigested) == 0
	return err
}

// digestBlocks makes the digest of a day or a month from its blocks.
func (w *writer) digestBlocks(ctx context.Context, k *blockKey) error {
	if err := w.readClasses(ctx); err != nil {
		return err
	}
	d, err := w.sumBlocks(ctx, k)
	if err != nil || len(d.classes) == 0 { // they have expired meanwhile
		return err
	}
	return w.writeDigest(ctx, k, d)
}

// sumBlocks adds the blocks of a day or a month up.
func (w *writer) sumBlocks(ctx context.Context, k *blockKey) (*digest, error) {
	d := &digest{}
	const text = "SELECT data FROM block WHERE month = ? AND level = ? AND start = ?"
	return d, w.each(ctx, text, []any{k.month, k.level, k.start}, func(rows *sql.Rows) error {
		var data sql.RawBytes
		if err := rows.Scan(&data); err != nil {
			return err
		}
		var b block
		if err := b.decode(data); err != nil {
			return err
		}
		for i := range b.n {
			s := b.sums(i, b.hour(i))
			w.classes.add(d, uint32(b.col[colFacet].at(i)), b.user(i), &s)
		}
		return nil
	})
}
