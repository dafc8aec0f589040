package identity

import (
	"net/netip"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// UserAt says who was behind an address at a time, zero if nobody is known. Unlike Apply it counts nothing.
func (w *Who) UserAt(addr netip.Addr, at event.Time) Name {
	c := client{addr: addr, at: at}
	return w.identify(&c).user
}
