// Package flow keeps the table of flows: which way each goes, how many unique bytes went each way, when it ends. It reads no payload
// (see packages evidence and wire) and writes no records (see package sensor).
package flow

import "github.com/gnomon-sensor/gnomon/sensor/decode"

// Flow is one flow. Flows lie outside the Go heap and hold no pointers: 128 bytes, two cache lines, of which the first is all that most
// segments of a known flow touch. What only few flows need is in a Side. What goes by direction is indexed by decode.Segment.Dir, and what is for TCP
// alone is the payload's reader's over UDP (see package evidence).
type Flow struct {
	Half    [2]Half
	Last    int64 // time of the last segment, nanoseconds since 1970-01-01 UTC
	State   State
	mark    uint32    // the upper half of the key's hash
	Acked   [2]uint32 // TCP: highest acknowledgement that this side sent before the flow was settled
	Side    uint32    // index of the side state; 0: none
	Watch   uint16    // the Owner's, 0 at first
	Tunnels uint16    // as in decode.Link

	Key   decode.Key
	First int64     // time of the first segment
	Low   [2]uint32 // TCP: lowest sequence number seen
	tag   uint32    // of the index, the lower half of the key's hash
	Iface uint16
	VLAN  uint16 // as in decode.Link
}

// Half is one direction of a flow.
type Half struct {
	Bytes   uint64 // unique payload bytes: TCP by sequence number, UDP the sum of the datagrams
	Packets uint32
	Next    uint32 // TCP: the number after the highest seen
}

// State is a set of facts about a flow.
type State uint32

// The facts. Those that come in pairs are indexed by direction: fact << dir.
const (
	ClientA State = 1 << iota // the client is side A; see Client
	ClientB                   // the client is side B
	SynA                      // side A sent a SYN
	SynB
	FinA
	FinB
	SeenA // Low and Next of side A hold something, or are not TCP's
	SeenB
	AckA // Acked of side A holds something
	AckB
	Rst       // a reset was seen
	ByName    // the client is known by its hello, request or query, not by who came first
	Settled   // no further payload is looked at
	Named     // a readable name was found
	HTTP      // requests follow one another: every segment of the client may begin one
	Live      // in the table
	Gap       // bytes are missing from the capture
	Cut       // the snaplen cut payload off
	Resumed   // continues an evicted flow by its tombstone
	Matched   // an AI service was recognised: slices are written
	ECH       // the hello carried an encrypted one
	NoClient  // the client was guessed
	Watched   // the pace of its segments is watched
	Denied    // the server has shown that it is not what its address was looked up for
	Hidden    // the name that was read is the outer one of an encrypted hello
	Metered   // every segment is measured, for the upload estimate
	Datagrams // it goes over UDP
)

// Has says whether every fact of s is set.
func (f *Flow) Has(s State) bool { return f.State&s == s }

// Client is the side of the client: 0 for A, 1 for B.
func (f *Flow) Client() uint8 {
	if f.State&ClientB != 0 {
		return 1
	}
	return 0
}

// SetClient fixes who the client is by what it said (a hello, a request, a query): that outweighs who came first.
func (f *Flow) SetClient(side uint8) {
	f.State = f.State&^(ClientA|ClientB|NoClient) | ClientA<<side | ByName
}

// Up and Down are the client's and the server's half.
func (f *Flow) Up() *Half { return &f.Half[f.Client()] }

// Down is the server's half.
func (f *Flow) Down() *Half { return &f.Half[1-f.Client()] }

// End says how a flow ended.
type End uint8

// The ends, as in gnomon.flow.end.
const (
	EndNone End = iota
	EndFIN
	EndRST
	EndIdle
	EndEvicted
	EndShutdown
)

var endNames = [...]string{"", "fin", "rst", "idle", "evicted", "shutdown"}

// String is the ECS value.
func (e End) String() string { return endNames[e] }

// Config tunes the flow table; see package flow for what a flow is.
type Config struct {
	// TCPIdle ends a TCP flow that has been silent this long: a chat is silent for minutes.
	TCPIdle int64
	// UDPIdle ends a UDP flow that has been silent this long.
	UDPIdle int64
	// Linger is how long a closed TCP flow waits for stragglers, so that they do not begin a flow of their own.
	Linger int64
	// MaxFlows bounds the table; beyond it the longest idle flows are evicted.
	MaxFlows int
	// Lasting says that the table will be used for long, so that huge pages are worth their price however few flows there are; see package hugepage.
	// A table of more than 2 MiB has them anyway: the first touches of its pages were 3 % of the time of a storm of handshakes.
	Lasting bool
	// Internal says whether an address is the organisation's own. Where no SYN was seen, the side outside is the server. Nil: unknown.
	Internal func(decode.Address) bool
}

// Default returns the defaults; times are nanoseconds.
func Default() Config {
	return Config{TCPIdle: 3600e9, UDPIdle: 300e9, Linger: 5e9, MaxFlows: 400_000}
}

// Stats are the counters of a table since New.
type Stats struct {
	Live      int
	Created   uint64
	Evicted   uint64
	Resumed   uint64 // evicted flows that came back and were known by their tombstone
	HolesLost uint64 // sequence gaps given up because there were too many at once
	Bytes     int64  // memory held by the table, without side states
}
