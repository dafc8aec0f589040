//go:build integration

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch/elastictest"
)

// chaosNode is the node that this test ends and starts again; nothing else may use it meanwhile.
const chaosNode = "elasticsearch8"

// do has something done to a node by the script that started it.
func do(t *testing.T, what string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "bash", "../../.ci/nodes/nodes", what, chaosNode).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", what, chaosNode, err, out)
	}
}

// askNode sends a request that has to work.
func askNode(t *testing.T, method, address, body string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %d %v\n%s", method, address, answer.StatusCode, err, text)
	}
	return text
}

// sumsIn adds up what clients have sent by what a real node holds, and counts the records and those that are there more than once.
func sumsIn(t *testing.T, address, targets string) (sums map[string]uint64, records, twice int) {
	t.Helper()
	askNode(t, http.MethodPost, address+"/"+targets+"/_refresh", "")
	var said struct {
		Hits struct {
			Hits []struct {
				ID     string   `json:"_id"`
				Source document `json:"_source"`
			} `json:"hits"`
		} `json:"hits"`
	}
	answer := askNode(t, http.MethodPost, address+"/"+targets+"/_search", `{"size":10000,"_source":["source.bytes","user.id","rule.id"]}`)
	if err := json.Unmarshal(answer, &said); err != nil {
		t.Fatal(err)
	}
	sums, ids := map[string]uint64{}, map[string]bool{}
	for _, hit := range said.Hits.Hits {
		if ids[hit.ID] {
			twice++
		}
		ids[hit.ID] = true
		sums[hit.Source.Rule.ID+" "+hit.Source.User.ID] += hit.Source.Source.Bytes
	}
	return sums, len(said.Hits.Hits), twice
}

// nodeConfig is a configuration that sends to a real node.
func nodeConfig(t *testing.T, address, namespace, timeout string) string {
	t.Helper()
	return file(t, "gnomon.toml", fmt.Sprintf("[elasticsearch]\naddresses = [%q]\nproxy = \"direct\"\ntimeout = %q\nnamespace = %q\n", address, timeout, namespace))
}

// sendToNode scans a capture to its end. A node that is still busy with itself leaves records in the spool: they go on with the next start.
func sendToNode(t *testing.T, dir, conf string, frames []byte) {
	t.Helper()
	for tries := 1; ; tries++ {
		s := startSending(t, dir, conf)
		s.feed(t, frames)
		status := s.end(t)
		if status == 0 {
			return
		}
		if tries == 5 || !strings.Contains(s.says(), "go on when gnomon starts again") {
			t.Fatalf("status %d: %s", status, s.says())
		}
	}
}

// A real node is killed, hangs, takes no writes and is rolled over, while the sensor is killed in mid-replay: in the end it has every record
// once, and the sums of an undisturbed run.
func TestNodeChaos(t *testing.T) {
	address := os.Getenv("GNOMON_TEST_" + strings.ToUpper(chaosNode))
	if address == "" {
		t.Fatal("there is no node: start one with make elasticsearch-up")
	}
	namespace := fmt.Sprintf("t%d", time.Now().UnixNano())
	stream := "logs-gnomon.activity-" + namespace
	askNode(t, http.MethodPut, address+"/_index_template/"+namespace, `{"index_patterns":["logs-gnomon.*-`+namespace+`","metrics-gnomon.*-`+namespace+`"],
		"priority":1000,"data_stream":{},"template":{"settings":{"number_of_replicas":0},"mappings":{"dynamic":false}}}`)
	dir, hasty, conf := t.TempDir(), nodeConfig(t, address, namespace, "2s"), nodeConfig(t, address, namespace, "1m")
	settings := address + "/_cluster/settings"
	steps := []struct {
		name     string
		disturb  func()
		soothe   func()
		rollover bool
	}{
		{"nothing", func() {}, func() {}, false},
		{"the node is killed", func() { do(t, "kill") }, func() { do(t, "again") }, true},
		{"it hangs", func() { do(t, "pause") }, func() { do(t, "resume") }, true},
		{"it takes no writes", func() { askNode(t, http.MethodPut, settings, `{"persistent":{"cluster.blocks.read_only":true}}`) },
			func() { askNode(t, http.MethodPut, settings, `{"persistent":{"cluster.blocks.read_only":null}}`) }, true},
		{"nothing again", func() {}, func() {}, false},
	}
	head, days := offices(t, 20)
	all := append(bytes.Clone(head), slices.Concat(days...)...)
	rnd := rand.New(rand.NewPCG(3, 4))
	sendToNode(t, dir, conf, slices.Concat(head, days[0])) // there is a stream to roll over, however little a slow machine comes to below
	for _, step := range steps {
		s := startSending(t, dir, hasty)
		s.feed(t, slices.Concat(head, days[0]))
		wait := time.NewTimer(time.Duration(rnd.IntN(400)) * time.Millisecond)
		<-wait.C
		step.disturb()
		s.feed(t, slices.Concat(days[1:]...))
		wait.Reset(time.Duration(500+rnd.IntN(500)) * time.Millisecond)
		<-wait.C
		s.kill(t)
		step.soothe()
		if step.rollover {
			askNode(t, http.MethodPost, address+"/"+stream+"/_rollover", `{}`)
		}
	}
	sendToNode(t, dir, conf, all)
	calm, calmAddress := elastictest.New(t)
	sendAll(t, sameSensor(t, dir), elasticConfig(t, calmAddress, time.Minute), all)
	wanted, undisturbed := sumsOf(t, calm)
	sums, records, twice := sumsIn(t, address, "logs-gnomon.*-"+namespace+",metrics-gnomon.*-"+namespace)
	if records != undisturbed || twice > 0 || records == 0 {
		t.Errorf("%d records, %d of them again; undisturbed %d", records, twice, undisturbed)
	}
	for key, w := range wanted {
		if sums[key] != w {
			t.Errorf("the sum %s is %d, undisturbed %d", key, sums[key], w)
		}
	}
}
