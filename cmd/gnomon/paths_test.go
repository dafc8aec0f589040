package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Paths, queries and what programs call themselves are held against the signatures that ask for them, and nothing but the host leaves the
// sensor: not to the terminal, not to programs, not into the store, the spool or anything else in the state directory.
func TestPathsAreDropped(t *testing.T) {
	own := filepath.Dir(file(t, "portal.toml", `vendor = "Portal"
[[service]]
id = "portal-assistant"
name = "Portal Assistant"
category = "chat-assistant"
kind = "web"
verified = 2026-11-21
urls = ["www.portal.example/assistant/*"]
user_agents = ["portal-cli/*"]
`))
	config := file(t, "gnomon.toml", "[catalogue]\nown = \""+own+"\"\n[privacy]\nkeep_names = true\n")
	log := file(t, "access.log", `1795248312.186 21 192.0.2.11 alice TCP_MISS/200 2746 9001 POST http://www.portal.example/assistant/Geheim-1?q=Geheim-2 - "Mozilla/5.0 Geheim-3"
1795248313.186 21 192.0.2.12 bob TCP_MISS/200 2746 9002 POST http://bob:Geheim-4@gateway.corp.example/v1/Geheim-5 - "Portal-CLI/1.0 (Geheim-6)"
1795248314.186 21 192.0.2.13 carol TCP_MISS/200 2746 9003 GET http://www.portal.example/mail/Geheim-7 - "-"
1795248315.186 21 192.0.2.14 dave TCP_MISS/200 2746 9004 POST http://chatgpt.com/c/Geheim-8#Geheim-9 - "-"
1795248316.186 21 192.0.2.14 dave TCP_MISS/200 2746 9004 POST http://llm.portal.example/v1/chat/completions?Geheim-10 - "-"
1795248317.186 Geheim-11
`)
	state := t.TempDir()
	outputs := map[string]string{}
	for _, args := range [][]string{{"scan"}, {"scan", "--json"}, {"inspect"}, {"scan", "--json", "--store", "--state-dir", state}} {
		name := strings.Join(args[:min(len(args), 3)], " ")
		status, stdout, stderr := gnomon(t, "", append(args, "-c", config, "--format", "squid-upload", log)...)
		if status != 0 {
			t.Fatalf("%s: status %d: %s", name, status, stderr)
		}
		outputs[name] = stdout
	}
	var sum summaryJSON
	if err := json.Unmarshal([]byte(outputs["scan --json"]), &sum); err != nil {
		t.Fatal(err)
	}
	used := map[string]uint64{}
	for _, s := range sum.Services {
		used[s.ID] = s.Flows
	}
	if used["portal-assistant"] != 2 || used["chatgpt"] != 1 || len(used) != 2 {
		t.Errorf("flows by service %v, want 2 of the portal's assistant and 1 of ChatGPT", used)
	}
	kept := 0
	err := filepath.WalkDir(state, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		outputs[path] = string(content)
		kept += bytes.Count(content, []byte("gateway.corp.example"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if kept == 0 {
		t.Error("the host is not in the store, so this test looks in the wrong place")
	}
	for name, content := range outputs {
		for _, secret := range []string{"geheim", "portal-cli", "/assistant", "completions"} {
			if strings.Contains(strings.ToLower(content), secret) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
}
