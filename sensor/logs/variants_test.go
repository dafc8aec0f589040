package logs

import (
	"testing"
	"time"
)

// Lines as other versions, relays and platforms write them: zones, fractions, brackets, credentials, quotes, line ends, orders of columns.
func TestVariants(t *testing.T) {
	l := library(t)
	for _, tt := range []struct{ name, format, header, line, want string }{
		{"the end of a line on Windows", "squid-native", "", "1795248312.186     21 2001:db8::11 TCP_TUNNEL/200 2746 CONNECT [2001:db8::1]:443 alice HIER_DIRECT/2001:db8::1 -\r",
			"2026-11-21T08:05:12.186Z 2001:db8::11 alice - 2001:db8::1 - 2746"},
		{"credentials and a port", "squid-native", "", "1795248312 21 192.0.2.11 TCP_MISS/200 2746 GET http://bob:secret@chat.example:8080/v1? alice HIER_DIRECT/203.0.113.1 -",
			"2026-11-21T08:05:12Z 192.0.2.11 alice chat.example - - 2746"},
		{"another zone, no size, a quote", "squid-combined", "", `192.0.2.11 - - [21/Nov/2026:09:05:12 -0530] "GET http://chat.example/a\"b HTTP/1.1" 200 - "-" "Moz\"illa" TCP_MISS:HIER_DIRECT`,
			"2026-11-21T14:35:12Z 192.0.2.11 - chat.example - - -"},
		{"columns in quotes", "w3c", "#Fields: date time time-taken c-ip cs-username cs-host cs-uri-port sc-bytes cs-bytes cs-method\r",
			"2026-11-21 08:05:12 70 192.0.2.1 \"CORP\\mary jane\" chat.example 443 - 12 CONNECT\r", `2026-11-21T08:05:12Z 192.0.2.1 CORP\mary jane chat.example - 12 -`},
		{"another order, fractions", "w3c", "#Fields: cs-bytes sc-bytes cs-host c-ip time date", "12 34 chat.example 2001:db8::7 08:05:12.250 2026-11-21",
			"2026-11-21T08:05:12.25Z 2001:db8::7 - chat.example - 12 34"},
		{"tabs", "w3c", "#Fields:\tdate\ttime\tc-ip\tcs-host", "2026-11-21\t08:05:12\t192.0.2.1\tchat.example", "2026-11-21T08:05:12Z 192.0.2.1 - chat.example - - -"},
		{"local time in one column", "w3c", "#Fields: localtime c-ip cs-host cs-bytes", "[21/Nov/2026:09:05:12 +0100] 192.0.2.1 chat.example 7",
			"2026-11-21T08:05:12Z 192.0.2.1 - chat.example - 7 -"},
		{"an address in brackets", "haproxy-http", "", `[2001:db8::21]:46536 [21/Nov/2026:08:07:00.763] f1~ b1/s1 0/0/0/1/1 200 3117 - - ---- 1/1/0/0/0 0/0 "CONNECT chat.example:443 HTTP/1.1"`,
			"2026-11-21T08:07:00.763Z 2001:db8::21 - chat.example - - 3117"},
		{"an address in brackets", "haproxy-tcp", "", `[2001:db8::21]:46536 [21/Nov/2026:08:07:00.763] f1 b1/s1 1/0/5 2053 -- 1/1/0/0/0 0/0`, "2026-11-21T08:07:00.763Z 2001:db8::21 - - - - 2053"},
		{"an address in brackets", "coredns", "", `[INFO] [2001:db8::1]:5353 - 7 "AAAA IN chat.example. tcp 41 true 1232" NOERROR - 0 0.01s`, "- 2001:db8::1 - chat.example - - -"},
		{"a zone without its colon", "suricata-eve", "", `{"timestamp":"2026-11-21T09:05:12.123456+0100","event_type":"tls","src_ip":"2001:db8::1","dest_ip":"2001:db8::2","tls":{"sni":"chat.example"}}`,
			"2026-11-21T08:05:12.123456Z 2001:db8::1 - chat.example 2001:db8::2 - -"},
		{"a zone of its own", "sophos-xg", "", `<30>device="SFW" date=2026-11-21 time=08:05:12 timezone="CET" log_type="Content Filtering" log_component="HTTP" user_name="mary" src_ip=192.0.2.1 domain=chat.example sent_bytes=10 recv_bytes=20`,
			"2026-11-21T07:05:12Z 192.0.2.1 mary chat.example - 10 20"},
		{"no figure", "fortigate-kv", "", `<189>Nov 21 08:05:12 fw date=2026-11-21 time=08:05:12 eventtime=1795248312 tz="+0000" type="utm" subtype="webfilter" srcip=192.0.2.1 dstip=203.0.113.1 hostname="chat.example" user="N/A" sentbyte=- rcvdbyte=20`,
			"2026-11-21T08:05:12Z 192.0.2.1 - chat.example 203.0.113.1 - 20"},
		{"objects in objects", "zeek-json", "", `{"_path":"ssl","ts":1795248312.5,"id":{"orig_h":"192.0.2.1","resp_h":"192.0.2.2"},"server_name":"chat.example"}`,
			"2026-11-21T08:05:12.5Z 192.0.2.1 - chat.example 192.0.2.2 - -"},
	} {
		t.Run(tt.format+" "+tt.name, func(t *testing.T) {
			f, err := l.Open(tt.format, Options{Now: now, Location: time.UTC})
			if err != nil {
				t.Fatal(err)
			}
			var r Record
			if tt.header != "" {
				_ = f.Parse([]byte(tt.header), &r) // what it says is seen below
			}
			if err := f.Parse([]byte(tt.line), &r); err != nil {
				t.Fatalf("%v: %s", err, tt.line)
			}
			if got := told(&r); got != tt.want {
				t.Errorf("%s\ngot  %s\nwant %s", tt.line, got, tt.want)
			}
		})
	}
}
