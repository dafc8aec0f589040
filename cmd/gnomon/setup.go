package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch/setup"
)

// setupFlags are those of `gnomon setup elasticsearch`.
type setupFlags struct {
	dryRun, force, reader    bool
	lifecycle, apiKeyFile    string
	keyName, keyFile, kibana string
	keyDays                  int
}

func (p *program) setupCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "setup", Short: "make another system ready for records"}
	cmd.AddCommand(p.setupElasticsearch())
	return cmd
}

func (p *program) setupElasticsearch() *cobra.Command {
	var flags setupFlags
	cmd := &cobra.Command{
		Use:   "elasticsearch [flags]",
		Short: "make templates, lifecycle, roles and Kibana's pages in Elasticsearch or OpenSearch",
		Long: `Setup makes the cluster of [elasticsearch] ready: component and index templates, the lifecycle that the server knows (ILM, a data stream
lifecycle or ISM), the roles gnomon-sensor and gnomon-reader, and, where setup.kibana says where Kibana is, its pages. Run again it changes
nothing; what an older gnomon made is brought up to date; what somebody changed by hand is left alone and told of (exit status 1).

It wants a user or key that may manage templates, lifecycles and roles: --api-key-file, or the secrets of [elasticsearch]. A sensor needs
much less: --key NAME makes a key that can only add records and look up which have arrived, --key NAME --reader one for reports and pages.`,
		Example: "  gnomon setup elasticsearch --dry-run --lifecycle ilm\n  gnomon setup elasticsearch --api-key-file admin.key --key berlin-1 --key-file berlin-1.key",
		Args:    wants(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.setupElastic(cmd.Context(), &flags) },
	}
	f := cmd.Flags()
	f.BoolVar(&flags.dryRun, "dry-run", false, "print the requests that make everything, and send none that changes something")
	f.StringVar(&flags.lifecycle, "lifecycle", "", "with --dry-run: ilm, dsl, ism or none, without asking the server which it has")
	f.BoolVar(&flags.force, "force", false, "overwrite what was changed by hand, and what a newer gnomon made")
	f.StringVar(&flags.apiKeyFile, "api-key-file", "", "a `FILE` with the API key that setup uses")
	f.StringVar(&flags.keyName, "key", "", "make an API key of this `NAME` for a sensor, and nothing else")
	f.BoolVar(&flags.reader, "reader", false, "with --key: a key for reports and pages instead")
	f.IntVar(&flags.keyDays, "key-days", 0, "with --key: for how many days it is valid; 0 is for ever")
	f.StringVar(&flags.keyFile, "key-file", "", "with --key: write it to this new `FILE`, for elasticsearch.api_key_file; default: stdout")
	f.StringVar(&flags.kibana, "kibana", "", "put Kibana's pages there, as https://HOST:PORT (setup.kibana)")
	return cmd
}

func (p *program) setupElastic(ctx context.Context, flags *setupFlags) error {
	c, err := p.load()
	if err != nil {
		return err
	}
	if flags.kibana != "" {
		c.Setup.Kibana = flags.kibana
	}
	if flags.apiKeyFile != "" {
		c.Elastic.APIKeyFile, c.Elastic.Username, c.Elastic.PasswordFile = flags.apiKeyFile, "", ""
	}
	if err := errors.Join(c.Validate(), flags.check()); err != nil {
		return usageError{err}
	}
	if flags.lifecycle != "" {
		target := setup.Target{Namespace: c.Elastic.Namespace, Layout: c.Elastic.Layout, Lifecycle: setup.Lifecycle(flags.lifecycle),
			Roles: setup.Lifecycle(flags.lifecycle) != setup.ISM}
		return p.printRequests(&c, &target)
	}
	client, err := elasticsearch.NewClient(&c.Elastic, p.environ)
	if err != nil {
		return err
	}
	defer client.Close()
	run := setup.Run{Server: client, Config: c.Setup, Force: flags.force, Tell: func(s setup.Step) { p.note("%-9s %s", s.State, s.What) }}
	if flags.keyName != "" {
		return p.makeKey(ctx, &run, flags)
	}
	target, err := setup.Probe(ctx, client, c.Elastic.Namespace, c.Elastic.Layout)
	if err != nil {
		return fmt.Errorf("setting Elasticsearch up: %w", err)
	}
	if flags.dryRun {
		return p.printRequests(&c, &target)
	}
	return p.runSetup(ctx, &c, &run, &target)
}

