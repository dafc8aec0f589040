package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/capture/afpacket"
	"github.com/gnomon-sensor/gnomon/sensor/capture/pcapfile"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// runFlags are the flags of `gnomon run`; each has a key in gnomon.toml.
type runFlags struct {
	interfaces []string
	stateDir   string
	file       string
	orReplay   string
	asJSON     bool
	duration   time.Duration
}

func (p *program) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [flags]",
		Short: "the daemon: capture, read logs, recognise, record",
		Long: `Run captures from network interfaces and reads logs until it is told to stop (SIGINT, SIGTERM) and writes every open flow before it ends.
Without a configuration it reads the interface of the default route, keeps records in the embedded store and serves its pages on
http://127.0.0.1:8686. Logs are read where [[logs.source]] of gnomon.toml says; if no interface is named then, they are all that is read.
Each use appears on stdout, and as NDJSON in the file of [file] path.`,
		Example: "  sudo gnomon run -i eth1\n  gnomon run -c /etc/gnomon/gnomon.toml",
		Args:    wants(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.run(cmd.Context(), &f)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVarP(&f.interfaces, "interface", "i", nil, "capture from this `INTERFACE`; may be repeated (capture.interfaces)")
	flags.StringVar(&f.stateDir, "state-dir", "", "keep identity and data in this `DIR` (observer.state_dir)")
	flags.StringVar(&f.file, "file", "", "write records as NDJSON to this `FILE` (file.path)")
	flags.StringVar(&f.orReplay, "or-replay", "", "without permission to capture, replay the captures in this `DIR`, with their times shifted to now")
	flags.BoolVar(&f.asJSON, "json", false, "print records as NDJSON instead of lines for people")
	flags.DurationVar(&f.duration, "for", 0, "stop after this `DURATION`; 0 runs until it is told to stop")
	return cmd
}

// apply overlays the configuration with the command line.
func (f *runFlags) apply(c *settings) {
	if len(f.interfaces) > 0 {
		c.Capture.Interfaces, c.Capture.Taps = f.interfaces, nil
	}
	if f.stateDir != "" {
		c.Observer.StateDir = f.stateDir
	}
	if f.file != "" {
		c.File.Path = f.file
	}
}

func (p *program) run(ctx context.Context, f *runFlags) error {
	c, err := p.load()
	if err != nil {
		return err
	}
	f.apply(&c)
	if err := c.Validate(); err != nil {
		return usageError{err}
	}
	log := p.logger(&c)
	parts, err := p.assemble(&c)
	if err != nil {
		return err
	}
	sources, replaying, err := p.sources(&c, f, log)
	if err != nil {
		return err
	}
	if replaying && f.stateDir == "" { // nothing of a demonstration stays
		remove, err := throwAway(&c)
		if err != nil {
			return errors.Join(err, closeAll(sources))
		}
		defer remove()
	}
	if parts.observer.ID, err = p.sensorID(&c.Config); err != nil {
		return errors.Join(err, closeAll(sources))
	}
	ctx, cancel := f.limit(ctx)
	defer cancel()
	return p.daemon(ctx, &c, f, &daemonParts{parts: parts, sources: sources, log: log, replay: replaying, stay: replaying && f.duration == 0})
}

// limit ends the context after --for.
func (f *runFlags) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if f.duration > 0 {
		return context.WithTimeout(ctx, f.duration)
	}
	return context.WithCancel(ctx)
}

// throwAway gives a replay a state directory that goes with it.
func throwAway(c *settings) (remove func(), err error) {
	if c.Observer.StateDir, err = os.MkdirTemp("", "gnomon-replay-"); err != nil {
		return nil, fmt.Errorf("making a directory for the replay: %w", err)
	}
	return func() { _ = os.RemoveAll(c.Observer.StateDir) }, nil
}

