package sensor_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/classifiers/names"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/capture/pcapfile"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/pdns"
	"github.com/gnomon-sensor/gnomon/signatures"
)

var update = flag.Bool("update", false, "rewrite the want.*.ndjson of testdata/cases; read the difference like code")

const casesDir = "../testdata/cases"

// recorder keeps what a sensor writes, as JSON lines and as records.
type recorder struct {
	lines  bytes.Buffer
	events []event.Event
}

// Offer implements sensor.Sink.
func (r *recorder) Offer(ev *event.Event) {
	line, err := json.Marshal(ev)
	if err != nil {
		panic(err)
	}
	r.lines.Write(append(line, '\n'))
	var copied event.Event // through JSON: what a reader of the file gets
	if err := json.Unmarshal(line, &copied); err != nil {
		panic(err)
	}
	r.events = append(r.events, copied)
}

func classifier(t testing.TB) classifiers.Classifier {
	t.Helper()
	catalogue, err := signatures.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return names.New(func() *signatures.Catalogue { return catalogue })
}

// settings are the defaults of the program, with everything fixed that differs from run to run.
func settings() sensor.Config {
	addresses, err := pdns.New(pdns.Default(), 1)
	if err != nil {
		panic(err)
	}
	return sensor.Config{
		Observer:   event.Observer{ID: "00000000-0000-4000-8000-000000000001", Name: "test", Type: "sensor", Version: "test"},
		Ruleset:    func() string { return "catalogue test" },
		FirstSlice: 2e9, Slice: 60e9,
		Flow: flow.Default(), Evidence: evidence.Default(), Seed: [3]uint64{1, 2, 3}, Visits: sensor.NewVisits(), PDNS: addresses,
	}
}

// input opens a case's capture.
func input(t testing.TB, dir string) *pcapfile.File {
	t.Helper()
	for _, name := range []string{"input.pcap", "input.pcapng"} {
		file, err := pcapfile.Open(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		return file
	}
	t.Fatalf("%s holds no input.pcap", dir)
	return nil
}

func run(t testing.TB, config sensor.Config, source capture.Source) *recorder {
	t.Helper()
	return runWith(t, config, source, classifier(t))
}

// runWith is run with a classifier that is there already: loading the catalogue takes longer than most captures.
func runWith(t testing.TB, config sensor.Config, source capture.Source, classify classifiers.Classifier) *recorder {
	t.Helper()
	var r recorder
	s, err := sensor.New(config, source, classify, &r)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return &r
}

func cases(t testing.TB) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(casesDir, "*", "ABOUT"))
	if err != nil || len(dirs) < 20 {
		t.Fatalf("only %d cases in %s (%v)", len(dirs), casesDir, err)
	}
	for i := range dirs {
		dirs[i] = filepath.Dir(dirs[i])
	}
	return dirs
}

// TestCases holds what the whole data path says of real clients' captures against golden files: want.inspect.ndjson is what `inspect`
// prints, want.activity.ndjson what `run` records.
func TestCases(t *testing.T) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			all := settings()
			all.All = true
			golden(t, filepath.Join(dir, "want.inspect.ndjson"), run(t, all, input(t, dir)).lines.Bytes())
			golden(t, filepath.Join(dir, "want.activity.ndjson"), run(t, settings(), input(t, dir)).lines.Bytes())
		})
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run go test ./sensor -run TestCases -update", err)
	}
	if bytes.Equal(got, want) {
		return
	}
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s line %d differs (%d lines, want %d)\ngot  %s\nwant %s", path, i+1, len(g), len(w), at(g, i), at(w, i))
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(none)"
}

// truth is what the servers of the laboratory counted.
type truth struct {
	Kind      string `json:"kind"` // connection, proxied or dns
	Transport string `json:"transport"`
	Client    string `json:"client"`
	Server    string `json:"server"`
	Name      string `json:"name"`
	User      string `json:"user"`
	ECH       bool   `json:"ech"`
	Outer     string `json:"outer_name"`
	Body      uint64 `json:"request_body_bytes"`
	Hosts     []struct {
		Name string `json:"name"`
	} `json:"hosts"`
	Answers []string `json:"answers"`
}

