// Package logs reads log records: the lines that proxies, gateways, firewalls and resolvers write, and what they say of who reached
// which host and how much went each way.
//
//	line -> syslog header off -> layout (columns, pairs, csv, json, cef, leef, regexp) -> fields -> Record
//	                                                                                                  |
//	              Sink <- event.Event <- Activities: classifier, sessions, visits, identifiers <------+
//
// A format is data: a TOML file in formats/ (see README.md there is one for how to add another), compiled once. Only what no table can
// say is code: headers that change within a file, several lines that make one record, sessions whose records carry running totals.
//
// Lines come from elsewhere: files, syslog and HTTP are read by package input, and Lines only cuts a stream. Whose address it was and what the
// organisation says of a service is not decided here either (see identity and policy).
package logs
