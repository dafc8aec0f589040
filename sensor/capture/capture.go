// Package capture delivers frames, from a network interface (TPACKET_V3 ring) or from capture files (pcap, pcapng), in batches.
// It does not look inside a frame: see package decode.
package capture

import "io"

// LinkType is a value of the LINKTYPE_ registry (https://www.tcpdump.org/linktypes.html), whatever the source's own numbering.
type LinkType uint16

// Frame is one captured frame.
type Frame struct {
	// Data is what was captured of the frame, from the link-layer header on. It aliases the source's buffer, is valid until the
	// next call of Next and must not be written to.
	Data []byte
	// Time is the capture time in nanoseconds since 1970-01-01 UTC.
	Time int64
	// WireLen is the frame's length on the wire in bytes; at least len(Data) in a sane file, more where the snaplen cut it.
	WireLen uint32
	// Link is the type of the link-layer header.
	Link LinkType
	// Interface is an index into the source's list of interfaces; see Named.
	Interface uint16
	// VLAN is the 802.1Q tag control information that the kernel took out of the frame, valid if VLANValid.
	VLAN uint16
	// VLANProto is the ethertype of that tag (0x8100 or 0x88a8).
	VLANProto uint16
	// VLANValid says that the kernel handed a tag over beside the frame.
	VLANValid bool
}

// Source delivers frames in batches. One goroutine calls Next; Close may be called from another and ends a waiting Next.
type Source interface {
	// Next fills batch from its start and returns how many frames it filled. It may return frames together with an error: use them
	// first. io.EOF is the clean end of a finite source. Live sources return 0, nil now and then when the link is quiet, so that the
	// caller can mind its timers. The frames are valid until the next call.
	Next(batch []Frame) (int, error)
	// Name says what is read, for messages: an interface or a file.
	Name() string
	io.Closer
}

// Named is implemented by sources that know the names of their interfaces (Frame.Interface indexes them).
type Named interface {
	// InterfaceName is the name of interface i, or "" if it has none.
	InterfaceName(i uint16) string
}

// Guarded is implemented by sources whose frames may lie in memory that somebody else can take away, as a mapped file's when it is cut.
type Guarded interface {
	// Guard calls run and returns its error. All that looks at frames, Next too, goes in it, on the goroutine that called Guard. If their
	// memory is gone, that is an error of Guard, and what run worked on was left in the middle and must not be used any more. A source
	// whose Guard is never called gives copies; one that was read in it is read in it to its end.
	Guard(run func() error) error
}

// Stats are counters since the source was opened.
type Stats struct {
	Received uint64 // frames that the kernel or the file handed over
	Dropped  uint64 // frames that the kernel had no room for
	Freezes  uint64 // times the ring was full
}

// Counted is implemented by sources that count what they lose.
type Counted interface {
	// Stats may be called while another goroutine is in Next.
	Stats() Stats
}

// Clocked is implemented by live sources: between frames, time goes on by the wall clock; in a file it stands still.
type Clocked interface {
	// Now is the time in nanoseconds since 1970-01-01 UTC up to which every frame has been delivered.
	Now() int64
}
