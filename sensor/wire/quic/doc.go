// Package quic opens the Initial packets of QUIC clients and gives back the ClientHello inside (RFC 9000, RFC 9001, RFC 9369 and the drafts
// still seen). Their keys derive from what the packet itself carries, so this reads what anyone on the path can read. It does not read
// the hello (see wire/tls), opens no other packet, keeps no flows (see flow), and does no I/O.
//
//	datagram ──> long headers ──> keys of the DCID ──> header mask ──> AES-128-GCM ──> frames ──> CRYPTO bytes ──> ClientHello
//	             (header.go)      (keys.go)            (open.go)                       (frames.go) (assembly.go)
//
// A name is taken from authenticated packets only: a datagram that is something else, or damaged, yields nothing.
package quic

import "errors"

var (
	// ErrNotInitial says that no Initial packet is in the datagram.
	ErrNotInitial = errors.New("reading QUIC datagram: no Initial packet in it; wait for another")
	// ErrSealed says that no Initial packet of the datagram could be authenticated with a client's keys: it is a server's, damaged,
	// or belongs to a connection whose first packet was not captured.
	ErrSealed = errors.New("opening QUIC Initial: no key of a client fits; wait for another")
	// ErrMalformed says that an authenticated packet breaks the rules of RFC 9000 so far that no hello can come of it.
	ErrMalformed = errors.New("reading QUIC Initial: its frames contradict RFC 9000; give the connection up")
)
