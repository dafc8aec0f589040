package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/signatures"
)

func (p *program) catalogueShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "show one service: its names, what is known of its vendor, and where each fact comes from",
		Args:  wants(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			catalogue, err := p.catalogue()
			if err != nil {
				return err
			}
			s, ok := catalogue.Service(args[0])
			if !ok {
				return fmt.Errorf("no service has the id %q%s; `gnomon catalogue list` lists them", args[0], similar(catalogue, args[0]))
			}
			out := p.out()
			if asJSON {
				if err := writeJSON(out, infoOf(catalogue, s)); err != nil {
					return err
				}
				return out.Flush()
			}
			showService(out, catalogue, s)
			return out.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// similar names services whose id or name holds what was asked for.
func similar(c *signatures.Catalogue, asked string) string {
	var found []string
	for _, s := range c.Services() {
		if asked != "" && (strings.Contains(s.ID, strings.ToLower(asked)) || strings.Contains(strings.ToLower(s.Name), strings.ToLower(asked))) {
			found = append(found, s.ID)
		}
	}
	if len(found) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(found[:min(len(found), 8)], ", ")
}

// showService writes a service for people. Sources are numbered, and explained once, at the end.
func showService(w io.Writer, c *signatures.Catalogue, s *signatures.Service) {
	proofs := &proofs{catalogue: c, numbers: map[string]int{}}
	fmt.Fprintf(w, "%s (%s)\n", s.Name, s.ID)
	vendor := s.Vendor
	if s.Country != "" {
		vendor += ", " + s.Country
	}
	for _, line := range [][2]string{{"vendor", vendor}, {"category", s.Category}, {"kind", s.Kind}, {"verified", day(s.Verified)}} {
		if line[1] != "" {
			fmt.Fprintf(w, "  %-9s %s\n", line[0], line[1])
		}
	}
	if s.Infrastructure() {
		fmt.Fprintln(w, "\n  It hides which services are used, and is none itself: contact with it is never a use.")
	}
	for _, group := range []struct {
		head  string
		roles []signatures.Role
	}{
		{"CONTACT IS USE", []signatures.Role{signatures.RolePrimary, signatures.RoleUpload}},
		{"BELONGS TO IT, NO USE ALONE", []signatures.Role{signatures.RoleSupporting, signatures.RoleShared}},
	} {
		showNames(w, group.head, s, group.roles, proofs)
	}
	for _, list := range []struct {
		head  string
		items []string
	}{{"ADDRESSES IN LOGS", s.URLs}, {"USER AGENTS IN LOGS", s.UserAgents}} {
		if len(list.items) > 0 {
			fmt.Fprintf(w, "\n%s\n%s\n", list.head, strings.Join(list.items, "\n"))
		}
	}
	showRisk(w, s, proofs)
	proofs.write(w)
}

func showNames(w io.Writer, head string, s *signatures.Service, roles []signatures.Role, proofs *proofs) {
	t := newTable(head, "ROLE", "KIND", "CONFIDENCE", "VERIFIED", "SOURCES")
	t.optional = []string{"VERIFIED", "KIND"}
	for i := range s.Names {
		n := &s.Names[i]
		if !slices.Contains(roles, n.Role) {
			continue
		}
		name := n.Name
		if n.Match == signatures.MatchSuffix {
			name += " and below"
		}
		confidence := n.Confidence.String()
		if n.Layer == signatures.LayerLowConfidence {
			confidence += ", off by default"
		}
		t.row(name, n.Role.String(), (signatures.Hit{Service: s, Name: n}).Kind(), confidence, day(n.Verified), proofs.refer(n.Sources))
	}
	if len(t.rows) > 1 {
		fmt.Fprintln(w)
		t.write(w)
	}
}

func showRisk(w io.Writer, s *signatures.Service, proofs *proofs) {
	if len(s.Risk) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := newTable("RISK", "VALUE", "CONFIDENCE", "AS OF", "SOURCES")
	for _, f := range s.Risk {
		t.row(strings.ReplaceAll(f.Attribute, "_", " "), f.Value, f.Confidence.String(), day(f.Date), proofs.refer(f.Sources))
	}
	t.write(w)
}

// proofs numbers sources in the order in which they are referred to.
type proofs struct {
	catalogue *signatures.Catalogue
	numbers   map[string]int
	texts     []string
}

// refer returns the numbers of some sources. A ~ says that the source lists a name below the one it stands at.
func (p *proofs) refer(sources []string) string {
	var refs []string
	for _, text := range sources {
		key := strings.Replace(text, "~", "", 1)
		if p.numbers[key] == 0 {
			p.texts = append(p.texts, key)
			p.numbers[key] = len(p.texts)
		}
		ref := fmt.Sprintf("[%d]", p.numbers[key])
		if key != text {
			ref += "~"
		}
		refs = append(refs, ref)
	}
	return strings.Join(refs, " ")
}

func (p *proofs) write(w io.Writer) {
	if len(p.texts) == 0 {
		return
	}
	fmt.Fprintln(w, "\nSOURCES")
	for i, text := range p.texts {
		s, err := p.catalogue.Source(text)
		if err != nil {
			fmt.Fprintf(w, "[%d] %s\n", i+1, text)
			continue
		}
		var parts []string
		for _, part := range []string{s.Title, s.URL} {
			if part != "" {
				parts = append(parts, part)
			}
		}
		if s.Date != "" {
			parts = append(parts, "read "+s.Date)
		}
		if s.Licence != "" {
			parts = append(parts, s.Licence)
		}
		fmt.Fprintf(w, "[%d] %s\n", i+1, strings.Join(parts, ", "))
	}
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}
