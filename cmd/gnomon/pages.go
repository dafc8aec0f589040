package main

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// servePages serves the pages over the embedded store until the returned function is called; without an address it does nothing.
func (p *program) servePages(ctx context.Context, c *settings, d *daemonParts, o *outputs) (stop func() error, err error) {
	if c.Dashboard.Listen == "" || o.store == nil {
		return func() error { return nil }, nil
	}
	location, err := c.Report.location()
	if err != nil {
		return nil, err
	}
	server, err := dashboard.New(c.Dashboard, dashboard.Parts{
		Query: o.store, About: func() dashboard.About { return p.about(c, d, o) }, Services: services{d.catalogue.Load},
		Location: location, Log: d.log,
	})
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Dashboard.Listen)
	if err != nil {
		return nil, fmt.Errorf("opening the pages: %w; another program, or another gnomon, has the address: choose one with dashboard.listen", err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listener) }()
	p.note("Pages: %s", pagesURL(c))
	return func() error {
		cancel()
		return <-ended
	}, nil
}

// pagesURL is where a browser on this machine finds the pages.
func pagesURL(c *settings) string {
	scheme := "http"
	if c.Dashboard.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + c.Dashboard.Listen + "/"
}

// about says what is stored.
func (p *program) about(c *settings, d *daemonParts, o *outputs) dashboard.About {
	catalogue := d.catalogue.Load()
	a := dashboard.About{Version: p.version, Sensor: d.observer.Name, Store: "the embedded store in " + stateDir(&c.Config, p.environ),
		Records: c.Store.RawRetention, Catalogue: catalogue.Version(), Services: len(catalogue.Services())}
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
