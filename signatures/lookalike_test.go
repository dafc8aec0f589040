package signatures

import "testing"

// lookAlikes are names that are made to be taken for a service, or happen to be like one. None of them belongs to any.
var lookAlikes = []string{
	// beside the label border
	"notopenai.com", "myopenai.com", "xopenai.com", "theopenai.com", "fakeclaude.ai", "myclaude.ai", "notclaude.ai", "ichatgpt.com",
	"getchatgpt.com", "mychatgpt.com", "realchatgpt.com", "superperplexity.ai", "notperplexity.ai", "mydeepseek.com", "xdeepseek.com",
	"notcursor.com", "precursor.com", "pprecursor.sh", "unanthropic.com", "philanthropic.com", "misanthropic.com", "mistmistral.ai",
	"emidjourney.com", "enhuggingface.co", "grokgrok.com", "ngrok.com", "xgroq.com", "mypoe.com", "ahoyou.com", "thankyou.com",
	"bayou.com", "makemake.com.example", "notgithubcopilot.com", "xcopilot.microsoft.com.example",
	// the true name as a part of another's
	"openai.com.evil.example", "api.openai.com.evil.example", "chatgpt.com.login.example", "claude.ai.verify.example",
	"chat.deepseek.com.account.example", "gemini.google.com.signin.example", "copilot.microsoft.com.support.example",
	"huggingface.co.download.example", "api.anthropic.com.attacker.example", "cursor.com.update.example", "perplexity.ai.cdn.example",
	"openai.com.co", "claude.ai.co", "chatgpt.com.com", "deepseek.com.cn.example", "midjourney.com.ru",
	// the true name in a label
	"openai-com.example", "chatgpt-com.example", "api-openai-com.example", "claude-ai.example", "openai.com-login.example",
	"chatgpt.com-secure.example", "gemini-google-com.example", "www-openai-com.translate.example", "api.openai.com-proxy.example",
	// other top-level domains
	"openai.io", "openai.net", "openai.co", "openai.cm", "chatgpt.co", "chatgpt.cm", "chatgpt.net", "chatgpt.help", "claude.co",
	"anthropic.co", "deepseek.cc", "deepseek.co", "perplexity.io", "midjourney.co", "cursor.io", "mistral.com", "huggingface.com.example",
	// hyphens and words
	"open-ai.com", "chat-gpt.com", "chat-gpt.org", "chatgpt-app.com", "chatgpt-login.com", "openai-login.com", "openai-chatgpt.net",
	"claude-login.com", "claude-ai.net", "deepseek-ai.com.example", "gemini-google.com", "google-gemini.com", "copilot-microsoft.com",
	"anthropic-support.com", "login-openai.com", "api-openai.com", "files-oaiusercontent.com",
	// letters like others
	"0penai.com", "openal.com", "opena1.com", "openaii.com", "opeanai.com", "chatgtp.com", "chatqpt.com", "chatgptt.com", "chatgp.com",
	"c1aude.ai", "claudе.ai", "claud.ai", "cloude.ai", "deepseak.com", "deepseeek.com", "deapseek.com", "perplexlty.ai", "antropic.com",
	"anthroplc.com", "midjorney.com", "hugginface.co", "xn--chtgpt-8ve.com", "xn--opnai-0of.com", "xn--clude-rta.ai", "gemini.goog1e.com",
	// products of that name, and names that only begin alike
	"openaire.eu", "explore.openaire.eu", "openairinterface.org", "openair.com", "openaip.net", "claudebernard.fr", "claudel.fr",
	"mistralsolutions.com", "gemini.com", "gemini.edu", "copilot.example", "devinfo.example", "cursors.example", "perplexityinstitute.eu",
	"jasperreports.example", "coherent.com", "replicated.com", "together.example", "poetry.com", "poems.com",
	// words of daily life that a service has under another ending
	"candy.com", "nomi.com", "botify.com", "koala.com", "surfer.com", "rabbit.com", "bee.com", "omi.com", "spinach.com", "friday.com", "durable.com",
	"julius.com", "yellow.com", "nabla.org", "looker.com", "opus.com", "klap.com", "glif.com", "frase.com", "trint.de", "sonix.net", "grain.org",
	"speak.org", "rev.org", "motion.com", "reclaim.com", "sesame.org", "sesameworkshop.org", "abridged.com", "suki.com", "freed.com", "heidi.com",
	"fellow.com", "circle.com", "tiro.com", "rimo.com", "luzia.es", "zeta.com", "crack.com", "gizmo.com", "blaze.com", "fadr.net", "flick.com",
	"mosaic.com", "slashy.net", "star.com", "status.com", "turbo.com", "jungle.com", "flint.com", "twee.org", "cora.com", "dola.net", "liner.net",
	"layer.com", "siro.com", "slang.com", "smith.com", "rosie.com", "carat.com", "mage.com", "caspa.com", "profound.com", "scrunch.com", "goodie.com",
	"convergence.com", "rogo.com", "lutra.com", "hive.com", "listen.com", "cuppa.com", "lately.com", "noty.com", "katalist.com", "draph.com",
	// services of which only some hosts are AI
	"vadoo.tv", "mbd.6pen.art", "infomaniak.com", "www.infomaniak.com", "estsoft.com", "sesame.com", "hivesystems.com", "meitu.com",
	// beside the label border of these
	"bighammerai.com", "walliai.com", "isiro.ai", "vislang.ai", "talesmith.ai", "tarogo.ai", "nexisgen.ai", "ristikampus.ai", "trynectar.ai",
	"notelevenlabs.io", "mykapwing.com", "getveed.io", "xremove.bg", "vitrinka.ai", "apollo.ai", "superplusai.com", "ecograder.com", "smartflow.ai",
	"sparefinder.ai", "stremini.ai", "masterwordai.com", "umegaemochi.com", "pangrampangram.com", "petabridge.com",
	"utopaistudios.com", "profaceapp.com", "tradeschoolai.com", "soulplusai.com", "petroleumai.com", "invoicemaker.in",
	// the same owner's other products
	"naver.com", "map.naver.com", "news.naver.com", "www.jianying.com", "capcut.com", "wps.cn", "docs.qq.com", "zhihu.com", "sensetime.com", "tii.ae",
	"meta.com", "about.meta.com", "aliyun.com", "www.aliyuncs.com", "xfyun.cn", "caiyunapp.com", "api.caiyunapp.com",
	"maps.olakrutrim.com", "genie.stanford.edu", "bhashini.gov.in", "fanar.qa", "thehive.ai", "icons8.com", "khanacademy.org", "proton.me", "deemos.com",
	// the owner's other names
	"q.amazonaws.com", "bedrock-runtime.amazonaws.com", "bedrock-runtime.eu-central-1.amazonaws.com.cn", "aiplatform.google.com",
	"xaiplatform.googleapis.com", "generativelanguage.googleapis.com.example", "openai.azure.com.example", "notopenai.azure.com.example",
}

func TestLookAlikes(t *testing.T) {
	c := embeddedCatalogue(t, LayerLowConfidence)
	for _, host := range lookAlikes {
		for _, name := range []string{host, "www." + host, host + "."} {
			if hit, ok := c.Match([]byte(name)); ok {
				t.Errorf("%s is taken for %s, by %s", name, hit.Service.ID, hit.Name.Name)
			}
		}
	}
}
