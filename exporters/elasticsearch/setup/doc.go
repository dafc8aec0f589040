// Package setup makes a cluster ready for records, once, with a key of its own: component and index templates, the lifecycle that the server
// knows (ILM, a data stream lifecycle or ISM), roles and keys of least privilege, and Kibana's pages. It holds what every field of a record is
// to the cluster. It does not send records (see elasticsearch) and asks no questions about them (see search).
//
// What it makes carries its version and a hash of itself in _meta: run again it changes nothing, an older version of its own is brought up to
// date, and what somebody has changed by hand is left alone and told of.
package setup
