package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/pflag"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch/search"
	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// Where reports and pages read from.
const (
	fromStore   = "store"
	fromElastic = "elasticsearch"
)

// reader answers questions until it is closed.
type reader interface {
	query.Query
	query.Spanned
	query.Blind
	Close() error
}

// fromFlag adds --from to a command that reads what was recorded.
func fromFlag(f *pflag.FlagSet, from *string) {
	*from = fromStore
	f.Var(&fromValue{where: from}, "from", "read from `STORE`: store, the embedded one, or elasticsearch, with the records of all sensors")
}

// fromValue is a --from that says where to read, and in commands that are about a period, also since when: either, or both one after the other.
type fromValue struct{ where, day *string }

// String implements pflag.Value.
func (v *fromValue) String() string { return "" }

// Type implements pflag.Value.
func (v *fromValue) Type() string { return "string" }

// Set implements pflag.Value.
func (v *fromValue) Set(s string) error {
	switch {
	case s == fromStore || s == fromElastic:
		*v.where = s
	case v.day == nil:
		return errors.New("write store or elasticsearch")
	default:
		*v.day = s
	}
	return nil
}

// openFrom opens what --from names, and makes sure that there is something of it.
func (p *program) openFrom(ctx context.Context, c *settings, from string) (reader, error) {
	switch from {
	case fromStore:
		return p.openReader(c)
	case fromElastic:
		r, err := p.openCluster(c)
		if err != nil {
			return nil, err
		}
		if err := r.Exists(ctx); err != nil {
			return nil, errors.Join(err, r.Close())
		}
		return r, nil
	}
	return nil, usage("--from %s: store or elasticsearch", from)
}

// cluster is a reader of records in Elasticsearch.
type cluster struct {
	*search.Reader
	client *elasticsearch.Client
}

// Close implements reader.
func (c *cluster) Close() error {
	c.client.Close()
	return nil
}

// nameOf says in words what a reader reads.
func nameOf(c *settings, environ []string, from string) string {
	if from == fromElastic {
		return "Elasticsearch at " + strings.Join(c.Elastic.Addresses, ", ")
	}
	return "the embedded store in " + stateDir(&c.Config, environ)
}
