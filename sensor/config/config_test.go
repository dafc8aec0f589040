package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestLoad(t *testing.T) {
	for _, c := range []struct {
		name    string
		text    string
		environ []string
		want    func(*Config) bool
		err     string
	}{
		{name: "empty", want: func(c *Config) bool { return reflect.DeepEqual(*c, Default()) }},
		{name: "key", text: "[flow]\ntcp_idle = \"30m\"\n", want: func(c *Config) bool { return c.Flow.TCPIdle == 30*time.Minute }},
		{name: "tap", text: "[[capture.tap]]\ninterfaces = [\"a\", \"b\"]\n", want: func(c *Config) bool { return len(c.Capture.Taps) == 1 }},
		{name: "environment wins", text: "[flow]\ntcp_idle = \"30m\"\n", environ: []string{"GNOMON_FLOW_TCP_IDLE=20m"},
			want: func(c *Config) bool { return c.Flow.TCPIdle == 20*time.Minute }},
		{name: "environment list", environ: []string{"GNOMON_CAPTURE_INTERFACES=eth1, eth2"},
			want: func(c *Config) bool { return reflect.DeepEqual(c.Capture.Interfaces, []string{"eth1", "eth2"}) }},
		{name: "environment cannot break out", environ: []string{"GNOMON_OBSERVER_NAME=a\"\n[flow]\nmax_flows=1\n#"},
			want: func(c *Config) bool { return c.Flow.MaxFlows == 400_000 && strings.HasPrefix(c.Observer.Name, "a\"") }},
		{name: "unknown key", text: "[flow]\n\ntcp_idel = \"30m\"\n", err: "line 3: unknown key flow.tcp_idel"},
		{name: "unknown table", text: "[flows]\ntcp_idle = \"30m\"\n", err: "unknown key flows"},
		{name: "broken", text: "[flow]\ntcp_idle = \n", err: "line 2, column"},
		{name: "wrong type", text: "[flow]\nmax_flows = \"many\"\n", err: "line 2"},
		{name: "no duration", text: "[flow]\ntcp_idle = \"long\"\n", err: "line 2"},
		{name: "out of range", text: "[flow]\ntcp_idle = \"1s\"\n", err: "flow.tcp_idle = 1s is out of range: at least 1m0s"},
		{name: "size", text: "[capture]\nring = \"8MiB\"\n", want: func(c *Config) bool { return c.Capture.Ring == 8<<20 }},
		{name: "no size", text: "[capture]\nring = \"8 apples\"\n", err: "is no size"},
		{name: "tap of one", text: "[[capture.tap]]\ninterfaces = [\"a\"]\n", err: "at least two interfaces"},
		{name: "interface twice", text: "[capture]\ninterfaces = [\"a\"]\n[[capture.tap]]\ninterfaces = [\"a\", \"b\"]\n", err: "count twice"},
		{name: "visit", text: "[visit]\nprefer = \"packets\"\ncovered = [\"10.1.0.0/16\"]\n",
			want: func(c *Config) bool { return c.Visit.Prefer == PreferPackets && len(c.Visit.Covered) == 1 }},
		{name: "preference", text: "[visit]\nprefer = \"proxies\"\n", err: `visit.prefer = "proxies" is none of logs, packets`},
		{name: "patience", text: "[visit]\npatience = \"1s\"\n", err: "visit.patience = 1s is out of range"},
		{name: "log level", text: "[log]\nlevel = \"loud\"\n", err: `log.level = "loud" is none of`},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "gnomon.toml")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got := Default()
			err := Load(path, c.environ, &got)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v does not say %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !c.want(&got) {
				t.Errorf("got %+v", got)
			}
		})
	}
}
