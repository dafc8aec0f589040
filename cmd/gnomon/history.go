package main

import (
	"context"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/policy"
)

// history is what the embedded store remembers for the findings.
type history struct {
	q interface {
		query.Query
		query.Spanned
	}
	location *time.Location
	now      func() time.Time
}

var _ policy.History = (*history)(nil)

// First implements policy.History.
func (h *history) First(ctx context.Context) (event.Time, error) {
	span, err := h.q.Span(ctx)
	first := span.SumsFrom
	if first.IsZero() || !span.RecordsFrom.IsZero() && span.RecordsFrom.Before(first) {
		first = span.RecordsFrom
	}
	if err != nil || first.IsZero() {
		return 0, err
	}
	return event.At(first), nil
}

// Uses implements policy.History.
func (h *history) Uses(ctx context.Context) ([]policy.Use, error) {
	span, err := h.q.Span(ctx)
	if err != nil || span.SumsFrom.IsZero() {
		return nil, err
	}
	all := query.Request{From: span.SumsFrom.UTC().Truncate(time.Hour), To: h.hourAfterNow(), By: []query.Dimension{query.BySite, query.ByService}}
	rows, err := allRows(ctx, h.q, all)
	if err != nil {
		return nil, err
	}
	var uses []policy.Use
	sites := map[string]bool{}
	for _, r := range rows {
		uses = append(uses, policy.Use{Site: r.Key[0], Service: r.Key[1]})
		sites[r.Key[0]] = true
	}
	for site := range sites {
		of := all
		of.By, of.Where.Sites = []query.Dimension{query.ByDepartment, query.ByService}, []string{site}
		rows, err := allRows(ctx, h.q, of)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if r.Key[0] != "" {
				uses = append(uses, policy.Use{Site: site, Department: r.Key[0], Service: r.Key[1]})
			}
		}
	}
	return uses, nil
}

func (h *history) hourAfterNow() time.Time { return h.now().UTC().Truncate(time.Hour).Add(time.Hour) }

// Uploads implements policy.History.
func (h *history) Uploads(ctx context.Context, since event.Time) ([]policy.Upload, error) {
	sites, err := allRows(ctx, h.q, query.Request{From: hourOf(since), To: h.hourAfterNow(), By: []query.Dimension{query.BySite}})
	if err != nil {
		return nil, err
	}
	var uploads []policy.Upload
	for _, site := range sites {
		for day := since.Time().In(h.location); day.Before(h.now()); day = day.AddDate(0, 0, 1) {
			rows, err := allRows(ctx, h.q, query.Request{From: hourOf(event.At(day)), To: hourOf(event.At(day.AddDate(0, 0, 1))),
				Where: query.Filter{Sites: []string{site.Key[0]}}, By: []query.Dimension{query.ByUser, query.ByService}})
			if err != nil {
				return nil, err
			}
			for _, r := range rows {
				uploads = append(uploads, policy.Upload{Site: site.Key[0], User: addressOr(r.Key[0]), Service: r.Key[1],
					At: event.At(day), Bytes: r.Upload.Bytes, Low: r.Upload.Low, High: r.Upload.High})
			}
		}
	}
	return uploads, nil
}

// addressOr is the address of a key that stands for one (ip:ADDRESS or ip:ADDRESS@SITE), else the key, which is user.id.
func addressOr(key string) string {
	addr, isAddress := strings.CutPrefix(key, "ip:")
	if !isAddress {
		return key
	}
	addr, _, _ = strings.Cut(addr, "@")
	return addr
}

func hourOf(t event.Time) time.Time { return t.Time().Truncate(time.Hour) }

// allRows asks for page after page.
func allRows(ctx context.Context, q query.Query, r query.Request) ([]query.Row, error) {
	var all []query.Row
	for {
		r.Offset = len(all)
		rows, err := q.Sums(ctx, r)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
		if len(rows) < query.MaxRows {
			return all, nil
		}
	}
}
