package cases

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The committed logs are of the errands that stand in the table, each of which the stand-in has counted whole.
func TestCommittedLogs(t *testing.T) {
	const dir = "../../logs"
	known := map[string][]LogTruth{}
	for _, e := range errands() {
		if _, read := known[e.server]; !read {
			text, err := os.ReadFile(filepath.Join(dir, e.server, truthFile))
			if err != nil {
				t.Fatal(err)
			}
			known[e.server] = []LogTruth{}
			for d := json.NewDecoder(bytes.NewReader(text)); d.More(); {
				var row LogTruth
				if err := d.Decode(&row); err != nil {
					t.Fatal(err)
				}
				known[e.server] = append(known[e.server], row)
			}
		}
		u, err := url.Parse(e.request.URL)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(known[e.server], func(r LogTruth) bool {
			return r.Client == at(e.desk) && r.User == e.user && r.Host == u.Hostname() && r.Uploaded == int64(e.request.Upload) && slices.Equal(r.Logs, e.logs)
		}) {
			t.Errorf("%s: no record of %s for %s; make the logs anew", e.server, u.Hostname(), at(e.desk))
		}
	}
}

// Each errand of a server has a host of its own: by it the stand-in knows whose it was.
func TestErrandsAreTold(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range errands() {
		u, err := url.Parse(e.request.URL)
		if err != nil {
			t.Fatal(err)
		}
		if key := e.server + " " + u.Hostname(); seen[key] {
			t.Errorf("%s has two errands for %s", e.server, u.Hostname())
		} else {
			seen[key] = true
		}
	}
}

func TestLinesWith(t *testing.T) {
	if got := string(linesWith([]byte("a 1\nb 2\na 3"), "a ")); got != "a 1\na 3" {
		t.Errorf("got %q", got)
	}
}
