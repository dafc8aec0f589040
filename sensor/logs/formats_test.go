package logs

import (
	"fmt"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// told is what a record says, in one line: time client user host server up down.
func told(r *Record) string {
	show := func(known bool, v any) string {
		if !known {
			return "-"
		}
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("%s %s %s %s %s %s %s", show(r.Time != 0, event.Time(r.Time)), show(r.Client.IsValid(), r.Client), show(len(r.User) > 0, string(r.User)),
		show(len(r.Host) > 0, string(r.Host)), show(r.Server.IsValid(), r.Server), show(r.HasUp, r.Up), show(r.HasDown, r.Down))
}

// Lines that differ from those of the documentation in the ways that lines differ: other versions, orders, missing and empty fields, IPv6,
// quotes, relays.
func TestFormats(t *testing.T) {
	l := library(t)
	for _, tt := range []struct{ name, format, line, want string }{
		{"user with a space", "squid-native", `1795248312.405      3 192.0.2.5 TCP_MISS/200 245 POST http://chat.example/c? eve smith@corp.example HIER_DIRECT/203.0.113.1 -`,
			"2026-11-21T08:05:12.405Z 192.0.2.5 eve smith@corp.example chat.example - - 245"},
		{"headers behind", "squid-native", `1795248312.405      3 192.0.2.5 TCP_MISS/200 245 GET http://chat.example/ - HIER_DIRECT/203.0.113.1 text/html [User-Agent: x y\r\n] [HTTP/1.1 200 OK\r\n]`,
			"2026-11-21T08:05:12.405Z 192.0.2.5 - chat.example - - 245"},
		{"through syslog", "squid-native", `<134>Nov 21 08:05:12 proxy1 (squid-1): 1795248312.405      3 2001:db8::5 TCP_TUNNEL/200 245 CONNECT chat.example:443 mary%20ann HIER_DIRECT/2001:db8::1 -`,
			"2026-11-21T08:05:12.405Z 2001:db8::5 mary ann chat.example - - 245"},
		{"address for a name", "squid-native", `1795248312.405      3 192.0.2.5 NONE_NONE/200 0 CONNECT [2001:db8::9]:443 - HIER_NONE/- -`,
			"2026-11-21T08:05:12.405Z 192.0.2.5 - - 2001:db8::9 - 0"},
		{"an error without a URL", "squid-native", `1795248312.405      3 192.0.2.5 NONE/400 3980 NONE error:invalid-request - HIER_NONE/- text/html`,
			"2026-11-21T08:05:12.405Z 192.0.2.5 - - - - 3980"},
		{"SNI of an intercepted tunnel", "squid-upload", `1795248312.530     50 192.0.2.5 - TCP_TUNNEL/200 2053 41017 CONNECT 203.0.113.9:443 chat.example "-"`,
			"2026-11-21T08:05:12.53Z 192.0.2.5 - chat.example 203.0.113.9 41017 2053"},
		{"user with a space", "squid-common", `192.0.2.5 - eve smith@corp [21/Nov/2026:10:05:12 +0200] "POST http://chat.example:8080/ HTTP/1.1" 200 245 TCP_MISS:HIER_DIRECT`,
			"2026-11-21T08:05:12Z 192.0.2.5 eve smith@corp chat.example - - 245"},
		{"no bytes", "squid-combined", `192.0.2.5 - - [21/Nov/2026:08:05:12 +0000] "GET http://chat.example/ HTTP/1.1" 304 - "http://a.example/x y" "a \"b\" c" TCP_MISS:HIER_DIRECT`,
			"2026-11-21T08:05:12Z 192.0.2.5 - chat.example - - -"},
		{"absolute request at nginx", "nginx-combined", `192.0.2.5 - mary [21/Nov/2026:08:05:12 +0000] "GET http://chat.example/ HTTP/1.1" 200 5 "-" "-"`,
			"2026-11-21T08:05:12Z 192.0.2.5 mary chat.example - - 5"},
		{"quoted user", "cisco-wsa", `1749097617.352 7 192.0.2.4 TCP_MISS_SSL/200 779 POST https://chat.example:443/x "CORP\mary@realm" DEFAULT_PARENT/proxy text/html DEFAULT_CASE_12-P-I-NONE <"IW_ai",6.8,-> -`,
			`2025-06-05T04:26:57.352Z 192.0.2.4 CORP\mary@realm chat.example - - 779`},
		{"column order of another appliance", "w3c", "2026-03-22 13:00:00 POST chat.example 507 - 2001:db8::28", "2026-03-22T13:00:00Z 2001:db8::28 - chat.example - 507 -"},
		{"no identities", "cisco-umbrella-proxy", `"2026-06-12 14:31:38","mary","","198.51.100.2","203.0.113.3","","BLOCKED","https://chat.example/api, x","","","","","","","","Chat"`,
			"2026-06-12T14:31:38Z 198.51.100.2 mary chat.example 203.0.113.3 - -"},
		{"bare feed", "zscaler-web", `{"datetime":"Mon Aug 31 15:43:14 2026","cip":"192.0.2.4","login":"mary%40example.com","ehost":"chat.example","eurl":"chat.example%2Fx","reqsize":"608","respsize":"90","sip":"203.0.113.7"}`,
			"2026-08-31T15:43:14Z 192.0.2.4 mary@example.com chat.example 203.0.113.7 608 90"},
		{"zone of its own", "zscaler-web", `{"event":{"datetime":"2026-08-28 15:43:14","tz":"CEST","ClientIP":"192.0.2.4","url":"chat.example","requestsize":608}}`,
			"2026-08-28T13:43:14Z 192.0.2.4 - chat.example - 608 -"},
		{"glued pairs", "skyhigh-swg", `user_id=-1 username= source_ip=198.51.100.5 client_to_server_bytes=900 requested_host=chat.example pop_egress_ip=1.1.1.1client_ip=192.0.2.15 server_to_client_bytes=80 request_timestamp=2026-07-28 15:40:41`,
			"2026-07-28T15:40:41Z 192.0.2.15 - chat.example - 900 80"},
		{"time of the header", "mcafee-mwg", `<30>1 2026-01-15T10:00:00+01:00 mwg1 mwg - - - status="200/0" srcip="192.0.2.1" user="CORP\\mary" dhost="" bytes="4580/4600/13889/14001" url="https://chat.example/"`,
			`2026-01-15T09:00:00Z 192.0.2.1 CORP\mary chat.example - 4580 14001`},
		{"escaped LDAP path", "forcepoint-cef", `<13>Jan 15 10:00:00 h CEF:0|Forcepoint|Security|8.5.5|84|Transaction permitted|1| act=permitted dhost=chat.example src=192.0.2.22 suser=LDAP://dc1 OU\=Users,DC\=corp/Smith\\, Mary loginID=- rt=1753557213000 in=1024 out=2048`,
			"2025-07-26T19:13:33Z 192.0.2.22 Smith, Mary chat.example - 2048 1024"},
		{"seconds", "fortigate-kv", `date=2026-03-06 time=12:20:33 devid="FG1" eventtime=1772796033 type="utm" subtype="webfilter" srcip=2001:db8::4 dstip=2001:db8::8 unauthuser="mary" hostname="CHAT.example" sentbyte=10 rcvdbyte=0`,
			"2026-03-06T11:20:33Z 2001:db8::4 mary CHAT.example 2001:db8::8 10 0"},
		{"no eventtime", "fortigate-kv", `date=2026-03-06 time=12:20:33 tz="+0100" devid="FG1" type="traffic" srcip=192.0.2.4 dstip=203.0.113.5 sentbyte=10 rcvdbyte=5`,
			"2026-03-06T11:20:33Z 192.0.2.4 - - 203.0.113.5 10 5"},
		{"interim", "fortigate-cef", `CEF:0|Fortinet|Fortigate|v7.4.9|00020|traffic:forward accept|3|FTNTFGTeventtime=1772796033527521837 cat=traffic:forward src=192.0.2.4 dst=203.0.113.11 out=9999999 in=8888888 FTNTFGTsentdelta=150 FTNTFGTrcvddelta=20`,
			"2026-03-06T11:20:33.527521837Z 192.0.2.4 - - 203.0.113.11 150 20"},
		{"quoted commas", "panos-csv", `<14>1 2026-06-16T10:41:44Z fw - - - - 1,2026/06/16 10:41:44,0017,THREAT,url,2305,2026/06/16 10:41:44,2001:db8::4,2001:db8::8,,,"rule, with comma",corp\mary,,ssl,vsys1,in,out,ae1,ae2,log,2026/06/16 10:41:44,5,1,51413,443,0,0,0x19,tcp,block-url,"chat.example/a,b",(9999)`,
			`2026-06-16T10:41:44Z 2001:db8::4 corp\mary chat.example 2001:db8::8 - -`},
		{"forwarded-for in place of a user", "panos-csv", `1,2026/06/16 10:41:44,0017,THREAT,url,2305,2026/06/16 10:41:44,192.0.2.4,203.0.113.8,,,r,x-fwd-for: 192.0.2.77,,ssl,vsys1,in,out,ae1,ae2,log,2026/06/16 10:41:44,5,1,51413,443,0,0,0x19,tcp,alert,chat.example/,`,
			"2026-06-16T10:41:44Z 192.0.2.4 - chat.example 203.0.113.8 - -"},
		{"a file is no host", "panos-csv", `1,2026/06/16 10:41:44,0017,THREAT,file,2305,2026/06/16 10:41:44,192.0.2.4,203.0.113.8,,,r,,,ssl,vsys1,in,out,ae1,ae2,log,2026/06/16 10:41:44,5,1,51413,443,0,0,0x19,tcp,alert,evil.zip,`,
			"2026-06-16T10:41:44Z 192.0.2.4 - - 203.0.113.8 - -"},
		{"the firewall's own in and out", "panos-cef", `CEF:0|Palo Alto Networks|PAN-OS|11.0|end|TRAFFIC|1|rt=Jun 16 2026 10:41:44 GMT src=192.0.2.4 dst=203.0.113.8 suser=corp\\mary in=5651 out=6852 cn1=5`,
			`2026-06-16T10:41:44Z 192.0.2.4 corp\mary - 203.0.113.8 5651 6852`},
		{"accounting", "checkpoint-syslog", `<134>1 2026-05-15T16:26:19Z fw CheckPoint 19710 - [action:"Accept"; time:"1778862379"; dst:"203.0.113.55"; resource:"https://chat.example/x;y"; src:"2001:db8::77"; user:"Mary \"M\" Smith (mary)"; client_outbound_bytes:"4000"; client_inbound_bytes:"900"]`,
			`2026-05-15T16:26:19Z 2001:db8::77 Mary "M" Smith (mary) chat.example 203.0.113.55 4000 900`},
		{"an object's name", "stormshield", `time="2026-11-23 06:49:20" fw="SN1" tz=-0330 src=192.0.2.44 dst=203.0.113.88 dstname=host_203.0.113.88 user="mary" sent=5 rcvd=6 logtype="connection"`,
			"2026-11-23T10:19:20Z 192.0.2.44 mary - 203.0.113.88 5 6"},
		{"tabs as a relay writes them", "watchguard-leef", `<140>Sep 23 09:51:24 fw LEEF:1.0|WatchGuard|XTM|12.8.2|1AFF0021|policy=HTTPS-00#011src=192.0.2.22#011dst=203.0.113.8#011src_user=mary@corp#011dstname=chat.example#011sent_bytes=5000#011rcvd_bytes=900`,
			"2026-09-23T09:51:24Z 192.0.2.22 mary@corp chat.example 203.0.113.8 5000 900"},
		{"structured data", "juniper-srx", `<14>1 2026-09-23T13:54:54.803+02:00 srx RT_UTM - WEBFILTER_URL_PERMITTED [junos@2636 source-address="192.0.2.1" destination-address="203.0.113.2" url="chat.example" obj="/x" username="mary"]`,
			"2026-09-23T11:54:54.803Z 192.0.2.1 mary chat.example 203.0.113.2 - -"},
		{"IPv6 with a port", "cisco-meraki", `<134>1 1773277245.257656306 MX1 urls src=2001:db8:1:2:3:4:5:6:51960 dst=2001:db8::8:443 mac=AA:BB request: GET https://chat.example/x y`,
			"2026-03-12T01:00:45.257656306Z 2001:db8:1:2:3:4:5:6 - chat.example 2001:db8::8:443 - -"},
		{"values with commas", "cisco-ftd", `Jul 27 2026 08:13:10 fw : %FTD-6-430003: DeviceUUID: 1, AccessControlRuleName: Web, and more, FirstPacketSecond: 2026-07-27T08:13:09Z, SrcIP: 192.0.2.3, DstIP: 203.0.113.1, User: CORP\mary, SSLServerName: chat.example, InitiatorBytes: 967, ResponderBytes: 5018`,
			`2026-07-27T08:13:09Z 192.0.2.3 CORP\mary chat.example 203.0.113.1 967 5018`},
		{"nanoseconds", "cloudflare-gateway-http", `{"Datetime":1777725806000000000,"Email":"","HTTPHost":"chat.example:8443","SourceIP":"2001:db8::81","SourceInternalIP":""}`,
			"2026-05-02T12:43:26Z 2001:db8::81 - chat.example - - -"},
		{"an answer goes the other way", "suricata-eve", `{"timestamp":"2026-10-09T10:03:50.083307+0000","event_type":"dns","src_ip":"198.51.100.1","dest_ip":"192.0.2.1","dns":{"version":2,"type":"answer","rrname":"chat.example","answers":[{"rrname":"x.example"}]}}`,
			"2026-10-09T10:03:50.083307Z 192.0.2.1 - chat.example 198.51.100.1 - -"},
		{"third version of DNS", "suricata-eve", `{"timestamp":"2026-10-09T10:03:50+0000","event_type":"dns","src_ip":"192.0.2.1","dest_ip":"198.51.100.1","dns":{"version":3,"type":"request","queries":[{"rrname":"chat.example","rrtype":"A"}]}}`,
			"2026-10-09T10:03:50Z 192.0.2.1 - chat.example 198.51.100.1 - -"},
		{"QUIC", "suricata-eve", `{"timestamp":"2026-10-09T10:03:50+0000","event_type":"quic","src_ip":"192.0.2.1","dest_ip":"203.0.113.1","quic":{"version":"1","sni":"chat.example"}}`,
			"2026-10-09T10:03:50Z 192.0.2.1 - chat.example 203.0.113.1 - -"},
		{"a view", "bind-query", `2026-11-21 08:06:37.526 queries: info: client @0x7f72ab0f2098 2001:db8::32#56170 (chat.example): view internal: query: chat.example IN A +E(0)K (198.51.100.1)`,
			"2026-11-21T08:06:37.526Z 2001:db8::32 - chat.example - - -"},
		{"through syslog", "bind-query", `<30>Nov 21 08:06:37 ns named[123]: client @0x7f72ab0f2098 192.0.2.32#56170 (chat.example): query: chat.example IN HTTPS + (198.51.100.1)`,
			"2026-11-21T08:06:37Z 192.0.2.32 - chat.example - - -"},
		{"local action", "unbound", `[1795248397] unbound[9326:0] info: example. static 2001:db8::31@53433 chat.example. A IN`,
			"2026-11-21T08:06:37Z 2001:db8::31 - chat.example - - -"},
		{"IPv6", "dnsmasq", `Nov 21 08:06:38 router dnsmasq[9329]: 17 2001:db8::31/47505 query[HTTPS] chat.example from 2001:db8::31`,
			"2026-11-21T08:06:38Z 2001:db8::31 - chat.example - - -"},
		{"with a time", "coredns", `2026-11-21T08:06:38.5Z [INFO] 192.0.2.7:50759 - 29008 "AAAA IN Chat.Example. udp 41 false 4096" NOERROR qr,rd,ra 68 0.03s`,
			"2026-11-21T08:06:38.5Z 192.0.2.7 - Chat.Example - - -"},
		{"two captures", "haproxy-http", `<134>Nov 21 08:07:00 lb haproxy[12]: 2001:db8::21:46536 [21/Nov/2026:08:07:00.763] f1~ b1/s1 0/0/0/1/1 200 3117 - - ---- 1/1/0/0/0 0/0 {curl/8.5.0|chat.example} {nginx} "POST /v1 HTTP/1.1"`,
			"2026-11-21T08:07:00.763Z 2001:db8::21 - chat.example - - 3117"},
		{"absolute request", "haproxy-http", `192.0.2.21:46536 [21/Nov/2026:08:07:00.763] f1 b1/<NOSRV> -1/-1/-1/-1/0 400 187 - - PR-- 1/1/0/0/0 0/0 "POST https://chat.example/v1 HTTP/2.0"`,
			"2026-11-21T08:07:00.763Z 192.0.2.21 - chat.example - - 187"},
		{"no upload told", "nginx-stream", `2001:db8::23 [21/Nov/2026:08:07:01 +0000] TCP 200 sent=22038 received=211 0.046 "chat.example" up=- down=-`,
			"2026-11-21T08:07:01Z 2001:db8::23 - chat.example - - 22038"},
		{"names of nginx's own", "nginx-json", `{"time_local":"21/Nov/2026:08:07:01 +0100","remote_addr":"192.0.2.25","remote_user":"mary","http_host":"chat.example:443","request":"POST /app HTTP/1.1","status":"200","body_bytes_sent":"41","request_length":"93"}`,
			"2026-11-21T07:07:01Z 192.0.2.25 mary chat.example - 93 41"},
		{"Built outbound", "cisco-asa", `<166>Jan 15 2026 10:00:00 fw : %ASA-6-302013: Built outbound TCP connection 3642 for outside:203.0.113.5/443 (203.0.113.5/443) to inside:192.0.2.7/51000 (198.51.100.7/51000)`,
			"2026-01-15T10:00:00Z 192.0.2.7 - - 203.0.113.5 - -"},
		{"web access", "sophos-utm", `<30>2026:05:13-10:10:10 utm httpproxy[5432]: id="0001" severity="info" sys="SecureWeb" sub="http" name="http access" action="pass" method="POST" srcip="192.0.2.10" dstip="203.0.113.8" user="" statuscode="200" size="1234" url="https://chat.example/x"`,
			"2026-05-13T10:10:10Z 192.0.2.10 - chat.example 203.0.113.8 - 1234"},
	} {
		t.Run(tt.format+" "+tt.name, func(t *testing.T) {
			f, err := l.Open(tt.format, Options{Now: now, Location: time.UTC})
			if err != nil {
				t.Fatal(err)
			}
			var r Record
			if tt.format == "w3c" {
				_ = f.Parse([]byte("#Fields: date time cs-method cs-host cs-bytes cs-username c-ip"), &r)
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
