package signatures

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// sharedInfrastructure are domains under which anyone can have a name, or on which a great vendor runs everything: as a whole they
// are no AI service, whatever stands on some of their names.
var sharedInfrastructure = [...]string{
	"akamaihd.net", "akamaized.net", "amazonaws.com", "api.aws", "apple.com", "atlassian.net", "auth0.com", "azure.com", "azure.net",
	"azureedge.net", "azurefd.net", "azurewebsites.net", "b-cdn.net", "baidu.com", "bing.com", "cloudapp.azure.com", "cloudflare.com",
	"cloudflare.net", "cloudfront.net", "cloudinary.com", "datadoghq.com", "digitaloceanspaces.com", "edgekey.net", "edgesuite.net",
	"facebook.com", "fastly.net", "fastlylb.net", "fbcdn.net", "firebaseapp.com", "firebaseio.com", "fly.dev", "ghost.io", "github.com",
	"github.io", "githubusercontent.com", "google.com", "googleapis.com", "googleusercontent.com", "googlevideo.com", "gstatic.com",
	"herokuapp.com", "icloud.com", "imgix.net", "intercom.io", "linkedin.com", "live.com", "microsoft.com", "microsoftonline.com",
	"msedge.net", "netlify.app", "office.com", "office.net", "office365.com", "onrender.com", "pages.dev", "qq.com", "r2.dev",
	"run.app", "salesforce.com", "segment.io", "sentry.io", "sharepoint.com", "slack.com", "statsig.com", "stripe.com", "supabase.co",
	"tencent.com", "tencentcloudapi.com", "trafficmanager.net", "vercel.app", "web.app", "windows.net", "workers.dev", "x.com",
	"yandex.net", "yandex.ru", "youtube.com", "zendesk.com", "zoom.us",
}

// name checks one name by itself and against those before it.
func (l *linter) name(file *rawFile, of *rawService, r *rawName, layer Layer) {
	n, err := r.name(of, layer)
	if err != nil {
		l.errorf("service %q: %v", of.ID, err)
		return
	}
	what := fmt.Sprintf("name %q", n.Name)
	if n.Confidence == ConfidenceNone {
		l.errorf("%s: confidence missing; write high, medium or low", what)
	}
	if r.Kind != "" {
		l.kind(what, r.Kind)
	}
	if !r.Verified.IsZero() {
		l.verified(what, r.Verified, false)
	}
	l.sources(what, n.Sources)
	l.reach(what, &n)
	if first, ok := l.names[n.Name]; ok {
		l.errorf("%s is already one of %q at %s; a name stands once", what, first.id, first.at)
		return
	}
	l.names[n.Name] = listed{n, l.at, of.ID, orDefault(of.Vendor, file.Vendor)}
}

// reach checks that a name does not cover more than its owner has.
func (l *linter) reach(what string, n *Name) {
	if len(n.Name) < minLength {
		l.errorf("%s is too short to be anyone's; write the full name", what)
	}
	plain := n.Name
	if n.Match == MatchWildcard {
		left, tail := splitStars(n.Name)
		if strings.Trim(left, "*.") != "" {
			return // a part of the left labels is written out
		}
		plain = tail
	}
	use := n.Role == RolePrimary || n.Role == RoleUpload
	if use && slices.Contains(sharedInfrastructure[:], plain) {
		l.errorf("%s is infrastructure that others use too; list the names of the service alone, or give it role shared", what)
	}
	if n.Match != MatchExact {
		l.guests(what, plain, use && n.Why == "")
	}
}

// guests looks for public suffixes; those of companies are for a look only, and only where a visit would count as use.
func (l *linter) guests(what, plain string, use bool) {
	suffix, icann := publicsuffix.PublicSuffix(plain)
	switch {
	case suffix != plain:
	case icann:
		l.errorf("%s is a public suffix: everyone may have a name below it", what)
	case use:
		l.warnf("%s is a suffix below which guests have names: a visit may be none of the service; give it role shared or say why", what)
	}
}

// parents looks at names that lie below a suffix of another vendor: one of the two is mostly a mistake.
func (l *linter) parents() {
	for _, n := range l.names {
		if n.Why != "" {
			continue
		}
		for parent := parentOf(n.Name.Name); parent != ""; parent = parentOf(parent) {
			p, ok := l.names[parent]
			if !ok || p.Match != MatchSuffix {
				continue
			}
			if p.vendor != n.vendor {
				l.at = n.at
				l.warnf("name %q of %s lies below %q of %s (%s); say why, or correct one of them", n.Name.Name, n.vendor, parent, p.vendor, p.at)
			}
			break
		}
	}
}

func parentOf(name string) string {
	_, parent, _ := strings.Cut(name, ".")
	return parent
}
