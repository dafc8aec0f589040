package setup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
)

// Server is what setup needs of a client.
type Server interface {
	// Do sends a request with a JSON body, nil for none, and returns the status and the text of the answer.
	Do(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error)
	// Server says what answers.
	Server(ctx context.Context) (elasticsearch.Server, error)
}

// State is what became of an object.
type State string

// The states.
const (
	Made      State = "made"
	Unchanged State = "unchanged"
	Upgraded  State = "upgraded"
	ByHand    State = "changed by hand, left alone"
	Newer     State = "newer than this program, left alone"
	Later     State = "left to its first record"
)

// Step tells of one object.
type Step struct {
	State State
	What  string // for people, as in "index template gnomon-activity"
}

// Run is one run of setup.
type Run struct {
	Server Server
	Config Config
	// Force overwrites what was changed by hand, and what a newer program made.
	Force bool
	// Tell is called for each object as it is done.
	Tell func(Step)
}

// Probe asks which lifecycle the server has, and whether it has roles. It changes nothing.
func Probe(ctx context.Context, s Server, namespace, layout string) (Target, error) {
	t := Target{Namespace: namespace, Layout: layout, Lifecycle: NoneOf}
	what, err := s.Server(ctx)
	if err != nil {
		return t, err
	}
	probes := []struct {
		path string
		is   Lifecycle
	}{{"/_ilm/status", ILM}, {"/_data_stream/" + elasticsearch.Stream(datasets[0], namespace) + "/_lifecycle", DSL}}
	if what.Distribution == elasticsearch.OpenSearch {
		probes = probes[:0]
		probes = append(probes, struct {
			path string
			is   Lifecycle
		}{"/_plugins/_ism/policies?size=1", ISM})
	}
	for _, p := range probes {
		has, err := handles(ctx, s, p.path)
		if err != nil {
			return t, err
		}
		if has && !(p.is == DSL && layout == elasticsearch.LayoutDaily) {
			t.Lifecycle = p.is
			break
		}
	}
	if what.Distribution != elasticsearch.OpenSearch {
		t.Roles, err = handles(ctx, s, "/_security/role/"+sensorRole)
	}
	return t, err
}

// handles says whether the server has a handler for a path. One that has none answers 400 or 405, and with security off 400 or 500.
func handles(ctx context.Context, s Server, path string) (bool, error) {
	status, answer, err := s.Do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return false, err
	}
	switch status {
	case http.StatusOK, http.StatusNotFound:
		return true, nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return false, fmt.Errorf("asking for %s: %w; setup wants a user or key that may manage templates, lifecycles and roles", path,
			&elasticsearch.StatusError{Status: status, Reason: elasticsearch.Reason(answer)})
	}
	return false, nil
}

// Do makes what is missing and brings up to date what an older program made.
func (r *Run) Do(ctx context.Context, t *Target) error {
	upgraded := false
	left := 0
	for _, o := range plan(&r.Config, t) {
		state, err := r.put(ctx, &o)
		if err != nil {
			return fmt.Errorf("making %s %s: %w", o.kind.name, o.name, err)
		}
		r.Tell(Step{state, o.kind.name + " " + o.name})
		if state == ByHand || state == Newer {
			left++
		}
		upgraded = upgraded || state == Upgraded && o.name == mappingsName
	}
	err := r.bring(ctx, t, upgraded)
	if err == nil && left > 0 {
		err = fmt.Errorf("leaving %d objects alone that this program has not made as they are: compare them with --dry-run, then run with --force", left)
	}
	return err
}

// bring brings what holds records up to date, and makes what is to hold some.
func (r *Run) bring(ctx context.Context, t *Target, upgraded bool) error {
	if upgraded {
		if err := r.remap(ctx, t); err != nil {
			return err
		}
	}
	return r.open(ctx, t)
}

// put makes an object, unless it is there already or somebody has changed it.
func (r *Run) put(ctx context.Context, o *object) (State, error) {
	status, answer, err := r.Server.Do(ctx, http.MethodGet, o.kind.path+o.name, nil)
	if err != nil {
		return "", err
	}
	path, state := o.kind.path+o.name, Made
	switch {
	case status == http.StatusNotFound:
	case status != http.StatusOK:
		return "", &elasticsearch.StatusError{Status: status, Reason: elasticsearch.Reason(answer)}
	default:
		if there := o.find(answer); there != nil {
			if state = r.judge(o, there); state != Upgraded {
				return state, nil
			}
			path += sequence(o, answer)
		}
	}
	body, err := json.Marshal(o.body)
	if err != nil {
		return "", err
	}
	return state, r.send(ctx, http.MethodPut, path, body)
}

