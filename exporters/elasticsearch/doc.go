// Package elasticsearch brings records to Elasticsearch and OpenSearch, and asks them there: the client with its authentication and TLS,
// the names of data streams and indices, bulk requests and what their answers mean. It keeps nothing and waits for nothing: batches, pauses
// and dead letters are made in front of it (package spool).
//
// Every record is created under its event.id, so that one which is sent again is there once: Elasticsearch answers 409 and the record counts
// as stored. Ids are unique within an index; how a data stream, which is several of them, is kept exact is told in doubt.go.
package elasticsearch
