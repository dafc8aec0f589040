package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
)

// errDisk is what a model of a disk answers when it is told to fail.
var errDisk = errors.New("no space left on device")

// model is a directory that forgets what was not synced. It is a Dir for one goroutine.
type model struct {
	rnd    *rand.Rand
	names  map[string]*inode // as the process sees it
	kept   map[string]*inode // as it is after a loss of power
	ops    []func(map[string]*inode)
	faults float64 // how likely a write, a sync or a create fails
	life   int     // files of an earlier life are dead
}

type inode struct {
	data []byte // as the process sees it
	kept []byte // after a loss of power, at least
}

func newModel(seed uint64) *model {
	return &model{rnd: rand.New(rand.NewPCG(seed, 7)), names: map[string]*inode{}, kept: map[string]*inode{}}
}

func (m *model) fails() bool { return m.faults > 0 && m.rnd.Float64() < m.faults }

// do changes the directory now, and perhaps after a loss of power.
func (m *model) do(op func(map[string]*inode)) {
	op(m.names)
	m.ops = append(m.ops, op)
}

func (m *model) Create(name string) (File, error) {
	if m.names[name] != nil {
		return nil, fs.ErrExist
	}
	if m.fails() {
		return nil, errDisk
	}
	n := &inode{}
	m.do(func(d map[string]*inode) { d[name] = n })
	return &handle{m, n, m.life}, nil
}

func (m *model) Open(name string) (File, error) {
	if n := m.names[name]; n != nil {
		return &handle{m, n, m.life}, nil
	}
	return nil, fs.ErrNotExist
}

func (m *model) List() ([]Entry, error) {
	var all []Entry
	for name, n := range m.names {
		all = append(all, Entry{name, int64(len(n.data))})
	}
	return all, nil
}

func (m *model) Rename(from, to string) error {
	n := m.names[from]
	if n == nil {
		return fs.ErrNotExist
	}
	m.do(func(d map[string]*inode) {
		if d[from] == n {
			delete(d, from)
		}
		d[to] = n
	})
	return nil
}

func (m *model) Remove(name string) error {
	if m.names[name] == nil {
		return fs.ErrNotExist
	}
	m.do(func(d map[string]*inode) { delete(d, name) })
	return nil
}

func (m *model) Sync() error {
	if m.fails() {
		return errDisk
	}
	m.kept, m.ops = maps.Clone(m.names), nil
	return nil
}

// crash is a loss of power: of what was not synced, some reaches the disk and some does not, in any order, cut or scribbled over.
func (m *model) crash() {
	for _, op := range m.ops {
		if m.rnd.IntN(2) == 0 {
			op(m.kept)
		}
	}
	seen := map[*inode]bool{}
	for _, n := range m.kept {
		if !seen[n] {
			seen[n] = true
			n.data = m.survives(n)
			n.kept = append([]byte(nil), n.data...)
		}
	}
	m.names, m.ops, m.life = maps.Clone(m.kept), nil, m.life+1
}

func (m *model) survives(n *inode) []byte {
	if len(n.data) <= len(n.kept) { // cut, or not
		if m.rnd.IntN(2) == 0 {
			return n.data
		}
		return n.kept
	}
	added := len(n.data) - len(n.kept)
	data := append([]byte(nil), n.data[:len(n.kept)+m.rnd.IntN(added+1)]...)
	fresh := data[len(n.kept):]
	if len(fresh) > 0 && m.rnd.IntN(2) == 0 { // pages that did not make it are zeros, or rubbish
		from := m.rnd.IntN(len(fresh))
		for i := from; i < min(len(fresh), from+1+m.rnd.IntN(5000)); i++ {
			fresh[i] = byte(m.rnd.IntN(2) * m.rnd.IntN(256))
		}
	}
	return data
}

type handle struct {
	m    *model
	n    *inode
	life int
}

func (h *handle) ReadAt(b []byte, off int64) (int, error) {
	if off >= int64(len(h.n.data)) {
		return 0, io.EOF
	}
	n := copy(b, h.n.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (h *handle) Write(b []byte) (int, error) {
	if h.life != h.m.life {
		panic("a file of an earlier life is written")
	}
	n := len(b)
	if h.m.fails() {
		n = h.m.rnd.IntN(len(b) + 1)
	}
	h.n.data = append(h.n.data[:len(h.n.data):len(h.n.data)], b[:n]...)
	if n < len(b) {
		return n, errDisk
	}
	return n, nil
}

func (h *handle) Truncate(size int64) error {
	if h.m.fails() {
		return errDisk
	}
	if size > int64(len(h.n.data)) {
		return fmt.Errorf("cut at %d of %d", size, len(h.n.data))
	}
	h.n.data = h.n.data[:size:size]
	return nil
}

func (h *handle) Sync() error {
	if h.m.fails() {
		return errDisk
	}
	h.n.kept = append([]byte(nil), h.n.data...)
	return nil
}

func (h *handle) Close() error { return nil }
