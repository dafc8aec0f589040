package pcapfile

import (
	"math"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// interfaces numbers the interfaces of several captures as those of one source: what a number means holds when the capture that it comes from
// has ended, and in the next one, which numbers its own from 0 again. A flow may go on there, and its record is written later still.
type interfaces struct {
	names  []string          // by number; 0 is none's
	known  map[string]uint16 // the numbers of names
	number []uint16          // by that of the current capture, as far as they were met
}

// next forgets how the capture before numbers its interfaces.
func (n *interfaces) next() { n.number = n.number[:0] }

// renumber gives frames of the current capture the numbers of the series. One in classic format names no interfaces and has none but 0.
func (n *interfaces) renumber(f *File, frames []capture.Frame) {
	if _, named := f.records.(*ng); !named {
		return
	}
	for i := range frames {
		at := int(frames[i].Interface)
		for at >= len(n.number) {
			n.number = append(n.number, n.numberOf(f.InterfaceName(uint16(len(n.number)))))
		}
		frames[i].Interface = n.number[at]
	}
}

// numberOf is the number of a name. If there are too many, the further ones have none: no name is better than another's.
func (n *interfaces) numberOf(name string) uint16 {
	if at, ok := n.known[name]; ok || name == "" {
		return at
	}
	if n.known == nil {
		n.names, n.known = []string{""}, map[string]uint16{}
	}
	if len(n.names) > math.MaxUint16 {
		return 0
	}
	at := uint16(len(n.names))
	n.names, n.known[name] = append(n.names, name), at
	return at
}

// name is that of a number, or "".
func (n *interfaces) name(number uint16) string {
	if int(number) < len(n.names) {
		return n.names[number]
	}
	return ""
}