// check says what is wrong with the flags.
func (f *setupFlags) check() error {
	known := map[setup.Lifecycle]bool{"": true, setup.ILM: true, setup.DSL: true, setup.ISM: true, setup.NoneOf: true}
	switch {
	case !known[setup.Lifecycle(f.lifecycle)]:
		return usage("--lifecycle %s: ilm, dsl, ism or none", f.lifecycle)
	case f.lifecycle != "" && !f.dryRun:
		return usage("--lifecycle goes with --dry-run: else the server is asked")
	case f.keyName == "" && (f.reader || f.keyDays != 0 || f.keyFile != ""):
		return usage("--reader, --key-days and --key-file go with --key NAME")
	case f.keyDays < 0:
		return usage("--key-days %d: 0 or more", f.keyDays)
	}
	return nil
}

// printRequests prints what would be sent to an empty cluster.
func (p *program) printRequests(c *settings, t *setup.Target) error {
	return p.writeTo("", func(w io.Writer) error {
		for _, r := range setup.Requests(&c.Setup, t) {
			if _, err := fmt.Fprintln(w, r.String()); err != nil {
				return err
			}
		}
		return nil
	})
}

// runSetup makes everything and says what the server lacks.
func (p *program) runSetup(ctx context.Context, c *settings, run *setup.Run, t *setup.Target) error {
	err := run.Do(ctx, t)
	if t.Lifecycle == setup.NoneOf {
		p.note("This server has neither ILM nor a data stream lifecycle nor ISM that could delete old records of this layout: delete old indices yourself.")
	} else {
		p.note("Old records are deleted by %s: activity and candidates after %v, the rest after %v.", strings.ToUpper(string(t.Lifecycle)), c.Setup.Records, c.Setup.Findings)
	}
	if !t.Roles {
		p.note("This server has no roles of Elasticsearch's kind: give sensors a user that may only create documents.")
	}
	if err != nil || c.Setup.Kibana == "" {
		return err
	}
	return p.fillKibana(ctx, c, run.Force)
}

// fillKibana puts the pages into Kibana, with the secrets and the TLS settings of [elasticsearch].
func (p *program) fillKibana(ctx context.Context, c *settings, overwrite bool) error {
	conf := c.Elastic
	conf.Addresses = []string{c.Setup.Kibana}
	client, err := elasticsearch.NewClient(&conf, p.environ)
	if err != nil {
		return err
	}
	defer client.Close()
	got, err := setup.FillKibana(ctx, client, c.Elastic.Layout, overwrite)
	if err != nil {
		return err
	}
	p.note("Kibana: %d objects made, %d were there already%s.", got.Made, got.There, map[bool]string{true: " and are left alone: --force overwrites them"}[got.There > 0])
	return nil
}

// makeKey makes an API key and writes it where the flags say.
func (p *program) makeKey(ctx context.Context, run *setup.Run, flags *setupFlags) (err error) {
	out := p.stdout
	if flags.keyFile != "" {
		f, err := os.OpenFile(filepath.Clean(flags.keyFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("writing the API key: %w; name a new file", err)
		}
		defer func() {
			if err = errors.Join(err, f.Close()); err != nil {
				_ = os.Remove(flags.keyFile)
			}
		}()
		out = f
	}
	key, err := run.MakeKey(ctx, flags.keyName, flags.reader, flags.keyDays)
	if err != nil {
		return err
	}
	p.note("Made the API key %s (id %s).", printable(flags.keyName), printable(key.ID))
	_, err = fmt.Fprintln(out, key.Encoded)
	return err
}
