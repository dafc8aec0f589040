package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/capture/afpacket"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// verdict grades one check of the doctor.
type verdict string

// The grades: blind makes the exit status 1.
const (
	fine  verdict = "ok"
	warn  verdict = "warn"
	blind verdict = "blind"
)

// check is what the doctor says of one thing, and what to do about it.
type check struct {
	Name    string  `json:"name"`
	Verdict verdict `json:"verdict"`
	Says    string  `json:"says"`
	Do      string  `json:"do,omitempty"`
}

func (p *program) doctorCommand() *cobra.Command {
	var interfaces []string
	var listen time.Duration
	var asJSON, fleet bool
	cmd := &cobra.Command{
		Use:   "doctor [flags]",
		Short: "say what makes, or would make, the sensor blind",
		Long: `Doctor looks at what the sensor needs (permission, interfaces, traffic in both directions, drops, offloads, the clock, sources of logs, the store)
and says of each what to do. It listens for a few seconds. Exit status 1 if something makes the sensor blind.

With --fleet it asks Elasticsearch instead, and lists the sensors that have written there in the last 30 days: version, catalogue, when each was last
seen, what it lost in the last day, and whether its clock is ahead. Exit status 1 if one is silent or its clock is wrong.`,
		Args: wants(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if fleet {
				return p.fleet(cmd.Context(), asJSON)
			}
			return p.doctor(cmd.Context(), interfaces, listen, asJSON)
		},
	}
	cmd.Flags().StringSliceVarP(&interfaces, "interface", "i", nil, "look at this `INTERFACE` (capture.interfaces)")
	cmd.Flags().DurationVar(&listen, "listen", 5*time.Second, "listen for this `DURATION`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the checks, or the sensors, as JSON")
	cmd.Flags().BoolVar(&fleet, "fleet", false, "list the sensors that write to Elasticsearch")
	return cmd
}

func (p *program) doctor(ctx context.Context, interfaces []string, listen time.Duration, asJSON bool) error {
	c, err := p.load()
	if err != nil {
		return err
	}
	if len(interfaces) > 0 {
		c.Capture.Interfaces, c.Capture.Taps = interfaces, nil
	}
	var checks []check
	checks = append(checks, checkClock(time.Now()))
	if !c.logsAlone() {
		captured, err := p.examineCapture(ctx, &c, listen)
		if err != nil {
			return err
		}
		checks = append(checks, captured...)
	}
	read, err := p.examineLogs(&c, time.Now())
	if err != nil {
		return err
	}
	checks = append(checks, read...)
	checks = append(checks, p.examineStore(ctx, &c)...)
	checks = append(checks, p.examineElastic(ctx, &c)...)
	out := p.out()
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		err = e.Encode(checks)
	} else {
		writeChecks(out, checks)
	}
	if err := errors.Join(err, out.Flush()); err != nil {
		return fmt.Errorf("writing the checks: %w", err)
	}
	for _, c := range checks {
		if c.Verdict == blind {
			return errReported
		}
	}
	return nil
}

func writeChecks(w io.Writer, checks []check) {
	for _, c := range checks {
		fmt.Fprintf(w, "%-6s %-12s %s\n", c.Verdict, c.Name, printable(c.Says))
		if c.Do != "" {
			fmt.Fprintf(w, "%-19s → %s\n", "", printable(c.Do))
		}
	}
}

// checkClock says whether the clock can be right at all: records carry packet time.
func checkClock(now time.Time) check {
	if now.Year() < 2026 {
		return check{"clock", blind, "the clock says " + now.UTC().Format(time.RFC3339) + ", before this program was written",
			"set the clock (timedatectl set-ntp true): records carry its time"}
	}
	return check{Name: "clock", Verdict: fine, Says: now.UTC().Format(time.RFC3339)}
}

