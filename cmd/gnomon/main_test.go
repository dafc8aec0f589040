package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const demo = "../../testdata/captures/demo.pcap"

// gnomon runs the program as a shell would and returns its exit status and what it wrote.
func gnomon(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	p := &program{stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs, version: "test",
		environ: []string{"HOME=" + t.TempDir()}}
	status = p.main(context.Background(), args)
	return status, out.String(), errs.String()
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Wrong input gives one clear message and the right exit status.
func TestBadInput(t *testing.T) {
	whole, err := os.ReadFile(demo)
	if err != nil {
		t.Fatal(err)
	}
	cut := file(t, "cut.pcap", string(whole[:len(whole)/2]))
	signature := filepath.Dir(file(t, "own.toml", "vendor = \"X\"\nnonsense = 1\n"))
	for _, c := range []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{"no command", []string{"frobnicate"}, 2, `unknown command "frobnicate"`},
		{"unknown flag", []string{"scan", "--loud", "x"}, 2, "unknown flag: --loud"},
		{"no argument", []string{"inspect"}, 2, "requires at least 1 arg"},
		{"unknown format", []string{"inspect", "--format", "morse", demo}, 2, "morse: unknown format"},
		{"no such file", []string{"scan", "/nonexistent/x.pcap"}, 1, "/nonexistent/x.pcap: no such file or directory"},
		{"not a capture", []string{"scan", file(t, "x.txt", "hello, world, this is text\n")}, 1, "x.txt"},
		{"directory without captures", []string{"scan", t.TempDir()}, 1, "capture"},
		{"cut capture", []string{"inspect", cut}, 1, "cut.pcap"},
		{"no configuration", []string{"scan", "-c", "/nonexistent.toml", demo}, 1, "reading the configuration: open /nonexistent.toml"},
		{"broken configuration", []string{"scan", "-c", file(t, "a.toml", "[flow]\nslice = = 3\n"), demo}, 1, "line 2, column"},
		{"unknown key", []string{"config", "check", file(t, "b.toml", "[flow]\nslize = 3\n")}, 1, "line 2: unknown key flow.slize"},
		{"value out of range", []string{"config", "check", file(t, "c.toml", "[flow]\nslice = \"2h\"\n")}, 1, "flow.slice = 2h0m0s is out of range"},
		{"log level", []string{"scan", "--log-level", "loud", demo}, 2, "log.level"},
		{"unknown signature field", []string{"scan", "-c", file(t, "d.toml", "[catalogue]\nown = \""+signature+"\"\n"), demo}, 1, "nonsense"},
		{"wrong interface", []string{"run", "-i", "nonexistent0", "--state-dir", t.TempDir()}, 1, "nonexistent0"},
		{"unknown service", []string{"catalogue", "show", "nobody"}, 1, "catalogue list"},
		{"report for nobody", []string{"report", "--audience", "board"}, 2, "management or dlp"},
		{"report without a format", []string{"report", "-o", "use.docx"}, 2, "use.docx: its name does not tell a format"},
		{"report with too many rows", []string{"report", "--top", "99999"}, 2, "--top 99999: 1 to 10000"},
		{"report backwards", []string{"report", "--from", "2026-11-05", "--to", "2026-11-01"}, 2, "--to 2026-11-01: it lies before --from 2026-11-05"},
		{"report without a store", []string{"report", "--state-dir", t.TempDir()}, 1, "start gnomon run, or scan with --store"},
		{"unknown category", []string{"catalogue", "list", "--category", "x"}, 2, "none of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, _, stderr := gnomon(t, "", c.args...)
			if status != c.status || !strings.Contains(stderr, c.says) {
				t.Errorf("status %d, want %d; stderr does not say %q:\n%s", status, c.status, c.says, stderr)
			}
			if strings.Contains(stderr, "panic") {
				t.Errorf("it panicked:\n%s", stderr)
			}
		})
	}
}

// A cut capture gives what could be read, and says where it ended.
func TestCutCapture(t *testing.T) {
	whole, err := os.ReadFile(demo)
	if err != nil {
		t.Fatal(err)
	}
	_, all, _ := gnomon(t, "", "inspect", demo)
	status, part, stderr := gnomon(t, "", "inspect", file(t, "cut.pcap", string(whole[:len(whole)*2/3])))
	if n, of := strings.Count(part, "\n"), strings.Count(all, "\n"); status != 1 || n < of/3 || n >= of {
		t.Errorf("status %d with %d of %d documents", status, n, of)
	}
	if lines := strings.Count(strings.TrimSpace(stderr), "\n"); lines != 0 || !strings.Contains(stderr, "byte") {
		t.Errorf("stderr is not one line that says where:\n%s", stderr)
	}
}

