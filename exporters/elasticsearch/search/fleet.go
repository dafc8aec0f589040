package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Sensor is one of a fleet, as its records tell of it.
type Sensor struct {
	ID        string    `json:"id"`
	Name      string    `json:"name,omitempty"`
	Site      string    `json:"site,omitempty"`
	Version   string    `json:"version,omitempty"`
	Catalogue string    `json:"catalogue,omitempty"` // of the newest activity; empty if there is none
	Last      time.Time `json:"last"`                // of the newest coverage
	// Received and Dropped are frames, and Evicted flows, in the period that was asked for.
	Received uint64 `json:"received"`
	Dropped  uint64 `json:"dropped"`
	Evicted  uint64 `json:"evicted"`
	// QueueS is how long the oldest record waited on the sensor, at most, in that period.
	QueueS float64 `json:"queue_age_s"`
	// Minutes is of how many minutes of the period there is coverage.
	Minutes uint64 `json:"minutes"`
}

// Fleet lists the sensors that have written coverage since a time, by name. Of each are given what its newest record says, and the loss since
// another time, which is the later one.
func (r *Reader) Fleet(ctx context.Context, since, lossSince time.Time) ([]Sensor, error) {
	var fleet []Sensor
	const page = 500
	composite := object{"size": page, "sources": []any{object{"d0": object{"terms": object{"field": "observer.id"}}}}}
	for {
		said, err := r.search(ctx, event.DatasetCoverage, object{"size": 0, "query": all(period(atField, since, time.Time{})),
			"aggs": object{"sensors": object{"composite": composite, "aggs": sensorAggs(lossSince)}}})
		if err != nil {
			return nil, fmt.Errorf("listing sensors from %s: %w", r.where(event.DatasetCoverage), err)
		}
		var list struct {
			Sensors struct {
				Buckets []sensorBucket
				After   json.RawMessage `json:"after_key"`
			}
		}
		if err := said.read(&list); err != nil {
			return nil, fmt.Errorf("listing sensors: %w", err)
		}
		for i := range list.Sensors.Buckets {
			fleet = append(fleet, list.Sensors.Buckets[i].sensor())
		}
		if len(list.Sensors.Buckets) < page || len(fleet) >= maxGroups {
			break
		}
		composite["after"] = list.Sensors.After
	}
	if err := r.catalogues(ctx, since, fleet); err != nil {
		return nil, err
	}
	slices.SortFunc(fleet, func(a, b Sensor) int { return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID) })
	return fleet, nil
}

// sensorAggs asks for the newest record of a sensor, and its loss since a time.
func sensorAggs(lossSince time.Time) object {
	loss := object{"queue": object{"max": object{"field": queueField}}}
	for _, name := range []string{"received", "dropped", "evicted"} {
		loss[name] = object{"sum": object{"field": coverageField + "." + name}}
	}
	return object{"newest": newestOf("observer", siteField, atField),
		"loss": object{"filter": all(period(atField, lossSince, time.Time{})), "aggs": loss}}
}

// newestOf asks for parts of the newest record of a group.
func newestOf(fields ...any) object {
	return object{"top_hits": object{"size": 1, "_source": fields, "sort": []any{object{atField: object{"order": "desc"}}}}}
}

type topHit struct {
	Hits struct {
		Hits []struct {
			Source event.Event `json:"_source"`
		}
	}
}

// first is the record, or an empty one.
func (t *topHit) first() event.Event {
	if len(t.Hits.Hits) == 0 {
		return event.Event{}
	}
	return t.Hits.Hits[0].Source
}

type sensorBucket struct {
	Key struct {
		ID string `json:"d0"`
	}
	Newest topHit
	Loss   struct {
		Count                             uint64 `json:"doc_count"`
		Queue, Received, Dropped, Evicted number
	}
}

func (b *sensorBucket) sensor() Sensor {
	s := Sensor{ID: b.Key.ID, Received: b.Loss.Received.count(), Dropped: b.Loss.Dropped.count(), Evicted: b.Loss.Evicted.count(), Minutes: b.Loss.Count}
	if b.Loss.Queue.Value != nil {
		s.QueueS = *b.Loss.Queue.Value
	}
	ev := b.Newest.first()
	s.Last = ev.Timestamp.Time()
	if ev.Observer != nil {
		s.Name, s.Version = ev.Observer.Name, ev.Observer.Version
	}
	if ev.Gnomon != nil {
		s.Site = ev.Gnomon.Site
	}
	return s
}

// catalogues adds which catalogue each sensor's newest activity was recognised with.
func (r *Reader) catalogues(ctx context.Context, since time.Time, fleet []Sensor) error {
	const page = 500
	for i := 0; i < len(fleet); i += page {
		part := fleet[i:min(i+page, len(fleet))]
		at := map[string]*Sensor{}
		var ids []string
		for j := range part {
			at[part[j].ID] = &part[j]
			ids = append(ids, part[j].ID)
		}
		said, err := r.search(ctx, event.DatasetActivity, object{"size": 0,
			"query": all(append(period(atField, since, time.Time{}), object{"terms": object{"observer.id": ids}}, exists("rule.ruleset"))),
			"aggs":  object{"sensors": object{"terms": object{"field": "observer.id", "size": page}, "aggs": object{"newest": newestOf("rule.ruleset")}}}})
		if err != nil {
			return fmt.Errorf("asking %s for catalogues: %w", r.where(event.DatasetActivity), err)
		}
		var list struct {
			Sensors struct {
				Buckets []struct {
					Key    string
					Newest topHit
				}
			}
		}
		if err := said.read(&list); err != nil {
			return fmt.Errorf("reading catalogues: %w", err)
		}
		for _, b := range list.Sensors.Buckets {
			if ev := b.Newest.first(); ev.Rule != nil && at[b.Key] != nil {
				at[b.Key].Catalogue = strings.TrimPrefix(ev.Rule.Ruleset, "catalogue ")
			}
		}
	}
	return nil
}

// Clock is how far the cluster's clock is ahead of this machine's, to half of what the question took. It wants the privilege to monitor.
func (r *Reader) Clock(ctx context.Context, now func() time.Time) (ahead, within time.Duration, err error) {
	asked := now()
	status, answer, err := r.server.Do(ctx, http.MethodGet, "/_nodes/stats/os?filter_path=nodes.*.timestamp", nil)
	took := now().Sub(asked)
	if err == nil && status != http.StatusOK {
		err = &elasticsearch.StatusError{Status: status, Reason: elasticsearch.Reason(answer)}
	}
	if err != nil {
		return 0, 0, fmt.Errorf("asking the cluster what time it is: %w", err)
	}
	var said struct {
		Nodes map[string]struct {
			Timestamp int64 `json:"timestamp"`
		} `json:"nodes"`
	}
	if err := json.Unmarshal(answer, &said); err != nil || len(said.Nodes) == 0 {
		return 0, 0, errors.New("asking the cluster what time it is: it does not say")
	}
	var newest int64
	for _, n := range said.Nodes {
		newest = max(newest, n.Timestamp)
	}
	return time.UnixMilli(newest).Sub(asked.Add(took / 2)), took / 2, nil
}
