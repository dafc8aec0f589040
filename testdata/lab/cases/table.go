package cases

import (
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/clients"
	"github.com/gnomon-sensor/gnomon/testdata/lab/forward"
	"github.com/gnomon-sensor/gnomon/testdata/lab/pcapfile"
	"github.com/gnomon-sensor/gnomon/testdata/lab/standin"
)

// Case is one capture to make: which client does what, over which wire.
type Case struct {
	Name     string
	Why      string // what the case is there to catch, for ABOUT
	Client   string // name of a client of package clients
	Version  string // of HTTP
	Requests []clients.Request
	Names    []standin.Name // those that need more than an address; the requests' hosts are added
	User     string         // goes through a Squid as this user
	IPv6     bool           // servers have only IPv6 addresses
	ECHName  string         // hellos are encrypted behind this public name
	Rules    forward.Rules
	Manner   clients.Manner // any Cert is replaced by the world's
	Shape    shape          // what the capture must show, if more than the conversation
	Rewrite  rewrite
}

// rewrite changes a recorded capture into a form this laboratory has no devices for. file is its name.
type rewrite struct {
	file string
	note string // for ABOUT
	do   func([]pcapfile.Frame) []pcapfile.Frame
}

// get and post are the requests of the table; down is the size of the response body.
func get(host string, down int) clients.Request {
	return clients.Request{Method: "GET", URL: fmt.Sprintf("https://%s/answer?down=%d", host, down)}
}

func post(host string, up, down int) clients.Request {
	return clients.Request{Method: "POST", URL: fmt.Sprintf("https://%s/prompt?down=%d", host, down), Upload: up}
}

// cleartext is a request without TLS.
func cleartext(method, host string, up, down int) clients.Request {
	return clients.Request{Method: method, URL: fmt.Sprintf("http://%s/?down=%d", host, down), Upload: up}
}

// list is short for the requests of one case.
func list(requests ...clients.Request) []clients.Request { return requests }

// Table returns all cases, in the order in which they are made.
func Table() []Case {
	return append(append(clientCases(), wireCases()...), proxyCases()...)
}

