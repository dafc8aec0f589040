package signatures

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Source is where a fact of the catalogue comes from.
type Source struct {
	Tag     string // in sources.toml; empty for an address
	URL     string
	Title   string
	Licence string
	Weight  string // vendor, good or weak
	Date    string // of the copy that was read: a day, or a month if no more is known
	Below   bool   // the source lists a name below this one: that the name covers it is an inference
}

// ParseSource reads a source as a catalogue file writes it: a tag of sources.toml or an https address, behind it "~" if the source
// lists a name below this one, and "@2026-11-21" if it was read on another day than sources.toml says. An address needs its day.
func ParseSource(s string) (Source, error) {
	rest, day, dated := strings.Cut(s, "@")
	rest, below := strings.CutSuffix(rest, "~")
	source := Source{Date: day, Below: below}
	if dated {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return Source{}, fmt.Errorf("reading source %q: no day behind @; write it as 2026-11-21", s)
		}
	}
	switch {
	case strings.HasPrefix(rest, "https://"):
		source.URL = rest
		if !dated {
			return Source{}, fmt.Errorf("reading source %q: no day; write the day it was read behind it, as in @2026-11-21", s)
		}
	case isTag(rest):
		source.Tag = rest
	default:
		return Source{}, fmt.Errorf("reading source %q: neither a tag nor an https address", s)
	}
	return source, nil
}

func isTag(s string) bool {
	for i := range len(s) {
		if !isBare(s[i]) {
			return false
		}
	}
	return s != ""
}

// service checks a service as written and turns it into one of the catalogue. All its errors are joined.
func (r *rawService) service(file *rawFile) (*Service, error) {
	s := &Service{
		ID: r.ID, Name: r.Name, Vendor: r.Vendor, Country: r.Country, Category: r.Category, Kind: r.Kind,
		Verified: r.Verified, URLs: r.URLs, UserAgents: r.UserAgents,
	}
	if s.Vendor == "" {
		s.Vendor, s.Country = file.Vendor, orDefault(r.Country, file.Country)
	}
	var errs []error
	if !validID(s.ID) {
		errs = append(errs, fmt.Errorf("service %q: an id is lower-case letters, digits and hyphens", s.ID))
	}
	layer, err := word("layer", layerNames[:], r.Layer)
	errs = append(errs, err)
	s.Names = make([]Name, 0, len(r.Names))
	for i := range r.Names {
		name, err := r.Names[i].name(r, Layer(layer))
		if err != nil {
			errs = append(errs, fmt.Errorf("service %q: %w", s.ID, err))
			continue
		}
		s.Names = append(s.Names, name)
	}
	for _, text := range r.IPRanges {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("service %q: reading ip range %q: %w; write it as 192.0.2.0/24", s.ID, text, err))
			continue
		}
		s.Ranges = append(s.Ranges, prefix.Masked())
	}
	s.Risk, err = r.risk()
	errs = append(errs, err)
	return s, errors.Join(errs...)
}

// name checks one name; what it does not say it takes from its service.
func (r *rawName) name(of *rawService, layer Layer) (Name, error) {
	match, matchErr := word("match", matchNames[:], r.Match)
	role, roleErr := word("role", roleNames[:], r.Role)
	confidence, confidenceErr := word("confidence", confidenceNames[:], r.Confidence)
	own, layerErr := word("layer", layerNames[:], r.Layer)
	if err := errors.Join(matchErr, roleErr, confidenceErr, layerErr); err != nil {
		return Name{}, fmt.Errorf("name %q: %w", r.Name, err)
	}
	switch {
	case r.Layer != "":
		layer = Layer(own)
	case of.Layer == "" && Confidence(confidence) == ConfidenceLow:
		layer = LayerLowConfidence
	}
	canonical, err := canonicalName(r.Name, Match(match))
	if err != nil {
		return Name{}, err
	}
	verified := r.Verified
	if verified.IsZero() {
		verified = of.Verified
	}
	return Name{
		Name: canonical, Role: Role(role), Match: Match(match), Confidence: Confidence(confidence), Layer: layer,
		Kind: r.Kind, Sources: r.Sources, Verified: verified, Why: r.Why,
	}, nil
}

// risk brings the risk attributes into the order of RiskAttributes.
func (r *rawService) risk() ([]Fact, error) {
	var facts []Fact
	var errs []error
	for _, attribute := range riskAttributes {
		raw, ok := r.Risk[attribute]
		if !ok {
			continue
		}
		confidence, err := word("confidence", confidenceNames[:], raw.Confidence)
		if err != nil {
			errs = append(errs, fmt.Errorf("service %q: risk attribute %s: %w", r.ID, attribute, err))
		}
		facts = append(facts, Fact{attribute, raw.Value, raw.Sources, raw.Date, Confidence(confidence)})
	}
	for attribute := range r.Risk {
		if !slices.Contains(riskAttributes[:], attribute) {
			errs = append(errs, fmt.Errorf("service %q: unknown risk attribute %q; there are %s", r.ID, attribute, strings.Join(riskAttributes[:], ", ")))
		}
	}
	return facts, errors.Join(errs...)
}

// word finds the number of a word. The empty word is the first of the list where that is empty, or a default.
func word(key string, list []string, s string) (int, error) {
	if i := slices.Index(list, s); i >= 0 && (s != "" || key == "confidence") {
		return i, nil
	}
	if s == "" && key == "layer" {
		return 0, nil
	}
	return 0, fmt.Errorf("%s is %q; it must be one of %s", key, s, strings.TrimPrefix(strings.Join(list, ", "), ", "))
}

func validID(id string) bool {
	for i := range len(id) {
		if b := id[i]; b != fold[b] || b == '.' || b == '_' || b == 0 {
			return false
		}
	}
	return id != "" && id[0] != '-'
}

func orDefault(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}
