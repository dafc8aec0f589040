package dashboard

import (
	"context"
	"strings"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard/login"
)

// aboutPage says plainly what is stored, for how long, and who can see it. It is for everyone who can log in, the works council too.
func aboutPage(_ context.Context, v *view) (*page, error) {
	a := v.s.parts.About()
	p := &page{Nav: "/about", Title: "What this sensor stores", Timeless: true,
		Lead: "Gnomon watches passively which external AI services this network uses. It decrypts nothing, blocks nothing, and puts nothing onto anyone's computer."}
	p.Panels = []panel{storedPanel(&a), neverPanel(&a), v.seesPanel(), v.keptPanel(&a), v.settingsPanel(&a)}
	return p, nil
}

func storedPanel(a *About) panel {
	names := "Not kept. A keyed pseudonym stands for each person; it is turned into a name only with a reason, by two people, and that is logged."
	if a.KeepNames {
		names = "Kept in clear beside the pseudonym (privacy.keep_names is on)."
	}
	return panel{ID: "stored", Title: "What is stored of a use", Half: true, Facts: []fact{
		{Name: "Which service", Value: "the name of the host, such as chatgpt.com, and the service it belongs to"},
		{Name: "When", Value: "start and end of each connection, in slices of a minute at most"},
		{Name: "How much", Value: "bytes each way, and an estimate of what was uploaded, with bounds"},
		{Name: "Who", Value: "the address, a pseudonym, and the department if the directory names one"},
		{Name: "Names of people", Value: names},
		{Name: "What the policy said", Value: "the status of the service at that time"},
	}}
}

func neverPanel(a *About) panel {
	others := "nothing of sites that are not AI services"
	if a.Unlisted > 0 {
		others = "who was there, and when; how many contacts a name had on a day is counted without users"
	}
	return panel{ID: "never", Title: "What is never stored", Half: true, Facts: []fact{
		{Name: "Content", Value: "no prompts, no answers, no files: they are encrypted, and the sensor has no key"},
		{Name: "Addresses of pages", Value: "no paths and no search words, not from logs either"},
		{Name: "Passwords and cookies", Value: "none, even where they pass in clear"},
		{Name: "Other sites", Value: others},
	}}
}

func (v *view) seesPanel() panel {
	p := panel{ID: "who-sees", Title: "Who can see it", Half: true, Facts: []fact{
		{Name: "Viewer", Value: "sums by service, status and department; no names, no addresses, no department with fewer than " + decimal(v.least()) + " users"},
		{Name: "Analyst", Value: "all of that, and people and records"},
	}}
	if v.s.audited {
		p.Facts[1].Note = "each look at a person is written to the audit log"
	}
	you := fact{Name: "You", Value: clean(v.who.Name) + ", " + string(v.who.Role)}
	switch {
	case v.who.How == howLocal:
		you.Note = "No logins are set up. The pages answer this machine alone, and whoever uses it sees what an analyst sees. Set dashboard.user to change that."
	case v.who.How == howProxy:
		you.Note = "as the proxy in front of these pages says"
	case v.who.Role == login.Viewer:
		you.Note = "logged in; an analyst's login shows more"
	}
	p.Facts = append(p.Facts, you)
	return p
}

func (v *view) keptPanel(a *About) panel {
	p := panel{ID: "how-long", Title: "For how long", Half: true, Lead: "Counted from the day a record is taken in.", Facts: []fact{
		{Name: "Single records", Value: keptFor(a.Records)},
		{Name: "Findings", Value: keptFor(a.Findings)},
		{Name: "Sums", Value: keptFor(a.Sums)},
	}}
	unlisted := fact{Name: "Names not in the catalogue", Value: "not counted", Note: "catalogue.unlisted is off"}
	if a.Unlisted > 0 {
		unlisted.Value = keptFor(a.Unlisted)
		unlisted.Note = "per name and day: how many clients (a number from which none can be told), connections and bytes; nothing of users"
	}
	p.Facts = append(p.Facts, unlisted)
	if from := v.span.RecordsFrom; !from.IsZero() {
		p.Facts[0].Note = "the oldest is of " + from.In(v.period.loc).Format("2 January 2006")
	}
	if from := v.span.SumsFrom; !from.IsZero() {
		p.Facts[2].Note = "the oldest are of " + from.In(v.period.loc).Format("2 January 2006")
	}
	return p
}

func (v *view) settingsPanel(a *About) panel {
	policy := "none: every service is unreviewed"
	if a.Policy != "" {
		policy = clean(a.Policy)
	}
	exports := "nowhere"
	if len(a.Exports) > 0 {
		exports = clean(strings.Join(a.Exports, ", "))
	}
	names := "privacy.keep_names is off"
	if a.KeepNames {
		names = "privacy.keep_names is on"
	}
	return panel{ID: "settings", Title: "Settings that matter", Facts: []fact{
		{Name: "Names of people", Value: names},
		{Name: "Left out altogether", Value: decimal(uint64(max(a.Exclusions, 0))) + " " + plural(uint64(max(a.Exclusions, 0)), "exclusion", "exclusions"),
			Note: "users, networks and services that are not recorded at all"},
		{Name: "Policy", Value: policy, Note: decimal(uint64(max(a.Rules, 0))) + " " + plural(uint64(max(a.Rules, 0)), "rule", "rules")},
		{Name: "Catalogue", Value: orDash(clean(a.Catalogue)), Note: decimal(uint64(max(a.Services, 0))) + " services"},
		{Name: "Kept in", Value: orDash(clean(a.Store))},
		{Name: "Also sent to", Value: exports},
		{Name: "Days begin in", Value: zoneName(v.period.loc, v.now)},
		{Name: "Sensor", Value: orDash(clean(a.Sensor)), Note: "version " + orDash(clean(a.Version))},
	}}
}
