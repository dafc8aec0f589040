package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
)

// ErrNamespace is for a namespace of which there is nothing at all, not even something empty: its name may be wrong.
var ErrNamespace = errors.New("nothing is there of this namespace")

// maxNamed is how many namespaces are named to choose from.
const maxNamed = 10

// there is what a cluster lets somebody know of.
type there struct {
	Indices, Aliases, Streams []struct{ Name string }
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *there) UnmarshalJSON(b []byte) error {
	var said struct {
		Indices []struct{ Name string } `json:"indices"`
		Aliases []struct{ Name string } `json:"aliases"`
		Streams []struct{ Name string } `json:"data_streams"`
	}
	err := json.Unmarshal(b, &said)
	*t = there(said)
	return err
}

// names are those of everything.
func (t *there) names() []string {
	var all []string
	for _, kind := range [][]struct{ Name string }{t.Streams, t.Aliases, t.Indices} {
		for _, one := range kind {
			all = append(all, one.Name)
		}
	}
	return all
}

// Exists makes sure that there is something of the namespace, be it empty: what setup makes is enough. Else the error, ErrNamespace, says what
// was looked for and what there is, as far as this user may know. Where a server does not say, questions will.
func (r *Reader) Exists(ctx context.Context) error {
	status, answer, _ := r.server.Do(ctx, http.MethodGet, "/_resolve/index/logs-gnomon.*,metrics-gnomon.*,gnomon-*", nil) // pages are served before the cluster answers
	var found there
	switch {
	case status == http.StatusUnauthorized:
		return fmt.Errorf("looking for namespace %s: %w", r.namespace, explained(&elasticsearch.StatusError{Status: status, Reason: elasticsearch.Reason(answer)}))
	case status == http.StatusForbidden: // it may be allowed to read, and not to look around
		return r.mayRead(ctx, allDatasets[0])
	case status != http.StatusOK || !json.Valid(answer):
		return nil
	}
	if err := json.Unmarshal(answer, &found); err != nil {
		return fmt.Errorf("looking for namespace %s: %w", r.namespace, err)
	}
	names := found.names()
	for _, dataset := range allDatasets {
		targets := r.where(dataset)
		if err := r.mayRead(ctx, dataset); err != nil {
			return err
		}
		if slices.ContainsFunc(names, func(name string) bool { return matches(targets, name) }) {
			return nil
		}
	}
	return fmt.Errorf("looking for %s in Elasticsearch: %w; %s", r.where(allDatasets[0]), ErrNamespace, r.otherwise(names))
}

// mayRead makes sure that this user may read a dataset.
func (r *Reader) mayRead(ctx context.Context, dataset string) error {
	targets := r.where(dataset)
	if err := r.allowed(ctx, targets); err != nil {
		return fmt.Errorf("looking for %s: %w", targets, err)
	}
	return nil
}

// matches says whether a name is that of a target, which may end in a star.
func matches(target, name string) bool {
	if prefix, open := strings.CutSuffix(target, "*"); open {
		return strings.HasPrefix(name, prefix)
	}
	return name == target
}

// otherwise says what to do where only other names are there.
func (r *Reader) otherwise(names []string) string {
	spaces := map[string][]string{}
	for _, name := range names {
		layout, space := spaceOf(name)
		if space != "" && !slices.Contains(spaces[layout], space) {
			spaces[layout] = append(spaces[layout], space)
		}
	}
	other := elasticsearch.LayoutDaily
	if r.layout == other {
		other = elasticsearch.LayoutStream
	}
	switch {
	case slices.Contains(spaces[other], r.namespace):
		return fmt.Sprintf("it is there with elasticsearch.layout = %q", other)
	case len(spaces[r.layout]) > 0:
		return "set elasticsearch.namespace to one that is there: " + listed(spaces[r.layout])
	case len(spaces[other]) > 0:
		return fmt.Sprintf("with elasticsearch.layout = %q there is %s", other, listed(spaces[other]))
	}
	return "no records of any gnomon are there that this user may know of: run `gnomon setup elasticsearch`, and check that a sensor sends there (gnomon doctor)"
}

// listed names the first of some namespaces.
func listed(spaces []string) string {
	slices.Sort(spaces)
	if more := len(spaces) - maxNamed; more > 0 {
		return strings.Join(spaces[:maxNamed], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(spaces, ", ")
}

// spaceOf is the layout and the namespace of what is called so; empty if it is nothing of ours.
func spaceOf(name string) (layout, space string) {
	for _, dataset := range allDatasets {
		if space, ours := strings.CutPrefix(name, elasticsearch.Stream(dataset, "")); ours {
			return elasticsearch.LayoutStream, space
		}
		prefix := strings.TrimSuffix(elasticsearch.Daily(dataset, ""), "-")
		if rest, ours := strings.CutPrefix(name, prefix); ours {
			if day := strings.LastIndexByte(rest, '-'); day > 0 {
				return elasticsearch.LayoutDaily, rest[:day]
			}
		}
	}
	return "", ""
}
