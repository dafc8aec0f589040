package signatures

import "testing"

// TestPopularNames tries names that many networks see every day and that are no AI service. Names that a service shares with other
// products may be found, but never as use.
func TestPopularNames(t *testing.T) {
	c := embeddedCatalogue(t)
	for _, host := range []string{
		"www.google.com", "google.com", "mail.google.com", "docs.google.com", "drive.google.com", "accounts.google.com", "maps.google.com",
		"fonts.googleapis.com", "storage.googleapis.com", "www.googleapis.com", "firebase.googleapis.com", "fonts.gstatic.com",
		"www.gstatic.com", "lh3.googleusercontent.com", "clients4.google.com", "www.youtube.com", "i.ytimg.com", "www.bing.com",
		"www.microsoft.com", "login.microsoftonline.com", "outlook.office365.com", "teams.microsoft.com", "graph.microsoft.com",
		"contoso.sharepoint.com", "officeclient.microsoft.com", "settings-win.data.microsoft.com", "portal.azure.com",
		"mystore.blob.core.windows.net", "app.azurewebsites.net", "s3.amazonaws.com", "mybucket.s3.eu-west-1.amazonaws.com",
		"sqs.us-east-1.amazonaws.com", "ec2.eu-central-1.amazonaws.com", "console.aws.amazon.com", "www.amazon.com", "d111abc.cloudfront.net",
		"www.apple.com", "icloud.com", "gateway.icloud.com", "push.apple.com", "github.com", "api.github.com", "raw.githubusercontent.com",
		"objects.githubusercontent.com", "gitlab.com", "stackoverflow.com", "www.wikipedia.org", "www.cloudflare.com", "cdnjs.cloudflare.com",
		"challenges.cloudflare.com", "www.facebook.com", "www.instagram.com", "web.whatsapp.com", "x.com", "twitter.com", "api.twitter.com",
		"www.linkedin.com", "www.reddit.com", "www.netflix.com", "open.spotify.com", "zoom.us", "slack.com", "files.slack.com",
		"www.dropbox.com", "www.salesforce.com", "acme.atlassian.net", "www.notion.so", "www.canva.com", "zapier.com", "miro.com",
		"www.adobe.com", "cc-api-data.adobe.io", "www.baidu.com", "www.qq.com", "www.taobao.com", "www.aliyun.com", "yandex.ru",
		"registry.npmjs.org", "pypi.org", "proxy.golang.org", "hub.docker.com", "registry-1.docker.io", "dl.google.com", "ocsp.digicert.com",
		"r3.o.lencr.org", "www.msftconnecttest.com", "detectportal.firefox.com", "update.googleapis.com", "js.stripe.com", "o1.ingest.sentry.io",
		"browser-intake-datadoghq.com", "cdn.auth0.com", "api.segment.io", "www.heise.de", "www.spiegel.de", "www.bbc.co.uk", "nytimes.com",
		"printer.local", "dc01.corp.example", "wpad", "_ldap._tcp.dc._msdcs.corp.example", "1.0.0.127.in-addr.arpa",
	} {
		if hit, ok := c.Match([]byte(host)); ok && hit.Use() {
			t.Errorf("%s counts as use of %s, by %s", host, hit.Service.ID, hit.Name.Name)
		}
	}
}

