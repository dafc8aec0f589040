// Package truth holds what the laboratory's own ends of a conversation saw, one record per connection or look-up, as
// NDJSON. It is the yardstick for what a sensor reads from the capture, so nothing in it is derived from the capture.
package truth

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sync"
)

// Kinds of records.
const (
	KindConnection = "connection" // a connection to the stand-in server
	KindProxied    = "proxied"    // the client's leg to a proxy
	KindDNS        = "dns"        // one question and its answer
)

// Record is one conversation. Byte counts are of bodies and messages, before TLS and framing, unless they say otherwise.
type Record struct {
	Kind        string         `json:"kind"`
	Transport   string         `json:"transport"` // tcp or udp
	Client      netip.AddrPort `json:"client"`
	Server      netip.AddrPort `json:"server"`
	Program     string         `json:"program,omitempty"`    // the client program and its version
	Name        string         `json:"name,omitempty"`       // SNI, CONNECT target, or the question's name
	Protocol    string         `json:"protocol,omitempty"`   // http/1.1, h2, h3, websocket, connect, http, dns
	ECH         bool           `json:"ech,omitempty"`        // Name was inside an encrypted hello
	OuterName   string         `json:"outer_name,omitempty"` // the name in the clear when ECH
	User        string         `json:"user,omitempty"`       // as the proxy authenticated them
	Hosts       []Host         `json:"hosts,omitempty"`      // by order of first request
	Requests    int            `json:"requests,omitempty"`
	Uploaded    int64          `json:"request_body_bytes"`
	Downloaded  int64          `json:"response_body_bytes"`
	SocketIn    int64          `json:"socket_bytes_from_client,omitempty"` // TCP payload the server read, TLS included
	SocketOut   int64          `json:"socket_bytes_to_client,omitempty"`   // TCP payload the server wrote, TLS included
	Type        string         `json:"type,omitempty"`                     // DNS question type
	Code        string         `json:"rcode,omitempty"`                    // DNS response code
	Answers     []string       `json:"answers,omitempty"`                  // DNS addresses
	Chain       []string       `json:"chain,omitempty"`                    // DNS names on the way to the addresses
	Truncated   bool           `json:"truncated,omitempty"`                // DNS answer with the TC bit, asked again over TCP
	BehindProxy netip.AddrPort `json:"client_behind_proxy,omitzero"`       // whom the proxy opened this connection for
}

// Host is the share of one host name in a connection that served several.
type Host struct {
	Name       string `json:"name"`
	Requests   int    `json:"requests"`
	Uploaded   int64  `json:"request_body_bytes"`
	Downloaded int64  `json:"response_body_bytes"`
}

// Book collects records. Its methods may be called concurrently.
type Book struct {
	mu      sync.Mutex
	records []*Record
}

// Add enters a record, which the caller may go on changing through Update.
func (b *Book) Add(r *Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records = append(b.records, r)
}

// Update calls change while no one else reads or writes any record of the book.
func (b *Book) Update(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

// Snapshot returns copies of the records in the order in which they were added.
func (b *Book) Snapshot() []Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Record, len(b.records))
	for i, r := range b.records {
		out[i] = *r
		out[i].Hosts = slices.Clone(r.Hosts)
	}
	return out
}

// Count adds one request of a host to the record; call it inside Update.
func (r *Record) Count(host string, requests int, up, down int64) {
	r.Requests += requests
	r.Uploaded += up
	r.Downloaded += down
	i := slices.IndexFunc(r.Hosts, func(h Host) bool { return h.Name == host })
	if i < 0 {
		r.Hosts = append(r.Hosts, Host{Name: host})
		i = len(r.Hosts) - 1
	}
	r.Hosts[i].Requests += requests
	r.Hosts[i].Uploaded += up
	r.Hosts[i].Downloaded += down
}

// Join carries the proxy's knowledge over to its connections to the server: the user and the client behind them. The
// proxy's own leg gets back what the server counted inside a CONNECT tunnel. outgoing maps the proxy's local address of
// each outgoing connection to the index of the proxied record in records.
func Join(records []Record, outgoing map[netip.AddrPort]int) {
	for i := range records {
		leg := &records[i]
		if leg.Kind != KindConnection {
			continue
		}
		p, ok := outgoing[leg.Client]
		if !ok {
			continue
		}
		proxied := &records[p]
		leg.User, leg.BehindProxy = proxied.User, proxied.Client
		if proxied.Protocol == "connect" {
			proxied.Requests, proxied.Uploaded, proxied.Downloaded = leg.Requests, leg.Uploaded, leg.Downloaded
			proxied.Hosts = slices.Clone(leg.Hosts)
		}
	}
}

// Write puts the records out as NDJSON: connections before look-ups, each in the order given.
func Write(w io.Writer, records []Record) error {
	sorted := slices.Clone(records)
	slices.SortStableFunc(sorted, func(a, b Record) int { return cmp.Compare(rank(a.Kind), rank(b.Kind)) })
	buf := bufio.NewWriter(w)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	for i := range sorted {
		if err := enc.Encode(&sorted[i]); err != nil {
			return fmt.Errorf("writing truth: %w", err)
		}
	}
	if err := buf.Flush(); err != nil {
		return fmt.Errorf("writing truth: %w", err)
	}
	return nil
}

func rank(kind string) int {
	return slices.Index([]string{KindProxied, KindConnection, KindDNS}, kind)
}
