package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/signatures"
)

func (p *program) catalogueCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "catalogue", Short: "look at the signatures: which services there are and which names are theirs"}
	cmd.AddCommand(p.catalogueList(), p.catalogueShow(), p.catalogueMatch(), p.catalogueLint())
	return cmd
}

// catalogue loads what the configuration says.
func (p *program) catalogue() (*signatures.Catalogue, error) {
	c, err := p.load()
	if err != nil {
		return nil, err
	}
	return loadCatalogue(&c)
}

func (p *program) catalogueList() *cobra.Command {
	var category, country string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list the services",
		Args:  wants(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			catalogue, err := p.catalogue()
			if err != nil {
				return err
			}
			if category != "" && !slices.Contains(signatures.Categories(), category) {
				return usage("--category %s: none of %s", category, strings.Join(signatures.Categories(), ", "))
			}
			t := newTable("ID", "NAME", "VENDOR", "COUNTRY", "CATEGORY", "KIND", "NAMES")
			for _, s := range catalogue.Services() {
				if (category == "" || s.Category == category) && (country == "" || strings.EqualFold(s.Country, country)) {
					t.row(s.ID, s.Name, s.Vendor, s.Country, s.Category, s.Kind, fmt.Sprint(len(s.Names)))
				}
			}
			out := p.out()
			t.write(out)
			return out.Flush()
		},
	}
	cmd.Flags().StringVar(&category, "category", "", "only services of this category")
	cmd.Flags().StringVar(&country, "country", "", "only services of vendors in this country (two letters)")
	return cmd
}

func (p *program) catalogueShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "show one service with its names and their sources",
		Args:  wants(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			catalogue, err := p.catalogue()
			if err != nil {
				return err
			}
			s, ok := catalogue.Service(args[0])
			if !ok {
				return fmt.Errorf("no service has the id %q; `gnomon catalogue list` lists them", args[0])
			}
			out := p.out()
			showService(out, catalogue, s)
			return out.Flush()
		},
	}
}

func showService(w io.Writer, c *signatures.Catalogue, s *signatures.Service) {
	fmt.Fprintf(w, "%s (%s)\n", s.Name, s.ID)
	for _, line := range [][2]string{{"vendor", s.Vendor}, {"country", s.Country}, {"category", s.Category}, {"kind", s.Kind}} {
		if line[1] != "" {
			fmt.Fprintf(w, "  %-9s %s\n", line[0], line[1])
		}
	}
	fmt.Fprintln(w)
	t := newTable("NAME", "MATCH", "ROLE", "CONFIDENCE", "VERIFIED", "SOURCES")
	for i := range s.Names {
		n := &s.Names[i]
		t.row(n.Name, n.Match.String(), n.Role.String(), n.Confidence.String(), day(n.Verified), strings.Join(n.Sources, ", "))
	}
	t.write(w)
	if len(s.Risk) > 0 {
		fmt.Fprintln(w)
		r := newTable("RISK ATTRIBUTE", "VALUE", "AS OF", "SOURCES")
		for _, f := range s.Risk {
			r.row(f.Attribute, f.Value, day(f.Date), strings.Join(f.Sources, ", "))
		}
		r.write(w)
	}
	showSources(w, c, s)
}

// showSources explains the tags.
func showSources(w io.Writer, c *signatures.Catalogue, s *signatures.Service) {
	tags := map[string]bool{}
	for i := range s.Names {
		for _, tag := range s.Names[i].Sources {
			tags[tag] = true
		}
	}
	var known []string
	for tag := range tags {
		if src, err := c.Source(tag); err == nil && src.Title != "" {
			known = append(known, fmt.Sprintf("  %s: %s", tag, src.Title))
		}
	}
	slices.Sort(known)
	if len(known) > 0 {
		fmt.Fprintf(w, "\nSources:\n%s\n", strings.Join(known, "\n"))
	}
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func (p *program) catalogueMatch() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "match [NAME ...]",
		Short: "say which service host names belong to; without arguments, one name per line from stdin",
		Long: `Match prints one line per name, in order: the name as given, a tab, and the service's id or "-". It names only what is use of a service by
itself (roles primary and upload). --all adds the name that matched, its role, its layer, and infrastructure such as resolvers.`,
		RunE: func(_ *cobra.Command, args []string) error {
			return p.match(args, all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also show role, layer and infrastructure")
	return cmd
}

func (p *program) match(args []string, all bool) error {
	// The embedded catalogue with its default layers: what programs compare.
	load := signatures.Embedded
	if all {
		load = p.catalogue
	}
	catalogue, err := load()
	if err != nil {
		return err
	}
	out := p.out()
	if len(args) > 0 {
		for _, name := range args {
			writeMatch(out, catalogue, name, all)
		}
		return out.Flush()
	}
	lines := bufio.NewScanner(p.stdin)
	lines.Buffer(make([]byte, 64<<10), 16<<20)
	for lines.Scan() {
		writeMatch(out, catalogue, lines.Text(), all)
	}
	if err := errors.Join(lines.Err(), out.Flush()); err != nil {
		return fmt.Errorf("matching names: %w", err)
	}
	return nil
}

func writeMatch(w *page, c *signatures.Catalogue, name string, all bool) {
	hit, ok := c.Match([]byte(name))
	id := "-"
	if ok && hit.Use() {
		id = hit.Service.ID
	}
	w.WriteString(name)
	w.WriteByte('\t')
	w.WriteString(id)
	if all {
		extra := "-\t-\t-\t-"
		if ok {
			kind := "service"
			if hit.Infrastructure() {
				kind = "infrastructure"
			}
			extra = hit.Service.ID + "\t" + hit.Name.Role.String() + "\t" + hit.Name.Layer.String() + "\t" + kind
		}
		w.WriteByte('\t')
		w.WriteString(extra)
	}
	w.WriteByte('\n')
}
