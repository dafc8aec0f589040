package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const accessLog = `1795248312.186     21 192.0.2.11 TCP_MISS/200 2746 GET http://api.openai.com/v1/models? alice HIER_DIRECT/203.0.113.1 -
1795248312.279     56 192.0.2.12 TCP_TUNNEL/200 52121 CONNECT claude.ai:443 bob HIER_DIRECT/203.0.113.1 -
1795248312.379      0 192.0.2.13 TCP_DENIED/403 3402 CONNECT chat.deepseek.com:443 - HIER_NONE/- text/html
1795248312.405      3 192.0.2.15 TCP_MISS/200 245 GET http://www.example.com/ - HIER_DIRECT/203.0.113.1 -
rubbish
`

// What a log says goes through the same pipeline as packets, and every line is accounted for.
func TestScanLogs(t *testing.T) {
	path := file(t, "access.log", accessLog)
	for _, args := range [][]string{{"scan", "--json", path}, {"scan", "--json", "--format", "squid-native", path}, {"scan", "--json", filepath.Dir(path)}} {
		status, stdout, stderr := gnomon(t, "", args...)
		if status != 0 {
			t.Fatalf("%v: status %d: %s", args, status, stderr)
		}
		var sum summaryJSON
		if err := json.Unmarshal([]byte(stdout), &sum); err != nil {
			t.Fatal(err)
		}
		flows := map[string]uint64{}
		for _, s := range sum.Services {
			flows[s.ID] = s.Flows
			if s.Upload != nil {
				t.Errorf("%s: an upload of %d from a log that has none", s.ID, s.Upload.Bytes)
			}
		}
		if source := sum.Coverage.Sources[path]; len(flows) != 3 || source.Read != 5 || source.Used != 3 || source.Rejected != 1 {
			t.Errorf("%v: flows %v, source %+v", args, flows, source)
		}
	}
	_, stdout, stderr := gnomon(t, accessLog, "scan", "-")
	for _, want := range []string{"OpenAI API", "alice", "refused only", "unknown", "Uploads are unknown from -", "%>st"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the summary lacks %q:\n%s", want, stdout)
		}
	}
	if !strings.Contains(stderr, "format squid-native (") || !strings.Contains(stderr, "% sure") {
		t.Errorf("stderr does not say which format it is: %s", stderr)
	}
}

// One document per line, in order, with what the line says; rejected lines change nothing but a count on stderr.
func TestInspectLogs(t *testing.T) {
	path := file(t, "access.log", accessLog)
	status, stdout, stderr := gnomon(t, "", "inspect", "--format", "squid-native", path)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if status != 0 || len(lines) != 4 || !strings.Contains(lines[3], "www.example.com") || strings.Contains(stdout, "/v1/models") {
		t.Errorf("status %d, %d documents:\n%s", status, len(lines), stdout)
	}
	if !strings.Contains(stderr, "5 lines, 4 records, 0 other, 1 rejected") || !strings.Contains(stderr, "line 5: rubbish") {
		t.Errorf("stderr: %s", stderr)
	}
	local := file(t, "dns.log", "28-Nov-2026 15:26:27.359 client 192.0.2.4#63175: UDP: query: chat.example IN A response: NOERROR +\n")
	if _, stdout, _ := gnomon(t, "", "inspect", "--format", "infoblox", "--timezone", "Europe/Berlin", local); !strings.Contains(stdout, `"@timestamp":"2026-11-28T14:26:27.359Z"`) {
		t.Errorf("the zone was not used: %s", stdout)
	}
	for _, wrong := range [][]string{{"--format", "squid-nativ"}, {"--format", "auto", "--timezone", "Mars/Olympus"}} {
		if status, _, stderr := gnomon(t, "", append([]string{"inspect", path}, wrong...)...); status != 2 {
			t.Errorf("%v: status %d: %s", wrong, status, stderr)
		}
	}
}

// An own format needs no compiling: a file is enough, and a mistake in it is named.
func TestLogsCommands(t *testing.T) {
	log := file(t, "own.log", "2026-01-02T03:04:05Z|192.0.2.1|mary|chat.example|500|900\nrubbish\n")
	own := file(t, "ours.toml", `name = "ours"
title = "Our proxy"
shape = "columns"
separator = "|"
columns = ["time", "client", "user", "host", "up", "down"]
[record]
time = ["time"]
client = ["client"]
user = ["user"]
host = ["host"]
up = ["up"]
down = ["down"]
`)
	status, stdout, _ := gnomon(t, "", "logs", "test", own, log)
	want := "time=2026-01-02T03:04:05Z client=192.0.2.1 user=mary host=chat.example up=500 down=900"
	if status != 1 || !strings.Contains(stdout, want) || !strings.Contains(stdout, "REJECTED: too few columns") {
		t.Errorf("status %d:\n%s", status, stdout)
	}
	config := file(t, "gnomon.toml", "[logs]\nformats = \""+filepath.Dir(own)+"\"\n")
	if status, stdout, stderr := gnomon(t, "", "inspect", "-c", config, "--format", "ours", log); status != 0 || !strings.Contains(stdout, "chat.example") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	if _, stdout, _ := gnomon(t, "", "logs", "formats"); strings.Count(stdout, "\n") < 60 || !strings.Contains(stdout, "fortigate-kv") {
		t.Errorf("formats:\n%s", stdout)
	}
	if _, stdout, _ := gnomon(t, "", "logs", "formats", "squid-native"); !strings.Contains(stdout, "for uploads") {
		t.Errorf("format:\n%s", stdout)
	}
	text, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []struct{ name, old, new, says string }{
		{"shape", `"columns"` + "\n", `"rows"` + "\n", `shape = "rows"`},
		{"column", `["host"]`, `["hosts"]`, `no column is called "hosts"`},
		{"cleaner", `["host"]`, `["host | shine"]`, `unknown cleaner "shine"`},
		{"target", "up = ", "upp = ", "record.upp"},
		{"key", "title", "titel", "unknown key titel"},
		{"syntax", "title = ", "title = = ", "line 2"},
	} {
		t.Run(wrong.name, func(t *testing.T) {
			path := file(t, "bad.toml", strings.Replace(string(text), wrong.old, wrong.new, 1))
			if status, _, stderr := gnomon(t, "", "logs", "test", path, log); status != 1 || !strings.Contains(stderr, wrong.says) {
				t.Errorf("status %d, stderr does not say %q: %s", status, wrong.says, stderr)
			}
		})
	}
}
