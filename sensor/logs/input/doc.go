// Package input brings the lines of logs in, for as long as a sensor runs: from files that rotate, from directories that others put files
// into, from syslog and over HTTP.
//
//	files, directories ──┐
//	syslog: udp tcp tls ─┼─> source: Format -> Activities -> Sink        (one lock for each source, held for a few lines)
//	HTTP push ───────────┘        |
//	                              └─ every second: what is remembered -> Sync the Sink -> state file, replaced as a whole
//
// A source is read up to a place, and what it remembers at that place (how far each file, identical lines, open sessions, counts of lines)
// is kept only after Sync has made durable all that came of the lines before it. After a crash the lines behind the place are read again
// with what was remembered there, so that their records get the identifiers that they had: whoever stores them knows them. A file is told
// by device, inode and its first bytes, whatever it is called and whether it has been compressed since.
//
// Who sends over HTTP gets its answer after that, and a body that was taken before is taken once. Syslog knows no answers: what a
// sender hands over while nobody reads is lost, over UDP it is counted.
//
// What a line means is not known here (see package logs), nor where records go. Reading waits while the Sink has no room; nothing piles up.
package input
