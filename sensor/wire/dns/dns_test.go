package dns

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	mdns "github.com/miekg/dns"
)

// rr parses a record in zone form.
func rr(t testing.TB, zone string) mdns.RR {
	t.Helper()
	r, err := mdns.NewRR(zone)
	if err != nil {
		t.Fatalf("record %q: %v", zone, err)
	}
	return r
}

// reply packs a response to a question with the records of its answer section, by another implementation than ours.
func reply(t testing.TB, name string, qtype uint16, records ...string) []byte {
	t.Helper()
	m := new(mdns.Msg)
	m.SetQuestion(name, qtype)
	m.Id, m.Response, m.Compress = 0x1234, true, true
	for _, zone := range records {
		m.Answer = append(m.Answer, rr(t, zone))
	}
	return pack(t, m)
}

func pack(t testing.TB, m *mdns.Msg) []byte {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func query(t testing.TB, name string, qtype uint16) []byte {
	t.Helper()
	m := new(mdns.Msg)
	m.SetQuestion(name, qtype)
	m.Id = 0x1234
	return pack(t, m)
}

// ordinary is what most responses look like: a CNAME, two addresses, EDNS.
func ordinary(t testing.TB) []byte {
	t.Helper()
	m := new(mdns.Msg)
	m.SetQuestion("chatgpt.com.", mdns.TypeA)
	m.Response, m.Compress = true, true
	m.Answer = []mdns.RR{
		rr(t, "chatgpt.com. 300 IN CNAME chatgpt.com.cdn.example.net."),
		rr(t, "chatgpt.com.cdn.example.net. 60 IN A 192.0.2.7"),
		rr(t, "chatgpt.com.cdn.example.net. 20 IN A 192.0.2.8"),
	}
	m.SetEdns0(1232, false)
	return pack(t, m)
}

func TestParseQuestion(t *testing.T) {
	tests := []struct {
		name  string
		b     []byte
		want  string
		qtype uint16
	}{
		{"lower case without the last dot", query(t, "API.OpenAI.com.", mdns.TypeAAAA), "api.openai.com", TypeAAAA},
		{"root", query(t, ".", mdns.TypeNS), ".", mdns.TypeNS},
		{"service labels and hyphens", query(t, "_dns-sd._udp.example.org.", mdns.TypePTR), "_dns-sd._udp.example.org", mdns.TypePTR},
		{"dot inside a label", query(t, `first\.last.example.org.`, mdns.TypeA), `first\.last.example.org`, TypeA},
		{"unprintable bytes", query(t, `a\007\200b.example.org.`, mdns.TypeA), `a\007\200b.example.org`, TypeA},
		{"space and backslash", query(t, `a\ b\\c.example.org.`, mdns.TypeA), `a\ b\\c.example.org`, TypeA},
		{"longest name", query(t, longest, mdns.TypeHTTPS), strings.TrimSuffix(longest, "."), TypeHTTPS},
		{"one-byte labels", query(t, strings.Repeat("x.", 127), mdns.TypeA), strings.Repeat("x.", 126) + "x", TypeA},
	}
	var m Message
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := m.Parse(tt.b); err != nil {
				t.Fatal(err)
			}
			if string(m.QName) != tt.want || m.QType != tt.qtype || m.QClass != 1 || m.Response || m.ID != 0x1234 {
				t.Errorf("got %q type %d class %d response %t id %#x", m.QName, m.QType, m.QClass, m.Response, m.ID)
			}
			if m.Truncated || m.Questions != 1 {
				t.Errorf("truncated %t, questions %d", m.Truncated, m.Questions)
			}
			if escaped := strings.Contains(tt.want, `\`); m.Escaped != escaped {
				t.Errorf("escaped %t, want %t", m.Escaped, escaped)
			}
		})
	}
}

var longest = strings.Repeat(strings.Repeat("a", 62)+".", 4)[:4*63-1] + "b."

func TestParseAnswers(t *testing.T) {
	tests := []struct {
		name  string
		b     []byte
		addrs string // those outside of the chain in brackets
		minimum,
		cnames int
	}{
		{"one address", reply(t, "a.example.", 1, "a.example. 60 IN A 192.0.2.1"), "192.0.2.1", 60, 0},
		{"both families", reply(t, "a.example.", 255, "a.example. 60 IN A 192.0.2.1", "a.example. 30 IN AAAA 2001:db8::1"),
			"192.0.2.1 2001:db8::1", 30, 0},
		{"chain", reply(t, "a.example.", 1, "a.example. 5 IN CNAME b.example.", "b.example. 5 IN CNAME c.a.example.",
			"c.a.example. 60 IN A 192.0.2.1"), "192.0.2.1", 60, 2},
		{"case differs", reply(t, "A.Example.", 1, "a.exAMPLE. 60 IN A 192.0.2.1"), "192.0.2.1", 60, 0},
		{"foreign owner", reply(t, "a.example.", 1, "b.example. 60 IN A 192.0.2.1", "a.example. 60 IN A 192.0.2.2"),
			"[192.0.2.1] 192.0.2.2", 60, 0},
		{"foreign CNAME", reply(t, "a.example.", 1, "x.example. 60 IN CNAME b.example.", "b.example. 60 IN A 192.0.2.2"),
			"[192.0.2.2]", 60, 1},
		{"owner written out", []byte("\x00\x01\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01" +
			"\x01a\x00\x00\x01\x00\x01\x00\x00\x00\x09\x00\x04\xc0\x00\x02\x01"), "192.0.2.1", 9, 0},
		{"owner that only ends alike", reply(t, "a.example.", 1, "aa.example. 60 IN A 192.0.2.1", "a.b.a.example. 9 IN A 192.0.2.1"),
			"[192.0.2.1] [192.0.2.1]", 9, 0},
		{"other class", reply(t, "a.example.", 1, "a.example. 60 HS A 192.0.2.1"), "", 0, 0},
		{"no records", reply(t, "a.example.", 1), "", 0, 0},
		{"other types between", reply(t, "a.example.", 255, `a.example. 1 IN TXT "x"`, "a.example. 60 IN A 192.0.2.1",
			"a.example. 2 IN MX 10 b.example."), "192.0.2.1", 60, 0},
	}
	var m Message
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := m.Parse(tt.b); err != nil {
				t.Fatal(err)
			}
			if got := addresses(m.Addrs); got != tt.addrs {
				t.Errorf("addresses %q, want %q", got, tt.addrs)
			}
			if int(m.MinTTL) != tt.minimum || m.CNAMEs != tt.cnames || !m.Response || m.Truncated {
				t.Errorf("MinTTL %d, CNAMEs %d, response %t, truncated %t", m.MinTTL, m.CNAMEs, m.Response, m.Truncated)
			}
		})
	}
}

func addresses(list []Address) string {
	var s []string
	for _, a := range list {
		if a.InChain {
			s = append(s, a.IP.String())
		} else {
			s = append(s, "["+a.IP.String()+"]")
		}
	}
	return strings.Join(s, " ")
}

func TestAppendCNAME(t *testing.T) {
	var m Message
	if err := m.Parse(ordinary(t)); err != nil {
		t.Fatal(err)
	}
	if got := string(m.AppendCNAME([]byte("to "), 0)); got != "to chatgpt.com.cdn.example.net" {
		t.Errorf("got %q", got)
	}
	if got := m.AppendCNAME(nil, 1); got != nil {
		t.Errorf("beyond the last: got %q", got)
	}
	if !m.EDNS || m.MinTTL != 20 {
		t.Errorf("EDNS %t, MinTTL %d", m.EDNS, m.MinTTL)
	}
}

func TestParseService(t *testing.T) {
	b := reply(t, "a.example.", mdns.TypeHTTPS, "a.example. 300 IN HTTPS 1 . alpn=h3,h2 ipv4hint=192.0.2.1,192.0.2.2 "+
		"ech=AEX+DQ== ipv6hint=2001:db8::5", "a.example. 300 IN HTTPS 2 b.example. alpn=h2")
	var m Message
	if err := m.Parse(b); err != nil {
		t.Fatal(err)
	}
	if got := addresses(m.Hints); got != "192.0.2.1 192.0.2.2 2001:db8::5" {
		t.Errorf("hints %q", got)
	}
	if !m.Service || !m.ECH || len(m.Addrs) != 0 || !m.HasALPN("h3") || !m.HasALPN("h2") || m.HasALPN("h") {
		t.Errorf("service %t, ech %t, addresses %v, alpn %q", m.Service, m.ECH, m.Addrs, m.ALPN)
	}
	if err := m.Parse(ordinary(t)); err != nil || m.Service || m.ECH || m.ALPN != nil || len(m.Hints) != 0 {
		t.Errorf("left over from the message before: %+v, %v", m, err)
	}
}

func TestParseHeader(t *testing.T) {
	ext := new(mdns.Msg)
	ext.SetQuestion("a.example.", 1)
	ext.Response, ext.Rcode = true, mdns.RcodeBadVers
	ext.SetEdns0(1232, false)
	mdnsAnswer := []byte{0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 5, 'p', 'r', 'i', 'n', 't', 5, 'l', 'o', 'c', 'a', 'l', 0,
		0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4, 192, 0, 2, 9}
	tests := []struct {
		name string
		b    []byte
		ok   func(m *Message) bool
	}{
		{"extended rcode", pack(t, ext), func(m *Message) bool { return m.EDNS && m.Rcode == 16 }},
		{"no such name", []byte("\x00\x01\x81\x83\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01"),
			func(m *Message) bool { return m.Rcode == 3 && string(m.QName) == "a" }},
		{"cut by the server", []byte("\x00\x01\x83\x80\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01"),
			func(m *Message) bool { return m.TC && !m.Truncated }},
		{"mDNS response without a question", mdnsAnswer, func(m *Message) bool {
			return m.Questions == 0 && len(m.QName) == 0 && addresses(m.Addrs) == "[192.0.2.9]"
		}},
		{"mDNS question, unicast wanted", []byte("\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x05local\x00\x00\x01\x80\x01"),
			func(m *Message) bool { return m.Unicast && m.QClass == 1 }},
		{"two questions", []byte("\x00\x01\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01\x01b\xc0\x0c\x00\x1c\x00\x01"),
			func(m *Message) bool { return m.Questions == 2 && string(m.QName) == "a" && !m.Truncated }},
		{"update is no answer", append([]byte("\x00\x01\x28\x00\x00\x01\x00\x01\x00\x00\x00\x00"), mdnsAnswer[12:]...),
			func(m *Message) bool { return m.Opcode == 5 && len(m.Addrs) == 0 }},
		{"negative TTL", []byte("\x00\x01\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\xff\xff\xff\xff\x00\x04\x01\x02\x03\x04"),
			func(m *Message) bool { return m.Addrs[0].TTL == 0 && m.Addrs[0].InChain }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m Message
			if err := m.Parse(tt.b); err != nil {
				t.Fatal(err)
			}
			if !tt.ok(&m) {
				t.Errorf("got %+v", m)
			}
		})
	}
}

func TestParseHostile(t *testing.T) {
	head := "\x00\x01\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"
	question := "\x01a\x00\x00\x01\x00\x01" // at 12; the record begins at 19
	record := func(name string) string { return name + "\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x01\x02\x03\x04" }
	tests := []struct{ name, b string }{
		{"question points into the header", head + "\xc0\x04\x00\x01\x00\x01"},
		{"question points to itself", head + "\xc0\x0c\x00\x01\x00\x01"},
		{"question points on", head + "\xc0\x20\x00\x01\x00\x01" + strings.Repeat("\x00", 40)},
		{"owner points to itself", head + question + record("\xc0\x13")},
		{"owner points back into itself", head + question + record("\x01x\xc0\x13")},
		{"owner points on", head + question + record("\xc0\x21")},
		{"owner points into the header", head + question + record("\xc0\x0b")},
		{"owner leads to a pointer that points on", head + "\x01a\x00\xc0\x1c\x00\x01" + record("\xc0\x0f")},
		{"owner that only begins like a name", head + "\x01a\x00\x00\x01\x00\x01" + record("\xc0\x12")[:2] + "\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x01\x02\x03\x04"},
		{"extended label", head + "\x41a\x00\x00\x01\x00\x01"},
		{"name of 256 octets", head + strings.Repeat("\x3f"+strings.Repeat("a", 63), 3) + "\x3e" + strings.Repeat("a", 62) +
			"\x00\x00\x01\x00\x01"},
		{"CNAME longer than its record", head + question + "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\x09a"},
		{"HTTPS parameter longer than its record", head + question + "\xc0\x0c\x00\x41\x00\x01\x00\x00\x00\x3c\x00\x07\x00\x01\x00\x00\x04\x00\x04"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m Message
			if err := m.Parse([]byte(tt.b)); !errors.Is(err, ErrMalformed) {
				t.Errorf("got %v with %q %v", err, m.QName, m.Addrs)
			}
		})
	}
}

// A cut message gives its question as soon as that is whole, then one answer after the other.
func TestParseTruncated(t *testing.T) {
	whole := ordinary(t)
	question := headerLen + len("\x07chatgpt\x03com\x00") + 4
	var m Message
	seen := 0
	for n := range whole {
		err := m.Parse(whole[:n:n])
		if n < question {
			if !errors.Is(err, ErrTruncated) || len(m.Addrs) != 0 {
				t.Fatalf("%d bytes: got %v", n, err)
			}
			continue
		}
		if err != nil || !m.Truncated || string(m.QName) != "chatgpt.com" {
			t.Fatalf("%d bytes: %v, truncated %t, name %q", n, err, m.Truncated, m.QName)
		}
		if len(m.Addrs) < seen {
			t.Fatalf("%d bytes: %d addresses, fewer than before", n, len(m.Addrs))
		}
		seen = len(m.Addrs)
	}
	if err := m.Parse(whole); err != nil || m.Truncated || seen != 2 {
		t.Errorf("whole: %v, truncated %t; cut: %d addresses", err, m.Truncated, seen)
	}
}

func TestParseBounds(t *testing.T) {
	m := new(mdns.Msg)
	m.SetQuestion("a.example.", 1)
	m.Response, m.Compress = true, true
	for i := range 400 {
		m.Answer = append(m.Answer, &mdns.A{Hdr: mdns.RR_Header{Name: "a.example.", Rrtype: 1, Class: 1, Ttl: 1},
			A: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).AsSlice()})
	}
	var got Message
	if err := got.Parse(pack(t, m)); err != nil {
		t.Fatal(err)
	}
	if len(got.Addrs) != maxAddrs || got.Unkept != 400-maxAddrs {
		t.Errorf("kept %d, not kept %d", len(got.Addrs), got.Unkept)
	}
	if !slices.ContainsFunc(got.Addrs, func(a Address) bool { return a.IP == netip.MustParseAddr("10.0.0.255") }) {
		t.Error("the 256th address is missing")
	}
}

func TestParseAllocates(t *testing.T) {
	messages := [][]byte{ordinary(t), query(t, "api.openai.com.", 1),
		reply(t, "a.example.", 65, "a.example. 300 IN HTTPS 1 . alpn=h3,h2 ipv4hint=192.0.2.1 ech=AEX+DQ==")}
	var m Message
	buf := make([]byte, 0, 256)
	for _, b := range messages {
		parse := func() {
			if err := m.Parse(b); err != nil {
				t.Fatal(err)
			}
			buf = m.AppendCNAME(buf[:0], 0)
		}
		parse()
		if n := testing.AllocsPerRun(100, parse); n != 0 {
			t.Errorf("%q: %v allocations", m.QName, n)
		}
	}
}

func benchmarkParse(b *testing.B, msg []byte) {
	var m Message
	b.ReportAllocs()
	b.SetBytes(int64(len(msg)))
	for b.Loop() {
		if err := m.Parse(msg); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseQuery(b *testing.B)    { benchmarkParse(b, query(b, "api.openai.com.", 1)) }
func BenchmarkParseResponse(b *testing.B) { benchmarkParse(b, ordinary(b)) }
func BenchmarkParseHTTPS(b *testing.B) {
	benchmarkParse(b, reply(b, "a.example.", 65, "a.example. 300 IN HTTPS 1 . alpn=h3,h2 ipv4hint=192.0.2.1 ech=AEX+DQ=="))
}
