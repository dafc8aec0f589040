package candidates

import (
	"bytes"
	"slices"
	"strings"
)

// within are words that are telling inside of others too; strong ones hardly anything but AI has in its name; weak ones are only telling
// beside something else.
var (
	within = [...]string{"chatgpt", "chatbot", "copilot", "deepseek", "ollama", "genai"}
	strong = [...]string{"gpt", "llm", "llms", "openai", "aichat", "chatai", "aiagent", "aiagents",
		"texttospeech", "textgen", "imagegen", "inference", "completions", "embeddings", "llama", "mistral", "gemini", "claude", "qwen",
		"vllm", "diffusion", "rag"}
	weak = [...]string{"chat", "assistant", "agent", "agents", "bot", "bots", "model", "models", "prompt", "prompts", "ml", "nlp", "tts", "stt", "voice",
		"speech", "transcribe", "translate", "summarize", "writer", "write", "neural", "cognitive", "brain", "mind", "tutor", "companion", "generate",
		"generator", "studio", "playground", "code", "coder", "vision", "image", "video"}
	// others are what stands in the name of a host that serves a site's visitors without being what they came for.
	others = [...]string{"ad", "ads", "adserver", "analytics", "asset", "assets", "beacon", "cdn", "click", "clicks", "collect", "collector", "consent", "cookie",
		"event", "events", "font", "fonts", "img", "images", "js", "log", "logs", "media", "metrics", "pixel", "px", "rtb", "s3", "script", "scripts", "static",
		"stats", "sync", "tag", "tags", "telemetry", "track", "tracker", "tracking", "trk", "widget", "mail", "smtp", "mx", "ns", "status"}
)

// local are the ends of names that are no service's on the Internet (RFC 6761, 6762, 8375, 9476 and habit).
var local = [...]string{"arpa", "local", "localhost", "localdomain", "lan", "home", "corp", "internal", "intranet", "private", "test", "invalid", "onion", "alt"}

// Countable says whether a name may stand in a catalogue: a host name with a dot, of the Internet, and no address.
func Countable(name []byte) bool {
	if len(name) < 4 || len(name) > MaxName {
		return false
	}
	last := 0 // where the label begins
	for i, b := range name {
		if b == '.' {
			if i == last {
				return false
			}
			last = i + 1
		} else if !nameByte(b) {
			return false
		}
	}
	top := name[last:]
	return last > 0 && len(top) > 1 && top[0] >= 'a' && !slices.Contains(local[:], string(top))
}

// nameByte says whether a byte may stand in a label of a host's name, in lower case.
func nameByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '-' || b == '_'
}

// telling says what a name itself shows of AI.
type telling struct {
	top    bool   // .ai
	ai     string // a label or a part of one that is "ai"
	strong string
	weak   string
	other  string // a word of hosts that nobody came for
}

// tell reads the words of a name: what stands between dots, hyphens and digits.
func tell(name string) telling {
	var t telling
	rest, isAI := strings.CutSuffix(name, ".ai")
	t.top = isAI
	if !isAI {
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			rest = name[:i] // a top-level domain is no word
		}
	}
	for word := range strings.FieldsFuncSeq(rest, func(r rune) bool { return r < 'a' || r > 'z' }) {
		t.word(word)
	}
	return t
}

func (t *telling) word(word string) {
	if word == "ai" {
		t.ai = word
		return
	}
	for _, w := range within {
		if strings.Contains(word, w) {
			t.strong = w
			return
		}
	}
	if slices.Contains(strong[:], word) {
		t.strong = word
		return
	}
	if strings.HasPrefix(word, "gpt") || strings.HasSuffix(word, "gpt") {
		t.strong = "gpt"
		return
	}
	if slices.Contains(weak[:], word) {
		t.weak = word
	}
	if slices.Contains(others[:], word) {
		t.other = word
	}
}

// hinted says whether flows of a name are worth watching however many there are.
func hinted(name string) bool {
	t := tell(name)
	return t.other == "" && (t.top || t.ai != "" || t.strong != "")
}

// paths are parts of the paths of model APIs, as their vendors and those who copy them document.
var paths = [...]string{"/chat/completions", "/v1/completions", "/v1/messages", "/v1/responses", "/v1/embeddings", "/v1/images/generations",
	"/v1/audio/transcriptions", "/v1/audio/speech", "/v1/models/", "/v1beta/models/", ":generatecontent", ":streamgeneratecontent", "/api/generate", "/api/chat",
	"/invoke-with-response-stream", "/converse-stream", "/backend-api/conversation", "/openai/deployments/"}

// APIPath says whether a path is one of a model API. Only that is kept of it.
func APIPath(path []byte) bool {
	var lower [256]byte
	n := copy(lower[:], path)
	for i, b := range lower[:n] {
		if b >= 'A' && b <= 'Z' {
			lower[i] = b | 0x20
		}
	}
	for _, p := range paths {
		if bytes.Contains(lower[:n], []byte(p)) {
			return true
		}
	}
	return false
}
