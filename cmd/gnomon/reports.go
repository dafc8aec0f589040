package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/exporters/report"
	"github.com/gnomon-sensor/gnomon/exporters/store"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// openReader opens the embedded store for reading, also while the daemon writes it.
func (p *program) openReader(c *settings) (*store.Reader, error) {
	r, err := store.OpenReader(c.storePath(p.environ))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w; `gnomon run` or `gnomon scan --store` makes one, --state-dir names another place", err)
	}
	return r, err
}

func (p *program) reportCommand() *cobra.Command {
	var when period
	var ask reportAsk
	cmd := &cobra.Command{
		Use:   "report [flags]",
		Short: "write a report for management or for a DLP team",
		Long: `Report writes what was recorded in a period: for management (adoption, no names, two pages) or for a DLP team (unapproved use by service,
department and user, with evidence and the bounds of every estimate). It reads the embedded store, also while the daemon runs, or
Elasticsearch, where the records of all sensors lie.`,
		Example: "  gnomon report --last month -o adoption.pdf\n  gnomon report --audience dlp --from 2026-11-01 --to 2026-11-07 -o use.html",
		Args:    wants(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.report(cmd.Context(), &when, ask)
		},
	}
	f := cmd.Flags()
	when.flags(f)
	f.StringVar(&ask.audience, "audience", "management", "management or dlp")
	f.StringVar(&ask.format, "format", "", "text, html, csv, pdf or json; default: by the name of --output, else text")
	f.StringVarP(&ask.output, "output", "o", "", "write to this `FILE` instead of stdout")
	f.StringVar(&ask.site, "site", "", "only this site")
	f.IntVar(&ask.top, "top", 0, "rows of each table; 0: as many as fit the audience")
	f.StringVar(&ask.stateDir, "state-dir", "", "the state directory with the store (observer.state_dir)")
	return cmd
}

type reportAsk struct {
	audience, format, output, site, stateDir string
	top                                      int
}

var writers = map[string]func(*report.Report, io.Writer) error{
	"text": (*report.Report).WriteText, "html": (*report.Report).WriteHTML, "csv": (*report.Report).WriteCSV,
	"pdf": (*report.Report).WritePDF, "json": (*report.Report).WriteJSON,
}

func (p *program) report(ctx context.Context, when *period, ask reportAsk) error {
	c, err := p.load()
	if err != nil {
		return err
	}
	if ask.stateDir != "" {
		c.Observer.StateDir = ask.stateDir
	}
	write, err := ask.writer()
	if err != nil {
		return err
	}
	location, err := c.Report.location()
	if err != nil {
		return err
	}
	now := time.Now()
	from, to, err := when.between(now, location)
	if err != nil {
		return err
	}
	reader, err := p.openFrom(ctx, &c, when.where)
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }() // it was only read
	if err := p.checkSite(ctx, reader, ask.site); err != nil {
		return err
	}
	load := sync.OnceValues(func() (*signatures.Catalogue, error) { return p.loadCatalogue(&c) })
	go func() { _, _ = load() }() // while the first questions are answered
	r, err := report.Build(ctx, reader, report.Request{Audience: report.Audience(ask.audience), From: from, To: to, Now: now, Location: location,
		Site: ask.site, TopN: ask.top, MinDepartment: c.Dashboard.SmallestGroup, Organisation: c.Report.Organisation, Catalogue: vendors{load}})
	if _, bad := load(); bad != nil {
		return bad
	}
	if err != nil {
		return err
	}
	return p.writeTo(ask.output, func(w io.Writer) error { return write(r, w) })
}

// checkSite says so if nothing was ever recorded at a site: its name may be wrong. There may as well be no use there.
func (p *program) checkSite(ctx context.Context, from query.Query, site string) error {
	if site == "" {
		return nil
	}
	rows, err := from.Sums(ctx, query.Request{By: []query.Dimension{query.BySite}, Keys: true})
	if err != nil {
		return err
	}
	var sites []string
	for i := range rows {
		if rows[i].Key[0] == site {
			return nil
		}
		if rows[i].Key[0] != "" {
			sites = append(sites, strconv.Quote(rows[i].Key[0]))
		}
	}
	if len(sites) == 0 {
		sites = []string{"none has a name (observer.site)"}
	}
	p.note("No use was ever recorded at site %q. The sites with records: %s.", site, strings.Join(sites, ", "))
	return nil
}

