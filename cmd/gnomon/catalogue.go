package main

import (
	"bufio"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/signatures"
)

func (p *program) catalogueCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "catalogue", Short: "look at the signatures: which services there are and which names are theirs"}
	cmd.AddCommand(p.catalogueList(), p.catalogueShow(), p.catalogueMatch(), p.catalogueLint(), p.catalogueUpdate(), p.catalogueSign(), p.catalogueDiff(),
		p.catalogueCandidates())
	return cmd
}

// catalogue loads what the configuration says.
func (p *program) catalogue() (*signatures.Catalogue, error) {
	c, err := p.load()
	if err != nil {
		return nil, err
	}
	return p.loadCatalogue(&c)
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
