package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/signatures"
	"github.com/gnomon-sensor/gnomon/signatures/bundle"
)

func (p *program) catalogueDiff() *cobra.Command {
	var ask diffAsk
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "say what a newer catalogue adds, removes and changes",
		Long: `Diff compares two catalogues: built-in, current (the one in use, without your own signatures), a bundle (FILE.zip) or a directory. A bundle's
signature is not asked for: nothing is put in use. --against-store also says what the newer one would have changed in the last month: which
names that nobody knew then it knows, with their clients, flows and bytes, and which services, with their users, it no longer has.`,
		Example: "  gnomon catalogue diff current catalogue-2026.12.1.zip --against-store",
		Args:    wants(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.diff(cmd.Context(), &ask, args[0], args[1])
		},
	}
	cmd.Flags().BoolVar(&ask.againstStore, "against-store", false, "say what would have been otherwise in the last month")
	cmd.Flags().BoolVar(&ask.asJSON, "json", false, "print JSON")
	return cmd
}

type diffAsk struct{ againstStore, asJSON bool }

// diffMonth is how far --against-store looks back.
const diffMonth = 30 * 24 * time.Hour

// The form of `catalogue diff --json`.
type (
	diffJSON struct {
		Old     string        `json:"old"` // versions
		New     string        `json:"new"`
		Changes []changeJSON  `json:"changes"`
		Found   []retroJSON   `json:"would_have_found,omitempty"`
		Lost    []droppedJSON `json:"would_have_lost,omitempty"`
	}
	changeJSON struct {
		Service string   `json:"service"`
		Kind    string   `json:"kind"` // added, removed or changed
		Added   []string `json:"added,omitempty"`
		Removed []string `json:"removed,omitempty"`
		Altered []string `json:"altered,omitempty"`
		Details []string `json:"details,omitempty"`
	}
	// retroJSON is a service that would have been found in the last month behind names that were in no catalogue.
	retroJSON struct {
		Service   string   `json:"service"`
		Names     []string `json:"names"`
		Days      int      `json:"days"`
		Clients   uint64   `json:"clients"`
		Flows     uint64   `json:"flows"`
		BytesUp   uint64   `json:"bytes_up"`
		BytesDown uint64   `json:"bytes_down"`
	}
	// droppedJSON is a service that was used in the last month and that the newer catalogue does not have.
	droppedJSON struct {
		Service string `json:"service"`
		Users   uint64 `json:"users"`
		Flows   uint64 `json:"flows"`
		Upload  uint64 `json:"upload"`
	}
)

func (p *program) diff(ctx context.Context, ask *diffAsk, oldName, newName string) error {
	c, err := p.load()
	if err != nil {
		return err
	}
	older, err := p.openCatalogue(&c, oldName)
	if err != nil {
		return err
	}
	newer, err := p.openCatalogue(&c, newName)
	if err != nil {
		return err
	}
	changes := signatures.Diff(older, newer)
	result := diffJSON{Old: older.Version(), New: newer.Version(), Changes: changesJSON(changes)}
	if ask.againstStore {
		if result.Found, err = p.wouldFind(ctx, &c, older, newer); err != nil {
			return err
		}
		if result.Lost, err = p.wouldLose(ctx, &c, changes); err != nil {
			return err
		}
	}
	out := p.out()
	if ask.asJSON {
		err = writeJSON(out, result)
	} else {
		result.write(out, ask.againstStore)
	}
	if err != nil {
		return err
	}
	return out.Flush()
}

// openCatalogue loads what an argument names, with the layers of the configuration.
func (p *program) openCatalogue(c *settings, name string) (*signatures.Catalogue, error) {
	plain := *c
	plain.Catalogue.Own = ""
	if name == "built-in" {
		return loadOver(&plain, nil)
	}
	if name == "current" {
		return p.loadCatalogue(&plain)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("comparing catalogues: %w; name built-in, current, a bundle or a directory", err)
	}
	var files fs.FS
	if info.IsDir() {
		files = os.DirFS(name)
	} else if files, err = unpackFile(name); err != nil {
		return nil, err
	}
	return loadOver(&plain, &bundle.Bundle{Files: files})
}

func unpackFile(name string) (fs.FS, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("comparing catalogues: %w", err)
	}
	files, err := bundle.Unpack(data)
	if err != nil {
		return nil, fmt.Errorf("comparing catalogues: %s: %w", name, err)
	}
	return files, nil
}

func changesJSON(changes []signatures.Change) []changeJSON {
	out := []changeJSON{}
	for i := range changes {
		c := &changes[i]
		kind := "changed"
		switch {
		case c.Old == nil:
			kind = "added"
		case c.New == nil:
			kind = "removed"
		}
		out = append(out, changeJSON{c.Service().ID, kind, c.Added, c.Removed, c.Altered, c.Details})
	}
	return out
}

