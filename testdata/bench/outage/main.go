// Command outage measures what a sensor does while Elasticsearch is away: records go into the spool at a steady rate, the node (a process of
// its own that keeps the ids of what it has taken) is killed, stays away, and comes back where it was. It prints how large the spool and the
// process's own memory (RssAnon) are meanwhile, and in the end whether every record is there once, or counted as lost.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	p := plan{}
	serve := flag.Bool("serve", false, "be the node, on ADDRESS, with the ids in FILE")
	flag.IntVar(&p.rate, "rate", 5000, "records a second")
	flag.DurationVar(&p.before, "before", 20*time.Second, "how long the node is there before")
	flag.DurationVar(&p.away, "outage", 10*time.Minute, "how long it is away")
	flag.DurationVar(&p.after, "after", 20*time.Second, "how long records go on when it is back")
	flag.DurationVar(&p.every, "every", 30*time.Second, "how often a line is printed")
	flag.Int64Var(&p.maxBytes, "max-bytes", 8<<30, "the cap of the spool, in bytes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *serve, &p); err != nil {
		fmt.Fprintln(os.Stderr, "outage:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func run(ctx context.Context, serve bool, p *plan) error {
	if serve {
		if flag.NArg() != 2 {
			return errors.New("reading the arguments: the node wants an address and a file")
		}
		return node(ctx, flag.Arg(0), flag.Arg(1))
	}
	dir, err := os.MkdirTemp("", "outage")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the node: %w", err)
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	start := func() (stop func(), err error) {
		cmd := exec.Command(self, "-serve", address, filepath.Join(dir, "ids")) // it is killed, not asked to end
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			return nil, fmt.Errorf("starting the node: %w", err)
		}
		return func() { _ = errors.Join(cmd.Process.Kill(), cmd.Wait()) }, nil
	}
	return p.run(ctx, os.Stdout, address, dir, start)
}
