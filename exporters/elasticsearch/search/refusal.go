package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
)

// What to do about what stands in a server's way.
const (
	doSetUp   = "the index was made without gnomon's templates: run `gnomon setup elasticsearch`, begin a new index (POST /DATA-STREAM/_rollover) and move older records there"
	doLess    = "ask for a shorter period or fewer groups, or give the nodes more heap"
	doFewer   = "ask for fewer users or services at once"
	doWait    = "the nodes have more questions than they can take: try again later"
	doHealth  = "a node or a part of the index is away, so that figures would be too low: see the cluster's health (GET /_cluster/health)"
	doPatient = "ask for a shorter period, or raise elasticsearch.timeout"
	doReach   = "check that a node answers at elasticsearch.addresses, and elasticsearch.proxy"
	doAllow   = "give the user or API key the role gnomon-reader, which `gnomon setup elasticsearch` makes, or one that may read there"
)

// remedies tell by words of a reason what to do; the first that fits stands.
var remedies = []struct{ words, do string }{
	{"too_many_buckets", doLess},
	{"circuit_breaking", doLess},
	{"too_many_clauses", doFewer},
	{"too_many_nested_clauses", doFewer},
	{"max_terms_count", doFewer},
	{"maxClauseCount", doFewer},
	{"Fielddata is disabled", doSetUp},
	{"Text fields are not optimised", doSetUp}, // as OpenSearch has it
	{"is not supported for aggregation", doSetUp},
	{"No mapping found for", doSetUp},
	{"security_exception", doAllow},
	{"rejected_execution", doWait},
}

// advice is what to do about an answer; empty if nothing is known.
func advice(refused *elasticsearch.StatusError) string {
	for _, r := range remedies {
		if refused.Status != http.StatusUnauthorized && strings.Contains(refused.Reason, r.words) {
			return r.do
		}
	}
	switch refused.Status {
	case http.StatusTooManyRequests:
		return doWait
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return doHealth
	}
	return ""
}

// explained adds to what went wrong what to do about it.
func explained(err error) error {
	do := ""
	var refused *elasticsearch.StatusError
	var network net.Error
	switch {
	case errors.As(err, &refused):
		do = advice(refused)
	case errors.Is(err, context.Canceled):
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		do = doPatient
	case errors.As(err, &network):
		do = doReach
	}
	if do == "" {
		return err
	}
	return fmt.Errorf("%w; %s", err, do)
}

// passing says whether a question that failed may well be answered by another node, or the same a moment later: a node that has gone, or one
// that lets nothing more wait. A question that took too long would take as long again.
func passing(err error) bool {
	var refused *elasticsearch.StatusError
	if errors.As(err, &refused) {
		switch refused.Status {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable:
			return !lacksRoom(err)
		}
		return false
	}
	var network net.Error
	return errors.As(err, &network) && !network.Timeout()
}

// lacksRoom says whether the server refused a question because it has too many groups: for want of memory, or by a bound of its own.
func lacksRoom(err error) bool {
	var refused *elasticsearch.StatusError
	return errors.As(err, &refused) && (strings.Contains(refused.Reason, "circuit_breaking_exception") || strings.Contains(refused.Reason, "too_many_buckets_exception"))
}

// errUnreadable is for records that this user may not know of.
var errUnreadable = errors.New("the user or API key may not read them; " + doAllow)

// allowed makes sure that where no index was found there is none. A server says nothing of those that its user may not read: what a pattern
// matches is left out, as if it were not there.
func (r *Reader) allowed(ctx context.Context, targets string) error {
	r.mu.Lock()
	known := slices.Contains(r.readable, targets)
	r.mu.Unlock()
	if known {
		return nil
	}
	ask := object{"index": []any{object{"names": strings.Split(targets, ","), "privileges": []any{"read"}}}}
	text, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	status, answer, err := r.server.Do(ctx, http.MethodPost, "/_security/user/_has_privileges", text)
	if err != nil {
		return err
	}
	var said struct {
		All *bool `json:"has_all_requested"`
	}
	// A server without security has no such question, and nothing that it would hide.
	if status == http.StatusOK && json.Unmarshal(answer, &said) == nil && said.All != nil && !*said.All {
		return errUnreadable
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.readable) < maxReadable {
		r.readable = append(r.readable, targets)
	}
	return nil
}

// maxReadable bounds the targets that are known to be readable; there is one for each dataset.
const maxReadable = 16
