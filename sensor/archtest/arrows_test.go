package archtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// goPackage is what `go list -json` says of a package, as far as the rules need it.
type goPackage struct {
	ImportPath string
	Name       string
	Doc        string
	Standard   bool
	CgoFiles   []string
	Imports    []string
}

// TestArrows holds every import of the module against the tables in rules_test.go, for each platform that is released.
func TestArrows(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64", "arm"} {
		t.Run(arch, func(t *testing.T) {
			packages := list(t, arch)
			if !slices.ContainsFunc(packages, func(p goPackage) bool { return p.ImportPath == modulePath+"/sensor/event" }) {
				t.Fatalf("go list gave %d packages and sensor/event is not among them; the rules have nothing to hold on to", len(packages))
			}
			for _, fault := range faults(packages) {
				t.Error(fault)
			}
		})
	}
}

// faults lists every import that the rules forbid, with the reason.
func faults(packages []goPackage) []string {
	var out []string
	for _, p := range packages {
		if p.Standard {
			continue
		}
		if len(p.CgoFiles) > 0 {
			out = append(out, fmt.Sprintf("%s uses cgo (%s): the binary is pure Go", p.ImportPath, strings.Join(p.CgoFiles, ", ")))
		}
		if name, ours := roomName(p.ImportPath); ours {
			for _, imported := range p.Imports {
				if reason := forbidden(name, imported); reason != "" {
					out = append(out, fmt.Sprintf("%s must not import %s: %s", name, imported, reason))
				}
			}
		}
	}
	return out
}

// forbidden returns why the package name must not import the path imported, or "" if it may.
func forbidden(name, imported string) string {
	if target, ours := roomName(imported); ours {
		return forbiddenRoom(name, target)
	}
	for _, b := range bans {
		if matches(b.pattern, name) && matchesAny(b.not, imported) {
			return b.why
		}
	}
	for _, g := range guests {
		if !matches(g.pattern, imported) {
			continue
		}
		if matchesAny(g.in, name) {
			return ""
		}
		return g.why
	}
	if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
		return "no rule names this dependency; say in rules_test.go who needs it and why"
	}
	return ""
}

// forbiddenRoom is forbidden for an import within the module.
func forbiddenRoom(name, target string) string {
	if strings.HasPrefix(target, "cmd/") && !strings.HasPrefix(name, "cmd/") {
		return "nobody imports the program"
	}
	if strings.HasPrefix(target, name+"/") {
		return ""
	}
	for _, r := range rooms {
		if !matches(r.pattern, name) {
			continue
		}
		if matchesAny(r.may, target) {
			return ""
		}
		return r.why
	}
	return "the package that imports it stands in no room; give it one in rules_test.go"
}

// roomName strips the module's path; ours is false for packages of other modules.
func roomName(path string) (name string, ours bool) {
	if path == modulePath {
		return ".", true
	}
	return strings.CutPrefix(path, modulePath+"/")
}

// matches says whether path is the pattern, or lies below it where the pattern ends in "/...".
func matches(pattern, path string) bool {
	tree, deep := strings.CutSuffix(pattern, "/...")
	return path == tree || deep && strings.HasPrefix(path, tree+"/")
}

func matchesAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, path) })
}

