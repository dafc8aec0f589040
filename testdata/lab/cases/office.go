package cases

import (
	"net/netip"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/clients"
	"github.com/gnomon-sensor/gnomon/testdata/lab/standin"
)

// step is one client's work at one moment of the demonstration.
type step struct {
	at       time.Duration // since its start; steps of one desk must not overlap
	desk     netip.Addr
	client   string
	version  string
	user     string // goes through the proxy as this user
	requests []clients.Request
}

// officeDay returns the demonstration: eight desks, three to four minutes, assistants of all kinds among ordinary sites.
// Steps through the proxy come last, as the proxy is ended after the last step.
func officeDay() []step {
	s := func(at int, host byte, room byte, client, version string, requests ...clients.Request) step {
		return step{time.Duration(at) * time.Second, netip.AddrFrom4([4]byte{10, 20, room, host}), client, version, "", requests}
	}
	proxied := s(188, 24, 3, "curl", clients.H2, post("claude.ai", 5000, 900), get("www.example.org", 300))
	proxied.user = "alice"
	return []step{
		// Room 1 writes and reads.
		s(0, 21, 1, "chromium", clients.H2, get("chatgpt.com", 3000), post("chatgpt.com", 20000, 2000), get("en.wikipedia.org", 2000)),
		s(6, 22, 1, "firefox", clients.H2, get("claude.ai", 2000), post("claude.ai", 7000, 1500)),
		s(70, 21, 1, "chromium", clients.H3, get("gemini.google.com", 2000), post("gemini.google.com", 5000, 1000)),
		s(95, 22, 1, "curl", clients.H2, get("www.example.org", 700), get("www.debian.org", 900)),
		s(150, 22, 1, "node", "fetch", post("www.perplexity.ai", 1800, 1600)),
		// Room 2 writes programs.
		s(12, 31, 2, "python", clients.H1, post("api.openai.com", 21000, 1800), post("api.openai.com", 2500, 900)),
		s(20, 32, 2, "node", clients.H2, post("api.githubcopilot.com", 4200, 300), post("api.githubcopilot.com", 4600, 350), post("api.githubcopilot.com", 5100, 280)),
		s(55, 32, 2, "node", clients.H1, get("registry.npmjs.org", 2500)),
		s(80, 31, 2, "python", clients.H1, post("api.anthropic.com", 5000, 1200)),
		s(104, 32, 2, "node", clients.H2, post("api2.cursor.sh", 5000, 700)),
		s(131, 31, 2, "curl", clients.H1, get("github.com", 1800), get("huggingface.co", 1200)),
		// Room 3 holds meetings and makes pictures.
		s(28, 23, 3, "go", clients.H2, post("otter.ai", 26000, 400)),
		s(46, 24, 3, "go", clients.H2, post("www.midjourney.com", 700, 1500)),
		s(88, 23, 3, "go", clients.WS, clients.Request{Method: "WS", URL: "wss://app.fireflies.ai" + standin.WSPath, Upload: 2600}),
		s(140, 23, 3, "curl", clients.H2, post("api.elevenlabs.io", 900, 1500)),
		// Room 4 runs servers and tries things out.
		s(36, 41, 4, "java", clients.H2, post("generativelanguage.googleapis.com", 5000, 900)),
		s(62, 42, 4, "go", clients.H3, post("api.x.ai", 7000, 1000)),
		s(115, 41, 4, "java", clients.H2, get("login.microsoftonline.com", 1500), get("en.wikipedia.org", 900)),
		s(122, 42, 4, "go", clients.H2, post("api.mistral.ai", 6000, 900)),
		s(160, 42, 4, "curl", clients.H2, post("chat.deepseek.com", 3200, 1100)),
		s(172, 41, 4, "curl", clients.H2, post("copilot.microsoft.com", 2400, 1300)),
		proxied,
		withUser("bob", s(204, 24, 3, "curl", clients.H2, post("api.openai.com", 2000, 600))),
	}
}

func withUser(user string, s step) step {
	s.user = user
	return s
}

// officeNames are names of the demonstration that need more than an address.
func officeNames() []standin.Name {
	return []standin.Name{
		{Host: "chatgpt.com", H3: true},
		{Host: "gemini.google.com", H3: true},
		{Host: "api.x.ai", H3: true},
		{Host: "copilot.microsoft.com", Chain: []string{"copilot.edge.example.net"}},
		{Host: "registry.npmjs.org", TC: true},
	}
}