// wouldLose lists the services that were used in the last month and are gone in the newer catalogue.
func (p *program) wouldLose(ctx context.Context, c *settings, changes []signatures.Change) ([]droppedJSON, error) {
	reader, err := p.openReader(c)
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }() // it was only read
	now := time.Now().UTC().Truncate(time.Hour)
	rows, err := allRows(ctx, reader, query.Request{From: now.Add(-diffMonth), To: now.Add(time.Hour), By: []query.Dimension{query.ByService}})
	if err != nil {
		return nil, err
	}
	gone := map[string]bool{}
	for i := range changes {
		gone[changes[i].Service().ID] = changes[i].New == nil
	}
	var out []droppedJSON
	for _, r := range rows {
		if gone[r.Key[0]] {
			out = append(out, droppedJSON{r.Key[0], r.Users, r.Flows, r.Upload.Bytes})
		}
	}
	return out, nil
}

// wouldFind adds up the contacts of the last month with names that the newer catalogue takes for use of a service and the older one did
// not know.
func (p *program) wouldFind(ctx context.Context, c *settings, older, newer *signatures.Catalogue) ([]retroJSON, error) {
	days, err := p.namesSince(ctx, c, time.Now().Add(-diffMonth))
	if err != nil {
		return nil, err
	}
	services := map[string]*retro{}
	for _, d := range days {
		for i := range d.Names {
			n := &d.Names[i]
			hit, ok := newer.Match([]byte(n.Name))
			if _, known := older.Match([]byte(n.Name)); n.Flows == 0 || known || !ok || !hit.Use() {
				continue
			}
			id := hit.Service.ID
			if services[id] == nil {
				services[id] = &retro{retroJSON: retroJSON{Service: id}}
			}
			services[id].add(d.Label, n)
		}
	}
	var out []retroJSON
	for _, r := range services {
		r.Clients = r.clients.Count()
		out = append(out, r.retroJSON)
	}
	slices.SortFunc(out, func(a, b retroJSON) int {
		return cmp.Or(cmp.Compare(b.Clients, a.Clients), cmp.Compare(b.Flows, a.Flows), strings.Compare(a.Service, b.Service))
	})
	return out, nil
}

// retro adds up the names of one service.
type retro struct {
	retroJSON
	clients candidates.Sketch
	day     string // that was counted last
}

func (r *retro) add(day string, n *candidates.Name) {
	if !slices.Contains(r.Names, n.Name) {
		r.Names = append(r.Names, n.Name)
	}
	if r.day != day {
		r.day = day
		r.Days++
	}
	r.Flows += n.Flows
	r.BytesUp += n.Up
	r.BytesDown += n.Down
	r.clients.Merge(&n.Clients)
}

func (d *diffJSON) write(w io.Writer, againstStore bool) {
	count := map[string]int{}
	for i := range d.Changes {
		count[d.Changes[i].Kind]++
	}
	fmt.Fprintf(w, "From catalogue %s to %s: %d services added, %d removed, %d changed.\n", d.Old, d.New, count["added"], count["removed"], count["changed"])
	for i := range d.Changes {
		c := &d.Changes[i]
		switch c.Kind {
		case "added":
			fmt.Fprintf(w, "+ %s: %s\n", c.Service, strings.Join(c.Added, ", "))
		case "removed":
			fmt.Fprintf(w, "- %s: %s\n", c.Service, strings.Join(c.Removed, ", "))
		default:
			fmt.Fprintf(w, "~ %s\n    %s\n", c.Service, strings.Join(c.Details, "\n    "))
		}
	}
	if againstStore {
		d.writeRetro(w)
	}
}

func (d *diffJSON) writeRetro(w io.Writer) {
	fmt.Fprintf(w, "\nIn the last 30 days it would have found %d more services", len(d.Found))
	if len(d.Found) == 0 {
		fmt.Fprintln(w, ".")
	} else {
		fmt.Fprint(w, ":\n\n")
		t := newTable("SERVICE", "CLIENTS", "DAYS", "FLOWS", "UP", "DOWN", "NAMES")
		for i := range d.Found {
			f := &d.Found[i]
			t.row(f.Service, fmt.Sprint(f.Clients), fmt.Sprint(f.Days), fmt.Sprint(f.Flows), size(f.BytesUp), size(f.BytesDown), printable(strings.Join(f.Names, ", ")))
		}
		t.write(w)
	}
	if len(d.Lost) > 0 {
		fmt.Fprint(w, "\nUsed in the last 30 days, and not in it any more:\n\n")
		t := newTable("SERVICE", "USERS", "FLOWS", "UPLOAD")
		for _, l := range d.Lost {
			t.row(l.Service, fmt.Sprint(l.Users), fmt.Sprint(l.Flows), size(l.Upload))
		}
		t.write(w)
	}
}
