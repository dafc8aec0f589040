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
	at    map[blockID]*list.Element
	order *list.List // of *cached, the last used first
	bytes int
}

// blockID is one writing of a block.
type blockID struct {
	row   int64
	fresh bool
}

type cached struct {
	id   blockID
	data []byte
}

func newBlockCache() blockCache {
	return blockCache{mu: &sync.Mutex{}, at: map[blockID]*list.Element{}, order: list.New()}
}

// get returns a block from memory or the file. The caller does not change it.
func (c *blockCache) get(ctx context.Context, st *sql.Stmt, id blockID) ([]byte, error) {
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
