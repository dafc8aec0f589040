package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/logs"
)

// logTruth is what a stand-in server counted of one client's request by way of a real proxy or resolver; see testdata/lab.
type logTruth struct {
	Logs     []string `json:"logs"`
	Client   string   `json:"client"`
	User     string   `json:"user"`
	Host     string   `json:"host"`
	Lookup   bool     `json:"lookup"`
	Uploaded uint64   `json:"request_body_bytes"`
}

// serverLogs are the logs of real servers: those of the repository, or those that the laboratory has just made.
func serverLogs(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("GNOMON_SERVER_LOGS")
	if dir == "" {
		dir = "../../testdata/logs"
	}
	found, err := filepath.Glob(filepath.Join(dir, "*", "truth.ndjson"))
	if err != nil || len(found) < 7 {
		t.Fatalf("logs of %d servers in %s, want 7 (%v)", len(found), dir, err)
	}
	return found
}

func readLogTruth(t *testing.T, path string) (all []logTruth) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(text)); d.More(); {
		var row logTruth
		if err := d.Decode(&row); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	return all
}

// What real servers log is read right, in every form: who it was, which host, and how much went up, or that the log does not say so.
func TestServerLogs(t *testing.T) {
	for _, truth := range serverLogs(t) {
		rows := readLogTruth(t, truth)
		files, err := filepath.Glob(filepath.Join(filepath.Dir(truth), "*.log"))
		if err != nil || len(files) == 0 {
			t.Fatal("no logs beside", truth)
		}
		for _, path := range files {
			format := strings.TrimSuffix(filepath.Base(path), ".log")
			t.Run(filepath.Base(filepath.Dir(truth))+"/"+format, func(t *testing.T) {
				mine := slices.DeleteFunc(slices.Clone(rows), func(r logTruth) bool { return !slices.Contains(r.Logs, format) })
				linesTell(t, format, path, mine)
				sumsTell(t, format, path, mine)
			})
		}
	}
}

// Neither HAProxy's option tcplog nor nginx's combined format says which host it was, and nginx alone of those that forward knows a user.
func nameless(format string) bool { return format == "haproxy-tcp" || format == "nginx-combined" }

// linesTell wants one document for each request, with client, user and host.
func linesTell(t *testing.T, format, path string, rows []logTruth) {
	t.Helper()
	status, stdout, stderr := gnomon(t, "", "inspect", path)
	if status != 0 || !strings.Contains(stderr, ": format "+format+" (") {
		t.Errorf("status %d, and it was taken for another format: %s", status, stderr)
	}
	said := map[string]int{}
	for d := json.NewDecoder(strings.NewReader(stdout)); d.More(); {
		var ev event.Event
		if err := d.Decode(&ev); err != nil {
			t.Fatal(err)
		}
		host, user := ev.Destination.Domain, ""
		if ev.DNS != nil && ev.DNS.Question != nil {
			host = "look-up of " + ev.DNS.Question.Name
		}
		if ev.User != nil {
			user = ev.User.Name
		}
		said[ev.Source.IP+" "+user+" "+host]++
	}
	for _, r := range rows {
		host := r.Host
		switch {
		case r.Lookup:
			host = "look-up of " + host
		case nameless(format):
			host = ""
		}
		if want := r.Client + " " + r.User + " " + host; said[want] != 1 {
			t.Errorf("%q is told %d times; the log tells %v", want, said[want], said)
		}
	}
}

// sumsTell wants every service with its user, and the upload between its bounds where the format tells it, else none.
func sumsTell(t *testing.T, format, path string, rows []logTruth) {
	t.Helper()
	library, err := logs.Load("")
	if err != nil {
		t.Fatal(err)
	}
	info, _ := library.Info(format)
	sums := scanned(t, "--format", format, path)
	if nameless(format) {
		if len(sums) != 0 {
			t.Errorf("a log without names shows %v", sums)
		}
		return
	}
	for _, r := range rows {
		s, ok := sums[serviceOf(t, r.Host)]
		switch {
		case !ok || r.Lookup && (s.Flows != 0 || s.Lookups != 1) || !r.Lookup && (s.Flows != 1 || s.Users != 1):
			t.Errorf("%s: %+v", r.Host, s)
		case info.Upload != "" || r.Lookup:
			if s.Upload != nil {
				t.Errorf("%s: an upload of %+v from a log that tells none", r.Host, *s.Upload)
			}
		case s.Upload == nil || r.Uploaded < s.Upload.Low || r.Uploaded > s.Upload.High || s.BytesUp < r.Uploaded || s.BytesUp > r.Uploaded+r.Uploaded/10+2048:
			t.Errorf("%s: upload %+v of %d bytes up, %d were sent", r.Host, s.Upload, s.BytesUp, r.Uploaded)
		}
	}
	if len(sums) != len(rows) {
		t.Errorf("%d services, want %d", len(sums), len(rows))
	}
}

