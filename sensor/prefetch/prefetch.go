// Package prefetch asks the processor for memory before it is needed, so that a look-up finds it in the first-level cache. It is a hint: any
// address is allowed, nothing is read and nothing can fault. It keeps nothing; what is worth asking for is known to who uses it (see package
// flow).
//
// A plain load does not do: the processor goes on behind a load that misses only until its window is full, some 300 instructions on, and
// then waits; a prefetch is done with when it is sent off. Go has no such instruction outside its runtime, hence a few lines of assembly.
package prefetch

import "unsafe"

// Group is how many addresses go together: a call costs as much as a few of them.
const Group = 8

// At asks for the line that a value begins in.
func At[T any](p *T) { line(unsafe.Pointer(p)) }