// TestForbidden proves that the rules can fail, one arrow of the plan at a time.
func TestForbidden(t *testing.T) {
	const ours = modulePath + "/"
	tests := []struct {
		name, from, to string
		reason         string // part of it; "" where the import is allowed
	}{
		{"program knows exporters", "cmd/gnomon", ours + "exporters/store", ""},
		{"nobody knows the program", "exporters/report", ours + "cmd/gnomon/render", "nobody imports the program"},
		{"sensor knows classifiers", "sensor", ours + "classifiers", ""},
		{"sensor knows no exporter", "sensor", ours + "exporters", "its own Sink"},
		{"sensor knows no signature", "sensor/policy", ours + "signatures", "through its classifiers"},
		{"record knows nobody", "sensor/event", ours + "sensor/capture", "imports nobody"},
		{"record is quiet", "sensor/event", "log/slog", "knows nothing"},
		{"quic reads tls", "sensor/wire/quic", ours + "sensor/wire/tls", ""},
		{"tls does not read quic", "sensor/wire/tls", ours + "sensor/wire/quic", "bytes and returns a struct"},
		{"own sub-directory", "sensor/wire/http", ours + "sensor/wire/http/hpack", ""},
		{"parser does no I/O", "sensor/wire/http", "net/http", "no I/O"},
		{"parser has addresses", "sensor/wire/dns", "net/netip", ""},
		{"parser prints no log", "sensor/wire/dns", "log", "writes no log"},
		{"dns by its package", "sensor/wire/dns", "github.com/miekg/dns", ""},
		{"dns nowhere else", "sensor/identity", "github.com/miekg/dns", "in one place"},
		{"capture knows no flow", "sensor/capture", ours + "sensor/flow", "knows nothing"},
		{"classifier knows signatures", "classifiers/sni", ours + "signatures", ""},
		{"classifier knows no sensor", "classifiers/sni", ours + "sensor/flow", "judges evidence"},
		{"signatures know nobody", "signatures", ours + "classifiers", "is data"},
		{"signatures read toml", "signatures", "github.com/BurntSushi/toml", ""},
		{"exporter knows events", "exporters/jsonl", ours + "sensor/event", ""},
		{"exporter knows no other", "exporters/jsonl", ours + "exporters/spool", "no other exporter"},
		{"exporter knows no config", "exporters/jsonl", ours + "sensor/config", "no sensor"},
		{"pages know the questions", "exporters/dashboard", ours + "exporters/query", ""},
		{"pages know no store", "exporters/dashboard", ours + "exporters/store", "Query interface"},
		{"elasticsearch at home", "exporters/elasticsearch", "github.com/elastic/go-elasticsearch/v8/esapi", ""},
		{"elasticsearch elsewhere", "exporters/report", "github.com/elastic/elastic-transport-go/v8", "only this exporter"},
		{"gopacket at home", "sensor/decode", "github.com/google/gopacket/layers", ""},
		{"gopacket elsewhere", "sensor/flow", "github.com/google/gopacket", "already been decoded"},
		{"toml elsewhere", "sensor/policy", "github.com/BurntSushi/toml", "nothing else is"},
		{"unsafe at home", "sensor/flow", "unsafe", ""},
		{"unsafe elsewhere", "exporters/spool", "unsafe", "outside the Go heap"},
		{"no cgo", "sensor/capture", "C", "pure Go"},
		{"a dependency without its sentence", "cmd/gnomon", "example.org/left-pad", "no rule names"},
		{"standard library", "exporters/spool", "hash/crc32", ""},
		{"a package without a room", "helpers", ours + "sensor/event", "no room"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := forbidden(tt.from, tt.to)
			if (got == "") != (tt.reason == "") || !strings.Contains(got, tt.reason) {
				t.Errorf("forbidden(%q, %q) = %q, want a reason with %q", tt.from, tt.to, got, tt.reason)
			}
		})
	}
}

// TestFaults proves that cgo is found in dependencies too, and that packages of others are otherwise left alone.
func TestFaults(t *testing.T) {
	got := faults([]goPackage{
		{ImportPath: "net", Standard: true, CgoFiles: []string{"cgo_linux.go"}},
		{ImportPath: "example.org/pcap", CgoFiles: []string{"pcap.go"}, Imports: []string{"unsafe"}},
		{ImportPath: modulePath + "/exporters", Imports: []string{"context", modulePath + "/sensor/flow"}},
	})
	want := []string{
		"example.org/pcap uses cgo (pcap.go): the binary is pure Go",
		"exporters must not import " + modulePath + "/sensor/flow: the interface speaks of events alone",
	}
	if !slices.Equal(got, want) {
		t.Errorf("faults = %q, want %q", got, want)
	}
}
