package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unlistedLog is what a proxy wrote of a model's API that is in no catalogue, and of what must not become a candidate.
const unlistedLog = `1795248312.186 21 192.0.2.5 TCP_MISS/200 4100 POST http://gw.corp-words.example/v1/chat/completions?key=sesame - HIER_DIRECT/203.0.113.1 application/json
1795248313.186 21 192.0.2.6 TCP_MISS/200 4100 POST http://GW.corp-words.example/v1/chat/completions - HIER_DIRECT/203.0.113.1 application/json
1795248314.186 21 192.0.2.5 TCP_MISS/200 9000 GET http://www.example.com/v1/users - HIER_DIRECT/203.0.113.2 text/html
1795248315.186 21 192.0.2.5 TCP_DENIED/403 900 POST http://denied.example.com/v1/chat/completions - HIER_NONE/- text/html
1795248316.186 21 192.0.2.5 TCP_MISS/200 900 POST http://api.openai.com/v1/chat/completions - HIER_DIRECT/203.0.113.3 application/json
1795248317.186 21 192.0.2.7 TCP_MISS/200 900 POST http://printer.local/v1/chat/completions - HIER_DIRECT/192.0.2.8 application/json
`

// A log names a model's API by its path. Nothing of the path is kept or shown.
func TestScanUnlistedLog(t *testing.T) {
	path := file(t, "access.log", unlistedLog)
	for _, args := range [][]string{{"--json"}, {"--json", "--store", "--state-dir", filepath.Join(t.TempDir(), "state")}} {
		status, stdout, stderr := gnomon(t, "", append([]string{"scan", path}, args...)...)
		if status != 0 {
			t.Fatalf("%v: status %d: %s", args, status, stderr)
		}
		var sum summaryJSON
		if err := json.Unmarshal([]byte(stdout), &sum); err != nil {
			t.Fatal(err)
		}
		if len(sum.Candidates) != 1 {
			t.Fatalf("%v: candidates are %+v", args, sum.Candidates)
		}
		c := sum.Candidates[0]
		if c.Name != "gw.corp-words.example" || c.Clients == 0 || c.Clients > 2 || c.Flows != 2 || !slices.Contains(c.Evidence, "path of a model API in 2 log lines") {
			t.Errorf("%v: the candidate is %+v", args, c)
		}
		if strings.Contains(stdout, "sesame") || strings.Contains(stdout, "/v1/") {
			t.Errorf("%v: the path is shown:\n%s", args, stdout)
		}
	}
}