// The summary names the services of the demonstration, and --json says the same.
func TestScan(t *testing.T) {
	status, text, stderr := gnomon(t, "", "scan", demo)
	if status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	status, asJSON, stderr := gnomon(t, "", "scan", "--json", demo)
	if status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	var sum summaryJSON
	if err := json.Unmarshal([]byte(asJSON), &sum); err != nil {
		t.Fatal(err)
	}
	if len(sum.Services) < 12 {
		t.Errorf("only %d services", len(sum.Services))
	}
	for _, s := range sum.Services {
		if !strings.Contains(text, s.Name) {
			t.Errorf("%s is missing from the text", s.Name)
		}
		if s.Flows > 0 && (s.Users == 0 || s.Visits == 0 || s.BytesUp == 0 || s.Upload == nil || s.Upload.Low > s.Upload.Bytes || s.Upload.Bytes > s.Upload.High) {
			t.Errorf("%s: %+v, upload %+v", s.Name, s, s.Upload)
		}
	}
	if sum.Coverage.Received == 0 || sum.Coverage.Named == 0 || sum.Coverage.Named > sum.Coverage.Readable {
		t.Errorf("coverage %+v", sum.Coverage)
	}
}

// A capture on stdin gives what the file gives.
func TestStdin(t *testing.T) {
	whole, err := os.ReadFile(demo)
	if err != nil {
		t.Fatal(err)
	}
	_, want, _ := gnomon(t, "", "scan", "--json", demo)
	status, got, stderr := gnomon(t, string(whole), "scan", "--json", "-")
	if status != 0 || got != want {
		t.Errorf("status %d, %d bytes instead of %d: %s", status, len(got), len(want), stderr)
	}
}

// The names are answered in order, as given; shared names and infrastructure are never a use.
func TestMatch(t *testing.T) {
	in := "chatgpt.com\nAPI.OpenAI.com.\nwww.example.org\n\ndns.google\nnotopenai.com\n"
	status, out, stderr := gnomon(t, in, "catalogue", "match")
	if status != 0 {
		t.Fatal(stderr)
	}
	want := "chatgpt.com\tchatgpt\nAPI.OpenAI.com.\topenai-api\nwww.example.org\t-\n\t-\ndns.google\t-\nnotopenai.com\t-\n"
	if out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

// A replay without permission or interface runs to its end, prints uses and a summary, and leaves nothing behind.
func TestRunReplays(t *testing.T) {
	records := filepath.Join(t.TempDir(), "records.ndjson")
	// No interface of this name exists; the replay is for lack of permission, so ask for it by a default that cannot be captured.
	p := &program{stdin: strings.NewReader(""), stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, version: "test",
		environ: []string{"GNOMON_FILE_PATH=" + records}}
	c, err := p.load()
	if err != nil {
		t.Fatal(err)
	}
	parts, err := p.assemble(&c)
	if err != nil {
		t.Fatal(err)
	}
	source, err := openReplay("../../testdata/captures", 0)
	if err != nil {
		t.Fatal(err)
	}
	c.Observer.StateDir, c.Dashboard.Listen = t.TempDir(), ""
	if parts.observer.ID, err = observerID(c.Observer.StateDir); err != nil {
		t.Fatal(err)
	}
	d := &daemonParts{parts: parts, sources: sourceList(source), log: p.logger(&c), replay: true}
	if err := p.daemon(context.Background(), &c, &runFlags{}, d); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(records)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		var ev struct {
			Event struct{ ID, Dataset string }
		}
		if err := json.Unmarshal([]byte(line), &ev); err != nil {
			t.Fatal(err)
		}
		if ids[ev.Event.ID] {
			t.Errorf("record %s was written twice", ev.Event.ID)
		}
		ids[ev.Event.ID] = true
	}
	if len(ids) < 50 {
		t.Errorf("only %d records", len(ids))
	}
}

// Help, completion and manual pages come from the same definitions and name every command.
func TestHelp(t *testing.T) {
	status, help, _ := gnomon(t, "", "help")
	if status != 0 {
		t.Fatal(status)
	}
	dir := t.TempDir()
	if status, _, stderr := gnomon(t, "", "man", dir); status != 0 {
		t.Fatal(stderr)
	}
	for _, name := range []string{"run", "scan", "inspect", "catalogue", "config", "version"} {
		if !strings.Contains(help, "\n  "+name) {
			t.Errorf("help does not list %s", name)
		}
		if _, err := os.Stat(filepath.Join(dir, "gnomon-"+name+".1")); err != nil {
			t.Error(err)
		}
	}
	if status, script, _ := gnomon(t, "", "completion", "bash"); status != 0 || !strings.Contains(script, "gnomon") {
		t.Error("no completion for bash")
	}
}
