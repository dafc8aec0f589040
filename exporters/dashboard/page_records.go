package dashboard

import (
	"context"
	"strings"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// maxIDs bounds how many records are asked for by their ids.
const maxIDs = 40

// recordsPage lists raw records, for analysts: the proof behind figures and findings.
func recordsPage(ctx context.Context, v *view) (*page, error) {
	v.where = query.Filter{}
	user, byUser := v.q.Get("user"), v.q.Has("user")
	service := v.q.Get("service")
	if byUser {
		v.where.Users = []string{user}
	}
	if service != "" {
		v.where.Services = []string{service}
	}
	request := v.recordRequest("records", event.DatasetActivity, "")
	if ids := v.q.Get("ids"); ids != "" {
		request.IDs = strings.SplitN(ids, ",", maxIDs+1)
		request.IDs = request.IDs[:min(len(request.IDs), maxIDs)]
	}
	var found query.Page
	var rows []query.CoverageRow
	q := ask(ctx, v.s.parts.Query)
	q.records(&found, request)
	v.askCoverage(q, &rows)
	if err := q.answers(); err != nil {
		return nil, err
	}
	s := v.summarize(rows)
	p := &page{Nav: "/users", Title: "Records", Coverage: v.coverageLine(&s), Lead: "What the sensor wrote, newest first: the proof behind every figure."}
	if from := v.span.RecordsFrom; !from.IsZero() && from.After(v.period.from) {
		p.Notes = append(p.Notes, "Records are kept since "+from.In(v.period.loc).Format("2 January 2006, 15:04")+"; sums go further back.")
	}
	if byUser {
		v.s.parts.Audit(ctx, Act{Who: v.who.Name, What: ActUser, On: user, From: v.peer, Succeeded: true})
		p.Trail = &trail{Up: crumb{userName(user, ""), v.userLink(user)}}
	} else if service != "" {
		p.Nav, p.Trail = "/services", &trail{Up: crumb{v.serviceName(service, ""), v.serviceLink(service)}}
	}
	if len(found.Records) == 0 {
		p.Empty = &emptiness{"No records", "Raw records are kept for a shorter time than sums; those of this period may be gone.", []crumb{{"What is stored", "/about"}}}
		return p, nil
	}
	p.Panels = []panel{{ID: "records-of-period", Title: "Activity", Lead: "One line for each slice of a flow.", Table: v.recordTable(found)}}
	return p, nil
}

func (v *view) recordTable(found query.Page) *table {
	t := &table{ID: "records", Caption: "Records", Users: true, Columns: []column{{Title: "Time", Class: "when", CSV: []string{"time", "id"}}, {Title: "Service", CSV: []string{"service"}},
		{Title: "Name seen", CSV: []string{"name", "evidence", "confidence"}}, {Title: "Client", Class: "opt", CSV: []string{"user", "address"}},
		{Title: "Status", Class: "opt", CSV: []string{"status"}}, {Title: "Upload", Class: "num", CSV: []string{"upload_bytes", "upload_low", "upload_high"}}}}
	for i := range found.Records {
		t.Rows = append(t.Rows, v.recordRow(&found.Records[i]))
	}
	v.onward(t, found.Next)
	return t
}

func (v *view) recordRow(ev *event.Event) []cell {
	when := v.when(ev.Timestamp.Time())
	when.CSV = append(when.CSV, clean(ev.Event.ID))
	service := text("–")
	if ev.Rule != nil {
		service = link(v.serviceName(ev.Rule.ID, ev.Rule.Name), v.serviceLink(ev.Rule.ID))
		service.CSV = []string{clean(ev.Rule.ID)}
	}
	client := v.eventUser(ev)
	client.CSV = []string{client.Text, ""}
	if ev.Source != nil {
		client.Note, client.CSV[1] = clean(ev.Source.IP), clean(ev.Source.IP)
	}
	st := cell{CSV: []string{""}}
	if ev.Gnomon != nil && ev.Gnomon.Policy != nil {
		st = statusCell([]status{statuses[statusIndex(ev.Gnomon.Policy.Status)]})
	}
	return []cell{when, service, seenName(ev), client, st, recordUpload(ev)}
}

// seenName is the name on the wire and how it was seen.
func seenName(ev *event.Event) cell {
	name := ""
	switch {
	case ev.Destination != nil && ev.Destination.Domain != "":
		name = ev.Destination.Domain
	case ev.TLS != nil && ev.TLS.Client != nil:
		name = ev.TLS.Client.ServerName
	case ev.URL != nil:
		name = ev.URL.Domain
	case ev.DNS != nil && ev.DNS.Question != nil:
		name = ev.DNS.Question.Name
	}
	c := cell{Text: orDash(clean(name)), Class: "host", CSV: []string{clean(name), "", ""}}
	if ev.Gnomon != nil && ev.Gnomon.Evidence != nil {
		e := ev.Gnomon.Evidence
		c.Note = join(clean(e.Class), clean(e.Confidence)+" confidence")
		c.CSV[1], c.CSV[2] = clean(e.Class), clean(e.Confidence)
	}
	return c
}

func recordUpload(ev *event.Event) cell {
	if ev.DNS != nil { // a look-up alone carries nothing to the service
		return cell{Text: orDash(""), CSV: []string{"", "", ""}}
	}
	if ev.Gnomon == nil || ev.Gnomon.Upload == nil {
		return cell{Text: "unknown", CSV: []string{"", "", ""}}
	}
	u := ev.Gnomon.Upload
	r := query.Row{Flows: 1, Upload: query.Bounds{Bytes: u.Bytes, Low: u.Low, High: u.High}}
	c := uploadCell(&r)
	c.CSV = c.CSV[:3]
	return c
}
