package event

// Coverage is what the sensor saw and could not see in one minute. All figures are deltas of that minute.
type Coverage struct {
	Received    uint64            `json:"received"`
	Dropped     uint64            `json:"dropped"`
	Copies      uint64            `json:"copies,omitempty"` // frames that were captured before, and are counted once
	Undecodable map[string]uint64 `json:"undecodable,omitempty"`
	Flows       uint64            `json:"flows"`
	// FlowsReadable are the flows that ended and should have had a name: to port 443, or with a hello or a request. FlowsNamed are those of
	// them whose name could be read.
	FlowsReadable uint64 `json:"flows_readable"`
	FlowsNamed    uint64 `json:"flows_named"`
	// ECH counts flows whose name is hidden in an encrypted hello; dummies of it (GREASE) are not among them.
	ECH          uint64 `json:"ech"`
	EncryptedDNS uint64 `json:"encrypted_dns"`
	Relay        uint64 `json:"relay"` // relays, VPNs and other tunnels
	OneSided     uint64 `json:"one_sided"`
	Cut          uint64 `json:"cut"`
	// Web divides the traffic to port 443, OtherPorts what hides names on other ports.
	Web        Sight `json:"web,omitzero"`
	OtherPorts Sight `json:"other_ports,omitzero"`
	// HiddenBy says by what names were hidden: entries of the catalogue, else protocols.
	HiddenBy map[string]Part `json:"hidden_by,omitempty"`
	// Clients are those of which most was hidden or nameless. They are personal data: of single minutes only, and for analysts.
	Clients []ClientSight `json:"clients,omitempty"`
	// ClientsLeftOut counts the flows of clients for which there was no room among those that are remembered.
	ClientsLeftOut uint64            `json:"clients_left_out,omitempty"`
	BytesWithUser  uint64            `json:"bytes_with_user"`
	Evicted        uint64            `json:"evicted"`
	QueueAgeS      float64           `json:"queue_age_s"`
	Sources        map[string]Source `json:"sources,omitempty"`
}

// Source counts the lines of one log source.
type Source struct {
	Read     uint64 `json:"read"`
	Used     uint64 `json:"used"`
	Rejected uint64 `json:"rejected"`
}

// Add adds deltas up. The age of the queue is no delta: the oldest counts. Clients are not added up: see Sight.Add.
func (c *Coverage) Add(o *Coverage) {
	for _, p := range [...]struct {
		to   *uint64
		from uint64
	}{{&c.Received, o.Received}, {&c.Dropped, o.Dropped}, {&c.Flows, o.Flows}, {&c.FlowsReadable, o.FlowsReadable},
		{&c.FlowsNamed, o.FlowsNamed}, {&c.ECH, o.ECH}, {&c.EncryptedDNS, o.EncryptedDNS}, {&c.Relay, o.Relay}, {&c.OneSided, o.OneSided},
		{&c.Cut, o.Cut}, {&c.ClientsLeftOut, o.ClientsLeftOut}, {&c.BytesWithUser, o.BytesWithUser}, {&c.Evicted, o.Evicted}} {
		*p.to += p.from
	}
	c.QueueAgeS = max(c.QueueAgeS, o.QueueAgeS)
	c.Web.Add(&o.Web)
	c.OtherPorts.Add(&o.OtherPorts)
	for reason, n := range o.Undecodable {
		if c.Undecodable == nil {
			c.Undecodable = map[string]uint64{}
		}
		c.Undecodable[reason] += n
	}
	for by, p := range o.HiddenBy {
		if c.HiddenBy == nil {
			c.HiddenBy = map[string]Part{}
		}
		c.HiddenBy[by] = c.HiddenBy[by].Plus(p)
	}
	for name, n := range o.Sources {
		if c.Sources == nil {
			c.Sources = map[string]Source{}
		}
		s := c.Sources[name]
		c.Sources[name] = Source{Read: s.Read + n.Read, Used: s.Used + n.Used, Rejected: s.Rejected + n.Rejected}
	}
}
