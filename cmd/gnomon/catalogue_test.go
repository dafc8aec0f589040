package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestCatalogueList(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		has  string
		not  string
	}{
		{"all", nil, "chatgpt ", "no such thing"},
		{"a country", []string{"--country", "cn"}, "deepseek", "chatgpt "},
		{"a category", []string{"--category", "coding-assistant"}, "github-copilot", "chatgpt "},
		{"a known risk", []string{"--risk", "trains_on_input"}, "TRAINS_ON_INPUT", "cloudflare-dns"},
		{"a risk and its value", []string{"--risk", "trains_on_input=no"}, " no\n", " yes\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, stdout, stderr := gnomon(t, "", append([]string{"catalogue", "list"}, c.args...)...)
			if status != 0 || !strings.Contains(stdout, c.has) || strings.Contains(stdout, c.not) {
				t.Errorf("status %d, want %q and not %q:\n%.2000s%s", status, c.has, c.not, stdout, stderr)
			}
		})
	}
	status, stdout, _ := gnomon(t, "", "catalogue", "list", "--json", "--country", "CN")
	var services []serviceInfo
	if err := json.Unmarshal([]byte(stdout), &services); err != nil || status != 0 || len(services) == 0 || len(services[0].Names) == 0 {
		t.Errorf("--json: status %d, %v: %d services", status, err, len(services))
	}
	for _, s := range services {
		if s.Country != "CN" {
			t.Errorf("%s is of %s", s.ID, s.Country)
		}
	}
	if status, _, stderr := gnomon(t, "", "catalogue", "list", "--risk", "evil=yes"); status != 2 || !strings.Contains(stderr, "none of trains_on_input") {
		t.Errorf("an unknown attribute: status %d: %s", status, stderr)
	}
}

// Every name is shown with its proofs, and every proof that is referred to is explained.
func TestCatalogueShow(t *testing.T) {
	status, stdout, stderr := gnomon(t, "", "catalogue", "show", "chatgpt")
	if status != 0 {
		t.Fatal(stderr)
	}
	for _, want := range []string{"ChatGPT (chatgpt)", "vendor    OpenAI, US", "CONTACT IS USE", "chatgpt.com", "primary", "SOURCES", "[1] ", "read 20"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("it does not say %q:\n%s", want, stdout)
		}
	}
	status, stdout, _ = gnomon(t, "", "catalogue", "show", "--json", "chatgpt")
	var info serviceInfo
	if err := json.Unmarshal([]byte(stdout), &info); err != nil || status != 0 {
		t.Fatalf("status %d: %v", status, err)
	}
	for _, n := range info.Names {
		if len(n.Sources) == 0 || n.Sources[0].Title == "" && n.Sources[0].URL == "" {
			t.Errorf("%s has no proof that is explained: %+v", n.Name, n.Sources)
		}
	}
	if _, _, stderr := gnomon(t, "", "catalogue", "show", "chatgp"); !strings.Contains(stderr, "did you mean chatgpt") {
		t.Errorf("a misspelt id: %s", stderr)
	}
}
