package store

import (
	"container/list"
	"context"
	"database/sql"
	"fmt"
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
	read chan struct{} // closed when data is there, or cannot be read
	done bool          // it is closed; guarded by the cache
	err  error
}

func newBlockCache() blockCache {
	return blockCache{mu: &sync.Mutex{}, at: map[blobID]*list.Element{}, order: list.New()}
}

// get returns a block from memory or the file. The caller does not change it. Questions that go through the same months side by side read
// each block once: the second waits for the first.
func (c *blockCache) get(ctx context.Context, st *sql.Stmt, id blobID) ([]byte, error) {
	b, mine := c.claim(id)
	if mine {
		b.err = st.QueryRowContext(ctx, id.row).Scan((*owned)(&b.data))
		c.put(b)
		return b.data, b.err
	}
	select {
	case <-b.read:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if b.err == nil {
		return b.data, nil
	}
	var data owned // another question could not, which may have been given up
	err := st.QueryRowContext(ctx, id.row).Scan(&data)
	return data, err
}

// claim returns a block that is there or being read, or one that the caller has to read and put.
func (c *blockCache) claim(id blobID) (b *cached, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.at[id]; e != nil {
		c.order.MoveToFront(e)
		return e.Value.(*cached), false
	}
	b = &cached{id: id, read: make(chan struct{})}
	c.at[id] = c.order.PushFront(b)
	return b, true
}

// put tells those who wait, and lets go of blocks that nobody has asked for in the longest time.
func (c *blockCache) put(b *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(b.read)
	b.done = true
	if b.err != nil {
		if e := c.at[b.id]; e != nil {
			c.order.Remove(e)
			delete(c.at, b.id)
		}
		return
	}
	c.bytes += len(b.data)
	for e := c.order.Back(); c.bytes > maxCache && e != c.order.Front(); {
		old, next := e.Value.(*cached), e.Prev()
		if old.done {
			c.order.Remove(e)
			delete(c.at, old.id)
			c.bytes -= len(old.data)
		}
		e = next
	}
}

// owned takes a blob over as it comes from the driver, which makes one for each row (sqlite.(*rows).Next): database/sql would copy it for
// whoever scans into bytes. The months of a year are 43 MB.
type owned []byte

// Scan implements sql.Scanner.
func (o *owned) Scan(from any) error {
	b, ok := from.([]byte)
	if !ok {
		return fmt.Errorf("%w: a blob is %T", errDamaged, from)
	}
	*o = b
	return nil
}
