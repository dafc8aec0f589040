package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// nowhere takes records that nobody asked for.
type nowhere struct{}

// Offer implements sensor.Sink.
func (nowhere) Offer(*event.Event) {}

// explain says in words what was read of flows.
func (p *program) explain(ctx context.Context, args, flows []string) error {
	var filters []*sensor.FlowFilter
	for _, text := range flows {
		filter, err := sensor.ParseFlow(text)
		if err != nil {
			return usage("--explain: %w", err)
		}
		filters = append(filters, filter)
	}
	c, err := p.load()
	if err != nil {
		return err
	}
	parts, err := p.assemble(&c)
	if err != nil {
		return err
	}
	out := p.out()
	explainer := sensor.NewExplainer(out, filters)
	err = p.replay(ctx, args, false, func(source capture.Source) error {
		conf := parts.sensor(&c)
		conf.All, conf.Explain = true, explainer
		explainer.Begin()
		_, err := parts.runOne(ctx, conf, source, nowhere{})
		return err
	})
	shown, writeErr := explainer.Flush()
	if err := errors.Join(err, writeErr, out.Flush()); err != nil {
		return err
	}
	if shown == 0 {
		return fmt.Errorf("explaining %s: no packet of such a flow is in %s; gnomon inspect lists the flows that are",
			strings.Join(flows, ", "), strings.Join(args, ", "))
	}
	return nil
}