func TestKnownNames(t *testing.T) {
	c := embeddedCatalogue(t)
	tests := []struct{ host, id string }{
		{"chatgpt.com", "chatgpt"}, {"www.chatgpt.com", "chatgpt"}, {"chat.openai.com", "chatgpt"}, {"files.oaiusercontent.com", "chatgpt"},
		{"api.openai.com", "openai-api"}, {"platform.openai.com", "openai-api"}, {"auth.openai.com", "openai-platform"}, {"sora.com", "openai-sora"},
		{"claude.ai", "claude"}, {"claude.com", "claude"}, {"api.anthropic.com", "anthropic-api"}, {"www.anthropic.com", "anthropic-corporate"},
		{"gemini.google.com", "gemini"}, {"bard.google.com", "gemini"}, {"generativelanguage.googleapis.com", "gemini-api"},
		{"aistudio.google.com", "google-ai-studio"}, {"notebooklm.google.com", "notebooklm"}, {"jules.google.com", "google-jules"},
		{"us-central1-aiplatform.googleapis.com", "vertex-ai"}, {"europe-west9-aiplatform.googleapis.com", "vertex-ai"},
		{"cloudcode-pa.googleapis.com", "gemini-code-assist"}, {"copilot.microsoft.com", "microsoft-copilot"}, {"sydney.bing.com", "microsoft-copilot"},
		{"copilot.cloud.microsoft", "microsoft-365-copilot"}, {"acme.openai.azure.com", "azure-openai"}, {"acme.services.ai.azure.com", "azure-openai"},
		{"api.githubcopilot.com", "github-copilot"}, {"api.individual.githubcopilot.com", "github-copilot"},
		{"copilot-proxy.githubusercontent.com", "github-copilot"}, {"models.github.ai", "github-models"},
		{"bedrock-runtime.eu-central-1.amazonaws.com", "aws-bedrock"}, {"q.us-east-1.amazonaws.com", "amazon-q"}, {"q.eu-west-1.amazonaws.com", "amazon-q"},
		{"kiro.dev", "aws-kiro"}, {"api2.cursor.sh", "cursor"}, {"www.cursor.com", "cursor"}, {"repo42.cursor.sh", "cursor"},
		{"server.codeium.com", "windsurf"}, {"windsurf.com", "windsurf"}, {"app.devin.ai", "devin"}, {"www.tabnine.com", "tabnine"},
		{"lovable.dev", "lovable"}, {"bolt.new", "bolt"}, {"v0.dev", "v0"}, {"replit.com", "replit"}, {"www.perplexity.ai", "perplexity"},
		{"api.perplexity.ai", "perplexity"}, {"grok.com", "grok"}, {"api.x.ai", "xai-api"}, {"chat.mistral.ai", "mistral"}, {"api.mistral.ai", "mistral"},
		{"chat.deepseek.com", "deepseek"}, {"chat.qwen.ai", "qwen"}, {"dashscope.aliyuncs.com", "alibaba-model-studio"}, {"www.doubao.com", "doubao"},
		{"kimi.com", "kimi"}, {"chat.z.ai", "zhipu-glm"}, {"poe.com", "poe"}, {"character.ai", "character-ai"}, {"www.meta.ai", "meta-ai"},
		{"huggingface.co", "huggingface"}, {"api.groq.com", "groq"}, {"openrouter.ai", "openrouter"}, {"api.together.xyz", "together"},
		{"api.cohere.com", "cohere"}, {"api.replicate.com", "replicate"}, {"www.midjourney.com", "midjourney"}, {"suno.com", "suno"},
		{"elevenlabs.io", "elevenlabs"}, {"app.runwayml.com", "runway"}, {"www.grammarly.com", "grammarly"}, {"www.deepl.com", "deepl"},
		{"otter.ai", "otter"}, {"app.fireflies.ai", "fireflies"}, {"manus.im", "manus"}, {"coze.com", "coze"}, {"gamma.app", "gamma"},
		{"giga.chat", "gigachat"}, {"yiyan.baidu.com", "ernie"}, {"yuanbao.tencent.com", "yuanbao"},
	}
	for _, tt := range tests {
		t.Run(tt.host, func(t *testing.T) {
			hit, ok := c.Match([]byte(tt.host))
			if !ok || hit.Service.ID != tt.id || !hit.Use() {
				t.Errorf("Match(%s) is %+v, want use of %s", tt.host, hit, tt.id)
			}
		})
	}
}

func TestRoles(t *testing.T) {
	c := embeddedCatalogue(t)
	tests := []struct {
		host, id string
		role     Role
		kind     string
	}{
		{"files.oaiusercontent.com", "chatgpt", RoleUpload, "web"},
		{"cdn.oaistatic.com", "chatgpt", RoleSupporting, "web"},
		{"www.bing.com", "microsoft-copilot", RoleShared, "web"},
		{"api.mistral.ai", "mistral", RolePrimary, "api"},
		{"chat.mistral.ai", "mistral", RolePrimary, "web"},
		{"api2.cursor.sh", "cursor", RolePrimary, "ide"},
		{"app.devin.ai", "devin", RolePrimary, "agent"},
	}
	for _, tt := range tests {
		t.Run(tt.host, func(t *testing.T) {
			hit, ok := c.Match([]byte(tt.host))
			if !ok || hit.Service.ID != tt.id || hit.Name.Role != tt.role || hit.Kind() != tt.kind {
				t.Errorf("Match(%s) is %+v, kind %s", tt.host, hit.Name, hit.Kind())
			}
		})
	}
}
