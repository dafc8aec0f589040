package dns

import (
	"errors"
	"slices"
	"strings"
	"testing"

	mdns "github.com/miekg/dns"
)

func TestAnswers(t *testing.T) {
	b := reply(t, "A.example.", 255,
		"A.example. 300 IN CNAME B.example.",
		"b.example. 60 IN A 192.0.2.1",
		"b.example. 61 IN AAAA 2001:db8::1",
		`b.example. 62 IN TXT "v=spf1" "x y"`,
		"b.example. 63 IN MX 10 mail.b.example.",
		"b.example. 64 IN HTTPS 1 . alpn=h3,h2",
		"b.example. 66 IN TYPE65300 \\# 3 abcdef",
	)
	want := []Answer{
		{"a.example", "CNAME", "b.example", 300},
		{"b.example", "A", "192.0.2.1", 60},
		{"b.example", "AAAA", "2001:db8::1", 61},
		{"b.example", "TXT", `"v=spf1" "x y"`, 62},
		{"b.example", "MX", "10 mail.b.example.", 63},
		{"b.example", "HTTPS", `1 . alpn="h3,h2"`, 64},
		{"b.example", "TYPE65300", `\# 3 abcdef`, 66},
	}
	got, err := Answers(b)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v\nwant %v", got, err, want)
	}
}

// Cut anywhere, the answers before the cut are given, and only a whole section gives no error.
func TestAnswersTruncated(t *testing.T) {
	whole := reply(t, "a.example.", 1, "a.example. 300 IN CNAME b.example.", "b.example. 60 IN A 192.0.2.1")
	full, err := Answers(whole)
	if err != nil || len(full) != 2 {
		t.Fatalf("whole: %v, %v", full, err)
	}
	for n := range whole {
		got, err := Answers(whole[:n:n])
		if !errors.Is(err, ErrTruncated) || len(got) > 1 || len(got) == 1 && got[0] != full[0] {
			t.Fatalf("%d bytes: %v, %v", n, got, err)
		}
	}
}

func TestAnswersBounds(t *testing.T) {
	m := new(mdns.Msg)
	m.SetQuestion("a.example.", mdns.TypeTXT)
	m.Answer = []mdns.RR{&mdns.TXT{Hdr: mdns.RR_Header{Name: "a.example.", Rrtype: mdns.TypeTXT, Class: 1},
		Txt: slices.Repeat([]string{strings.Repeat("x", 255)}, 40)}}
	long, err := Answers(pack(t, m))
	if err != nil || len(long) != 1 || len(long[0].Data) != maxData+3 || !strings.HasPrefix(long[0].Data, `\# 10240 `) {
		t.Errorf("long record: %d answers, %v", len(long), err)
	}
	many := []byte("\x00\x01\x81\x80\x00\x00\xff\xff\x00\x00\x00\x00")
	for range 5000 {
		many = append(many, "\x00\x00\x01\x00\x01\x00\x00\x00\x01\x00\x00"...)
	}
	if list, err := Answers(many); err != nil || len(list) != maxAnswers {
		t.Errorf("many records: %d answers, %v", len(list), err)
	}
	if list, err := Answers(append([]byte("\x00\x01\x81\x80\x00\x00\x00\x01\x00\x00\x00\x00"), 0xc0, 0x0c)); !errors.Is(err, ErrMalformed) {
		t.Errorf("loop: %v, %v", list, err)
	}
}

func TestNames(t *testing.T) {
	tests := []struct{ name, got, want string }{
		{"type", TypeName(TypeHTTPS), "HTTPS"},
		{"unknown type", TypeName(65300), "TYPE65300"},
		{"rcode", RcodeName(3), "NXDOMAIN"},
		{"shared rcode", RcodeName(16), "BADVERS"},
		{"unknown rcode", RcodeName(4000), "RCODE4000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("got %q, want %q", tt.got, tt.want)
			}
		})
	}
}