// sources opens what the configuration says, or the replay where there is no permission.
func (p *program) sources(c *settings, f *runFlags, log *slog.Logger) (sources []capture.Source, replaying bool, err error) {
	interfaces := c.Capture.Interfaces
	if c.logsAlone() {
		return nil, false, nil
	}
	if len(interfaces) == 0 && len(c.Capture.Taps) == 0 {
		name, err := afpacket.DefaultInterface()
		if err != nil && f.orReplay == "" {
			return nil, false, fmt.Errorf("choosing an interface: %w; name one with --interface or capture.interfaces", err)
		}
		if err != nil {
			p.note("There is no interface to capture from (%v); replaying %s.", err, f.orReplay)
			source, err := openReplay(f.orReplay, replaySpeed)
			return sourceList(source), true, err
		}
		interfaces = []string{name}
	}
	var taps [][]string
	for _, tap := range c.Capture.Taps {
		taps = append(taps, tap.Interfaces)
	}
	const block = 1 << 20
	sources, err = afpacket.Open(afpacket.Config{Interfaces: interfaces, Taps: taps, Workers: c.Capture.Workers, BlockSize: block,
		Blocks: int(c.Capture.Ring) / block, Snaplen: c.Capture.Snaplen, Promiscuous: c.Capture.Promiscuous, Logger: log})
	if f.orReplay != "" && errors.Is(err, fs.ErrPermission) {
		p.note("No permission to capture (root or CAP_NET_RAW is needed); replaying %s with its times shifted to now.", f.orReplay)
		source, err := openReplay(f.orReplay, replaySpeed)
		return sourceList(source), true, err
	}
	return sources, false, err
}

// replaySpeed is how much faster than captured a demonstration goes: a few minutes of an office in a quarter of one.
const replaySpeed = 15

// openReplay opens the first capture of a directory, or a file, as if its end happened now: played faster than it was captured, its times
// would run ahead of the clock otherwise.
func openReplay(path string, speed float64) (capture.Source, error) {
	files, err := pcapfile.Find([]string{path})
	if err != nil {
		return nil, err
	}
	length, err := lengthOf(files[0])
	if err != nil {
		return nil, err
	}
	file, err := pcapfile.Open(files[0])
	if err != nil {
		return nil, err
	}
	back := length
	if speed > 0 {
		back -= time.Duration(float64(length) / speed)
	}
	return capture.Replay(file, func() time.Time { return time.Now().Add(-back) }, speed), nil
}

// lengthOf is the time from the first frame of a capture to the last.
func lengthOf(path string) (time.Duration, error) {
	file, err := pcapfile.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }() // it was only read
	var batch [64]capture.Frame
	first, last := int64(0), int64(0)
	for {
		n, err := file.Next(batch[:])
		for _, f := range batch[:n] {
			if first == 0 {
				first = f.Time
			}
			last = max(last, f.Time)
		}
		if err != nil { // the end, or damage that is said when it is played
			return time.Duration(last - first), nil
		}
	}
}

// sourceList holds the source, if there is one.
func sourceList(source capture.Source) []capture.Source {
	if source == nil {
		return nil
	}
	return []capture.Source{source}
}

func closeAll(sources []capture.Source) error {
	var errs []error
	for _, s := range sources {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// lines prints records for people as they come.
type lines struct{ w io.Writer }

// Offer implements sensor.Sink.
func (l lines) Offer(ev *event.Event) {
	if ev.Event.Dataset != event.DatasetActivity || ev.Gnomon.Service == nil {
		return
	}
	upload := ""
	if u := ev.Gnomon.Upload; u != nil {
		upload = "up " + size(u.Bytes)
	}
	if ev.Gnomon.Evidence.Class == "dns" {
		upload = "look-up"
	}
	name := ev.Destination.Domain
	if ev.DNS != nil && ev.DNS.Question != nil {
		name = ev.DNS.Question.Name
	}
	fmt.Fprintf(l.w, "%s  %-20s  %-24s  %-34s  %s\n", ev.Timestamp.Time().Local().Format("15:04:05"), printable(whoOf(ev)),
		printable(ev.Rule.Name), printable(name), upload)
}
