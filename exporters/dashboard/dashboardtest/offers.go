package dashboardtest

// offer is one service of the made-up year.
type offer struct {
	id, name, vendor, category, kind, status string
	since                                    int // days ago it was first used
}

// offers stand in the order of how much they are used.
var offers = [...]offer{
	{"chatgpt", "ChatGPT", "OpenAI", "chat-assistant", "web", "tolerated", Days},
	{"microsoft-copilot", "Microsoft Copilot", "Microsoft", "chat-assistant", "web", "approved", Days},
	{"github-copilot", "GitHub Copilot", "GitHub", "coding-assistant", "ide", "approved", Days},
	{"claude", "Claude", "Anthropic", "chat-assistant", "web", "in-review", Days},
	{"deepl", "DeepL Translate", "DeepL", "writing-translation", "web", "approved", Days},
	{"gemini", "Gemini", "Google", "chat-assistant", "web", "unreviewed", Days},
	{"perplexity", "Perplexity", "Perplexity AI", "search", "web", "unreviewed", Days},
	{"cursor", "Cursor", "Anysphere", "coding-assistant", "ide", "in-review", 400},
	{"grammarly", "Grammarly", "Grammarly", "writing-translation", "background", "tolerated", Days},
	{"openai-api", "OpenAI API", "OpenAI", "model-api", "api", "approved", Days},
	{"deepseek", "DeepSeek", "DeepSeek", "chat-assistant", "web", "prohibited", 300},
	{"midjourney", "Midjourney", "Midjourney", "image-video-audio", "web", "unreviewed", Days},
	{"otter", "Otter.ai", "Otter.ai", "meeting-notes", "web", "prohibited", Days},
	{"fireflies", "Fireflies.ai", "Fireflies.ai", "meeting-notes", "agent", "unreviewed", 200},
	{"notion-ai", "Notion AI", "Notion Labs", "productivity-ai", "web", "tolerated", Days},
	{"canva-ai", "Canva Magic Studio", "Canva", "image-video-audio", "web", "", Days},
	{"hugging-face", "Hugging Face", "Hugging Face", "ml-platform", "web", "approved", Days},
	{"anthropic-api", "Anthropic API", "Anthropic", "model-api", "api", "in-review", 500},
	{"mistral", "Le Chat", "Mistral AI", "chat-assistant", "web", "unreviewed", 250},
	{"elevenlabs", "ElevenLabs", "ElevenLabs", "image-video-audio", "web", "unreviewed", 420},
	{"replicate", "Replicate", "Replicate", "ml-platform", "api", "unreviewed", 330},
	{"poe", "Poe", "Quora", "chat-assistant", "web", "unreviewed", Days},
	{"openrouter", "OpenRouter", "OpenRouter", "model-api", "api", "prohibited", 180},
	{"codeium", "Windsurf", "Codeium", "coding-assistant", "ide", "unreviewed", 390},
	{"tabnine", "Tabnine", "Tabnine", "coding-assistant", "ide", "tolerated", Days},
	{"jasper", "Jasper", "Jasper", "writing-translation", "web", "unreviewed", Days},
	{"runway", "Runway", "Runway", "image-video-audio", "web", "", 290},
	{"suno", "Suno", "Suno", "image-video-audio", "web", "unreviewed", 260},
	{"quillbot", "QuillBot", "QuillBot", "writing-translation", "web", "unreviewed", Days},
	{"character-ai", "Character.AI", "Character.AI", "companion", "web", "prohibited", Days},
	{"groq", "Groq", "Groq", "model-api", "api", "unreviewed", 280},
	{"together-ai", "Together AI", "Together AI", "model-api", "api", "unreviewed", 240},
	{"zapier-ai", "Zapier Agents", "Zapier", "agent-automation", "agent", "in-review", 210},
	{"manus", "Manus", "Butterfly Effect", "agent-automation", "agent", "prohibited", 150},
	{"gamma", "Gamma", "Gamma", "productivity-ai", "web", "unreviewed", 220},
	{"synthesia", "Synthesia", "Synthesia", "image-video-audio", "web", "", 300},
	{"kimi", "Kimi", "Moonshot AI", "chat-assistant", "web", "prohibited", 120},
	{"lovable", "Lovable", "Lovable", "coding-assistant", "web", "unreviewed", 100},
	{"you-com", "You.com", "You.com", "search", "web", "unreviewed", 60},
	{"assistant-with-a-very-long-name", "The Extraordinarily Helpful Assistant for Everything (Enterprise Preview)", "A Vendor With a Long Name Incorporated", "chat-assistant", "web", "unreviewed", 30},
}
