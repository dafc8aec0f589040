package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// acceptance is a candidate on its way to a signature.
type acceptance struct{ id, name, vendor, category, kind, match string }

func (p *program) acceptCommand() *cobra.Command {
	var a acceptance
	cmd := &cobra.Command{
		Use:   "accept NAME",
		Short: "make a candidate a signature of your own",
		Long: `Accept writes a signature for the name into the directory of catalogue.own and checks it. Send the daemon a SIGHUP to use it. The file is
yours: correct what is not right, it is in the form of signatures/README.md.`,
		Example: "  gnomon catalogue candidates accept chat.corp.example --service \"Corp Chat\" --category chat-assistant",
		Args:    wants(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			return p.accept(strings.TrimSuffix(strings.ToLower(args[0]), "."), a)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&a.id, "id", "", "the service's id (default: made of the name)")
	flags.StringVar(&a.name, "service", "", "what the service is called (default: the name)")
	flags.StringVar(&a.vendor, "vendor", "", "whose it is (default: the name)")
	flags.StringVar(&a.category, "category", "productivity-ai", "one of the catalogue's categories")
	flags.StringVar(&a.kind, "kind", "web", "web, api, ide, agent or background")
	flags.StringVar(&a.match, "match", "suffix", "suffix: what is below the name too; exact: the name alone")
	return cmd
}

// checked fills what was left out and says what is wrong.
func (a *acceptance) checked(name string) error {
	if !candidates.Countable([]byte(name)) {
		return usage("%s is no name that a service on the Internet can have", name)
	}
	if a.id == "" {
		a.id = strings.ReplaceAll(strings.ReplaceAll(name, ".", "-"), "_", "-")
	}
	for _, field := range []*string{&a.name, &a.vendor} {
		if *field == "" {
			*field = name
		}
	}
	for _, check := range []struct {
		flag, value string
		allowed     []string
	}{{"category", a.category, signatures.Categories()}, {"kind", a.kind, signatures.Kinds()}, {"match", a.match, []string{"suffix", "exact"}}} {
		if !slices.Contains(check.allowed, check.value) {
			return usage("--%s %s: none of %s", check.flag, check.value, strings.Join(check.allowed, ", "))
		}
	}
	return nil
}

// file is the signature as it is written. Strings are quoted as Go does, which TOML reads alike as long as all of it can be printed.
func (a *acceptance) file(name string, now time.Time) string {
	day := now.UTC().Format(time.DateOnly)
	quote := func(s string) string { return strconv.Quote(printable(s)) }
	return fmt.Sprintf(`# Accepted on %s from the candidates of this sensor.
vendor = %s

[source.own-traffic]
title  = "Seen in our own traffic and accepted"
date   = "%s"
weight = "good"

[[service]]
id       = %s
name     = %s
category = %s
kind     = %s
verified = %s
names = [
    { name = %s, match = %s, role = "primary", confidence = "medium", sources = ["own-traffic"] },
]
`, day, quote(a.vendor), day, quote(a.id), quote(a.name), quote(a.category), quote(a.kind), day, quote(name), quote(a.match))
}

func (p *program) accept(name string, a acceptance) error {
	if err := a.checked(name); err != nil {
		return err
	}
	c, err := p.load()
	if err != nil {
		return err
	}
	if c.Catalogue.Own == "" {
		return usage("catalogue.own is not set: name a directory for your own signatures there")
	}
	catalogue, err := p.loadCatalogue(&c)
	if err != nil {
		return err
	}
	if hit, known := catalogue.Match([]byte(name)); known && hit.Use() {
		return fmt.Errorf("accepting %s: it is a name of %s (%s) already", name, hit.Service.Name, hit.Service.ID)
	}
	path := filepath.Join(c.Catalogue.Own, a.id+".toml")
	if err := writeNew(path, a.file(name, time.Now())); err != nil {
		return fmt.Errorf("accepting %s: %w; choose another id with --id, or edit that file", name, err)
	}
	if _, err := p.loadCatalogue(&c); err != nil {
		_ = os.Remove(path) // what does not load would keep all own signatures from being used
		return fmt.Errorf("accepting %s: %w", name, err)
	}
	_, err = fmt.Fprintf(p.stdout, "%s: %s is the service %s now; send the daemon a SIGHUP\n", path, name, a.id)
	return err
}

// writeNew writes a signature that must not be there yet. Signatures are no secret.
func writeNew(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // see above
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // see above
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

func (p *program) silenceCommand() *cobra.Command {
	var why string
	var again bool
	cmd := &cobra.Command{
		Use:   "silence NAME",
		Short: "keep a name, and what is below it, from being called a candidate",
		Args:  wants(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := p.load()
			if err != nil {
				return err
			}
			name := strings.Trim(strings.ToLower(args[0]), ".")
			if name == "" || strings.ContainsAny(name, "\t\n# ") {
				return usage("%q is no name", args[0])
			}
			return p.silence(&c, name, why, again, time.Now())
		},
	}
	cmd.Flags().StringVar(&why, "why", "", "the reason, for whoever asks later")
	cmd.Flags().BoolVar(&again, "undo", false, "let it be heard again")
	return cmd
}