func truths(t *testing.T, dir string) []truth {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "truth.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var all []truth
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var one truth
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// TestTruth holds the documents against what the servers of the laboratory say: every connection is there with its name, seen from the
// client; every proxy user; every look-up with its addresses; and the upload's bounds hold the body bytes that arrived.
func TestTruth(t *testing.T) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			all := settings()
			all.All = true
			seen := index(run(t, all, input(t, dir)).events)
			for _, want := range truths(t, dir) {
				docs := seen[want.Transport+" "+want.Client+" "+want.Server]
				if len(docs) == 0 {
					t.Errorf("no document for %s %s -> %s (%s)", want.Transport, want.Client, want.Server, want.Name)
					continue
				}
				check(t, docs, &want)
			}
		})
	}
}

func index(events []event.Event) map[string][]event.Event {
	docs := map[string][]event.Event{}
	for _, ev := range events {
		from := netip.AddrPortFrom(netip.MustParseAddr(ev.Source.IP), *ev.Source.Port)
		to := netip.AddrPortFrom(netip.MustParseAddr(ev.Destination.IP), *ev.Destination.Port)
		key := ev.Network.Transport + " " + from.String() + " " + to.String()
		docs[key] = append(docs[key], ev)
	}
	return docs
}

func check(t *testing.T, docs []event.Event, want *truth) {
	t.Helper()
	names, users, answers := map[string]bool{}, map[string]bool{}, map[string]bool{}
	var upload *event.Upload
	for i := range docs {
		ev := &docs[i]
		if ev.TLS != nil {
			names[ev.TLS.Client.ServerName] = true
			if ev.Gnomon.Service != nil && want.ECH && (ev.Gnomon.Evidence.Class != "ip-from-dns" || ev.Gnomon.Evidence.Confidence != "low") {
				t.Errorf("the outer name %s of an encrypted hello was taken for %s", ev.TLS.Client.ServerName, ev.Gnomon.Service.ID)
			}
		}
		if ev.URL != nil {
			names[ev.URL.Domain] = true
		}
		if ev.DNS != nil && ev.DNS.Question != nil {
			names[ev.DNS.Question.Name] = true
			for _, a := range ev.DNS.ResolvedIP {
				answers[ev.DNS.Question.Name+" "+a] = true
			}
		}
		if ev.User != nil {
			users[ev.User.Name] = true
		}
		if ev.Gnomon.Upload != nil {
			upload = ev.Gnomon.Upload
		}
	}
	for _, host := range append([]string{want.Name}, hostNames(want)...) {
		if want.ECH && names[host] {
			t.Errorf("%s -> %s: the name %s was encrypted, yet it was read", want.Client, want.Server, host)
		}
		if host != "" && !names[host] && !want.ECH {
			t.Errorf("%s -> %s: name %s is missing; read %v", want.Client, want.Server, host, names)
		}
	}
	if want.ECH && !names[want.Outer] {
		t.Errorf("%s -> %s: outer name %s is missing", want.Client, want.Server, want.Outer)
	}
	if want.Kind == "proxied" && want.User != "" && !users[want.User] {
		t.Errorf("%s -> %s: user %s is missing", want.Client, want.Server, want.User)
	}
	for _, a := range want.Answers {
		if !answers[want.Name+" "+a] {
			t.Errorf("look-up of %s: address %s is missing", want.Name, a)
		}
	}
	if want.Kind == "connection" && upload != nil && (want.Body < upload.Low || want.Body > upload.High) {
		t.Errorf("%s -> %s (%s): %d body bytes arrived, bounds say %d to %d", want.Client, want.Server, want.Name, want.Body, upload.Low, upload.High)
	}
}

func hostNames(want *truth) []string {
	var names []string
	for _, h := range want.Hosts {
		names = append(names, h.Name)
	}
	return names
}
