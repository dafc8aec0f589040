package main

import (
	"encoding/json"
	"testing"
)

// What a tap and a proxy's log tell of the same use counts once: in flows, users and bytes, whichever is read first.
func TestTwoEyes(t *testing.T) {
	const capture = "../../testdata/cases/squid-connect-user/input.pcap"
	upload := file(t, "proxy.log", `1795266457.900   700 10.20.1.11 alice TCP_TUNNEL/200 3206 8834 CONNECT chatgpt.com:443 chatgpt.com "curl/7.88.1"
1795266457.990    90 10.20.1.12 bob TCP_TUNNEL/200 900 5000 CONNECT chatgpt.com:443 chatgpt.com "curl/7.88.1"
`)
	const w3c = "#Fields: date time time-taken c-ip cs-username cs-method cs-host sc-bytes"
	proxysg := file(t, "sg.log", w3c+" cs-bytes\n2026-11-21 13:07:37 700 10.20.1.11 alice CONNECT chatgpt.com 3206 8834\n")
	sgPlain := file(t, "plain.log", w3c+"\n2026-11-21 13:07:37 700 10.20.1.11 alice CONNECT chatgpt.com 3206\n")
	native := file(t, "native.log", "1795266457.900    700 10.20.1.11 TCP_TUNNEL/200 3206 CONNECT chatgpt.com:443 alice HIER_DIRECT/203.0.113.10 -\n")
	late := file(t, "late.log", "1795280000.900 700 10.20.1.11 alice TCP_TUNNEL/200 3206 8834 CONNECT chatgpt.com:443 chatgpt.com \"-\"\n")
	for _, tt := range []struct {
		name, prefer string
		inputs       []string
		flows, up    uint64
		users        int
		visits       uint64
	}{
		{"packets alone", "logs", []string{capture}, 1, 0, 1, 1},
		{"the log counts", "logs", []string{capture, upload}, 2, 8834 + 5000, 2, 2},
		{"named first", "logs", []string{upload, capture}, 2, 8834 + 5000, 2, 2},
		{"packets count", "packets", []string{upload, capture}, 2, 0, 2, 2},
		{"a log without uploads", "logs", []string{native, capture}, 1, 0, 1, 1},
		{"a header with uploads", "logs", []string{proxysg, capture}, 1, 8834, 1, 1},
		{"a header without uploads", "logs", []string{sgPlain, capture}, 1, 0, 1, 1},
		{"another visit", "logs", []string{late, capture}, 2, 0, 1, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := file(t, "gnomon.toml", "[visit]\nprefer = \""+tt.prefer+"\"\n")
			status, stdout, stderr := gnomon(t, "", append([]string{"scan", "--json", "-c", config}, tt.inputs...)...)
			if status != 0 {
				t.Fatalf("status %d: %s", status, stderr)
			}
			var sum summaryJSON
			if err := json.Unmarshal([]byte(stdout), &sum); err != nil {
				t.Fatal(err)
			}
			if len(sum.Services) != 1 {
				t.Fatalf("%d services, want one", len(sum.Services))
			}
			s := sum.Services[0]
			if both := sum.Coverage.TwoEyes; (both == nil) != (len(tt.inputs) == 1) {
				t.Errorf("two eyes: %+v", both)
			}
			if s.ID != "chatgpt" || s.Flows != tt.flows || s.Users != tt.users || s.Visits != tt.visits || tt.up != 0 && s.BytesUp != tt.up {
				t.Errorf("%s: %d flows, %d users, %d visits, %d bytes up; want %+v", s.ID, s.Flows, s.Users, s.Visits, s.BytesUp, tt)
			}
			if s.Upload == nil || tt.flows == 1 && (s.Upload.Low > 8000 || s.Upload.High < 8000) {
				t.Errorf("upload %+v", s.Upload)
			}
		})
	}
}
