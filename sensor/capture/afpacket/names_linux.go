package afpacket

import "sync/atomic"

// maxNames bounds how many interfaces one source tells apart: on a host of containers they come and go for years.
const maxNames = 4096

// nameTable numbers the interfaces of a source. One goroutine numbers, any may read the names.
type nameTable struct {
	names  atomic.Pointer[[]string]
	lookup func(index int32) (string, error) // name of an interface by the kernel's index

	byIndex   map[int32]uint16
	lastIndex int32
	lastName  uint16
}

func newNameTable(names []string, lookup func(int32) (string, error)) *nameTable {
	t := &nameTable{lookup: lookup, byIndex: make(map[int32]uint16)}
	t.names.Store(&names)
	return t
}

// number is the position among the names of the interface with the kernel's index; 0 when it has none, or there are too many.
func (t *nameTable) number(index int32) uint16 {
	if index == t.lastIndex {
		return t.lastName
	}
	n, ok := t.byIndex[index]
	if !ok {
		n = t.add(index)
	}
	t.lastIndex, t.lastName = index, n
	return n
}

// add names a new interface. Indices without a name are not remembered: the interface is gone already, and so are its frames soon.
func (t *nameTable) add(index int32) uint16 {
	old := *t.names.Load()
	if len(old) >= maxNames {
		return 0
	}
	name, err := t.lookup(index)
	if err != nil {
		return 0
	}
	names := append(old[:len(old):len(old)], name)
	t.names.Store(&names)
	n := uint16(len(names) - 1)
	t.byIndex[index] = n
	return n
}

func (t *nameTable) name(i uint16) string {
	if names := *t.names.Load(); int(i) < len(names) {
		return names[i]
	}
	return ""
}
