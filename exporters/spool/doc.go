// Package spool stands between the sensor and everything that takes records out: it keeps them on the disk until every exporter has them,
// so that an exporter that is away loses nothing and a crash neither. Exporters only say stored, again or never; when to try again is
// decided here, once for all of them. How records lie on the disk is the business of journal and codec.
//
//	Sink.Offer ──> memory ──every Sync──> journal (disk) ──> pump "store"         ──> Exporter ──> Stored: the cursor goes on
//	                                             ├─────────> pump "elasticsearch" ──> Exporter ──> Again:  the same records, later
//	                                             └─────────> pump "file"          ──> Exporter ──> Never:  dead letters
//
// A record is safe once its group is synced, which is at most Config.Sync after Offer, and from then on each exporter gets it, after any
// number of crashes: at least once by itself, exactly once because event.id says what is there already. Bounds by bytes and age come at a
// price: the oldest records go first, an exporter that has them is not touched, and what the others lose is counted and said.
//
// One core takes a record of 1.7 KB (as JSON) in, keeps it, reads it and hands it over in 8 us of its time: 120,000 a second, where the disk
// can take 90 MB a second (BenchmarkSpool).
package spool