// judge compares what is there with what should be.
func (r *Run) judge(o *object, there map[string]any) State {
	version, hash, ours := marked(&o.kind, there)
	_, want, _ := marked(&o.kind, inner(o.body))
	same := digest(there)
	switch {
	case r.Force && same == want:
		return Unchanged
	case r.Force:
		return Upgraded
	case !ours || same != hash:
		return ByHand
	case version > Version:
		return Newer
	case same == want:
		return Unchanged
	}
	return Upgraded
}

// inner is what of a body comes back.
func inner(body map[string]any) map[string]any {
	if policy, ok := body["policy"].(map[string]any); ok {
		return policy
	}
	return body
}

// sequence is which version of an ISM policy is replaced; others do not ask.
func sequence(o *object, answer []byte) string {
	var said struct {
		Seq  *int64 `json:"_seq_no"`
		Term *int64 `json:"_primary_term"`
	}
	if o.kind.marked != nil || json.Unmarshal(answer, &said) != nil || said.Seq == nil || said.Term == nil {
		return ""
	}
	return fmt.Sprintf("?if_seq_no=%d&if_primary_term=%d", *said.Seq, *said.Term)
}

// send sends a request and turns a refusal into an error.
func (r *Run) send(ctx context.Context, method, path string, body []byte) error {
	status, answer, err := r.Server.Do(ctx, method, path, body)
	if err == nil && status >= 300 {
		err = &elasticsearch.StatusError{Status: status, Reason: elasticsearch.Reason(answer)}
	}
	return err
}

// remap gives the indices of all datasets new fields.
func (r *Run) remap(ctx context.Context, t *Target) error {
	for _, d := range datasets {
		if err := r.remapDataset(ctx, t, d); err != nil {
			return err
		}
	}
	return nil
}

// remapDataset gives indices that are there the fields that are new. Where a type has changed that cannot be: then the next index has it, and the
// stream begins that index now.
func (r *Run) remapDataset(ctx context.Context, t *Target, dataset string) error {
	body, err := json.Marshal(mappings())
	if err != nil {
		return err
	}
	where := pattern(dataset, t)
	err = r.send(ctx, http.MethodPut, "/"+where+"/_mapping?allow_no_indices=true&ignore_unavailable=true", body)
	var refused *elasticsearch.StatusError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &refused) || refused.Status != http.StatusBadRequest && refused.Status != http.StatusNotFound:
		return fmt.Errorf("bringing the fields of %s up to date: %w", where, err)
	case refused.Status == http.StatusNotFound:
		return nil
	}
	if t.Layout == elasticsearch.LayoutDaily { // tomorrow's index has them
		return nil
	}
	err = r.send(ctx, http.MethodPost, "/"+elasticsearch.Stream(dataset, t.Namespace)+"/_rollover", nil)
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		return nil
	}
	return err
}

// Key is a new API key.
type Key struct{ ID, Encoded string }

// MakeKey makes an API key that can do what a role can, for a sensor or (reader) for reports and pages. It ends after days, never if that is 0.
func (r *Run) MakeKey(ctx context.Context, name string, reader bool, days int) (Key, error) {
	of := sensorRole
	if reader {
		of = readerRole
	}
	ask := map[string]any{"name": name, "role_descriptors": descriptors(of), "metadata": map[string]any{managedKey: managedBy}}
	if days > 0 {
		ask["expiration"] = fmt.Sprintf("%dd", days)
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return Key{}, err
	}
	status, answer, err := r.Server.Do(ctx, http.MethodPost, "/_security/api_key", body)
	if err != nil {
		return Key{}, fmt.Errorf("making an API key: %w", err)
	}
	var said struct {
		ID, Encoded string
	}
	if status >= 300 || json.Unmarshal(answer, &said) != nil || said.Encoded == "" {
		return Key{}, fmt.Errorf("making an API key: %w", &elasticsearch.StatusError{Status: status, Reason: elasticsearch.Reason(answer)})
	}
	return Key(said), nil
}
