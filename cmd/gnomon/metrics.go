package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/metrics"
	"github.com/gnomon-sensor/gnomon/exporters/spool"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// metricsSettings is the table metrics: figures of the sensor itself, for Prometheus.
type metricsSettings struct {
	// Enabled serves them at /metrics of the pages, to whoever may see the pages.
	Enabled bool `toml:"enabled"`
	// Listen is an address and port of their own; empty: none.
	Listen string `toml:"listen"`
}

func (m *metricsSettings) validate() error {
	if m.Listen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(m.Listen); err != nil {
		return fmt.Errorf("metrics.listen = %q: write an address and a port, as in 127.0.0.1:9686", m.Listen)
	}
	if !m.Enabled {
		return errors.New("metrics.listen is set and metrics.enabled = false: choose one")
	}
	return nil
}

// serveMetrics serves the metrics at their own address, if they have one, until the returned function is called.
func (p *program) serveMetrics(ctx context.Context, c *settings, d *daemonParts, o *outputs) (stop func() error, err error) {
	if c.Metrics.Listen == "" || !c.Metrics.Enabled {
		return func() error { return nil }, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Metrics.Listen)
	if err != nil {
		return nil, fmt.Errorf("opening the metrics: %w; choose another address with metrics.listen", err)
	}
	p.note("Metrics: http://%s/metrics", listener.Addr())
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- metrics.Serve(ctx, listener, d.metrics(o, time.Now), d.log) }()
	return func() error {
		cancel()
		return <-ended
	}, nil
}

// metrics gathers what the daemon knows of itself.
func (d *daemonParts) metrics(o *outputs, now func() time.Time) http.Handler {
	began := now()
	return metrics.Handler(func() []metrics.Metric {
		build := metrics.Metric{Name: "gnomon_build_info", Help: "The version of the program and of the catalogue in use.", Kind: metrics.Gauge}
		build.Add(1, metrics.Label{Name: "version", Value: d.observer.Version}, metrics.Label{Name: "catalogue", Value: d.catalogue.Load().Version()})
		all := []metrics.Metric{build,
			metrics.One(metrics.Gauge, "gnomon_start_time_seconds", "When the sensor started, in seconds since 1970.", float64(began.UnixMilli())/1e3)}
		if coverage := d.coverage.Load(); coverage != nil {
			seen := (*coverage)()
			all = append(all, coverageMetrics(&seen)...)
		}
		if o.spool != nil {
			stats := o.spool.Stats()
			all = append(all, spoolMetrics(&stats)...)
			all = append(all, exporterMetrics(stats.Exporters)...)
		}
		return all
	})
}

// coverageMetrics are the counters of what the sensor saw.
func coverageMetrics(c *sensor.Coverage) []metrics.Metric {
	counter := func(name, help string, n uint64) metrics.Metric {
		return metrics.One(metrics.Counter, "gnomon_"+name+"_total", help, float64(n))
	}
	undecodable := metrics.Metric{Name: "gnomon_packets_undecodable_total", Help: "Frames that could not be decoded, by reason.", Kind: metrics.Counter}
	for _, reason := range slices.Sorted(maps.Keys(c.Undecodable)) {
		undecodable.Add(float64(c.Undecodable[reason]), metrics.Label{Name: "reason", Value: reason})
	}
	return append([]metrics.Metric{
		counter("packets_received", "Frames that were captured.", c.Received),
		counter("packets_dropped", "Frames that the kernel had no room for.", c.Dropped),
		counter("ring_freezes", "Times that a capture ring was full.", c.Freezes),
		counter("segments", "Frames that held TCP or UDP.", c.Segments),
		counter("segments_copies", "Segments that were captured before and are not counted again.", c.Copies),
		undecodable,
		counter("flows", "Flows.", c.Flows),
		metrics.One(metrics.Gauge, "gnomon_flows_live", "Flows that are remembered now.", float64(c.Live)),
		counter("flows_readable", "Flows that ended and should have had a name.", c.Readable),
		counter("flows_named", "Flows that ended and had one.", c.Named),
		counter("flows_ech", "Flows whose name an encrypted hello hides.", c.ECH),
		counter("flows_encrypted_dns", "Flows to a resolver over HTTPS, TLS or QUIC.", c.EncryptedDNS),
		counter("flows_relay", "Flows into a relay, a VPN or another tunnel.", c.Relay),
		counter("flows_one_sided", "Flows of which only one direction was seen.", c.OneSided),
		counter("flows_cut", "Flows of which the snaplen cut payload off.", c.Cut),
		counter("flows_evicted", "Flows that went for want of room in the table.", c.Evicted),
		counter("flows_resumed", "Evicted flows that came back and kept their name.", c.Resumed),
		counter("hellos", "ClientHellos that were read.", c.Hellos),
		counter("hellos_ech_offered", "ClientHellos with an encrypted one in them, or a dummy of it.", c.ECHOffered),
		counter("http_requests", "HTTP requests that were read.", c.Requests),
		counter("dns_messages", "DNS messages that were read.", c.DNS),
		counter("streams_given_up", "Beginnings of streams that went for want of memory.", c.GivenUp),
		counter("visits_cut", "Visits that were closed early for want of memory, and count again if they go on.", c.VisitsCut),
	}, append(sightMetrics(c), sourceMetrics(c)...)...)
}

