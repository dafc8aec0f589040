package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

func (p *program) scanCommand() *cobra.Command {
	var so scanOptions
	var keep bool
	var o logOptions
	cmd := &cobra.Command{
		Use:   "scan [flags] FILE|DIR|- ...",
		Short: "say which AI services captures and logs show: one-shot discovery",
		Long: `Scan reads capture files (pcap and pcapng) and logs of proxies, firewalls and resolvers (plain, gzip, zstd or ZIP; directories; - for stdin)
through the same pipeline as the daemon and prints a summary: services by users and upload, who used them, how much of the
traffic could be read at all, what hides the rest (encrypted hellos, encrypted DNS, relays, VPNs) and whose it is. With --store the records go to
the embedded store too, with --to to one other output, with the captures' own times; the daemon must not be running on the same state
directory, and no findings are raised: the daemon alone does that. The same input once more leaves every record there once.

Captures can be read on several cores: every worker of --workers sees every frame and answers for its own clients, so that the results are those of
one. It takes less time where cores are idle and more processor time in all (two workers: up to twice that of one), and each worker has a flow table of
its own. Several capture files are read so unless told otherwise, by one worker less than there are cores; --workers 1 is the cheapest way.

Memory is bounded however long the logs are: more than 65,536 users of one service are estimated from a sample of them, and said as "about" (users_error
in JSON), and visits that had to be closed early are counted (visits_cut).`,
		Example: "  gnomon scan office.pcap\n  tcpdump -i eth1 -w - | gnomon scan -\n  gnomon scan --format squid-upload /var/log/squid",
		Args:    wants(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if keep && so.to != "" {
				return usageError{errors.New("choosing where records go: --store and --to cannot both be")}
			}
			if err := workersFlag(so.workers); err != nil {
				return err
			}
			if keep {
				so.to = storeOutput
			}
			return p.scan(cmd.Context(), args, &o, &so)
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&so.asJSON, "json", false, "print the summary as JSON")
	cmd.Flags().BoolVar(&keep, "store", false, "keep the records in the embedded store")
	cmd.Flags().StringVar(&so.to, "to", "", "hand the records to this `OUTPUT` as it is configured: file, syslog or elasticsearch")
	cmd.Flags().IntVar(&so.workers, "workers", 0, "how many workers read captures together, 1 to 64; 0: one for one file, one for each processor but one, at most 4, for several")
	cmd.Flags().StringVar(&so.stateDir, "state-dir", "", "the state directory with the store and the spool (observer.state_dir)")
	return cmd
}

// scanOptions are the flags of scan.
type scanOptions struct {
	asJSON   bool
	workers  int    // that read captures together; 0: as many as suit
	to       string // the output that gets the records; empty: none does
	stateDir string
}

func (p *program) scan(ctx context.Context, args []string, lo *logOptions, o *scanOptions) (err error) {
	collectLater()
	c, err := p.load()
	if err != nil {
		return err
	}
	if o.stateDir != "" {
		c.Observer.StateDir = o.stateDir
	}
	files := slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "-" })
	in, err := p.inputs(&c, files, lo)
	if err != nil {
		return err
	}
	parts, err := p.assemble(&c)
	if err != nil {
		return err
	}
	sum := newSummary()
	pipe, closeStore, err := p.scanPipeline(&c, parts, sum, o.to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	in.workers = o.workers
	in.pipe = len(files) < len(args) // it is looked at once the store is there: what comes by a pipe may come late
	coverage, err := in.scan(ctx, parts, &c, pipe)
	if err != nil && !errors.Is(err, errReported) {
		return err
	}
	found, namesErr := pipe.names.finish(ctx, time.Now())
	sum.candidates = found
	blind := blindSpots{coverage: &coverage}
	seen, leftOut := parts.clients.Take(clientsInAll)
	blind.clients, blind.leftOut = pipe.clientSights(seen), leftOut
	return errors.Join(err, namesErr, p.writeScan(o, sum, &blind))
}

// writeScan prints what was found, for a program or a person.
func (p *program) writeScan(o *scanOptions, sum *summary, blind *blindSpots) error {
	out := p.out()
	if o.asJSON {
		if err := sum.writeJSON(out, blind); err != nil {
			return err
		}
	} else {
		sum.write(out, blind.coverage, blind)
	}
	return out.Flush()
}

