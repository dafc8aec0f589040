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
	// TwoEyes says what packets and logs saw both; nil: nothing, or there was but one of them.
	TwoEyes *TwoEyes `json:"two_eyes,omitempty"`
}

// TwoEyes counts what packets and logs told of the same use.
type TwoEyes struct {
	// Joined are the records of visits that both saw; Uncounted those that were not counted, for the other's were.
	Joined    uint64 `json:"joined"`
	Uncounted uint64 `json:"uncounted"`
	// Silent are the visits in which packets went on counting, for their log had fallen silent.
	Silent uint64 `json:"silent"`
	// Untold are the visits that were left to a log which never told of them: what they carried is missing in sums.
	Untold uint64 `json:"untold"`
}

// Minus is what came since before.
func (t TwoEyes) Minus(before TwoEyes) TwoEyes {
	return TwoEyes{t.Joined - before.Joined, t.Uncounted - before.Uncounted, t.Silent - before.Silent, t.Untold - before.Untold}
}

// Plus adds up.
func (t TwoEyes) Plus(o TwoEyes) TwoEyes {
	return TwoEyes{t.Joined + o.Joined, t.Uncounted + o.Uncounted, t.Silent + o.Silent, t.Untold + o.Untold}
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
	if o.TwoEyes != nil {
		sum := *o.TwoEyes
		if c.TwoEyes != nil {
			sum = sum.Plus(*c.TwoEyes)
		}
		c.TwoEyes = &sum
	}
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
		c.Sources[name] = c.Sources[name].Plus(n)
	}
}
