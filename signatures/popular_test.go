package signatures

import (
	"strings"
	"testing"
)

// popularNames are names of much visited sites and of what machines ask for by themselves, a line for each field. None is an AI service.
const popularNames = `
duckduckgo.com search.yahoo.com www.yahoo.com www.ecosia.org www.startpage.com www.qwant.com www.naver.com search.naver.com www.daum.net www.sogou.com
www.youtube.com www.twitch.tv vimeo.com www.dailymotion.com www.tiktok.com www.bilibili.com www.hulu.com www.disneyplus.com www.primevideo.com iplayer.bbc.co.uk
soundcloud.com music.apple.com www.deezer.com bandcamp.com www.last.fm genius.com www.shazam.com tidal.com www.audible.com
www.pinterest.com www.tumblr.com www.snapchat.com discord.com gateway.discord.gg telegram.org web.telegram.org signal.org www.viber.com line.me mastodon.social bsky.app www.threads.net vk.com ok.ru weibo.com www.quora.com medium.com substack.com
mail.yahoo.com outlook.live.com mail.proton.me proton.me account.proton.me www.fastmail.com www.gmx.net web.de mail.ru www.zoho.com mail.qq.com mail.163.com
www.ebay.com www.etsy.com www.aliexpress.com www.alibaba.com www.jd.com www.rakuten.co.jp www.mercadolibre.com www.zalando.de www.otto.de www.ikea.com www.walmart.com www.target.com www.bestbuy.com www.costco.com www.shopify.com myshop.myshopify.com www.flipkart.com www.amazon.in
www.paypal.com www.visa.com www.mastercard.com wise.com www.revolut.com n26.com www.chase.com www.bankofamerica.com www.hsbc.com www.deutsche-bank.de www.coinbase.com www.binance.com stripe.com checkout.stripe.com www.klarna.com
www.booking.com www.airbnb.com www.expedia.com www.tripadvisor.com www.uber.com www.lyft.com www.bahn.de www.lufthansa.com www.ryanair.com www.kayak.com
www.cnn.com www.nytimes.com www.theguardian.com www.bbc.com www.reuters.com www.bloomberg.com www.wsj.com www.ft.com www.lemonde.fr www.elpais.com www.corriere.it www.spiegel.de www.zeit.de www.nikkei.com www.xinhuanet.com lenta.ru www.aljazeera.com timesofindia.indiatimes.com www.globo.com
www.weather.com www.accuweather.com www.imdb.com www.rottentomatoes.com www.espn.com www.nba.com www.fifa.com www.chess.com lichess.org www.strava.com www.webmd.com www.mayoclinic.org www.nih.gov www.who.int www.cdc.gov
en.wikipedia.org commons.wikimedia.org www.wikidata.org www.britannica.com www.wolframalpha.com archive.org arxiv.org www.nature.com www.sciencedirect.com link.springer.com www.researchgate.net www.academia.edu scholar.google.com pubmed.ncbi.nlm.nih.gov www.semanticscholar.org zenodo.org orcid.org
www.coursera.org www.udemy.com www.edx.org www.khanacademy.org www.duolingo.com quizlet.com kahoot.it www.chegg.com brainly.com moodle.org canvas.instructure.com classroom.google.com www.stanford.edu genie.stanford.edu www.mit.edu www.harvard.edu www.ox.ac.uk
www.figma.com www.sketch.com www.invisionapp.com www.behance.net dribbble.com www.deviantart.com unsplash.com www.pexels.com pixabay.com www.shutterstock.com www.istockphoto.com www.gettyimages.com www.flickr.com imgur.com giphy.com www.freepik.com picsart.com pixlr.com icons8.com www.capcut.com www.jianying.com www.meitu.com
www.adobe.com acrobat.adobe.com photoshop.adobe.com lightroom.adobe.com creativecloud.adobe.com express.adobe.com assets.adobe.com stock.adobe.com www.autodesk.com www.blender.org unity.com www.unrealengine.com www.meta.com www.oculus.com
docs.google.com sheets.google.com slides.google.com calendar.google.com meet.google.com translate.google.com photos.google.com play.google.com news.google.com earth.google.com chromewebstore.google.com www.google.de
www.office.com onedrive.live.com www.onenote.com loop.microsoft.com www.bing.com translator.microsoft.com support.microsoft.com learn.microsoft.com www.xbox.com www.skype.com www.msn.com
www.dropbox.com www.box.com wetransfer.com mega.nz www.mediafire.com nextcloud.com drive.proton.me
www.notion.so www.notion.com evernote.com todoist.com trello.com asana.com monday.com clickup.com www.airtable.com basecamp.com linear.app www.atlassian.com confluence.atlassian.com obsidian.md www.craft.do
zoom.us us02web.zoom.us www.webex.com www.gotomeeting.com whereby.com meet.jit.si www.loom.com calendly.com doodle.com www.typeform.com www.surveymonkey.com
slack.com app.slack.com www.mattermost.com rocket.chat www.intercom.com www.zendesk.com freshdesk.com www.hubspot.com www.salesforce.com mailchimp.com sendgrid.com www.twilio.com www.mailgun.com
www.semrush.com ahrefs.com moz.com www.similarweb.com www.hootsuite.com buffer.com www.wix.com www.squarespace.com www.weebly.com wordpress.com wordpress.org www.godaddy.com www.namecheap.com www.ionos.de
github.com gist.github.com docs.github.com gitlab.com bitbucket.org stackoverflow.com superuser.com serverfault.com dev.to news.ycombinator.com www.npmjs.com crates.io rubygems.org packagist.org repo.maven.apache.org pkg.go.dev go.dev www.python.org nodejs.org www.rust-lang.org developer.mozilla.org www.w3schools.com codepen.io jsfiddle.net leetcode.com www.hackerrank.com www.kaggle.com
aws.amazon.com console.cloud.google.com cloud.google.com azure.microsoft.com www.digitalocean.com www.heroku.com www.netlify.com vercel.app www.hetzner.com www.ovh.com www.linode.com www.oracle.com www.ibm.com www.sap.com www.vmware.com www.redhat.com ubuntu.com archive.ubuntu.com deb.debian.org download.docker.com quay.io registry.k8s.io
www.intel.com www.amd.com www.dell.com www.hp.com www.lenovo.com www.samsung.com www.lg.com www.sony.com www.nintendo.com www.logitech.com www.cisco.com www.fortinet.com update.fortiguard.net www.checkpoint.com www.crowdstrike.com www.kaspersky.com www.avast.com
store.steampowered.com steamcommunity.com www.epicgames.com www.roblox.com www.minecraft.net www.riotgames.com www.ea.com www.ubisoft.com www.playstation.com battle.net
www.reverso.net dict.leo.org www.linguee.com www.dict.cc www.merriam-webster.com dictionary.cambridge.org www.thesaurus.com
www.indeed.com www.linkedin.com www.glassdoor.com www.stepstone.de www.xing.com www.monster.com www.upwork.com www.fiverr.com www.freelancer.com
www.wps.cn www.kingsoft.com www.zhihu.com www.douban.com www.csdn.net www.cnblogs.com juejin.cn www.xiaohongshu.com www.kuaishou.com www.douyin.com www.toutiao.com www.bytedance.com www.163.com www.sina.com.cn www.sohu.com im.qq.com docs.qq.com weixin.qq.com pan.baidu.com map.baidu.com tieba.baidu.com www.huawei.com www.mi.com www.sensetime.com www.xfyun.cn www.iflytek.com www.youdao.com
www.kakao.com www.coupang.com cafe.naver.com blog.naver.com map.naver.com www.tistory.com www.line.me www.yahoo.co.jp www.nicovideo.jp www.pixiv.net www.dmm.com
www.gov.uk www.usa.gov www.irs.gov europa.eu www.bund.de www.elster.de www.service-public.fr www.gosuslugi.ru
time.windows.com pool.ntp.org ntp.ubuntu.com www.msftncsi.com ctldl.windowsupdate.com download.windowsupdate.com fe3.delivery.mp.microsoft.com v10.events.data.microsoft.com safebrowsing.googleapis.com connectivitycheck.gstatic.com captive.apple.com swcdn.apple.com mesu.apple.com itunes.apple.com crl3.digicert.com ocsp.sectigo.com ocsp.pki.goog incoming.telemetry.mozilla.org firefox.settings.services.mozilla.com
www.google-analytics.com www.googletagmanager.com stats.g.doubleclick.net connect.facebook.net static.hotjar.com cdn.segment.com api.mixpanel.com api.amplitude.com bam.nr-data.net js.hs-scripts.com cdn.optimizely.com cdn.jsdelivr.net unpkg.com ajax.googleapis.com use.typekit.net kit.fontawesome.com
`

// TestPopularSites says that none of them counts as use.
func TestPopularSites(t *testing.T) {
	c := embeddedCatalogue(t)
	hosts := strings.Fields(popularNames)
	if len(hosts) < 400 {
		t.Fatalf("%d names; the list has lost some", len(hosts))
	}
	for _, host := range hosts {
		if hit, ok := c.Match([]byte(host)); ok && hit.Use() {
			t.Errorf("%s counts as use of %s, by %s", host, hit.Service.ID, hit.Name.Name)
		}
	}
}
