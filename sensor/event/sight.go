package event

// Part is some of the traffic. Bytes are unique transport payload bytes of both directions.
type Part struct {
	Flows uint64 `json:"flows"`
	Bytes uint64 `json:"bytes"`
}

// Plus adds two parts up.
func (p Part) Plus(o Part) Part { return Part{p.Flows + o.Flows, p.Bytes + o.Bytes} }

// Minus takes off what was there before.
func (p Part) Minus(before Part) Part { return Part{p.Flows - before.Flows, p.Bytes - before.Bytes} }

// Sight divides traffic by what could be seen of its names. Every flow stands in one part alone, the first in this order that fits:
// encrypted DNS, relay, ECH, named, one-sided, cut, nameless.
type Sight struct {
	Named        Part `json:"named,omitzero"`         // the name was readable
	ECH          Part `json:"ech,omitzero"`           // hidden in an encrypted hello
	EncryptedDNS Part `json:"encrypted_dns,omitzero"` // to a resolver over HTTPS, TLS or QUIC
	Relay        Part `json:"relay,omitzero"`         // into a relay, a VPN or another tunnel
	OneSided     Part `json:"one_sided,omitzero"`     // no name, and only one direction was seen
	Cut          Part `json:"cut,omitzero"`           // no name, and the snaplen cut payload off
	Nameless     Part `json:"nameless,omitzero"`      // no name for another reason, such as a beginning that was not seen
}

// Parts lists the parts in the order of the fields.
func (s *Sight) Parts() [7]*Part {
	return [...]*Part{&s.Named, &s.ECH, &s.EncryptedDNS, &s.Relay, &s.OneSided, &s.Cut, &s.Nameless}
}

// Add adds o to s.
func (s *Sight) Add(o *Sight) {
	from := o.Parts()
	for i, p := range s.Parts() {
		*p = p.Plus(*from[i])
	}
}

// Minus is what has come since before.
func (s Sight) Minus(before Sight) Sight {
	from := before.Parts()
	for i, p := range s.Parts() {
		*p = p.Minus(*from[i])
	}
	return s
}

// Total is all traffic.
func (s *Sight) Total() (sum Part) {
	for _, p := range s.Parts() {
		sum = sum.Plus(*p)
	}
	return sum
}

// Hidden is the traffic whose names somebody hides: ECH, encrypted DNS and relays.
func (s *Sight) Hidden() Part { return s.ECH.Plus(s.EncryptedDNS).Plus(s.Relay) }

// Blind is all traffic but the named.
func (s *Sight) Blind() Part { return s.Total().Minus(s.Named) }

// ClientSight is what could be seen of the names of one client. Source has the address alone; User is who was behind it then.
type ClientSight struct {
	Source *Endpoint `json:"source,omitempty"`
	User   *User     `json:"user,omitempty"`
	// Shared marks an address that stands for several people or none, as a resolver's does.
	Shared     bool  `json:"shared,omitempty"`
	Web        Sight `json:"web,omitzero"`
	OtherPorts Sight `json:"other_ports,omitzero"`
}

// Blind is what was hidden or nameless on any port.
func (c *ClientSight) Blind() Part { return c.Web.Blind().Plus(c.OtherPorts.Blind()) }

// Hidden is what somebody hides on any port.
func (c *ClientSight) Hidden() Part { return c.Web.Hidden().Plus(c.OtherPorts.Hidden()) }
