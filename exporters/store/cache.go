package store

import (
	"container/list"
	"context"
	"database/sql"
	"sync"
)

// maxCache bounds the bytes of blocks in memory: the months of a year of 10,000 users with room to spare.
const maxCache = 96 << 20

// blockCache keeps the blocks that were read last. What a number stands for never changes: a block that is written anew gets a new one.
type blockCache struct {
	mu    *sync.Mutex // guards what follows
	at    map[blobID]*list.Element
	order *list.List // of *cached, the last used first
	bytes int
}

// blobID is one writing of a blob.
type blobID struct {
	row  int64
	kind blobKind
}

// blobKind says in which table a blob lies.
type blobKind uint8

// The kinds of blobs.
const (
	kindBlock blobKind = iota
	kindFresh
	kindDigest
	kinds
)

// text is the statement that reads a blob.
func (k blobKind) text() string {
	return "SELECT data FROM " + [kinds]string{"block", "fresh", "digest"}[k] + " WHERE id = ?"
}

// tables reads blobs with a statement for each kind, prepared once.
type tables struct {
	tx *sql.Tx
	of [kinds]*sql.Stmt
}

func (t *tables) read(ctx context.Context, from *blockCache, id blobID) ([]byte, error) {
	if t.of[id.kind] == nil {
		var err error
		if t.of[id.kind], err = t.tx.PrepareContext(ctx, id.kind.text()); err != nil { //nolint:sqlclosecheck // close does
			return nil, err
		}
	}
	return from.get(ctx, t.of[id.kind], id)
}

func (t *tables) close() {
	for _, st := range t.of {
		if st != nil {
			_ = st.Close() // it only read
		}
	}
}

type cached struct {
	id   blobID
	data []byte
}

func newBlockCache() blockCache {
	return blockCache{mu: &sync.Mutex{}, at: map[blobID]*list.Element{}, order: list.New()}
}

// get returns a block from memory or the file. The caller does not change it.
func (c *blockCache) get(ctx context.Context, st *sql.Stmt, id blobID) ([]byte, error) {
	c.mu.Lock()
	if e := c.at[id]; e != nil {
		c.order.MoveToFront(e)
		c.mu.Unlock()
		return e.Value.(*cached).data, nil
	}
	c.mu.Unlock()
	var data []byte
	if err := st.QueryRowContext(ctx, id.row).Scan(&data); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at[id] == nil {
		c.at[id] = c.order.PushFront(&cached{id, data})
		c.bytes += len(data)
	}
	for c.bytes > maxCache && c.order.Len() > 1 {
		last := c.order.Back()
		old := c.order.Remove(last).(*cached)
		delete(c.at, old.id)
		c.bytes -= len(old.data)
	}
	return data, nil
}
