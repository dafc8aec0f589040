package decode

// Reason says why a frame left no segment. Reasons are small integers counted in an array, so that hostile traffic costs nothing.
type Reason uint8

// The reasons.
const (
	Decoded      Reason = iota
	Short               // the frame or the capture ends within a header
	Malformed           // a length or version that cannot be
	LinkUnknown         // a link type that is not read
	NotIP               // ARP, LLDP, spanning tree, ...
	OtherIP             // ICMP, IGMP, OSPF, ESP, ...
	FragmentHeld        // part of a datagram that is being put together
	FragmentBad         // fragments that contradict each other, or too many
	TooDeep             // more headers in one another than are followed
	Encrypted           // a protected 802.11 frame, DTLS inside CAPWAP
	reasonCount
)

var reasonNames = [reasonCount]string{"decoded", "short", "malformed", "link_unknown", "not_ip", "other_ip",
	"fragment_held", "fragment_bad", "too_deep", "encrypted"}

// String is the key below gnomon.coverage.undecodable.
func (r Reason) String() string {
	if r < reasonCount {
		return reasonNames[r]
	}
	return ""
}

// Reasons lists every reason that loses a frame, in order.
func Reasons() []Reason {
	all := make([]Reason, 0, reasonCount)
	for r := Short; r < reasonCount; r++ {
		all = append(all, r)
	}
	return all
}

// Stats are what a decoder has seen.
type Stats struct {
	Frames           uint64
	Segments         uint64
	Undecoded        [reasonCount]uint64 // by Reason
	FragmentsEvicted uint64              // datagrams given up for want of memory
	FragmentsExpired uint64              // datagrams whose other parts never came
}

// Lost are the frames that the sensor could not read although they may have carried TCP or UDP.
func (s *Stats) Lost() uint64 {
	u := &s.Undecoded
	return u[Short] + u[Malformed] + u[LinkUnknown] + u[FragmentBad] + u[TooDeep] + u[Encrypted]
}
