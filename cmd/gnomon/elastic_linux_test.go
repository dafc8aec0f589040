package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch/elastictest"
)

// elasticConfig is a configuration that sends to a node and waits so long for its answers.
func elasticConfig(t *testing.T, address string, timeout time.Duration) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gnomon.toml")
	text := fmt.Sprintf("[elasticsearch]\naddresses = [%q]\nproxy = \"direct\"\ntimeout = %q\n", address, timeout)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// startSending starts a scan that sends records to a node.
func startSending(t *testing.T, dir, conf string) *scanning {
	t.Helper()
	return startProcess(t, "scan", "-c", conf, "--to", "elasticsearch", "--state-dir", dir, "-")
}

// sendAll scans a capture to its end.
func sendAll(t *testing.T, dir, conf string, frames []byte) {
	t.Helper()
	s := startSending(t, dir, conf)
	s.feed(t, frames)
	if status := s.end(t); status != 0 {
		t.Fatalf("status %d: %s", status, s.says())
	}
}

// document is what is compared of a record.
type document struct {
	Source struct {
		Bytes uint64 `json:"bytes"`
	} `json:"source"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
	Rule struct {
		ID string `json:"id"`
	} `json:"rule"`
}

// sumsOf adds up what clients have sent, by service and user, each document as often as it is there.
func sumsOf(t *testing.T, n *elastictest.Node) (sums map[string]uint64, records int) {
	t.Helper()
	count, documents := n.Documents()
	sums = map[string]uint64{}
	for id, text := range documents {
		var d document
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		if count[id] != 1 {
			t.Errorf("%s is there %d times: %s", id, count[id], text)
		}
		sums[d.Rule.ID+" "+d.User.ID] += d.Source.Bytes * uint64(count[id])
	}
	return sums, len(documents)
}

// sameNode says where what two nodes hold differs.
func sameNode(t *testing.T, got, want *elastictest.Node) {
	t.Helper()
	sums, records := sumsOf(t, got)
	wanted, undisturbed := sumsOf(t, want)
	if records != undisturbed || undisturbed == 0 {
		t.Errorf("%d records, undisturbed %d", records, undisturbed)
	}
	for key, w := range wanted {
		if sums[key] != w {
			t.Errorf("the sum %s is %d, undisturbed %d", key, sums[key], w)
		}
	}
}

// trouble lets a node misbehave at random: it is away, busy, full, slow, or does what it is asked and does not say so.
func trouble(rnd *rand.Rand) elastictest.Faults {
	refuse := func(status int, kind string) elastictest.Faults {
		return elastictest.Faults{Before: func(w http.ResponseWriter, _ *http.Request) bool { return elastictest.Refuse(w, status, kind) }}
	}
	var nth atomic.Int64
	return []elastictest.Faults{
		{},
		{Before: elastictest.Drop},
		{After: elastictest.Drop},
		{After: func(w http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }},
		refuse(http.StatusServiceUnavailable, "unavailable"),
		refuse(http.StatusForbidden, "cluster_block_exception"),
		refuse(http.StatusTooManyRequests, "circuit_breaking_exception"),
		refuse(http.StatusUnauthorized, "security_exception"),
		{Item: func(string) (int, string) {
			if nth.Add(1)%3 == 0 {
				return http.StatusTooManyRequests, "es_rejected_execution_exception"
			}
			return 0, ""
		}},
	}[rnd.IntN(9)]
}

// Killed twenty times in mid-replay, with a node in every kind of trouble that is rolled over between, a sensor leaves in it what an
// undisturbed one leaves: every record once, and the same sums.
func TestProcessElasticKilled(t *testing.T) {
	t.Parallel()
	const kills = 20
	head, days := offices(t, kills+1)
	node, address := elastictest.New(t)
	hasty, conf, dir := elasticConfig(t, address, 2*time.Second), elasticConfig(t, address, time.Minute), t.TempDir()
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range kills {
		node.Set(trouble(rnd))
		s := startSending(t, dir, hasty)
		s.feed(t, slices.Concat(head, days[i]))
		before := node.Requests()
		if i%4 == 0 {
			node.Set(elastictest.Faults{})
		}
		s.feed(t, days[i+1])
		switch i % 4 {
		case 0: // while records are under way
			until(t, "records reach the node", func() bool { return node.Requests() > before })
		case 1: // after a while in trouble
			wait := time.NewTimer(time.Duration(rnd.IntN(300)) * time.Millisecond)
			<-wait.C
		}
		s.kill(t)
		if i%3 == 0 {
			rollOverAt(t, node, address)
		}
	}
	node.Set(elastictest.Faults{})
	all := append(head, slices.Concat(days...)...)
	sendAll(t, dir, conf, all)
	calm, calmAddress := elastictest.New(t)
	sendAll(t, sameSensor(t, dir), elasticConfig(t, calmAddress, time.Minute), all)
	sameNode(t, node, calm)
	rollOverAt(t, node, address)
	sendAll(t, dir, conf, all) // again: what was sent before a start is asked for first
	sameNode(t, node, calm)
}

// rollOverAt rolls the activities' data stream over.
func rollOverAt(t *testing.T, node *elastictest.Node, address string) {
	t.Helper()
	if node.Targets()["logs-gnomon.activity-default"] == 0 {
		return
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/logs-gnomon.activity-default/_rollover", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	node.Set(elastictest.Faults{})
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if _ = answer.Body.Close(); answer.StatusCode != http.StatusOK {
		t.Fatalf("rolling over: %s", answer.Status)
	}
}

// A node that is away while the disk fills gets everything that was acknowledged, once, when both are well again.
func TestProcessElasticDiskFull(t *testing.T) {
	t.Parallel()
	head, days := offices(t, 3)
	node, address := elastictest.New(t)
	conf := elasticConfig(t, address, time.Minute)
	dir := smallDisk(t, slices.Concat(head, days[0]))
	s := startSending(t, dir, conf)
	s.feed(t, slices.Concat(head, days[0]))
	until(t, "records reach the node", func() bool { return node.Requests() > 0 })
	node.Set(elastictest.Faults{Before: elastictest.Drop})
	ballast := fill(t, dir)
	s.feed(t, slices.Concat(days[1:]...))
	until(t, "it says that there is no room", func() bool { return strings.Contains(s.says(), "there is no room") })
	node.Set(elastictest.Faults{})
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if status := s.end(t); status != 0 {
		t.Fatalf("status %d: %s", status, s.says())
	}
	calm, calmAddress := elastictest.New(t)
	sendAll(t, sameSensor(t, dir), elasticConfig(t, calmAddress, time.Minute), slices.Concat(head, slices.Concat(days...)))
	sameNode(t, node, calm)
}

// A node that is away is no reason to wait for ever: the scan says what waits, and the next one brings it along.
func TestProcessElasticAway(t *testing.T) {
	t.Parallel()
	head, days := offices(t, 1)
	node, address := elastictest.New(t)
	node.Set(elastictest.Faults{Before: elastictest.Drop})
	conf, dir := elasticConfig(t, address, time.Minute), t.TempDir()
	s := startSending(t, dir, conf)
	s.feed(t, slices.Concat(head, days[0]))
	if status := s.end(t); status != 1 || !strings.Contains(s.says(), "go on when gnomon starts again") {
		t.Fatalf("status %d: %s", status, s.says())
	}
	node.Set(elastictest.Faults{})
	sendAll(t, dir, conf, head) // nothing new
	calm, calmAddress := elastictest.New(t)
	sendAll(t, sameSensor(t, dir), elasticConfig(t, calmAddress, time.Minute), slices.Concat(head, days[0]))
	sameNode(t, node, calm)
}

// Another output than those that are configured is a mistake that is said.
func TestScanTo(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		reason string
	}{
		{"not configured", []string{"--to", "elasticsearch"}, "it is none of the outputs that are configured"},
		{"unknown", []string{"--to", "paper"}, "it is none of the outputs that are configured"},
		{"both", []string{"--to", "file", "--store"}, "cannot both be"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, _, stderr := gnomon(t, "", slices.Concat([]string{"scan", "--state-dir", t.TempDir()}, tt.args, []string{demo})...)
			if status != 2 || !strings.Contains(stderr, tt.reason) {
				t.Errorf("status %d: %s", status, stderr)
			}
		})
	}
}
