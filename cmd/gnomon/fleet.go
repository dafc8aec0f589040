package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch/search"
)

const (
	// fleetSince is how long a sensor that says nothing more belongs to the fleet, fleetLoss for how long its loss is added up.
	fleetSince = 30 * 24 * time.Hour
	fleetLoss  = 24 * time.Hour
	// fleetSilent is after how long a sensor is silent: it writes coverage every minute.
	fleetSilent = 5 * time.Minute
	// clockOff is how far clocks may be apart: visits are joined, and looked up, by the second.
	clockOff = 5 * time.Second
)

// member is a sensor of the fleet and what is said of it.
type member struct {
	search.Sensor
	// Loss is the share of frames that were lost in the last day, in percent.
	Loss    float64 `json:"loss_percent"`
	Verdict verdict `json:"verdict"`
	Says    string  `json:"says,omitempty"`
}

// fleet lists the sensors that write to Elasticsearch.
func (p *program) fleet(ctx context.Context, asJSON bool) error {
	c, err := p.load()
	if err != nil {
		return err
	}
	from, err := p.openCluster(&c)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }() // it only read
	ahead, within, err := from.Clock(ctx, time.Now)
	if err != nil {
		p.complain(err) // then this machine's clock stands for it
		ahead = 0
	}
	now := time.Now().Add(ahead)
	sensors, err := from.sensors(ctx, now)
	if err != nil {
		return err
	}
	members := make([]member, 0, len(sensors))
	bad := false
	for i := range sensors {
		m := judgeSensor(&sensors[i], now, within)
		bad = bad || m.Verdict == blind
		members = append(members, m)
	}
	if err := p.writeTo("", func(w io.Writer) error { return writeFleet(w, members, now, asJSON) }); err != nil {
		return err
	}
	if bad {
		return errReported
	}
	return nil
}

// sensors lists the fleet. Where there is none, the namespace at least has to be there.
func (c *cluster) sensors(ctx context.Context, now time.Time) ([]search.Sensor, error) {
	list, err := c.Fleet(ctx, now.Add(-fleetSince), now.Add(-fleetLoss))
	if err == nil && len(list) == 0 {
		err = c.Exists(ctx)
	}
	return list, err
}

// openCluster opens Elasticsearch for questions.
func (p *program) openCluster(c *settings) (*cluster, error) {
	client, err := elasticsearch.NewClient(&c.Elastic, p.environ)
	if err != nil {
		return nil, err
	}
	return &cluster{search.New(client, c.Elastic.Namespace, c.Elastic.Layout), client}, nil
}

// judgeSensor says what is wrong with a sensor, the gravest alone. Now is the cluster's time.
func judgeSensor(s *search.Sensor, now time.Time, within time.Duration) member {
	m := member{Sensor: *s, Verdict: fine}
	if all := s.Received + s.Dropped; all > 0 {
		m.Loss = 100 * float64(s.Dropped) / float64(all)
	}
	const much = 0.1 // percent
	switch age := now.Sub(s.Last); {
	case age < -clockOff-within:
		m.Verdict, m.Says = blind, fmt.Sprintf("its clock is %v ahead: set it", -age.Round(time.Second))
	case age > fleetSilent:
		m.Verdict, m.Says = blind, "it is silent: is it running, can it reach the cluster, or is its clock slow (run doctor on it)?"
	case m.Loss >= much:
		m.Verdict, m.Says = warn, "it loses frames: raise capture.ring or capture.workers"
	case s.Evicted > 0:
		m.Verdict, m.Says = warn, fmt.Sprintf("%d flows were evicted: raise flow.max_flows", s.Evicted)
	case s.QueueS > fleetSilent.Seconds():
		m.Verdict, m.Says = warn, fmt.Sprintf("records waited up to %v in its spool", time.Duration(s.QueueS*float64(time.Second)).Round(time.Second))
	}
	return m
}

func writeFleet(w io.Writer, members []member, now time.Time, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(members)
	}
	if len(members) == 0 {
		_, err := fmt.Fprintln(w, "No sensor has written coverage in the last 30 days.")
		return err
	}
	t := newTable("", "SENSOR", "SITE", "VERSION", "CATALOGUE", "LAST SEEN", "LOST", "SAYS")
	for i := range members {
		m := &members[i]
		name := m.Name
		if name == "" {
			name = m.ID
		}
		t.row(string(m.Verdict), printable(name), printable(m.Site), printable(m.Version), printable(m.Catalogue), seenAgo(now.Sub(m.Last)),
			fmt.Sprintf("%.2f%%", m.Loss), m.Says)
	}
	t.write(w)
	return nil
}

// seenAgo is an age for people.
func seenAgo(age time.Duration) string {
	switch {
	case age < 0:
		return "in " + (-age).Round(time.Second).String()
	case age < 2*time.Hour:
		return age.Round(time.Second).String() + " ago"
	}
	return age.Round(time.Hour).String() + " ago"
}

// examineElastic says whether the cluster can be reached, and whether the clocks agree.
func (p *program) examineElastic(ctx context.Context, c *settings) []check {
	const name = "elasticsearch"
	if len(c.Elastic.Addresses) == 0 {
		return nil
	}
	from, err := p.openCluster(c)
	if err != nil {
		return []check{{name, warn, err.Error(), "correct the settings below [elasticsearch]"}}
	}
	defer func() { _ = from.Close() }() // it only read
	server, err := from.client.Server(ctx)
	if err != nil {
		return []check{{name, warn, err.Error(), "records wait in the spool meanwhile; see elasticsearch.addresses"}}
	}
	checks := []check{{Name: name, Verdict: fine, Says: fmt.Sprintf("%s %s answers", server.Distribution, server.Version)}}
	ahead, within, err := from.Clock(ctx, time.Now)
	var refused *elasticsearch.StatusError
	switch {
	case errors.As(err, &refused): // the key may not ask
	case err != nil:
		checks[0].Verdict, checks[0].Do = warn, err.Error()
	case max(ahead, -ahead) > clockOff+within:
		checks = append(checks, check{"clock", warn, fmt.Sprintf("the cluster's clock differs by %v", ahead.Round(time.Second)), "set both clocks (timedatectl set-ntp true)"})
	}
	return checks
}
