//go:build integration

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// arrival is what a server of the laboratory counted of one connection.
type arrival struct {
	Kind   string `json:"kind"`
	Client string `json:"client"`
	Server string `json:"server"`
	Name   string `json:"name"`
	Body   uint64 `json:"request_body_bytes"`
}

// arrivals are the connections of clients to services of the catalogue, without those that the proxy makes for them.
func arrivals(t *testing.T, path string) map[string]arrival {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := signatures.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	proxies, found := map[netip.Addr]bool{}, map[string]arrival{}
	for line := range bytes.Lines(text) {
		var one arrival
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatal(err)
		}
		if hit, known := catalogue.Match([]byte(one.Name)); one.Kind != "dns" && known && hit.Use() {
			found[one.Client] = one
		}
		if one.Kind == "proxied" {
			proxies[netip.MustParseAddrPort(one.Server).Addr()] = true
		}
	}
	for client := range found {
		if proxies[netip.MustParseAddrPort(client).Addr()] {
			delete(found, client)
		}
	}
	return found
}

// Real clients, their packets, the sensor, a real cluster: what it adds up by user and service holds what the servers counted, in every cell.
func TestNodeLab(t *testing.T) {
	for _, name := range []string{"ELASTICSEARCH8", "ELASTICSEARCH9", "OPENSEARCH2"} {
		t.Run(name, func(t *testing.T) {
			address := os.Getenv("GNOMON_TEST_" + name)
			if address == "" {
				t.Fatal("there is no node: start it with make elasticsearch-up")
			}
			namespace := fmt.Sprint("lab", time.Now().UnixNano())
			p := &program{stdin: strings.NewReader(""), stdout: t.Output(), stderr: t.Output(), environ: []string{"HOME=" + t.TempDir(), "GNOMON_ELASTICSEARCH_PROXY=direct",
				"GNOMON_ELASTICSEARCH_ADDRESSES=" + address, "GNOMON_ELASTICSEARCH_NAMESPACE=" + namespace}}
			for _, args := range [][]string{{"setup", "elasticsearch", "--force"}, {"scan", "--to", "elasticsearch", "--state-dir", t.TempDir(), demo}} {
				if status := p.main(t.Context(), args); status != statusDone {
					t.Fatalf("%v: status %d", args, status)
				}
			}
			askNode(t, http.MethodPost, address+"/*-gnomon.*-"+namespace+"/_refresh", "")
			conf, err := p.load()
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.openFrom(t.Context(), &conf, fromElastic)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			compareLab(t, r, arrivals(t, strings.Replace(demo, ".pcap", ".truth.ndjson", 1)))
		})
	}
}

// compareLab holds the sums of a store against what arrived.
func compareLab(t *testing.T, r reader, want map[string]arrival) {
	t.Helper()
	page, err := r.Records(t.Context(), query.RecordRequest{Dataset: event.DatasetActivity, Limit: 1000})
	if err != nil || page.Next != "" {
		t.Fatal(len(page.Records), err)
	}
	cells, told := map[string]uint64{}, map[string]bool{}
	for i := range page.Records {
		ev := &page.Records[i]
		client := netip.AddrPortFrom(netip.MustParseAddr(ev.Source.IP), *ev.Source.Port).String()
		one, arrived := want[client]
		if arrived && *ev.Gnomon.Counted && !told[client] && ev.DNS == nil {
			told[client] = true
			cells[query.UserKey(ev)+" "+ev.Gnomon.Service.ID] += one.Body
		}
	}
	for client, one := range want {
		if !told[client] {
			t.Errorf("no record of %s to %s", client, one.Name)
		}
	}
	rows, err := r.Sums(t.Context(), query.Request{By: []query.Dimension{query.ByUser, query.ByService}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		cell, up := strings.Join(rows[i].Key, " "), rows[i].Upload
		if body := cells[cell]; body < up.Low || body > up.High {
			t.Errorf("%s: %d bytes (%d to %d), and %d arrived", cell, up.Bytes, up.Low, up.High, body)
		}
		delete(cells, cell)
	}
	if len(cells) > 0 || len(rows) < 15 {
		t.Errorf("%d rows; nothing of %v", len(rows), cells)
	}
}