// sightMetrics divide the traffic by what could be seen of its names.
func sightMetrics(c *sensor.Coverage) []metrics.Metric {
	flows := metrics.Metric{Name: "gnomon_sight_flows_total", Help: "Flows to port 443 (web) and what hides names on others, by what was seen.",
		Kind: metrics.Counter}
	bytes := metrics.Metric{Name: "gnomon_sight_bytes_total", Help: "Bytes of the same.", Kind: metrics.Counter}
	for where, s := range map[string]*event.Sight{"web": &c.Web, "other": &c.OtherPorts} {
		for seen, part := range map[string]event.Part{"named": s.Named, "ech": s.ECH, "encrypted_dns": s.EncryptedDNS, "relay": s.Relay,
			"one_sided": s.OneSided, "cut": s.Cut, "nameless": s.Nameless} {
			labels := []metrics.Label{{Name: "ports", Value: where}, {Name: "seen", Value: seen}}
			flows.Add(float64(part.Flows), labels...)
			bytes.Add(float64(part.Bytes), labels...)
		}
	}
	hiddenFlows := metrics.Metric{Name: "gnomon_hidden_flows_total", Help: "Flows with a hidden name, by what hides it.", Kind: metrics.Counter}
	hiddenBytes := metrics.Metric{Name: "gnomon_hidden_bytes_total", Help: "Bytes of the same.", Kind: metrics.Counter}
	for by, part := range c.HiddenBy {
		hiddenFlows.Add(float64(part.Flows), metrics.Label{Name: "by", Value: by})
		hiddenBytes.Add(float64(part.Bytes), metrics.Label{Name: "by", Value: by})
	}
	all := []metrics.Metric{flows, bytes, hiddenFlows, hiddenBytes}
	for i := range all { // the same order each time
		slices.SortFunc(all[i].Samples, func(a, b metrics.Sample) int { return strings.Compare(fmt.Sprint(a.Labels), fmt.Sprint(b.Labels)) })
	}
	return all
}

// spoolMetrics are those of the spool as a whole.
func spoolMetrics(s *spool.Stats) []metrics.Metric {
	counter := func(name, help string, n uint64) metrics.Metric {
		return metrics.One(metrics.Counter, "gnomon_spool_"+name+"_total", help, float64(n))
	}
	gauge := func(name, help string, n float64) metrics.Metric {
		return metrics.One(metrics.Gauge, "gnomon_spool_"+name, help, n)
	}
	return []metrics.Metric{
		gauge("bytes", "Room that records take on the disk.", float64(s.Bytes)),
		gauge("max_bytes", "Room that they may take (spool.max_bytes).", float64(s.MaxBytes)),
		gauge("files", "Files that they lie in.", float64(s.Files)),
		gauge("pending_records", "Records in memory that the disk has not taken yet.", float64(s.Pending)),
		counter("written_records", "Records that have reached the disk.", s.Written),
		counter("dropped_records", "Records that were lost because the disk did not take them.", s.Refused),
		counter("write_failures", "Writes that failed and were tried again.", s.Failures),
		counter("torn_bytes", "Bytes that a crash had left behind the last whole record.", s.Torn),
		counter("damaged_files", "Files that were set aside because they could not be read.", s.SetAside),
		gauge("dead_letters", "Records that an exporter refused for good and that are kept.", float64(s.Dead.Records)),
		gauge("dead_letters_bytes", "Room that they take.", float64(s.Dead.Bytes)),
	}
}

// exporterMetrics are those of each exporter.
func exporterMetrics(list []spool.ExporterStats) []metrics.Metric {
	var all []metrics.Metric
	each := func(kind metrics.Kind, name, help string, value func(*spool.ExporterStats) float64) {
		m := metrics.Metric{Name: "gnomon_exporter_" + name, Help: help, Kind: kind}
		for i := range list {
			m.Add(value(&list[i]), metrics.Label{Name: "exporter", Value: list[i].Name})
		}
		all = append(all, m)
	}
	each(metrics.Counter, "sent_records_total", "Records that are stored, duplicates among them.", func(e *spool.ExporterStats) float64 { return float64(e.Stored) })
	each(metrics.Counter, "duplicate_records_total", "Records that were there already.", func(e *spool.ExporterStats) float64 { return float64(e.Duplicates) })
	each(metrics.Counter, "retried_records_total", "Tries that ended with: later.", func(e *spool.ExporterStats) float64 { return float64(e.Retried) })
	each(metrics.Counter, "dead_lettered_records_total", "Records that were refused for good.", func(e *spool.ExporterStats) float64 { return float64(e.Never) })
	each(metrics.Counter, "lost_records_total", "Records that went before they were taken, or were damaged; over all starts.",
		func(e *spool.ExporterStats) float64 { return float64(e.Lost) })
	each(metrics.Gauge, "waiting_records", "Records in the spool that are not taken yet.", func(e *spool.ExporterStats) float64 { return float64(e.Waiting) })
	each(metrics.Gauge, "oldest_waiting_seconds", "How long the oldest of them has waited.", func(e *spool.ExporterStats) float64 { return e.Age.Seconds() })
	each(metrics.Gauge, "failing", "1 while it takes nothing.", func(e *spool.ExporterStats) float64 {
		if e.Failing {
			return 1
		}
		return 0
	})
	each(metrics.Gauge, "last_success_time_seconds", "When it last took a record, in seconds since 1970; 0: not since the start.",
		func(e *spool.ExporterStats) float64 {
			if e.LastSuccess.IsZero() {
				return 0
			}
			return float64(e.LastSuccess.UnixMilli()) / 1e3
		})
	return all
}
