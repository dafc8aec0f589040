package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard"
	"github.com/gnomon-sensor/gnomon/exporters/dashboard/login"
)

func (p *program) dashboardCommand() *cobra.Command {
	var listen, stateDir, from string
	cmd := &cobra.Command{
		Use:   "dashboard [flags]",
		Short: "serve the pages alone, over the embedded store or Elasticsearch",
		Long: `Dashboard serves the pages without capturing: over the store of a daemon that runs beside it, or of one that has stopped, or over
Elasticsearch, where the records of all sensors lie. The daemon serves those of its own store itself unless dashboard.listen is empty.`,
		Args: wants(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.dashboard(cmd.Context(), listen, stateDir, from)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "serve on this `ADDRESS` (dashboard.listen)")
	cmd.Flags().StringVar(&stateDir, "state-dir", "", "the state directory with the store (observer.state_dir)")
	fromFlag(cmd.Flags(), &from)
	cmd.AddCommand(&cobra.Command{
		Use:   "hash-password",
		Short: "read a password from stdin and print its hash for [[dashboard.user]]",
		Args:  wants(cobra.NoArgs),
		RunE:  func(*cobra.Command, []string) error { return p.hashPassword() },
	})
	return cmd
}

func (p *program) dashboard(ctx context.Context, listen, dir, from string) (err error) {
	c, err := p.load()
	if err != nil {
		return err
	}
	if listen != "" {
		c.Dashboard.Listen = listen
	}
	if dir != "" {
		c.Observer.StateDir = dir
	}
	if c.Dashboard.Listen == "" {
		return usage("dashboard.listen is empty: name an address with --listen")
	}
	if err := c.Validate(); err != nil {
		return usageError{err}
	}
	reader, err := p.openFrom(ctx, &c, from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	parts, err := p.assemble(&c)
	if err != nil {
		return err
	}
	server, listener, err := p.pages(ctx, &c, dashboard.Parts{Query: reader, Services: services{parts.catalogue.Load}, Log: p.logger(&c),
		About: func() dashboard.About {
			a := p.about(&c, parts, nil)
			a.Store = nameOf(&c, p.environ, from)
			return a
		}})
	if err != nil {
		return err
	}
	return server.Serve(ctx, listener)
}

// pages makes the pages and opens their port.
func (p *program) pages(ctx context.Context, c *settings, parts dashboard.Parts) (*dashboard.Server, net.Listener, error) {
	var err error
	if parts.Location, err = c.Report.location(); err != nil {
		return nil, nil, err
	}
	server, err := dashboard.New(c.Dashboard, parts)
	if err != nil {
		return nil, nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Dashboard.Listen)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the pages: %w; another program, or another gnomon, has the address: choose one with dashboard.listen", err)
	}
	p.note("Pages: %s", pagesURL(c))
	return server, listener, nil
}

func (p *program) hashPassword() error {
	if terminal(p.stdin) {
		p.note("Type the password and press Enter; it is shown as you type. Better: gnomon dashboard hash-password < FILE")
	}
	line, err := bufio.NewReader(p.stdin).ReadString('\n')
	password := strings.TrimRight(line, "\r\n")
	if password == "" {
		return fmt.Errorf("reading the password from stdin: there is none (%w)", err)
	}
	hash, err := login.HashPassword(password)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, hash)
	return err
}
