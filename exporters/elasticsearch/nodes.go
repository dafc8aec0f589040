package elasticsearch

import (
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
)

// How long a node that fails is left alone: doubling from the first to the last.
const (
	restLeast = time.Second
	restMost  = 30 * time.Second
)

// nodes takes the nodes in turn and leaves those alone for a while that fail. If all do, it takes the one that was left alone longest.
type nodes struct {
	now func() time.Time

	mu   sync.Mutex // guards what follows
	list []*node
	turn int
}

// node is one node of the cluster.
type node struct {
	conn  *elastictransport.Connection
	rest  time.Duration // how long it is left alone; 0: it works
	until time.Time
}

func newNodes(conns []*elastictransport.Connection, now func() time.Time) *nodes {
	n := &nodes{now: now}
	for _, c := range conns {
		n.list = append(n.list, &node{conn: c})
	}
	return n
}

var _ elastictransport.ConnectionPool = (*nodes)(nil)

// Next implements elastictransport.ConnectionPool.
func (n *nodes) Next() (*elastictransport.Connection, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.now()
	best := n.turn % len(n.list)
	for i := range n.list {
		at := (n.turn + i) % len(n.list)
		if candidate := n.list[at]; !candidate.until.After(now) {
			best = at
			break
		} else if candidate.until.Before(n.list[best].until) {
			best = at
		}
	}
	n.turn = best + 1
	return n.list[best].conn, nil
}

// OnSuccess implements elastictransport.ConnectionPool. An answer is no success yet: see answered.
func (n *nodes) OnSuccess(*elastictransport.Connection) error { return nil }

// OnFailure implements elastictransport.ConnectionPool.
func (n *nodes) OnFailure(c *elastictransport.Connection) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, node := range n.list {
		if node.conn == c {
			n.leave(node)
		}
	}
	return nil
}

// leave leaves a node alone for a while. mu is held.
func (n *nodes) leave(node *node) {
	now := n.now()
	if node.until.After(now) {
		return // one of several requests that failed together
	}
	node.rest = min(max(2*node.rest, restLeast), restMost)
	node.until = now.Add(node.rest)
}

// URLs implements elastictransport.ConnectionPool.
func (n *nodes) URLs() []*url.URL {
	var all []*url.URL
	for _, node := range n.list {
		all = append(all, node.conn.URL)
	}
	return all
}

// answered hears what a node has answered: whoever stands before a node that is away, or the node while it starts, says so with a status.
func (n *nodes) answered(host string, status int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, node := range n.list {
		if node.conn.URL.Host != host {
			continue
		}
		switch status {
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			n.leave(node)
		default:
			node.rest, node.until = 0, time.Time{}
		}
	}
}
