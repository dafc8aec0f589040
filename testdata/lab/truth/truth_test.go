package truth

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"testing"
)

func TestWrite(t *testing.T) {
	client := netip.MustParseAddrPort("10.20.1.11:40000")
	server := netip.MustParseAddrPort("203.0.113.10:443")
	question := Record{Kind: KindDNS, Transport: "udp", Client: client, Server: server, Name: "chatgpt.com", Type: "A", Code: "NOERROR"}
	connection := Record{Kind: KindConnection, Transport: "tcp", Client: client, Server: server, Name: "chatgpt.com"}
	connection.Count("chatgpt.com", 1, 50, 7)
	tests := []struct {
		name    string
		records []Record
		want    string
	}{
		{"nothing", nil, ""},
		{"look-ups come last", []Record{question, connection},
			`{"kind":"connection","transport":"tcp","client":"10.20.1.11:40000","server":"203.0.113.10:443","name":"chatgpt.com",` +
				`"hosts":[{"name":"chatgpt.com","requests":1,"request_body_bytes":50,"response_body_bytes":7}],"requests":1,"request_body_bytes":50,"response_body_bytes":7}` + "\n" +
				`{"kind":"dns","transport":"udp","client":"10.20.1.11:40000","server":"203.0.113.10:443","name":"chatgpt.com",` +
				`"request_body_bytes":0,"response_body_bytes":0,"type":"A","rcode":"NOERROR"}` + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := Write(&out, tt.records); err != nil {
				t.Fatal(err)
			}
			if out.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", out.String(), tt.want)
			}
			for dec := json.NewDecoder(&out); dec.More(); {
				var back Record
				if err := dec.Decode(&back); err != nil {
					t.Fatalf("reading back: %v", err)
				}
			}
		})
	}
}

func TestCountKeepsHostsApart(t *testing.T) {
	var r Record
	r.Count("a.example", 1, 10, 1)
	r.Count("b.example", 1, 20, 2)
	r.Count("a.example", 1, 30, 3)
	if r.Requests != 3 || r.Uploaded != 60 || r.Downloaded != 6 || len(r.Hosts) != 2 {
		t.Fatalf("got %+v", r)
	}
	if want := (Host{"a.example", 2, 40, 4}); r.Hosts[0] != want {
		t.Errorf("first host is %+v, want %+v", r.Hosts[0], want)
	}
}

func TestJoin(t *testing.T) {
	client, inner := netip.MustParseAddrPort("10.20.1.11:40000"), netip.MustParseAddrPort("10.20.0.128:50000")
	server := netip.MustParseAddrPort("203.0.113.10:443")
	tests := []struct {
		name     string
		protocol string
		tunnel   int64 // what the client's leg must show as uploaded afterwards
	}{
		{"tunnel takes the server's count", "connect", 900},
		{"plain proxy keeps its own", "http", 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := []Record{
				{Kind: KindConnection, Client: inner, Server: server, Uploaded: 900},
				{Kind: KindProxied, Client: client, Protocol: tt.protocol, User: "alice", Uploaded: 5},
				{Kind: KindConnection, Client: client, Server: server},
			}
			Join(records, map[netip.AddrPort]int{inner: 1})
			if records[0].User != "alice" || records[0].BehindProxy != client {
				t.Errorf("the proxy's leg is %+v", records[0])
			}
			if records[1].Uploaded != tt.tunnel {
				t.Errorf("the client's leg uploaded %d, want %d", records[1].Uploaded, tt.tunnel)
			}
			if records[2].User != "" {
				t.Error("a direct connection got the proxy's user")
			}
		})
	}
}
