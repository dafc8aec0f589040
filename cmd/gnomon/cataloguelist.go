package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/signatures"
)

// listAsk is which services `catalogue list` shows.
type listAsk struct {
	category, country, risk string
	asJSON                  bool
}

func (p *program) catalogueList() *cobra.Command {
	var ask listAsk
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "list the services",
		Example: "  gnomon catalogue list --country CN\n  gnomon catalogue list --category chat-assistant --risk trains_on_input=yes",
		Args:    wants(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if err := ask.validate(); err != nil {
				return err
			}
			catalogue, err := p.catalogue()
			if err != nil {
				return err
			}
			out := p.out()
			if err := ask.write(out, catalogue); err != nil {
				return err
			}
			return out.Flush()
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&ask.category, "category", "", "only services of this category")
	flags.StringVar(&ask.country, "country", "", "only services of vendors in this country (two letters)")
	flags.StringVar(&ask.risk, "risk", "", "only services of which this is known: `ATTRIBUTE`, or ATTRIBUTE=VALUE")
	flags.BoolVar(&ask.asJSON, "json", false, "print JSON")
	return cmd
}

func (ask *listAsk) validate() error {
	if ask.category != "" && !slices.Contains(signatures.Categories(), ask.category) {
		return usage("--category %s: none of %s", ask.category, strings.Join(signatures.Categories(), ", "))
	}
	if attribute, _, _ := strings.Cut(ask.risk, "="); attribute != "" && !slices.Contains(signatures.RiskAttributes(), attribute) {
		return usage("--risk %s: none of %s", attribute, strings.Join(signatures.RiskAttributes(), ", "))
	}
	return nil
}

// matches says whether a service is asked for.
func (ask *listAsk) matches(s *signatures.Service) bool {
	if ask.category != "" && s.Category != ask.category || ask.country != "" && !strings.EqualFold(s.Country, ask.country) {
		return false
	}
	if ask.risk == "" {
		return true
	}
	attribute, value, exact := strings.Cut(ask.risk, "=")
	return slices.ContainsFunc(s.Risk, func(f signatures.Fact) bool {
		return f.Attribute == attribute && (!exact || strings.EqualFold(f.Value, value))
	})
}

func (ask *listAsk) write(w io.Writer, catalogue *signatures.Catalogue) error {
	head := []string{"ID", "NAME", "VENDOR", "COUNTRY", "CATEGORY", "KIND", "NAMES"}
	attribute, _, _ := strings.Cut(ask.risk, "=")
	if attribute != "" {
		head = append(head, strings.ToUpper(attribute))
	}
	t := newTable(head...)
	services := []serviceInfo{}
	for _, s := range catalogue.Services() {
		if !ask.matches(s) {
			continue
		}
		if ask.asJSON {
			services = append(services, infoOf(catalogue, s))
			continue
		}
		row := []string{s.ID, s.Name, s.Vendor, s.Country, s.Category, s.Kind, fmt.Sprint(len(s.Names))}
		for _, f := range s.Risk {
			if f.Attribute == attribute {
				row = append(row, f.Value)
			}
		}
		t.row(row...)
	}
	if ask.asJSON {
		return writeJSON(w, services)
	}
	t.write(w)
	return nil
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// The form of `catalogue list --json` and `catalogue show --json`.
type (
	serviceInfo struct {
		ID         string     `json:"id"`
		Name       string     `json:"name"`
		Vendor     string     `json:"vendor,omitempty"`
		Country    string     `json:"country,omitempty"`
		Category   string     `json:"category"`
		Kind       string     `json:"kind"`
		Verified   string     `json:"verified,omitempty"`
		Names      []nameInfo `json:"names"`
		URLs       []string   `json:"urls,omitempty"`
		UserAgents []string   `json:"user_agents,omitempty"`
		Ranges     []string   `json:"ip_ranges,omitempty"`
		Risk       []riskInfo `json:"risk,omitempty"`
	}
	nameInfo struct {
		Name       string       `json:"name"`
		Match      string       `json:"match"`
		Role       string       `json:"role"`
		Confidence string       `json:"confidence"`
		Layer      string       `json:"layer"`
		Kind       string       `json:"kind,omitempty"`
		Verified   string       `json:"verified,omitempty"`
		Why        string       `json:"why,omitempty"`
		Sources    []sourceInfo `json:"sources"`
	}
	riskInfo struct {
		Attribute  string       `json:"attribute"`
		Value      string       `json:"value"`
		Date       string       `json:"date,omitempty"`
		Confidence string       `json:"confidence,omitempty"`
		Sources    []sourceInfo `json:"sources"`
	}
	sourceInfo struct {
		Tag    string `json:"tag,omitempty"`
		Title  string `json:"title,omitempty"`
		URL    string `json:"url,omitempty"`
		Date   string `json:"date,omitempty"`
		Weight string `json:"weight,omitempty"`
		Below  bool   `json:"below,omitempty"` // the source lists a name below this one
	}
)

func infoOf(c *signatures.Catalogue, s *signatures.Service) serviceInfo {
	info := serviceInfo{ID: s.ID, Name: s.Name, Vendor: s.Vendor, Country: s.Country, Category: s.Category, Kind: s.Kind, Verified: day(s.Verified),
		Names: []nameInfo{}, URLs: s.URLs, UserAgents: s.UserAgents}
	for i := range s.Names {
		n := &s.Names[i]
		info.Names = append(info.Names, nameInfo{Name: n.Name, Match: n.Match.String(), Role: n.Role.String(), Confidence: n.Confidence.String(),
			Layer: n.Layer.String(), Kind: n.Kind, Verified: day(n.Verified), Why: n.Why, Sources: sourceInfos(c, n.Sources)})
	}
	for _, prefix := range s.Ranges {
		info.Ranges = append(info.Ranges, prefix.String())
	}
	for _, f := range s.Risk {
		info.Risk = append(info.Risk, riskInfo{f.Attribute, f.Value, day(f.Date), f.Confidence.String(), sourceInfos(c, f.Sources)})
	}
	return info
}

func sourceInfos(c *signatures.Catalogue, texts []string) []sourceInfo {
	all := []sourceInfo{}
	for _, text := range texts {
		s, err := c.Source(text)
		if err != nil {
			s = signatures.Source{Tag: text}
		}
		all = append(all, sourceInfo{s.Tag, s.Title, s.URL, s.Date, s.Weight, s.Below})
	}
	return all
}