// examineCapture looks at each interface and then listens.
func (p *program) examineCapture(ctx context.Context, c *settings, listen time.Duration) ([]check, error) {
	names := c.Capture.Interfaces
	for _, tap := range c.Capture.Taps {
		names = append(names, tap.Interfaces...)
	}
	if len(names) == 0 {
		name, err := afpacket.DefaultInterface()
		if err != nil {
			return []check{{"interface", blind, err.Error(), "name one with --interface or capture.interfaces"}}, nil
		}
		names = []string{name}
	}
	var checks []check
	for _, name := range names {
		checks = append(checks, examineInterface(name)...)
	}
	if c.Capture.Snaplen > 0 && c.Capture.Snaplen < 1600 {
		checks = append(checks, check{"snaplen", warn, fmt.Sprintf("frames are cut to %d bytes: names at the end of a hello are lost", c.Capture.Snaplen),
			"set capture.snaplen = 0"})
	}
	f := runFlags{}
	sources, _, err := p.sources(c, &f, slog.New(slog.DiscardHandler))
	if err != nil {
		return append(checks, permission(err)), nil
	}
	checks = append(checks, check{Name: "permission", Verdict: fine, Says: "capturing is permitted"})
	parts, err := p.assemble(c)
	if err != nil {
		return nil, errors.Join(err, closeAll(sources))
	}
	ctx, cancel := context.WithTimeout(ctx, listen)
	defer cancel()
	d := &daemonParts{parts: parts, sources: sources, log: slog.New(slog.DiscardHandler)}
	coverage, err := d.listen(ctx, c)
	if err != nil {
		return append(checks, check{"capture", blind, err.Error(), "see the message"}), nil
	}
	return append(checks, judgeTraffic(&coverage, listen)...), nil
}

func permission(err error) check {
	if errors.Is(err, fs.ErrPermission) {
		return check{"permission", blind, err.Error(), "run as root, or setcap cap_net_raw+ep on the program, or use packaging/systemd"}
	}
	return check{"capture", blind, err.Error(), "name another interface with --interface or capture.interfaces"}
}

// examineInterface says whether one can carry frames, and whether they arrive as they were on the wire.
func examineInterface(name string) []check {
	if name == afpacket.AnyInterface {
		return []check{{"interface", warn, "any: what an interface and the bridge or bond above it both show is seen twice",
			"name the interfaces of the tap instead"}}
	}
	state, err := afpacket.State(name)
	if err != nil {
		return []check{{"interface", blind, err.Error(), "name one that exists with --interface or capture.interfaces"}}
	}
	var checks []check
	switch {
	case !state.Up:
		checks = append(checks, check{"interface", blind, name + " is switched off", "ip link set " + name + " up"})
	case !state.Running:
		checks = append(checks, check{"interface", blind, name + " has no carrier", "look at the cable and at the port on the other side"})
	default:
		checks = append(checks, check{Name: "interface", Verdict: fine, Says: fmt.Sprintf("%s is up, MTU %d", name, state.MTU)})
	}
	offloads, err := afpacket.Offloads(name)
	if err == nil && (offloads.GRO || offloads.LRO) {
		checks = append(checks, check{"offloads", warn, name + " joins packets before the sensor sees them (GRO or LRO): bytes stay right, packets are fewer",
			"ethtool -K " + name + " gro off lro off"})
	}
	return checks
}

// listen runs workers over the sources until ctx ends and returns what they saw.
func (d *daemonParts) listen(ctx context.Context, c *settings) (sensor.Coverage, error) {
	workers, err := d.workers(c, ignore{})
	if err != nil {
		return sensor.Coverage{}, errors.Join(err, closeAll(d.sources))
	}
	ended := make(chan error, len(workers))
	for _, w := range workers {
		go func() { ended <- w.Run(context.Background()) }()
	}
	<-ctx.Done()
	errs := []error{closeAll(d.sources)}
	for range workers {
		errs = append(errs, <-ended)
	}
	coverage := total(workers)
	for _, w := range workers {
		w.Close()
	}
	return coverage, errors.Join(errs...)
}

type ignore struct{}

// Offer implements sensor.Sink.
func (ignore) Offer(*event.Event) {}

// judgeTraffic says what a few seconds of traffic show.
func judgeTraffic(c *sensor.Coverage, listened time.Duration) []check {
	if c.Received == 0 {
		return []check{{"traffic", blind, fmt.Sprintf("no frame came in %v", listened), "look at the tap or SPAN port: is it the right one, does it mirror anything?"}}
	}
	checks := []check{{Name: "traffic", Verdict: fine, Says: fmt.Sprintf("%d frames in %v, %d with TCP or UDP", c.Received, listened, c.Segments)}}
	if c.Segments == 0 {
		checks[0].Verdict, checks[0].Do = blind, "nothing that can be read arrives: "+reasons(c)+"; is it the right port?"
	}
	if c.Dropped > 0 {
		checks = append(checks, check{"drops", warn, fmt.Sprintf("the kernel dropped %d of %d frames", c.Dropped, c.Dropped+c.Received),
			"raise capture.ring or capture.workers"})
	}
	const few = 20 // below that a share says nothing
	if c.Flows >= few && c.OneSided*2 > c.Flows {
		checks = append(checks, check{"directions", blind, fmt.Sprintf("%d of %d flows were seen in one direction only", c.OneSided, c.Flows),
			"mirror both directions (SPAN \"both\"), or join the ports of a tap with [[capture.tap]]"})
	}
	if c.Readable >= few && c.Named*2 < c.Readable {
		checks = append(checks, check{"names", warn, fmt.Sprintf("a name could be read in %s of %d flows that should have one", percent(c.Named, c.Readable), c.Readable),
			"connections that began before are nameless at first; if it stays so, look for one-sided traffic or a VPN"})
	}
	checks = append(checks, judgeHidden(c)...)
	if c.Cut > 0 {
		checks = append(checks, check{"cut", warn, fmt.Sprintf("%d flows are cut by a snaplen", c.Cut), "set capture.snaplen = 0, and look at the device that mirrors"})
	}
	return checks
}