// scanPipeline leads to the summary and, if records are to be kept, to one of the outputs, under the sensor's own identity.
func (p *program) scanPipeline(c *settings, parts *parts, sum *summary, to string) (pipe *pipeline, closeOutput func() error, err error) {
	keep := to != ""
	if keep {
		if parts.observer.ID, err = p.sensorID(&c.Config); err != nil {
			return nil, nil, err
		}
	}
	if pipe, err = p.newPipeline(c, keep, p.logger(c)); err != nil {
		return nil, nil, err
	}
	pipe.next, parts.learner = sum, pipe
	if parts.sums = !keep; !keep {
		pipe.names, err = p.newUnlisted(c, parts, pipe, nil, "")
		return pipe, func() error { return nil }, err
	}
	outs, err := p.scanOutput(c, to)
	if err != nil {
		return nil, nil, err
	}
	pipe.next = &fanOut{sinks: append(outs.sinks(), sum), now: time.Now}
	if pipe.names, err = p.newUnlisted(c, parts, pipe, outs, ""); err != nil {
		return nil, nil, errors.Join(err, outs.close())
	}
	return pipe, outs.close, nil
}

// scanOutput opens the one output that gets the records of a scan.
func (p *program) scanOutput(c *settings, to string) (*outputs, error) {
	log := p.logger(c)
	if to == storeOutput {
		c.Store.Enabled = true
	}
	outs, err := p.openOutputs(c, outputOptions{wait: true, only: to}, log)
	if err == nil && outs.spool == nil {
		return nil, usageError{fmt.Errorf("handing records to %q: it is none of the outputs that are configured; set it up in gnomon.toml", to)}
	}
	return outs, err
}

// The form of `scan --json`, which programs rely on.
type (
	summaryJSON struct {
		Services   []serviceJSON   `json:"services"`
		Candidates []candidateJSON `json:"candidates"`
		Coverage   sensor.Coverage `json:"coverage"`
		// Clients are those of which most was hidden or nameless; the flows of others that were forgotten are counted.
		Clients        []event.ClientSight `json:"clients"`
		ClientsLeftOut uint64              `json:"clients_left_out,omitempty"`
		// Estimated is absent where every number of users is exact.
		Estimated *estimatedJSON `json:"users_estimated,omitempty"`
	}
	serviceJSON struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Category string `json:"category,omitempty"`
		Status   string `json:"status"`
		// Users is about that many where UsersError, the relative standard error, is there; else it is exact.
		Users      int     `json:"users"`
		UsersError float64 `json:"users_error,omitempty"`
		// BackgroundUsers are those of Users of whom nothing but traffic in the background was seen.
		BackgroundUsers int         `json:"background_users"`
		Visits          uint64      `json:"visits"`
		Flows           uint64      `json:"flows"`
		Lookups         uint64      `json:"lookups"`
		Upload          *uploadJSON `json:"upload,omitempty"` // absent: not known
		BytesUp         uint64      `json:"bytes_up"`
		BytesDown       uint64      `json:"bytes_down"`
	}
	// estimatedJSON says how many services have so many users that their number is an estimate, and beyond which number it is.
	estimatedJSON struct {
		Services  int `json:"services"`
		ExactUpTo int `json:"exact_up_to"`
		ExactAll  int `json:"exact_up_to_all_services"`
	}
	uploadJSON struct {
		Bytes uint64 `json:"bytes"`
		Low   uint64 `json:"low"`
		High  uint64 `json:"high"`
	}
)

func (s *summary) writeJSON(w io.Writer, b *blindSpots) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := summaryJSON{Services: []serviceJSON{}, Candidates: candidatesJSON(s.candidates), Coverage: *b.coverage, Clients: b.clients, ClientsLeftOut: b.leftOut}
	if out.Clients == nil {
		out.Clients = []event.ClientSight{}
	}
	estimated := 0
	for _, sum := range s.sorted() {
		users := sum.users.all()
		j := serviceJSON{ID: sum.id, Name: sum.name, Category: sum.category, Status: sum.status, Users: users.n, UsersError: users.error,
			BackgroundUsers: sum.users.quiet().n, Visits: sum.visits, Flows: sum.flows, Lookups: sum.lookups, BytesUp: sum.up, BytesDown: sum.down}
		if users.error > 0 {
			estimated++
		}
		if sum.uploadKnown {
			j.Upload = &uploadJSON{sum.upload.Bytes, sum.upload.Low, sum.upload.High}
		}
		out.Services = append(out.Services, j)
	}
	if estimated > 0 {
		out.Estimated = &estimatedJSON{estimated, s.sets.each, s.sets.together}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(out)
}