// writer checks the flags and finds the format.
func (ask *reportAsk) writer() (func(*report.Report, io.Writer) error, error) {
	if !slices.Contains([]string{string(report.Management), string(report.DLP)}, ask.audience) {
		return nil, usage("--audience %s: management or dlp", ask.audience)
	}
	format := ask.format
	if format == "" {
		format = map[string]string{"": "text", ".txt": "text", ".html": "html", ".htm": "html", ".csv": "csv", ".pdf": "pdf",
			".json": "json"}[strings.ToLower(filepath.Ext(ask.output))]
	}
	write, ok := writers[format]
	switch {
	case format == "":
		return nil, usage("--output %s: its name does not tell a format; give --format text, html, csv, pdf or json", ask.output)
	case !ok:
		return nil, usage("--format %q: text, html, csv, pdf or json", format)
	case ask.top < 0 || ask.top > query.MaxRows:
		return nil, usage("--top %d: 1 to %d, or 0", ask.top, query.MaxRows)
	}
	return write, nil
}

// vendors explains services to documents, once the catalogue is loaded.
type vendors struct {
	load func() (*signatures.Catalogue, error)
}

// Service implements report.Catalogue.
func (v vendors) Service(id string) (report.Service, bool) {
	c, err := v.load()
	if err != nil { // the report is not written then
		return report.Service{}, false
	}
	s, ok := c.Service(id)
	if !ok {
		return report.Service{}, false
	}
	return report.Service{Vendor: s.Vendor, Category: s.Category}, true
}

func (p *program) findingsCommand() *cobra.Command {
	var when period
	var ask findingsAsk
	cmd := &cobra.Command{
		Use:   "findings [flags]",
		Short: "list what wants a person: first uses, prohibited uses, large uploads, blind spots, silent sources",
		Args:  wants(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.findings(cmd.Context(), &when, &ask)
		},
	}
	f := cmd.Flags()
	when.flags(f)
	f.StringVar(&ask.kind, "kind", "", "only first-use, prohibited-use, upload-limit, blind-spot or silent-source")
	f.StringVar(&ask.stateDir, "state-dir", "", "the state directory with the store (observer.state_dir)")
	f.IntVar(&ask.limit, "limit", 100, "at most so many, newest first")
	f.BoolVar(&ask.asJSON, "json", false, "print the records as NDJSON")
	return cmd
}

type findingsAsk struct {
	kind, stateDir string
	limit          int
	asJSON         bool
}

// check says what is wrong with the flags.
func (ask *findingsAsk) check() error {
	kinds := []string{"", "first-use", "prohibited-use", "upload-limit", "blind-spot", "silent-source"}
	if !slices.Contains(kinds, ask.kind) {
		return usage("--kind %s: one of %s", ask.kind, strings.Join(kinds[1:], ", "))
	}
	if ask.limit < 1 || ask.limit > 100_000 {
		return usage("--limit %d: 1 to 100000", ask.limit)
	}
	return nil
}

func (p *program) findings(ctx context.Context, when *period, ask *findingsAsk) error {
	if err := ask.check(); err != nil {
		return err
	}
	c, err := p.load()
	if err != nil {
		return err
	}
	if ask.stateDir != "" {
		c.Observer.StateDir = ask.stateDir
	}
	location, err := c.Report.location()
	if err != nil {
		return err
	}
	from, to, err := when.between(time.Now(), location)
	if err != nil {
		return err
	}
	reader, err := p.openFrom(ctx, &c, when.where)
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }() // it was only read
	records, err := allRecords(ctx, reader, query.RecordRequest{Dataset: event.DatasetFinding, From: from, To: to, Action: ask.kind}, ask.limit)
	if err != nil {
		return err
	}
	return p.writeTo("", func(w io.Writer) error { return writeFindings(w, records, location, ask.asJSON) })
}

// allRecords reads page after page.
func allRecords(ctx context.Context, q query.Query, r query.RecordRequest, limit int) ([]event.Event, error) {
	var all []event.Event
	for len(all) < limit {
		r.Limit = min(1000, limit-len(all))
		page, err := q.Records(ctx, r)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Records...)
		if r.After = page.Next; page.Next == "" {
			break
		}
	}
	return all, nil
}

func writeFindings(w io.Writer, records []event.Event, l *time.Location, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		for i := range records {
			if err := e.Encode(&records[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if len(records) == 0 {
		_, err := fmt.Fprintln(w, "No findings in this period.")
		return err
	}
	t := newTable("TIME", "KIND", "SEVERITY", "SERVICE", "WHO", "SAYS")
	for i := range records {
		ev := &records[i]
		service := ""
		if ev.Rule != nil {
			service = ev.Rule.Name
		}
		t.row(ev.Timestamp.Time().In(l).Format("2006-01-02 15:04"), ev.Event.Action, fmt.Sprint(ev.Event.Severity), printable(service), printable(subject(ev)),
			printable(ev.Message))
	}
	t.write(w)
	return nil
}

// subject is whom a finding is about: a user, a department, else an address.
func subject(ev *event.Event) string {
	switch u := ev.User; {
	case u != nil && u.Name != "":
		return u.Name
	case u != nil && u.ID != "":
		return u.ID
	case u != nil && u.Group != nil:
		return u.Group.Name
	case ev.Source != nil:
		return ev.Source.IP
	}
	return ""
}