// judgeHidden says how much goes where no name can be read, however good the tap is.
func judgeHidden(c *sensor.Coverage) []check {
	var checks []check
	all := c.Web.Total().Plus(c.OtherPorts.Total())
	tell := func(name string, p event.Part, says, do string) {
		if p.Flows > 0 {
			checks = append(checks, check{name, warn, fmt.Sprintf("%d flows (%s of those to port 443 and the like), %s: %s", p.Flows,
				percent(p.Flows, all.Flows), size(p.Bytes), says), do})
		}
	}
	tell("ech", c.Web.ECH, "their names are encrypted (ECH)", "names come from look-ups if those can be seen; browsers can be told not to use ECH by policy")
	tell("encrypted DNS", c.Web.EncryptedDNS.Plus(c.OtherPorts.EncryptedDNS), "look-ups over HTTPS, TLS or QUIC are not seen",
		"let clients use the resolver of the network, or read its log")
	tell("relays", c.Web.Relay.Plus(c.OtherPorts.Relay), "services behind relays and VPNs are not seen",
		"see the page Coverage for whose they are; the company's own VPN is best tapped behind its gateway")
	return checks
}

func reasons(c *sensor.Coverage) string {
	var all []string
	for reason, n := range c.Undecodable {
		all = append(all, fmt.Sprintf("%d %s", n, strings.ReplaceAll(reason, "_", " ")))
	}
	return strings.Join(all, ", ")
}

// examineStore says whether the store can be read, how old its newest record is and how many users are known by more than an address.
func (p *program) examineStore(ctx context.Context, c *settings) []check {
	if !c.Store.Enabled {
		return []check{{Name: "store", Verdict: fine, Says: "not enabled"}}
	}
	reader, err := p.openReader(c)
	if err != nil {
		return []check{{"store", warn, err.Error(), "start the daemon once, or see whose the directory is"}}
	}
	defer func() { _ = reader.Close() }() // it was only read
	span, err := reader.Span(ctx)
	if err != nil {
		return []check{{"store", warn, err.Error(), "if it stays so, move the store aside and restart the daemon"}}
	}
	if span.To.IsZero() {
		return []check{{"store", warn, "it is empty", "is the daemon running, and does traffic arrive?"}}
	}
	checks := []check{{Name: "store", Verdict: fine, Says: fmt.Sprintf("records from %s to %s", span.RecordsFrom.Format(time.DateTime), span.To.Format(time.DateTime))}}
	if age := time.Since(span.To); age > 10*time.Minute {
		checks[0].Verdict, checks[0].Do = warn, fmt.Sprintf("the newest record is %v old: is the daemon running?", age.Round(time.Minute))
	}
	checks = append(checks, examineUsers(ctx, reader)...)
	return append(checks, examineEyes(ctx, reader, time.Now())...)
}

// examineUsers says how many of those who used AI in the last day are known by more than an address.
func examineUsers(ctx context.Context, q query.Query) []check {
	now := time.Now().UTC().Truncate(time.Hour).Add(time.Hour)
	rows, err := q.Sums(ctx, query.Request{From: now.Add(-24 * time.Hour), To: now, By: []query.Dimension{query.ByUser}})
	if err != nil || len(rows) == 0 {
		return nil
	}
	addresses := 0
	for i := range rows {
		if strings.HasPrefix(rows[i].Key[0], "ip:") {
			addresses++
		}
	}
	c := check{Name: "users", Verdict: fine, Says: fmt.Sprintf("%d of %d who used AI in the last day are known by more than an address", len(rows)-addresses, len(rows))}
	if addresses*2 > len(rows) {
		c.Verdict, c.Do = warn, "name a table with identity.table, or read where DHCP and the proxy can be seen"
	}
	return []check{c}
}