// scanned are the services that scan finds, by id.
func scanned(t *testing.T, args ...string) map[string]serviceJSON {
	t.Helper()
	status, stdout, stderr := gnomon(t, "", append([]string{"scan", "--json"}, args...)...)
	var sum summaryJSON
	if err := json.Unmarshal([]byte(stdout), &sum); status != 0 || err != nil {
		t.Fatalf("scan %v: status %d, %v: %s", args, status, err, stderr)
	}
	out := map[string]serviceJSON{}
	for _, s := range sum.Services {
		out[s.ID] = s
	}
	return out
}

// serviceOf asks the catalogue whose name it is.
func serviceOf(t *testing.T, host string) string {
	t.Helper()
	_, stdout, _ := gnomon(t, "", "catalogue", "match", host)
	_, id, _ := strings.Cut(strings.TrimSpace(stdout), "\t")
	return id
}

// With both eyes open on one run, sums by user and service are what the servers counted, whichever eye is preferred and whether or not the
// log tells uploads: nothing is counted twice, and nothing is missing.
func TestServerLogsBesidePackets(t *testing.T) {
	for _, truth := range serverLogs(t) {
		dir := filepath.Dir(truth)
		capture := filepath.Join(dir, "input.pcap")
		if _, err := os.Stat(capture); err != nil {
			continue
		}
		rows := readLogTruth(t, truth)
		people := map[string]uint64{}
		for _, r := range rows {
			who := r.User
			if who == "" {
				who = r.Client
			}
			people[who]++
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.log"))
		if err != nil || len(files) == 0 {
			t.Fatal("no logs beside", capture)
		}
		for _, log := range files {
			for _, prefer := range []string{"logs", "packets"} {
				t.Run(filepath.Base(log)+" "+prefer, func(t *testing.T) {
					config := file(t, "gnomon.toml", "[visit]\nprefer = \""+prefer+"\"\n")
					sums := scanned(t, "-c", config, capture, log)
					for _, r := range rows {
						s := sums[serviceOf(t, r.Host)]
						if s.Flows != 1 || s.Users != 1 || s.Visits != 1 || s.Upload == nil || r.Uploaded < s.Upload.Low || r.Uploaded > s.Upload.High {
							t.Errorf("%s: %+v with upload %+v; %d bytes were sent", r.Host, s, s.Upload, r.Uploaded)
						}
					}
					if len(sums) != len(rows) {
						t.Errorf("%d services, want %d", len(sums), len(rows))
					}
					peopleTell(t, people, "-c", config, capture, log)
				})
			}
		}
	}
}

// peopleTell wants each user, and who has no name by the address, with as many flows as they had.
func peopleTell(t *testing.T, people map[string]uint64, args ...string) {
	t.Helper()
	_, stdout, _ := gnomon(t, "", append([]string{"scan"}, args...)...)
	_, who, _ := strings.Cut(stdout, "USER OR ADDRESS")
	who, _, _ = strings.Cut(who, "\nLOG ")
	found := 0
	for line := range strings.Lines(who) {
		f := strings.Fields(line)
		if len(f) < 3 || people[f[0]] == 0 {
			continue
		}
		found++
		if want := fmt.Sprint(people[f[0]]); f[1] != want || f[2] != want {
			t.Errorf("%s has %s flows of %s services, want %d of each", f[0], f[2], f[1], people[f[0]])
		}
	}
	if found != len(people) {
		t.Errorf("%d of %d users are named:\n%s", found, len(people), who)
	}
}
