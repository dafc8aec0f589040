package dns

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"

	mdns "github.com/miekg/dns"
)

func addSeeds(f *testing.F) {
	f.Helper()
	f.Add(ordinary(f))
	f.Add(query(f, "api.openai.com.", mdns.TypeAAAA))
	f.Add(query(f, `a\007\.b.example.org.`, mdns.TypeA))
	f.Add(reply(f, "a.example.", 65, "a.example. 300 IN HTTPS 1 . alpn=h3,h2 ipv4hint=192.0.2.1 ech=AEX+DQ=="))
	f.Add(reply(f, "a.example.", 255, `a.example. 1 IN TXT "x\"y"`, "a.example. 60 IN AAAA 2001:db8::1",
		"a.example. 2 IN MX 10 b.example.", "a.example. 2 IN SOA b.example. c.example. 1 2 3 4 5"))
	f.Add([]byte("\x00\x01\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01\xc0\x13\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x01\x02\x03\x04"))
}

// What another implementation accepts and writes again must read the same here: question, addresses, end of the message.
func FuzzMessage(f *testing.F) {
	addSeeds(f)
	var m Message
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = m.Parse(b)
		for i := range m.CNAMEs {
			_ = m.AppendCNAME(nil, i)
		}
		if len(m.QName) > maxPresentation || len(m.Addrs) > maxAddrs || len(m.Hints) > maxAddrs {
			t.Fatalf("bounds: %d, %d, %d", len(m.QName), len(m.Addrs), len(m.Hints))
		}
		var other mdns.Msg
		if other.Unpack(b) != nil {
			return
		}
		other.Compress = true
		again, err := other.Pack()
		if err != nil || len(other.Question) == 0 || len(again) > maxMessage {
			return
		}
		if err := m.Parse(again); err != nil || m.Truncated {
			t.Fatalf("%x: %v, truncated %t", again, err, m.Truncated)
		}
		compare(t, &m, &other)
	})
}

func compare(t *testing.T, m *Message, other *mdns.Msg) {
	t.Helper()
	q := other.Question[0]
	if want := presentation(q.Name); string(m.QName) != want || m.QType != q.Qtype || m.QClass != q.Qclass&classMask {
		t.Fatalf("question %q %d %d, want %q %d %d", m.QName, m.QType, m.QClass, want, q.Qtype, q.Qclass)
	}
	if m.ID != other.Id || m.Response != other.Response || int(m.Opcode) != other.Opcode || m.TC != other.Truncated {
		t.Fatalf("header %+v, want %v", m, other.MsgHdr)
	}
	var want []netip.Addr
	for _, r := range other.Answer {
		if r.Header().Class&classMask != classIN || other.Opcode != mdns.OpcodeQuery || r.Header().Rdlength == 0 {
			continue
		}
		switch r := r.(type) {
		case *mdns.A:
			ip, _ := netip.AddrFromSlice(r.A.To4())
			want = append(want, ip)
		case *mdns.AAAA:
			ip, _ := netip.AddrFromSlice(r.AAAA)
			want = append(want, ip)
		}
	}
	want = want[:min(len(want), maxAddrs)]
	if !slices.EqualFunc(m.Addrs, want, func(a Address, ip netip.Addr) bool { return a.IP == ip }) {
		t.Fatalf("addresses %v, want %v", m.Addrs, want)
	}
}

// presentation is a zone-form name as Message.QName has it. Escapes hold digits and no letters, so the case can be folded after.
func presentation(zone string) string {
	if zone == "." {
		return zone
	}
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, strings.TrimSuffix(zone, "."))
}

func FuzzAnswers(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := Answers(b)
		if len(list) > maxAnswers {
			t.Fatalf("%d answers", len(list))
		}
		var m Message
		if m.Parse(b) == nil && err == nil && len(list) < len(m.Addrs) { // names of records without an address are only read here
			t.Fatalf("%d answers hold %d addresses", len(list), len(m.Addrs))
		}
		for _, a := range list {
			if len(a.Data) > maxData+len("...") || len(a.Name) > maxPresentation || a.Type == "" {
				t.Fatalf("answer %+v", a)
			}
		}
	})
}

func FuzzTCP(f *testing.F) {
	f.Add([]byte("\x00\x03abc\x00\x05d"))
	f.Add(append([]byte{0, 0}, "\x00\x01a"...))
	f.Fuzz(func(t *testing.T, stream []byte) {
		var got []byte
		rest := stream
		for {
			msg, r, need := NextTCP(rest)
			if msg == nil {
				if need < 1 || need > maxMessage || !bytes.Equal(r, rest) {
					t.Fatalf("need %d, rest %d of %d", need, len(r), len(rest))
				}
				break
			}
			if len(r)+len(msg)+2 != len(rest) || need != 0 {
				t.Fatalf("%d + %d + 2 of %d bytes, need %d", len(msg), len(r), len(rest), need)
			}
			got = append(append(got, byte(len(msg)>>8), byte(len(msg))), msg...)
			rest = r
		}
		if !bytes.Equal(append(got, rest...), stream) {
			t.Fatal("the parts do not make the whole")
		}
	})
}
