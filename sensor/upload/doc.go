// Package upload estimates how many bytes of request bodies a client has sent over an encrypted connection, from what the connection
// shows without being decrypted: the sizes of its TLS records, or of its QUIC datagrams, and who spoke when. It reads no names (see
// evidence), keeps no flows and counts no transport bytes (see flow).
//
// # The model
//
// A connection is a sequence of bursts: what the client says until the server answers. What the server says while a body is under way is no
// answer. A burst begins with a request's head, a body may follow. What is neither is taken off:
//
//	handshake      up to the client's Finished           seen by record type and size
//	records        header, tag, content type             exact, from the negotiated cipher
//	HTTP/2 frames  9 bytes per DATA frame, settings,     known sizes
//	               window updates, pings
//	QUIC packets   header, packet number, tag, STREAM    from the connection ID's length
//	               frame; acknowledgements, probes
//	sent again,    what acknowledgements, silence and    a share: packet numbers are encrypted (resent.go)
//	over QUIC      a full queue let expect
//	heads          a record or datagram of its own:      exact
//	               together with the body:               size of the connection's other heads, or a typical one
//
// Bytes that were not captured are filled in from the sequence numbers, or, where only the server was captured, from its
// acknowledgements.
//
// Bytes is the estimate. Low and High bound it: Low takes what may have been head for head and the most overhead per byte, High takes
// everything that was not certainly overhead for body. All three only grow, event by event, so that the differences between any two
// moments add up to the whole.
package upload
