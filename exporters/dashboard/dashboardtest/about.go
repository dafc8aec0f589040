package dashboardtest

import (
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard"
)

// Services is a catalogue of the services of the year.
type Services struct{}

var _ dashboard.Services = Services{}

// Service implements dashboard.Services.
func (Services) Service(id string) (dashboard.Service, bool) {
	for i := range offers {
		o := &offers[i]
		if o.id != id {
			continue
		}
		read := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		list := []dashboard.Source{{Title: "A public list of names", URL: "https://example.org/names"}, {Title: "The vendor's documentation", URL: "https://example.com/docs"}}
		s := dashboard.Service{ID: o.id, Name: o.name, Vendor: o.vendor, Country: "US", Category: o.category, Kind: o.kind, Verified: read}
		s.Names = []dashboard.ServiceName{
			{Name: o.id + ".example.com", Role: "primary", Match: "suffix", Confidence: "high", Sources: list},
			{Name: "files." + o.id + ".example.net", Role: "upload", Match: "exact", Confidence: "medium", Sources: list[:1]},
			{Name: "static." + o.id + ".example.net", Role: "supporting", Match: "exact", Confidence: "high", Sources: list},
		}
		s.Risk = []dashboard.Fact{
			{Attribute: "trains_on_input", Value: "yes", Confidence: "medium", Date: read, Sources: list},
			{Attribute: "business_excluded", Value: "yes", Confidence: "medium", Date: read, Sources: list[1:]},
			{Attribute: "retention", Value: "30 days", Confidence: "low", Date: read, Sources: list[:1]},
		}
		return s, true
	}
	return dashboard.Service{}, false
}

// About is what a sensor of the made-up organisation stores.
func About() dashboard.About {
	const day = 24 * time.Hour
	return dashboard.About{Version: "1.0.0", Sensor: "berlin-1", Store: "the embedded store", Records: 90 * day, Sums: 800 * day, Findings: 365 * day,
		KeepNames: true, Exclusions: 2, Unlisted: 90 * 24 * time.Hour, Catalogue: "2026.11.1", Services: 412, Policy: "/etc/gnomon/policy.toml", Rules: 23}
}
