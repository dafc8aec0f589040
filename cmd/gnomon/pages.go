package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard"
	"github.com/gnomon-sensor/gnomon/exporters/store"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// servePages serves the pages over the embedded store until the returned function is called; without an address it does nothing. What is
// done on them goes to the audit log.
func (p *program) servePages(ctx context.Context, c *settings, d *daemonParts, o *outputs) (stop func() error, err error) {
	if c.Dashboard.Listen == "" || o.store == nil {
		return func() error { return nil }, nil
	}
	var figures http.Handler
	if c.Metrics.Enabled {
		figures = d.metrics(o, time.Now)
	}
	server, listener, err := p.pages(ctx, c, dashboard.Parts{Query: o.store, Services: services{d.catalogue.Load}, Log: d.log, Metrics: figures,
		About: func() dashboard.About { return p.about(c, d.parts, o) },
		Audit: func(_ context.Context, act dashboard.Act) { d.audit(o, &act, time.Now()) }})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listener) }()
	return func() error {
		cancel()
		return <-ended
	}, nil
}

// audit records what somebody did on the pages.
func (d *daemonParts) audit(o *outputs, act *dashboard.Act, now time.Time) {
	ev := &event.Event{Timestamp: event.At(now), ECS: &event.ECS{Version: event.ECSVersion}, Observer: &d.observer,
		Gnomon: &event.Gnomon{Schema: event.SchemaVersion}, Message: act.What + " " + act.On}
	outcome := "success"
	if !act.Succeeded {
		outcome = "failure"
	}
	ev.Event = event.Meta{Dataset: event.DatasetAudit, Kind: "event", Category: []string{"iam"}, Action: act.What, Outcome: outcome,
		ID:       event.KeyID(int64(ev.Timestamp), event.DatasetAudit, d.observer.ID, act.Who, act.What, act.On),
		Ingested: ev.Timestamp}
	if act.Who != "" {
		ev.User = &event.User{Name: act.Who}
	}
	if act.From.IsValid() {
		ev.Source = &event.Endpoint{IP: act.From.String()}
	}
	for _, sink := range o.sinks() {
		sink.Offer(ev)
	}
}

// pagesURL is where a browser on this machine finds the pages.
func pagesURL(c *settings) string {
	scheme := "http"
	if c.Dashboard.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + c.Dashboard.Listen + "/"
}

// about says what is stored. o is nil where the pages are served alone.
func (p *program) about(c *settings, parts *parts, o *outputs) dashboard.About {
	catalogue := parts.catalogue.Load()
	const month = 31 * 24 * time.Hour
	a := dashboard.About{Version: p.version, Sensor: parts.observer.Name, Store: "the embedded store in " + stateDir(&c.Config, p.environ),
		KeepNames: c.Privacy.KeepNames, Records: c.Store.RawRetention, Sums: time.Duration(c.Store.RollupMonths) * month,
		Findings: time.Duration(c.Store.RollupMonths) * month, Exclusions: len(c.Privacy.Exclude) + len(c.Privacy.ExcludeUsers),
		Catalogue: catalogue.Version(), Services: len(catalogue.Services()), Policy: c.Policy.File, Rules: len(c.Policy.Rules)}
	if c.Catalogue.Unlisted {
		a.Unlisted = store.NamesFor
	}
	if len(c.Policy.Rules) > 0 {
		a.Policy = p.configPath
	}
	if o == nil {
		return a
	}
	for _, name := range o.names {
		if name != "store" {
			a.Exports = append(a.Exports, name)
		}
	}
	return a
}

// services explains services to the pages.
type services struct{ catalogue func() *signatures.Catalogue }

// Service implements dashboard.Services.
func (s services) Service(id string) (dashboard.Service, bool) {
	c := s.catalogue()
	svc, ok := c.Service(id)
	if !ok {
		return dashboard.Service{}, false
	}
	out := dashboard.Service{ID: svc.ID, Name: svc.Name, Vendor: svc.Vendor, Country: svc.Country, Category: svc.Category, Kind: svc.Kind,
		Verified: svc.Verified}
	for i := range svc.Names {
		n := &svc.Names[i]
		out.Names = append(out.Names, dashboard.ServiceName{Name: n.Name, Role: n.Role.String(), Match: n.Match.String(),
			Confidence: n.Confidence.String(), Sources: sourcesOf(c, n.Sources)})
	}
	for _, f := range svc.Risk {
		out.Risk = append(out.Risk, dashboard.Fact{Attribute: strings.ReplaceAll(f.Attribute, "_", " "), Value: f.Value,
			Confidence: f.Confidence.String(), Date: f.Date, Sources: sourcesOf(c, f.Sources)})
	}
	return out, true
}

func sourcesOf(c *signatures.Catalogue, tags []string) []dashboard.Source {
	var all []dashboard.Source
	for _, tag := range tags {
		src, err := c.Source(tag)
		if err != nil {
			all = append(all, dashboard.Source{Title: tag})
			continue
		}
		all = append(all, dashboard.Source{Title: src.Title, URL: src.URL, Date: src.Date})
	}
	return all
}
