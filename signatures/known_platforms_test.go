package signatures

import "testing"

// TestKnownPlatforms holds names of programs' services against the ids that records carry: hosts of APIs, regions, routers, agents.
func TestKnownPlatforms(t *testing.T) {
	c := embeddedCatalogue(t)
	tests := []struct{ name, host, id, kind string }{
		{"every region of Bedrock", "bedrock-runtime.ap-northeast-3.amazonaws.com", "aws-bedrock", "api"},
		{"Bedrock with validated cryptography", "bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "aws-bedrock", "api"},
		{"Bedrock over both protocols", "bedrock-runtime.eu-central-1.api.aws", "aws-bedrock", "api"},
		{"agents of Bedrock", "bedrock-agentcore.us-east-1.amazonaws.com", "aws-bedrock-agentcore", "agent"},
		{"speech of AWS", "polly.eu-west-2.amazonaws.com", "amazon-polly", "api"},
		{"transcription by streams", "transcribestreaming.us-east-1.amazonaws.com", "amazon-transcribe", "api"},
		{"a label between service and region", "runtime.sagemaker.eu-north-1.amazonaws.com", "sagemaker", "api"},
		{"Q for business", "qbusiness.us-east-1.api.aws", "amazon-q-business", "web"},
		{"speech of Google", "texttospeech.googleapis.com", "google-cloud-speech", "api"},
		{"a region in the label", "eu-documentai.googleapis.com", "google-document-ai", "api"},
		{"a regional endpoint of Vertex AI", "aiplatform.eu.rep.googleapis.com", "vertex-ai", "api"},
		{"Model Studio in the United States", "dashscope-us.aliyuncs.com", "alibaba-model-studio", "api"},
		{"Generative AI of Oracle", "inference.generativeai.us-chicago-1.oci.oraclecloud.com", "oracle-generative-ai", "api"},
		{"Hetzner's inference, not its console", "inference.hetzner.com", "hetzner-inference", "api"},
		{"CLOVA Studio", "clovastudio.stream.ntruss.com", "clova-studio", "api"},
		{"the GigaChat API", "gigachat.devices.sberbank.ru", "gigachat-api", "api"},
		{"a host of an API below a suffix", "api.deepgram.com", "deepgram", "api"},
		{"speech over web sockets", "stt-rt.soniox.com", "soniox", "api"},
		{"a router", "api.requesty.ai", "requesty", "api"},
		{"a crowd's router", "api.airforce", "api-airforce", "api"},
		{"a vector store", "cloud.qdrant.io", "qdrant", "api"},
		{"a cluster of a vector store", "abc.eu-central-1-0.aws.cloud.qdrant.io", "qdrant", "api"},
		{"memory for agents", "api.mem0.ai", "mem0", "api"},
		{"a GPU cloud", "api.runpod.io", "runpod", "api"},
		{"a GPU market", "console.vast.ai", "vast-ai", "api"},
		{"an evaluation", "app.patronus.ai", "patronus", "api"},
		{"a product's MCP endpoint", "mcp.linear.app", "linear-mcp", "agent"},
		{"one of several MCP endpoints", "browser.mcp.cloudflare.com", "cloudflare-mcp", "agent"},
		{"an MCP endpoint of a service that is AI anyway", "mcp.exa.ai", "exa", "agent"},
		{"a mailbox by MCP", "gmailmcp.googleapis.com", "google-workspace-mcp", "agent"},
		{"browsers for agents", "api.browserbase.com", "browserbase", "agent"},
		{"sandboxes for agents", "api.e2b.dev", "e2b", "agent"},
		{"agents that telephone", "api.vapi.ai", "vapi", "api"},
		{"support by agents", "app.decagon.ai", "decagon", "web"},
		{"an assistant inside a browser", "ai-chat.bsg.brave.com", "brave-leo", "web"},
		{"Joule with the tenant in the name", "acme.joule.cloud.sap", "sap-joule", "web"},
		{"an editor", "api.roocode.com", "roo-code", "ide"},
		{"a builder", "app.base44.com", "base44", "web"},
		{"law", "app.legora.com", "legora", "web"},
		{"medicine", "www.openevidence.com", "openevidence", "web"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hit, ok := c.Match([]byte(tt.host))
			if !ok || !hit.Use() || hit.Service.ID != tt.id || hit.Kind() != tt.kind {
				t.Errorf("Match(%s) is %+v, want use of %s of kind %s", tt.host, hit, tt.id, tt.kind)
			}
		})
	}
}
