// Command bench measures what the sensor costs beside a plain decode loop over gopacket and tcpdump: CPU time (user and system) of the
// whole process over the same captures, in turns. It makes the captures itself, and holds the sensor's answers against the truth first.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/bench/traffic"
)

func main() {
	var o options
	flag.StringVar(&o.dir, "dir", "bench", "`directory` for the captures, 1.4 GB")
	flag.StringVar(&o.gnomon, "gnomon", "./gnomon", "`program` to measure")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each is run, in turns; 0: only make and check the captures")
	flag.StringVar(&o.json, "json", "", "also write the ratios to the loop to this `file`")
	only := flag.String("loop", "", "run the decode loop alone over this `file`: what is measured beside the sensor")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if *only != "" {
		err = loop(*only)
	} else {
		err = run(ctx, &o)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options say what is measured.
type options struct {
	dir, gnomon, json string
	rounds            int
}

func run(ctx context.Context, o *options) error {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return fmt.Errorf("making a directory for the captures: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the decode loop: %w", err)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "traffic\tpackets\tgnomon\t(least to most)\tloop\ttcpdump\tto loop\tto tcpdump\tpeak memory\t")
	ratios := map[string]float64{} // to the loop
	for _, mode := range traffic.Modes() {
		path := filepath.Join(o.dir, mode.Name+".pcap")
		truth, err := capture(ctx, o, mode, path)
		if err != nil {
			return err
		}
		peers := []*peer{{args: []string{o.gnomon, "scan", path}}, {args: []string{self, "-loop", path}}, {args: writing(path)}}
		if err := measure(ctx, peers, o.rounds); err != nil {
			return err
		}
		if o.rounds > 0 {
			row(table, mode.Name, truth.Packets, peers)
			ratios[mode.Name] = peers[0].to(peers[1])
		}
	}
	if o.rounds == 0 {
		return nil
	}
	return tell(table, o, ratios)
}

// writing is tcpdump that reads a capture and writes it to nowhere. As root it would give /dev/null to the user that it becomes.
func writing(path string) []string {
	args := []string{"tcpdump", "-r", path, "-w", os.DevNull}
	if os.Geteuid() == 0 {
		args = append(args, "-Z", "root")
	}
	return args
}

// capture makes a capture, and holds what the sensor says of it against the truth.
func capture(ctx context.Context, o *options, mode traffic.Mode, path string) (traffic.Truth, error) {
	fmt.Fprintln(os.Stderr, "making and checking", path)
	truth, err := traffic.Make(mode, path)
	if err != nil {
		return truth, err
	}
	return truth, check(ctx, o.gnomon, path, truth)
}

// tell prints the table, and writes the ratios where they are wanted.
func tell(table *tabwriter.Writer, o *options, ratios map[string]float64) error {
	if err := table.Flush(); err != nil || o.json == "" {
		return err
	}
	b, err := json.Marshal(map[string]any{"to_loop": ratios})
	if err == nil {
		err = os.WriteFile(o.json, b, 0o644)
	}
	return err
}

// peer is a program that is measured.
type peer struct {
	args []string
	cost []time.Duration // CPU time of each round
	peak int64           // memory, bytes
}

// measure runs every peer once a round, so that what else the machine does meets them all.
func measure(ctx context.Context, peers []*peer, rounds int) error {
	for range rounds {
		for _, p := range peers {
			if err := p.run(ctx); err != nil && !errors.Is(err, exec.ErrNotFound) { // tcpdump is not everywhere
				return fmt.Errorf("running %v: %w", p.args, err)
			}
		}
	}
	return nil
}

// run runs the program once.
func (p *peer) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	cmd.Stdout = io.Discard
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			p.peak = max(p.peak, anonymous(cmd.Process.Pid))
		case err := <-ended:
			p.cost = append(p.cost, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
			return err
		}
	}
}

// anonymous is how much memory of its own a process has now, 0 if it cannot be told. What the kernel says of a child's peak afterwards
// is no smaller than its parent.
func anonymous(pid int) (bytes int64) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	if _, line, ok := strings.Cut(string(status), "RssAnon:"); ok {
		_, _ = fmt.Sscanf(line, "%d kB", &bytes)
	}
	return bytes << 10
}

// row prints medians a packet, and what they are beside the others'.
func row(w io.Writer, name string, packets int, peers []*peer) {
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(packets) }
	own := peers[0]
	slices.Sort(own.cost)
	fmt.Fprintf(w, "%s\t%d\t%.0f ns\t%.0f to %.0f ns\t", name, packets, each(median(own.cost)), each(own.cost[0]), each(own.cost[len(own.cost)-1]))
	ratios := ""
	for _, p := range peers[1:] {
		if len(p.cost) == 0 {
			fmt.Fprint(w, "-\t")
			ratios += "-\t"
			continue
		}
		fmt.Fprintf(w, "%.0f ns\t", each(median(p.cost)))
		ratios += fmt.Sprintf("%.2f\t", own.to(p))
	}
	fmt.Fprintf(w, "%s%d MiB\t\n", ratios, own.peak>>20)
}

// to is what p costs beside another.
func (p *peer) to(other *peer) float64 { return float64(median(p.cost)) / float64(median(other.cost)) }

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