func clientCases() []Case {
	return []Case{
		{Name: "curl-h1", Why: "OpenSSL hello without ALPN h2, two requests on one connection", Client: "curl", Version: clients.H1,
			Requests: list(get("claude.ai", 2000), post("claude.ai", 4000, 500))},
		{Name: "curl-h2", Why: "OpenSSL hello with ALPN h2", Client: "curl", Version: clients.H2, Requests: list(post("api.openai.com", 3000, 1500))},
		{Name: "ipv6", Why: "TLS and look-ups for servers that have only IPv6 addresses", Client: "curl", Version: clients.H2, IPv6: true,
			Requests: list(post("api.perplexity.ai", 3000, 1500))},
		{Name: "python-h1", Why: "Python's standard library: header and body in segments of their own", Client: "python", Version: clients.H1,
			Requests: list(post("api.anthropic.com", 6000, 3000), post("api.anthropic.com", 200, 800))},
		{Name: "node-h2", Why: "Node's http2 module, two requests on one session", Client: "node", Version: clients.H2,
			Requests: list(get("chatgpt.com", 3000), post("chatgpt.com", 5000, 2000))},
		{Name: "node-websocket", Why: "a chat over WebSocket: uploads are messages, not bodies", Client: "node", Version: clients.WS,
			Requests: list(clients.Request{Method: "WS", URL: "wss://chat.deepseek.com" + standin.WSPath, Upload: 2500})},
		{Name: "go-pq-hello", Why: "a post-quantum key share makes the hello longer than one segment", Client: "go", Version: clients.H2, Shape: longHello,
			Requests: list(post("api.mistral.ai", 2000, 1000))},
		{Name: "go-quic", Why: "HTTP/3 by quic-go, hello over several Initial packets", Client: "go", Version: clients.H3, Shape: longInitial, Rules: forward.Rules{Delay: 2 * time.Millisecond},
			Names: []standin.Name{{Host: "api.x.ai", H3: true}}, Requests: list(post("api.x.ai", 9000, 4000))},
		{Name: "go-ech", Why: "the name is inside an encrypted hello; the outer name belongs to the provider", Client: "go", Version: clients.ECH,
			ECHName: "cloudflare-ech.com", Requests: list(post("chatgpt.com", 1500, 800))},
		{Name: "java-h2", Why: "JSSE hello, HTTP/2 by java.net.http", Client: "java", Version: clients.H2,
			Requests: list(post("generativelanguage.googleapis.com", 4000, 1000))},
		{Name: "chromium-h2", Why: "a browser's hello: GREASE, shuffled extensions, post-quantum; several connections and HTTPS look-ups", Client: "chromium", Version: clients.H2, Shape: longHello,
			Requests: list(get("gemini.google.com", 3000), post("gemini.google.com", 8000, 1000), get("www.example.org", 500))},
		{Name: "chromium-quic", Why: "a browser's Initials: hello in CRYPTO frames out of order over two datagrams, post-quantum", Client: "chromium", Version: clients.H3, Shape: longInitial, Rules: forward.Rules{Delay: 2 * time.Millisecond},
			Names:    []standin.Name{{Host: "gemini.google.com", H3: true}},
			Requests: list(get("gemini.google.com", 3000), post("gemini.google.com", 8000, 1000))},
		{Name: "firefox", Why: "NSS hello: other extensions and groups than Chromium's", Client: "firefox", Version: clients.H2, Shape: longHello,
			Requests: list(get("copilot.microsoft.com", 3000), post("copilot.microsoft.com", 8000, 1000))},
		{Name: "firefox-quic", Why: "HTTP/3 by neqo: other Initials than Chromium's", Client: "firefox", Version: clients.H3, Shape: longInitial, Rules: forward.Rules{Delay: 2 * time.Millisecond},
			Names:    []standin.Name{{Host: "copilot.microsoft.com", H3: true}},
			Requests: list(get("copilot.microsoft.com", 3000), post("copilot.microsoft.com", 8000, 1000))},
		{Name: "upload-50k", Why: "an upload large enough for the estimate to be held to its figure", Client: "curl", Version: clients.H2,
			Requests: list(post("claude.ai", 50<<10, 300))},
		{Name: "download-200k", Why: "much comes down and next to nothing goes up: the estimate must say so", Client: "curl", Version: clients.H2,
			Requests: list(get("chatgpt.com", 200<<10))},
		{Name: "streamed-answer", Why: "an answer in small pieces: acknowledgements are not uploads", Client: "go", Version: clients.H2,
			Requests: list(clients.Request{Method: "POST", URL: "https://api.openai.com/stream?down=6000&chunks=30&gap=20", Upload: 900})},
	}
}

