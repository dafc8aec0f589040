package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/logs"
)

func (p *program) inspectCommand() *cobra.Command {
	var o logOptions
	var slices bool
	var explain []string
	cmd := &cobra.Command{
		Use:   "inspect [flags] FILE|DIR|- ...",
		Short: "print everything that can be seen in captures and logs, AI or not, as NDJSON",
		Long: `Inspect prints one document per flow when the flow or the input ends, one per DNS transaction, and one for each further name on a flow
(without byte counts). Of a log it prints one document per line, with what that line says and nothing else; lines that cannot be read are
counted on stderr. It writes to no store. It is the tool for "why was this (not) seen".

With --explain it says of the chosen flows of captures, packet by packet and in words, what was read, what was missing, and why a name was
or was not given. A flow is both its ends in either order, one end, an address alone, or a community id.`,
		Example: `  gnomon inspect capture.pcap | jq -c '[.source.ip, .destination.domain, .source.bytes]'
  gnomon inspect --explain "10.1.2.3:51514 > 192.0.2.80:443" capture.pcap
  gnomon inspect --explain 1:wCb3OG7yAFWelaUydu0D+125CLM= --explain udp,10.1.2.3 capture.pcap
  gnomon inspect --format squid-native access.log`,
		Args: wants(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(explain) > 0 {
				return p.explain(cmd.Context(), args, explain)
			}
			return p.inspect(cmd.Context(), args, &o, slices)
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&slices, "slices", false, "print the slices of flows as they are recorded, instead of whole flows")
	cmd.Flags().StringArrayVar(&explain, "explain", nil, "explain a `flow` in words instead, such as \"10.1.2.3:51514 192.0.2.80:443\"; may be repeated")
	return cmd
}

// jsonSink writes each record as a line.
type jsonSink struct {
	encoder *json.Encoder
	err     error // the first that went wrong: a closed pipe, a full disk
}

func newJSONSink(w io.Writer) *jsonSink {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return &jsonSink{encoder: e}
}

// Offer implements sensor.Sink.
func (s *jsonSink) Offer(ev *event.Event) {
	if s.err == nil {
		s.err = s.encoder.Encode(ev)
	}
}

func (p *program) inspect(ctx context.Context, args []string, o *logOptions, slices bool) error {
	c, err := p.load()
	if err != nil {
		return err
	}
	in, err := p.inputs(&c, args, o)
	if err != nil {
		return err
	}
	parts, err := p.assemble(&c)
	if err != nil {
		return err
	}
	out := p.out()
	sink := newJSONSink(out)
	err = p.replay(ctx, in.captures, false, func(source capture.Source) error {
		conf := parts.sensor(&c)
		conf.All, conf.SliceAll = true, slices
		_, err := parts.runOne(ctx, conf, source, sink)
		return err
	})
	if err == nil || errors.Is(err, errReported) {
		err = errors.Join(err, in.read(ctx, in.logs, func(log *logInput) logUse {
			a := logs.NewActivities(parts.activities(&c, log), parts.classify, sink)
			return func(line []byte, r *logs.Record) (bool, error) {
				a.Document(r, line)
				return false, sink.err
			}
		}))
		in.tell()
	}
	if writeErr := errors.Join(sink.err, out.Flush()); writeErr != nil {
		return fmt.Errorf("writing documents: %w", writeErr)
	}
	return err
}

// wants turns an argument check's complaint into a usage error.
func wants(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w\n%s", err, cmd.UseLine())}
		}
		return nil
	}
}
