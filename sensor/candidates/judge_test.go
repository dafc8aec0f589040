package candidates

import (
	"slices"
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name  string
		n     Name
		wants string // in the evidence; empty: no candidate
	}{
		{"below .ai", Name{Name: "www.words.ai"}, "below .ai"},
		{"a tracker below .ai", Name{Name: "pixel.words.ai"}, ""},
		{"a strong label", Name{Name: "my-llm.example.com"}, "label llm"},
		{"a compound", Name{Name: "supergpt.example"}, "label gpt"},
		{"ai and chat", Name{Name: "ai-chat.example.com"}, "label ai"},
		{"ai alone", Name{Name: "ai.example.com"}, ""},
		{"chat alone", Name{Name: "chat.example.com"}, ""},
		{"chat and an answer", Name{Name: "chat.example.com", Answers: 1, Paced: 1}, "1 answer"},
		{"one answer alone", Name{Name: "www.example.com", Answers: 1, Paced: 1}, ""},
		{"two answers", Name{Name: "www.example.com", Answers: 2, Paced: 1}, "2 answers"},
		{"a platform behind it", Name{Name: "www.example.com", Alias: "azure-openai"}, "CNAME leads to azure-openai"},
		{"an API's path", Name{Name: "gw.example.com", Paths: 3}, "in 3 log lines"},
		{"words within words", Name{Name: "mail.chairman.example"}, ""},
		{"a top-level domain is no word", Name{Name: "www.example.chat"}, ""},
		{"full moon", Name{Name: "fullmoon.example"}, ""},
		{"egypt", Name{Name: "egypt.example"}, ""},
		{"open air", Name{Name: "openaire.eu"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.n.Flows, c.n.Up, c.n.Down = 3, 5000, 9000
			got := Judge(&Day{Names: []Name{c.n}})
			if (len(got) == 0) != (c.wants == "") || len(got) == 1 && !strings.Contains(strings.Join(got[0].Evidence, "; "), c.wants) {
				t.Errorf("Judge = %+v, want %q", got, c.wants)
			}
		})
	}
}

// A name that was only looked up, or that nothing came back from, is no candidate; the most telling stand first.
func TestJudgeOrder(t *testing.T) {
	got := Judge(&Day{Names: []Name{
		{Name: "a.words.ai"},
		{Name: "b.words.ai", Flows: 1, Up: 1},
		{Name: "c.words.ai", Flows: 1, Up: 1, Down: 1},
		{Name: "d.words.ai", Flows: 9, Up: 1, Down: 1, Answers: 9},
		{Name: "e.words.ai", Flows: 2, Up: 1, Down: 1},
		{Name: "gw.example.com", Flows: 1, Paths: 1},
		{Name: "f.words.ai", Flows: 4, Down: 1},
	}})
	var names []string
	for _, c := range got {
		names = append(names, c.Name.Name)
	}
	if want := []string{"d.words.ai", "gw.example.com", "f.words.ai", "e.words.ai", "c.words.ai"}; !slices.Equal(names, want) {
		t.Errorf("candidates are %q, want %q", names, want)
	}
}

func TestCountable(t *testing.T) {
	for name, want := range map[string]bool{"www.example.org": true, "xn--bcher-kva.example": true, "a_b.example.com": true, "localhost": false, "printer.local": false,
		"1.2.3.4": false, "2001:db8::1": false, "": false, "a..b.com": false, ".com": false, "com.": false, "nas.fritz.home": false, "1.0.168.192.in-addr.arpa": false,
		"bad name.example": false, "x.y": false, strings.Repeat("a.", 130) + "com": false} {
		if got := Countable([]byte(name)); got != want {
			t.Errorf("Countable(%q) = %v", name, got)
		}
	}
}

func TestAPIPath(t *testing.T) {
	for path, want := range map[string]bool{"/v1/chat/completions": true, "/openai/V1/Messages?beta=true": true, "/v1beta/models/g-pro:streamGenerateContent?alt=sse": true,
		"/api/chat": true, "/": false, "/v1/users": false, "/messages": false, "/blog/completions-of-the-year": false} {
		if got := APIPath([]byte(path)); got != want {
			t.Errorf("APIPath(%q) = %v", path, got)
		}
	}
}

// Every line of a log is asked.
func TestAPIPathAllocs(t *testing.T) {
	path := []byte("/Static/js/" + strings.Repeat("main.", 40) + "js?v=1")
	if n := testing.AllocsPerRun(100, func() { APIPath(path) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAPIPath(b *testing.B) {
	path := []byte("/assets/js/main.4f2a91.chunk.js?v=1")
	b.ReportAllocs()
	for b.Loop() {
		APIPath(path)
	}
}