func wireCases() []Case {
	hello := list(post("api.mistral.ai", 2000, 1000))
	plain := list(post("api.openai.com", 3000, 1500))
	tunnel := pcapfile.Tunnel{From: netip.MustParseAddr("192.0.2.1"), To: netip.MustParseAddr("192.0.2.2"), ID: 4242}
	return []Case{
		{Name: "dns-chain", Why: "the name asked for is not the name that has the address", Client: "curl", Version: clients.H2,
			Names:    []standin.Name{{Host: "claude.ai", Chain: []string{"claude.ai.cdn.example.net", "edge-7.pop.example.net"}}},
			Requests: list(get("claude.ai", 500))},
		{Name: "dns-tcp", Why: "a truncated answer over UDP, then the same question over TCP", Client: "curl", Version: clients.H2, Shape: lookUpOverTCP,
			Names: []standin.Name{{Host: "chatgpt.com", TC: true}}, Requests: list(get("chatgpt.com", 500))},
		{Name: "reordered-hello", Why: "the second segment of a hello comes first", Client: "go", Version: clients.H2, Shape: swappedHello, Requests: hello,
			Rules: forward.Rules{SwapHello: true}},
		{Name: "reordered-quic", Why: "datagrams overtake each other: Initials in any order", Client: "go", Version: clients.H3, Requests: list(post("api.x.ai", 9000, 4000)),
			Names: []standin.Name{{Host: "api.x.ai", H3: true}}, Rules: forward.Rules{Seed: 3, SwapHello: true, Reorder: 0.3, Delay: 2 * time.Millisecond}},
		{Name: "lossy", Why: "losses before and behind the tap, duplicates, reordering: unique bytes must still be right", Client: "curl", Version: clients.H2, Shape: impaired,
			Requests: list(post("api.openai.com", 40<<10, 10<<10)),
			Rules:    forward.Rules{Seed: 11, LossBeforeTap: 0.04, LossBehindTap: 0.04, Duplicate: 0.04, Reorder: 0.06, Delay: 5 * time.Millisecond}},
		{Name: "vlan", Why: "one 802.1Q tag", Client: "curl", Version: clients.H2, Requests: plain,
			Rewrite: rewrite{"input.pcap", "Each frame was given the tag of VLAN 12 afterwards.",
				func(f []pcapfile.Frame) []pcapfile.Frame { return pcapfile.Tag(f, 12) }}},
		{Name: "qinq", Why: "802.1ad service tag around an 802.1Q tag", Client: "go", Version: clients.H2, Shape: longHello, Requests: hello,
			Rewrite: rewrite{"input.pcap", "Each frame was given the tags of service VLAN 100 and customer VLAN 12 afterwards.",
				func(f []pcapfile.Frame) []pcapfile.Frame { return pcapfile.TagTwice(f, 100, 12) }}},
		{Name: "vxlan", Why: "frames inside VXLAN", Client: "curl", Version: clients.H2, Requests: plain,
			Rewrite: rewrite{"input.pcap", "Each frame was put into VXLAN 4242 from 192.0.2.1 to 192.0.2.2 afterwards.", tunnel.VXLAN}},
		{Name: "gre", Why: "packets inside GRE", Client: "curl", Version: clients.H2, Requests: plain,
			Rewrite: rewrite{"input.pcap", "Each IP packet was put into GRE from 192.0.2.1 to 192.0.2.2 afterwards; ARP was left out.", tunnel.GRE}},
		{Name: "two-ports", Why: "a tap that delivers each direction on a port of its own", Client: "curl", Version: clients.H2, Requests: plain,
			Rewrite: rewrite{"input.pcapng", "Frames from inside were written as interface \"tap-out\", all others as \"tap-in\".",
				func(f []pcapfile.Frame) []pcapfile.Frame { return pcapfile.Direct(f, office) }}},
		{Name: "pipelined-http", Why: "three requests in the clear are sent before the first answer, for two hosts", Client: "go", Version: clients.Raw, Shape: said(80, true, map[string]int{"Host: www.example.org": 2, "Host: api.example.org": 1}),
			Requests: list(cleartext("GET", "www.example.org", 0, 400), cleartext("POST", "api.example.org", 1200, 100), cleartext("GET", "www.example.org", 0, 300))},
	}
}

func proxyCases() []Case {
	return []Case{
		{Name: "squid-connect-user", Why: "CONNECT with a user; both legs pass the tap and carry the same bytes", Client: "curl", Version: clients.H2, Shape: said(squidPort, true, map[string]int{"CONNECT chatgpt.com:443": 1, "Proxy-Authorization: Basic": 1}), User: "alice",
			Requests: list(post("chatgpt.com", 8000, 2000))},
		{Name: "keepalive-many-hosts", Why: "one connection to a proxy carries absolute-form requests for several hosts", Client: "curl", Version: clients.H1, Shape: said(squidPort, false, map[string]int{"GET http://www.example.org/": 1, "POST http://api.example.org/": 1, "GET http://chat.example.net/": 1, "POST http://www.example.org/": 1}), User: "bob",
			Requests: list(cleartext("GET", "www.example.org", 0, 700), cleartext("POST", "api.example.org", 3000, 100),
				cleartext("GET", "chat.example.net", 0, 900), cleartext("POST", "www.example.org", 1500, 200))},
	}
}

// zone returns the names a case needs: its own, and the hosts of its requests.
func (c Case) zone() (*standin.Zone, error) {
	names := append([]standin.Name(nil), c.Names...)
	seen := map[string]bool{}
	for _, n := range names {
		seen[n.Host] = true
	}
	for _, r := range c.Requests {
		u, err := url.Parse(r.URL)
		if err != nil {
			return nil, fmt.Errorf("reading case %s: %w", c.Name, err)
		}
		if host := u.Hostname(); !seen[host] {
			seen[host] = true
			names = append(names, standin.Name{Host: host})
		}
	}
	z := standin.NewZone(names)
	z.IPv4, z.IPv6 = !c.IPv6, c.IPv6
	return z, nil
}
