// Package sensor is the data path: frames in, records out. This page is the architecture.
//
//	interface (TPACKET_V3, a worker per ring)        capture files
//	             \                                  /
//	              capture: frames in batches, nothing copied
//	                              |
//	              decode: link, VLAN, tunnels, IP, fragments -> segments
//	                              |
//	              flow: table outside the Go heap; direction, unique bytes, slices by packet time
//	                              |
//	              evidence: streams put together; wire/{tls,quic,http,dns} read names
//	                              |
//	              classifiers + signatures: which AI service is that name?
//	                              |
//	              Sensor: visits, records (package event) -> Sink
//
// One goroutine runs one worker: no channel, lock, allocation or log line per packet. A worker owns its source, its flow table and
// everything half read; workers share the catalogue, which is read only, the visits and the sink, which are touched when a record
// exists.
//
// Capture files have no queues to divide their traffic by: there, one reader (capture/share) gives every frame to every worker, which drops
// what belongs to the clients of others (Share). They find together what one finds alone. What the page cache holds of a file in large pieces is
// looked at where it lies, up to 256 MiB of it at a time (a process list counts them as the sensor's; they are the page cache's); should somebody cut
// the file meanwhile, that is an error of its Guard.
//
// Time is packet time. What a record says (borders of slices, ends of flows, identifiers) follows from the packets alone, so that
// the same input gives the same records; the wall clock only decides, on a live interface, when silence is noticed.
//
// A supporting name of a service is no use by itself: its flow's slices are held until they are due, and written if the same client uses the
// service at that time. A shared one is written only after such use, as evidence whose bytes do not count.
//
// What stays without a name is measured when a flow ends (Coverage, Clients): hidden by ECH, encrypted DNS, a relay or a tunnel, seen in
// one direction, cut, or nameless.
//
// Names that the catalogue does not know, shown by a client, a certificate, a look-up or a log, are counted per day and without users, and
// their flows' pace is watched, in candidates. A worker remembers those of hellos (strangers), so that a name that comes
// again is asked for once.
//
// Flows without a readable name ask pdns, what their client looked the address up for. Learner is told of resolvers, proxies and DHCP,
// from which identity learns who is nobody and who holds an address.
//
// Package logs is the second eye: lines in, the same records out, past everything that has to do with frames. Where both see a visit, Eyes
// says whose records count, once it is known who it was. Package logs/input brings the lines in, and goes on at the byte after a crash.
//
// Nothing here knows an exporter: Sink is the whole of it. What comes behind it is wired together in cmd/gnomon.
package sensor
