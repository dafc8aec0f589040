package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/exportertest"
	"github.com/gnomon-sensor/gnomon/exporters/spool"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// refusing is an output that takes nothing.
type refusing struct{}

func (refusing) Export(_ context.Context, _ []event.Event, out []exporters.Outcome) error {
	for i := range out {
		out[i] = exporters.Outcome{State: exporters.Never, Reason: "field \x1b[31m is wrong"}
	}
	return nil
}

func (refusing) Close() error { return nil }

// Dead letters are listed with their reason, shown with their record, handed over again and forgotten.
func TestDeadLetters(t *testing.T) {
	dir := t.TempDir()
	conf := spool.Default(filepath.Join(dir, "spool"))
	conf.Exporters = []string{storeOutput}
	s, err := spool.Open(conf)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Attach(storeOutput, refusing{}); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		ev := exportertest.Full(n)
		s.Offer(&ev)
	}
	if err := s.Close(patience); err != nil {
		t.Fatal(err)
	}
	numbers := []string{}
	for _, c := range []struct {
		name   string
		args   []string
		status int
		out    string // part of stdout
		says   string // part of stderr
	}{
		{"list", []string{"list"}, 0, "store   gnomon.activity", ""},
		{"reasons are printable", []string{"list"}, 0, "field \uFFFD[31m is wrong", ""},
		{"list as JSON", []string{"list", "--json"}, 0, `"reason":"field \u001b[31m is wrong"`, ""},
		{"of another output", []string{"list", "--exporter", "file"}, 0, "", "There are no dead letters."},
		{"fewer", []string{"list", "--limit", "1"}, 0, "store", "2 more are not shown"},
		{"show", []string{"show", "FIRST"}, 0, `"domain": "assistant.example"`, ""},
		{"show nothing", []string{"show", "999"}, 1, "", "there is none of this number"},
		{"show what is no number", []string{"show", "x"}, 2, "", "no number of a dead letter"},
		{"retry what", []string{"retry"}, 2, "", "Give their numbers, --exporter or --all"},
		{"purge one", []string{"purge", "FIRST"}, 0, "", "1 dead letters are forgotten"},
		{"it is gone", []string{"purge", "FIRST"}, 0, "", "0 dead letters are forgotten"},
		{"retry", []string{"retry", "--exporter", "store"}, 0, "", "2 dead letters go to their output again"},
		{"all are gone", []string{"list"}, 0, "", "There are no dead letters."},
		{"nothing is there", []string{"list", "--state-dir", t.TempDir()}, 0, "", "There are no dead letters."},
		{"nothing to purge", []string{"purge", "--all", "--state-dir", t.TempDir()}, 0, "", "0 dead letters"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"dlq", c.args[0], "--state-dir", dir}, c.args[1:]...)
			for i := range args {
				if args[i] == "FIRST" {
					args[i] = numbers[0]
				}
			}
			status, stdout, stderr := gnomon(t, "", args...)
			if status != c.status || !strings.Contains(stdout, c.out) || !strings.Contains(stderr, c.says) {
				t.Errorf("status %d\n%s\n%s", status, stdout, stderr)
			}
			if c.name == "list as JSON" {
				for line := range strings.Lines(stdout) {
					var l struct{ Number json.Number }
					if err := json.Unmarshal([]byte(line), &l); err != nil {
						t.Fatal(err)
					}
					numbers = append(numbers, l.Number.String())
				}
			}
		})
	}
	scan, stored := file(t, "empty.pcap", string(captureOf(t, nil))), 2
	if status, _, stderr := gnomon(t, "", "scan", "--store", "--state-dir", dir, scan); status != 0 {
		t.Fatal(stderr)
	}
	if got := len(storedIn(t, dir)); got != stored {
		t.Errorf("the store has %d of %d records that were handed over again", got, stored)
	}
}
