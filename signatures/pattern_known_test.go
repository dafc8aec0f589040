package signatures

import (
	"net/netip"
	"testing"
)

// TestKnownPaths holds the embedded patterns of addresses against what they must tell apart.
func TestKnownPaths(t *testing.T) {
	c := embeddedCatalogue(t)
	for _, test := range []struct {
		name       string
		host, path string
		want       string // the service, or nothing
	}{
		{"assistant below a code host", "github.com", "/copilot", "github-copilot"},
		{"conversation there", "github.com", "/copilot/c/1b9d", "github-copilot"},
		{"organisation whose name begins alike", "github.com", "/copilot-extensions/signup", ""},
		{"repository", "github.com", "/golang/go", ""},
		{"assistant of a social network", "x.com", "/i/grok?conversation=1", "grok"},
		{"bookmarks there", "x.com", "/i/bookmarks", ""},
		{"user whose name begins alike", "x.com", "/i/groking", ""},
		{"answers of a search engine", "www.bing.com", "/copilotsearch?q=sundial", "microsoft-copilot"},
		{"plain search there", "www.bing.com", "/search?q=copilotsearch", ""},
		{"mode of a search engine", "www.google.com", "/search?q=sundial&udm=50", "google-ai-mode"},
		{"the same, first in the query", "www.google.com", "/search?udm=50&q=sundial", "google-ai-mode"},
		{"pictures there", "www.google.com", "/search?q=sundial&udm=2", ""},
		{"chat of a search engine", "duckduckgo.com", "/duckchat/v1/chat", "duck-ai"},
		{"plain search of it", "duckduckgo.com", "/?q=duckchat", ""},
		{"chat of a model hub", "huggingface.co", "/chat/conversation/66f", "huggingchat"},
		{"model whose owner begins alike", "huggingface.co", "/chatdb/natural-sql-7b", ""},
		{"inference of a cloud's API", "api.cloudflare.com", "/client/v4/accounts/0a1b/ai/run/@cf/meta/llama-3", "cloudflare-ai"},
		{"zones of it", "api.cloudflare.com", "/client/v4/zones", ""},
		{"completion of a code host", "gitlab.com", "/api/v4/code_suggestions/completions", "gitlab-duo"},
		{"projects of it", "gitlab.com", "/api/v4/projects", ""},
		{"inference below a notebook", "www.notion.so", "/api/v3/runInferenceTranscript", "notion-ai"},
		{"page of it", "www.notion.so", "/api/v3/loadPageChunk", ""},
		{"answers of a forum", "www.reddit.com", "/answers/196c9712", "reddit-answers"},
		{"thread of it", "www.reddit.com", "/r/golang/comments/1", ""},
		{"host that only ends alike", "notx.com", "/i/grok", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if s, ok := c.MatchURL([]byte(test.host), []byte(test.path)); ok {
				got = s.ID
			}
			if got != test.want {
				t.Errorf("%s%s is %q, want %q", test.host, test.path, got, test.want)
			}
		})
	}
}

// TestKnownPrograms holds the embedded patterns of programs against what programs write.
func TestKnownPrograms(t *testing.T) {
	c := embeddedCatalogue(t)
	for _, test := range []struct{ name, agent, want string }{
		{"Claude Code", "claude-cli/2.1.77 (external, cli)", "claude-code"},
		{"Codex", "codex_cli_rs/0.144.1 (Mac OS 26.3.1; arm64) iTerm.app/3.6.9", "openai-codex"},
		{"Gemini CLI", "GeminiCLI/0.9.0/gemini-2.5-pro (linux; x64; terminal)", "gemini-code-assist"},
		{"Gemini CLI in an editor", "GeminiCLI-zed/0.9.0/gemini-2.5-pro (linux; x64; terminal)", "gemini-code-assist"},
		{"Copilot Chat", "GitHubCopilotChat/0.35.0", "github-copilot"},
		{"Cline", "Cline/3.0.38", "cline"},
		{"Kimi CLI", "KimiCLI/1.2.0", "kimi"},
		{"Vibe", "mistral-client-python/Mistral-Vibe/1.0.0", "mistral-vibe"},
		{"Amazon Q", "aws-sdk-rust/1.3.7 ua/2.1 os/linux lang/rust/1.87.0 app/AmazonQ-For-CLI", "amazon-q"},
		{"browser", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36", ""},
		{"kit that speaks to any server of its kind", "OpenAI/Python 1.99.0", ""},
		{"another vendor's kit of that sort", "Anthropic/Python 0.70.0", ""},
		{"downloader", "curl/8.16.0", ""},
		{"package manager", "npm/11.0.0 node/v24.0.0 linux x64", ""},
		{"crawler that comes in", "Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)", ""},
		{"nothing", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if s, ok := c.MatchUserAgent([]byte(test.agent)); ok {
				got = s.ID
			}
			if got != test.want {
				t.Errorf("%q is %q, want %q", test.agent, got, test.want)
			}
		})
	}
}

// TestKnownRanges says that no service has been given addresses of a cloud that others use too.
func TestKnownRanges(t *testing.T) {
	c := embeddedCatalogue(t)
	others := []netip.Addr{ // of Google, Amazon, Microsoft, Cloudflare, Fastly, Akamai
		netip.MustParseAddr("142.250.185.78"), netip.MustParseAddr("34.64.4.4"), netip.MustParseAddr("52.94.236.248"), netip.MustParseAddr("3.5.140.1"),
		netip.MustParseAddr("20.42.65.92"), netip.MustParseAddr("13.107.42.14"), netip.MustParseAddr("104.18.32.47"), netip.MustParseAddr("172.64.155.209"),
		netip.MustParseAddr("151.101.1.140"), netip.MustParseAddr("23.45.12.34"), netip.MustParseAddr("2606:4700::6812:202f"), netip.MustParseAddr("2a00:1450:4001::1"),
	}
	for _, s := range c.Services() {
		for _, r := range s.Ranges {
			for _, addr := range others {
				if r.Contains(addr) {
					t.Errorf("%s has %s, where %s is", s.ID, r, addr)
				}
			}
		}
	}
}
