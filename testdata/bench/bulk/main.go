// Command bulk measures what it costs to send records to Elasticsearch: the sensor's exporter, alone and behind its spool, beside a plain
// loop over the bulk indexer of go-elasticsearch. All send the same records, compressed, to an endpoint in a process of its own that answers
// at once; each runs in a process of its own on one core, in turns, and what counts is the CPU time (user and system) of that process.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// senders are what is measured, in the order of the table.
var senders = []sender{
	{"esutil.BulkIndexer", sendIndexer},
	{"exporter", sendExporter},
	{"exporter behind the spool", sendSpool},
}

// sender sends records to an address.
type sender struct {
	name string
	send func(ctx context.Context, address string, records int) error
}

func main() {
	records := flag.Int("records", 300_000, "how many records each sends")
	rounds := flag.Int("rounds", 5, "how often each is run, in turns")
	send := flag.String("send", "", "send as this one does, to the address that follows: what is measured")
	serve := flag.Bool("serve", false, "be the endpoint, and say where")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	switch {
	case *serve:
		err = endpoint(ctx)
	case *send != "":
		err = sendAs(ctx, *send, flag.Arg(0), *records)
	default:
		err = measure(ctx, *records, *rounds)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bulk:", err)
		os.Exit(1)
	}
}

func sendAs(ctx context.Context, name, address string, records int) error {
	for _, s := range senders {
		if s.name == name {
			return s.send(ctx, address, records)
		}
	}
	return fmt.Errorf("sending as %q: there is no such sender", name)
}

// measure runs every sender in turns, and prints medians.
func measure(ctx context.Context, records, rounds int) error {
	address, stop, err := startEndpoint(ctx)
	if err != nil {
		return err
	}
	defer stop()
	took := map[string][]time.Duration{}
	for range rounds {
		for _, s := range senders {
			d, err := cost(ctx, s.name, address, records)
			if err != nil {
				return err
			}
			took[s.name] = append(took[s.name], d)
		}
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "sender\tCPU per record\trecords/s on one core\tof %s\n", senders[0].name)
	first := median(took[senders[0].name])
	for _, s := range senders {
		m := median(took[s.name])
		fmt.Fprintf(table, "%s\t%v\t%.0f\t%.2f\n", s.name, (m / time.Duration(records)).Round(10*time.Nanosecond), float64(records)/m.Seconds(), m.Seconds()/first.Seconds())
	}
	return table.Flush()
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

// cost runs one sender on one core, and returns its CPU time.
func cost(ctx context.Context, name, address string, records int) (time.Duration, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, fmt.Errorf("finding the senders: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, "-records", fmt.Sprint(records), "-send", name, address)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("sending by %s: %w", name, err)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

// startEndpoint starts the endpoint in a process of its own.
func startEndpoint(ctx context.Context) (address string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, fmt.Errorf("finding the endpoint: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, "-serve")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("starting the endpoint: %w", err)
	}
	stop = func() { _ = errors.Join(cmd.Process.Kill(), cmd.Wait()) }
	line := make([]byte, 100)
	n, err := out.Read(line)
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("asking where the endpoint is: %w", err)
	}
	return strings.TrimSpace(string(line[:n])), stop, nil
}
