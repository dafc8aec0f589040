//go:build integration

package elastictest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var record = flag.Bool("record", false, "write what the nodes answer to testdata")

// Real nodes answer as recorded. To record anew: go test -tags integration ./exporters/elasticsearch/elastictest -run Recorded -record.
func TestNodeRecorded(t *testing.T) {
	for _, name := range []string{"elasticsearch8", "elasticsearch9", "opensearch2"} {
		t.Run(name, func(t *testing.T) {
			variable := "GNOMON_TEST_" + strings.ToUpper(name)
			address := os.Getenv(variable)
			if address == "" {
				t.Fatalf("%s is not set: start the nodes with make elasticsearch-up", variable)
			}
			stream := fmt.Sprintf("logs-recorded%d-x", time.Now().UnixNano())
			got := Requests(stream)
			ask(t, address, got)
			if *record {
				for i := range got {
					e := &got[i]
					e.Path, e.Body, e.Answer = strings.ReplaceAll(e.Path, stream, "logs-recorded-x"), strings.ReplaceAll(e.Body, stream, "logs-recorded-x"), strings.ReplaceAll(e.Answer, stream, "logs-recorded-x")
				}
				text, err := json.MarshalIndent(got, "", " ")
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile("testdata/"+name+".json", append(text, '\n'), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			same(t, got, recordings(t)[name])
		})
	}
}
