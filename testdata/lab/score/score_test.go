package score

import (
	"bytes"
	"context"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
)

const (
	named    = `{"source":{"ip":"10.20.1.11","port":40000},"destination":{"ip":"203.0.113.10","port":443},"network":{"transport":"tcp"},"tls":{"client":{"server_name":"chatgpt.com"}},"gnomon":{"upload":{"bytes":100,"low":90,"high":110}}}`
	misnamed = `{"source":{"ip":"10.20.1.11","port":40000},"destination":{"ip":"203.0.113.10","port":443},"network":{"transport":"tcp"},"tls":{"client":{"server_name":"claude.ai"}}}`
	other    = `{"source":{"ip":"10.20.1.11","port":40001},"destination":{"ip":"203.0.113.10","port":443},"network":{"transport":"tcp"},"gnomon":{"upload":{"bytes":1,"low":1,"high":1}}}`
)

func TestCompare(t *testing.T) {
	record := truth.Record{
		Kind: truth.KindConnection, Transport: "tcp", Client: netip.MustParseAddrPort("10.20.1.11:40000"), Server: netip.MustParseAddrPort("203.0.113.10:443"),
		Name: "chatgpt.com", Requests: 1, Uploaded: 105,
	}
	hidden, idle := record, record
	hidden.OuterName = "cloudflare-ech.com"
	idle.Requests = 0
	tests := []struct {
		name   string
		record truth.Record
		output string
		want   []Row
		bad    bool
	}{
		{"right", record, named, []Row{{Case: "c", Uploaded: 105, Named: true, Known: true, estimate: estimate{100, 90, 110}}}, false},
		{"slices add up", record, named + "\n" + named, []Row{{Case: "c", Uploaded: 105, Named: true, Known: true, estimate: estimate{200, 180, 220}}}, false},
		{"a second, wrong name", record, named + misnamed, []Row{{Case: "c", Uploaded: 105, Known: true, estimate: estimate{100, 90, 110}}}, false},
		{"another connection's", record, other, []Row{{Case: "c", Uploaded: 105}}, false},
		{"the inner name cannot be known", hidden, named, []Row{{Case: "c", Uploaded: 105, Known: true, estimate: estimate{100, 90, 110}}}, false},
		{"no request, no row", idle, named, nil, false},
		{"no JSON", record, "usage:", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := compare("c", []truth.Record{tt.record}, strings.NewReader(tt.output))
			if (err != nil) != tt.bad || len(got) != len(tt.want) {
				t.Fatalf("got %+v, %v", got, err)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("row is %+v, want %+v", got[i], tt.want[i])
				}
			}
		})
	}
}

func TestSummarize(t *testing.T) {
	row := func(up, got, low, high int64) Row {
		return Row{Uploaded: up, Named: true, Known: true, estimate: estimate{got, low, high}}
	}
	s := summarize([]Row{
		row(100_000, 101_000, 99_000, 102_000), // 1 %, holds, 3 % wide
		row(200_000, 190_000, 191_000, 192_000),
		row(0, 300, 0, 400),
		row(10_000, 10_000, 10_000, 10_000),
		{Uploaded: 100_000}, // no estimate: 100 % off
	})
	if s.n != 5 || s.named != 4 || s.known != 4 || s.median != 5 || s.most != 100 || s.within != 75 || s.width != 0.5 || s.falseUpload != 300 {
		t.Errorf("got %+v", s)
	}
	if empty := summarize(nil); !math.IsNaN(empty.median) || !math.IsNaN(empty.within) {
		t.Errorf("of nothing: %+v", empty)
	}
}

func TestRunAndWrite(t *testing.T) {
	dir := t.TempDir()
	record := `{"kind":"connection","transport":"tcp","client":"10.20.1.11:40000","server":"203.0.113.10:443","program":"curl 7","name":"chatgpt.com","protocol":"h2","requests":1,"request_body_bytes":105,"response_body_bytes":0}`
	for name, content := range map[string]string{"one/input.pcap": named, "one/truth.ndjson": record, "torn/input.pcap": "", "torn/truth.ndjson": "{"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rows, problems := Run(context.Background(), dir, []string{"cat", "{}"}) // the stand-in sensor says what its file says
	if len(rows) != 1 || !rows[0].Named || len(problems) != 1 || !strings.Contains(problems[0].Error(), "torn") {
		t.Fatalf("got %+v and %v", rows, problems)
	}
	var out bytes.Buffer
	if err := Write(&out, rows, 5); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"all TLS", "TLS curl 7 h2", "worst connections", "one  "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out.String())
		}
	}
	if _, problems := Run(context.Background(), dir, []string{"false"}); len(problems) != 2 {
		t.Errorf("a sensor that fails gives %v", problems)
	}
	if _, problems := Run(context.Background(), t.TempDir(), []string{"cat"}); len(problems) != 1 {
		t.Errorf("an empty directory gives %v", problems)
	}
}

func TestGroups(t *testing.T) {
	for name, want := range map[string]int{"curl-h1-50K-clean": 3, "0-RTT+go-h3-50K": 2} {
		if got := (Row{Case: name, Protocol: "h3"}).groups(); len(got) != want || got[len(got)-1] == "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
