package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/gnomon-sensor/gnomon/sensor/config"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/pdns"
	"github.com/gnomon-sensor/gnomon/signatures"
)

func (p *program) versionCommand() *cobra.Command {
	var stats bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "print the versions of the program and of its catalogue",
		Args:  wants(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			catalogue, err := signatures.Embedded()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "gnomon %s, catalogue %s (%d services), %s %s/%s\n", p.version, catalogue.Version(),
				len(catalogue.Services()), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			if err != nil || !stats {
				return err
			}
			return p.writeStats()
		},
	}
	cmd.Flags().BoolVar(&stats, "stats", false, "also print the memory that the configuration may take")
	return cmd
}

// writeStats says what memory the daemon may take with this configuration: the bounds, not what it takes on a quiet link.
func (p *program) writeStats() error {
	c, err := p.load()
	if err != nil {
		return err
	}
	ports := max(1, len(c.Capture.Interfaces))
	for _, tap := range c.Capture.Taps {
		ports += len(tap.Interfaces)
	}
	workers := c.Capture.Workers
	const flowBytes, sideBytes = 128 + 43, 1 << 10 // a flow with its places in the index, which has just doubled; what a flow of an AI service takes besides
	names := evidence.Default()
	out := p.out()
	t := newTable("MEMORY AT MOST", "BYTES", "SETTING")
	t.row("rings, in the kernel", size(uint64(c.Capture.Ring)*uint64(ports)*uint64(workers)), "capture.ring, capture.workers")
	t.row("flow tables", size(uint64(c.Flow.MaxFlows)*flowBytes*uint64(workers)), "flow.max_flows")
	t.row("half-read streams", size(uint64(names.AssemblyBytes)*uint64(workers)), "")
	t.row("addresses and their names", size(uint64(pdns.Default().Bytes())), "")
	t.row("flows of AI services, each", size(sideBytes), "")
	t.write(out)
	return out.Flush()
}

func (p *program) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "check the configuration, or print it with its defaults"}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "check [FILE]",
			Short: "say whether the configuration and what it names are right",
			Args:  wants(cobra.MaximumNArgs(1)),
			RunE: func(_ *cobra.Command, args []string) error {
				if len(args) == 1 {
					p.configPath = args[0]
				}
				return p.checkConfig()
			},
		},
		&cobra.Command{
			Use:   "default",
			Short: "print gnomon.toml with every default and what it means",
			Args:  wants(cobra.NoArgs),
			RunE: func(*cobra.Command, []string) error {
				_, err := fmt.Fprint(p.stdout, config.Commented)
				return err
			},
		},
	)
	return cmd
}

func (p *program) checkConfig() error {
	c, err := p.load()
	if err != nil {
		return err
	}
	catalogue, err := p.loadCatalogue(&c)
	if err != nil {
		return err
	}
	source := "built-in defaults"
	if p.configPath != "" {
		source = p.configPath
	}
	_, err = fmt.Fprintf(p.stdout, "%s: right; catalogue %s with %d services\n", source, catalogue.Version(), len(catalogue.Services()))
	return err
}

func (p *program) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "write the manual pages into a directory",
		Args:  wants(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // manual pages are for everyone
				return fmt.Errorf("making the directory for manual pages: %w", err)
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			if err := doc.GenManTree(root, &doc.GenManHeader{Title: "GNOMON", Section: "1", Source: "gnomon " + p.version}, args[0]); err != nil {
				return fmt.Errorf("writing manual pages into %s: %w", args[0], err)
			}
			return nil
		},
	}
}
