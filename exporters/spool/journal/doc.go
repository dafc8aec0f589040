// Package journal is a durable, bounded log of records with a cursor for each reader. It keeps bytes; what they mean, when to write them
// down and what to do with them is decided in package spool.
//
//	Append ──> pending ──Flush──> 00000000000000004711.seg   one of several files, each named after its first record
//	           (memory)           magic, length, CRC32C, epoch, first number, time, reader, meta
//	                              [marker, length, CRC32C, number, payload] ...
//
//	Reader ──> reads what Flush has brought to the disk, from cursor.NAME on
//	Commit ──> cursor.NAME.tmp, renamed; then files that every reader is past are removed
//
// Records are numbered without a gap, so that a reader knows exactly how many it has missed, and reads none twice. A file is written only
// by the process that began it: each start begins a new one. What a crash has torn off is cut, what is damaged is skipped up to the next
// record that is whole, and a file whose head cannot be read is set aside (NAME.bad); none of it stops a start. Each file has a random
// number of its own, the epoch, in every checksum: bytes that look like a record within the payload of another are none.
package journal
