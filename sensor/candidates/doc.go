// Package candidates counts contacts with names that are in no catalogue, per name and day and without users, and says which of the names
// look like AI services. It is told of names and flows by package sensor, and it decides nothing about names that the catalogue knows (see
// classifiers). What becomes of a day (a record, a row of the store) is decided in cmd/gnomon.
//
//	a flow's name is read ── Table.See ── entry of the name: clients (a sketch), flows
//	  its segments        ── Pace      ── did the server answer at a token's pace? for a bounded number of flows at once
//	a flow ends           ── Table.Add ── bytes, answers
//	a log's line          ── Table.Log ── the same from one line, and the path of an API
//	a look-up's CNAME     ── Table.Alias  which AI platform the name leads to
//	the day is over       ── Table.Take ── Day ── Encode (the store), Judge (candidates)
//
// Nothing is done per packet but for the flows that are watched, and nothing allocates once a name has its entry.
package candidates
