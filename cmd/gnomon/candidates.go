package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/sensor/candidates"
)

// candidateJSON is the form of `catalogue candidates --json` and of the candidates in `scan --json`.
type candidateJSON struct {
	Name      string   `json:"name"`
	Score     int      `json:"score"`
	Clients   uint64   `json:"clients"`
	Flows     uint64   `json:"flows"`
	BytesUp   uint64   `json:"bytes_up"`
	BytesDown uint64   `json:"bytes_down"`
	Answers   uint64   `json:"answers"` // at a token's pace
	Evidence  []string `json:"evidence"`
}

func candidatesJSON(all []candidates.Candidate) []candidateJSON {
	out := []candidateJSON{}
	for i := range all {
		c := &all[i]
		out = append(out, candidateJSON{Name: c.Name.Name, Score: c.Score, Clients: c.Clients.Count(), Flows: c.Flows, BytesUp: c.Up, BytesDown: c.Down,
			Answers: c.Answers, Evidence: c.Evidence})
	}
	return out
}

// writeCandidates prints candidates for people.
func writeCandidates(w io.Writer, all []candidates.Candidate) {
	t := newTable("NAME", "CLIENTS", "FLOWS", "UP", "DOWN", "WHY")
	t.optional = []string{"DOWN", "FLOWS"}
	for i := range all {
		c := &all[i]
		t.row(printable(c.Name.Name), fmt.Sprint(c.Clients.Count()), fmt.Sprint(c.Flows), size(c.Up), size(c.Down), strings.Join(c.Evidence, "; "))
	}
	t.write(w)
}

func (p *program) catalogueCandidates() *cobra.Command {
	var days int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "candidates",
		Short: "list names that are in no catalogue and look like AI services; accept or silence them",
		Long: `Candidates lists names that were contacted in the last days, that the catalogue does not know, and that look like AI services: by their name,
by a CNAME that leads to an AI platform, by the path of a model API in a log, by answers that were streamed at a token's pace. No user stands
behind them, only how many clients there were. accept writes one as a signature of your own; silence keeps it from being listed.`,
		Args: wants(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 1 || days > 90 {
				return usage("--days %d: 1 to 90", days)
			}
			return p.listCandidates(cmd.Context(), days, asJSON)
		},
	}
	cmd.Flags().IntVar(&days, "days", 30, "look this many days back")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.AddCommand(p.acceptCommand(), p.silenceCommand())
	return cmd
}

func (p *program) listCandidates(ctx context.Context, days int, asJSON bool) error {
	c, err := p.load()
	if err != nil {
		return err
	}
	catalogue, err := p.loadCatalogue(&c)
	if err != nil {
		return err
	}
	quiet, err := p.silenced(&c)
	if err != nil {
		return err
	}
	seen, err := p.namesSince(ctx, &c, time.Now().AddDate(0, 0, -days))
	if err != nil {
		return err
	}
	all := judgeNow(candidates.Merge(seen...), catalogue, quiet)
	slices.SortStableFunc(all, func(a, b candidates.Candidate) int {
		return cmp.Or(b.Score-a.Score, cmp.Compare(b.Clients.Count(), a.Clients.Count()))
	})
	out := p.out()
	if asJSON {
		if err := writeJSON(out, candidatesJSON(all)); err != nil {
			return err
		}
		return out.Flush()
	}
	if len(all) == 0 {
		p.note("No candidates in %d days with names; %d silenced.", len(seen), len(quiet))
		return nil
	}
	writeCandidates(out, all)
	return out.Flush()
}

// namesSince reads the days that the store has of names in no catalogue.
func (p *program) namesSince(ctx context.Context, c *settings, from time.Time) ([]*candidates.Day, error) {
	if !c.Catalogue.Unlisted {
		return nil, usage("catalogue.unlisted = false: names that are in no catalogue are not counted")
	}
	reader, err := p.openReader(c)
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }() // it was only read
	return daysOf(ctx, reader, from, time.Now().AddDate(0, 0, 2), p.logger(c))
}
