//go:build relay

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/config"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// office is two network namespaces: clients in one, a proxy, a server and the sensor in the other.
type office struct {
	t               *testing.T
	inside, clients string
	dir             string // of Squid
}

const officeSquid = `http_port 10.20.1.1:3128
visible_hostname proxy.example
hosts_file %[1]s/hosts
dns_nameservers 127.0.0.1
auth_param basic program /usr/lib/squid/basic_fake_auth
auth_param basic realm office
auth_param basic children 1 startup=1
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
pinger_enable off
netdb_filename none
shutdown_lifetime 0 seconds
memory_cache_shared off
pid_filename %[1]s/squid.pid
coredump_dir %[1]s
cache_log %[1]s/cache.log
logformat gnomon %%ts.%%03tu %%6tr %%>a %%un %%Ss/%%03>Hs %%<st %%>st %%rm %%ru - "%%{User-Agent}>h"
access_log stdio:%[1]s/access.log logformat=gnomon
`

// officeUse is what clients send: the user, the address, the host and how much.
var officeUse = []struct {
	user, address, host string
	size                int
}{
	{"alice", "10.20.1.11", "chatgpt.com", 100_000}, {"bob", "10.20.1.12", "api.openai.com", 300_000}, {"alice", "10.20.1.11", "claude.ai", 60_000},
	{"bob", "10.20.1.12", "chatgpt.com", 80_000}, {"alice", "10.20.1.11", "chatgpt.com", 70_000}, {"bob", "10.20.1.12", "www.example.com", 50_000},
}

// What the sensor captures on an interface and what it reads in the log of the proxy behind it count once together: by user and service the
// flows are as many as the server served, what was uploaded lies within the bounds, and each visit is one.
func TestRelaySquid(t *testing.T) {
	for _, prefer := range []string{config.PreferLogs, config.PreferPackets} {
		t.Run(prefer, func(t *testing.T) {
			o := newOffice(t)
			dir := t.TempDir()
			out := filepath.Join(dir, "out.ndjson")
			settings := file(t, "gnomon.toml", fmt.Sprintf("[observer]\nstate_dir = %q\n[dashboard]\nlisten = \"\"\n[store]\nenabled = false\n[file]\npath = %q\n[privacy]\nkeep_names = true\n"+
				"[capture]\ninterfaces = [\"in0\"]\n[visit]\nprefer = %q\n[[logs.source]]\nname = \"squid\"\nfiles = [%q]\nformat = \"squid-upload\"\n",
				dir, out, prefer, filepath.Join(o.dir, "access.log")))
			d := startDaemon(t, o.inside, "-c", settings, "--state-dir", dir)
			for _, u := range officeUse {
				o.upload(u.user, u.address, u.host, u.size)
			}
			read := o.until(out, len(officeUse)-1) // www.example.com is no AI service
			d.stop(t)
			if !read {
				t.Errorf("not every line of Squid's log became a record:\n%s", d.errs.String())
			}
			o.compare(records(t, out))
		})
	}
}

// newOffice starts all but the sensor.
func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, inside: namespace(t, 1), clients: namespace(t, 0)}
	for _, args := range []string{"-n INSIDE link set lo up", "-n INSIDE addr add 10.20.1.1/24 dev in0", "-n INSIDE link set out0 netns CLIENTS", "-n CLIENTS link set out0 up",
		"-n CLIENTS addr add 10.20.1.11/24 dev out0", "-n CLIENTS addr add 10.20.1.12/24 dev out0"} {
		args = strings.NewReplacer("INSIDE", o.inside, "CLIENTS", o.clients).Replace(args)
		if text, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", args, err, text)
		}
	}
	o.startOrigin()
	o.startSquid()
	return o
}

// startOrigin runs a server that is every host.
func (o *office) startOrigin() {
	o.t.Helper()
	origin := inside(context.Background(), o.inside, "origin")
	if err := origin.Start(); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() {
		_ = origin.Process.Kill()
		_ = origin.Wait()
	})
}

// startSquid runs Squid as the user that it becomes.
func (o *office) startSquid() {
	o.t.Helper()
	var err error
	if o.dir, err = os.MkdirTemp("", "gnomon-squid-"); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = os.RemoveAll(o.dir) })
	hosts := "127.0.0.1"
	for _, u := range officeUse {
		hosts += " " + u.host
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(o.dir, name), []byte(text), 0o644); err != nil {
			o.t.Fatal(err)
		}
	}
	write("hosts", hosts+"\n")
	write("squid.conf", fmt.Sprintf(officeSquid, o.dir))
	who, err := user.Lookup("proxy")
	if err != nil {
		o.t.Fatal(err)
	}
	uid, _ := strconv.Atoi(who.Uid) // a number on every Unix
	gid, _ := strconv.Atoi(who.Gid)
	if err := os.Chown(o.dir, uid, gid); err != nil {
		o.t.Fatal(err)
	}
	if err := os.Chmod(o.dir, 0o755); err != nil {
		o.t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command("ip", "netns", "exec", o.inside, "squid", "-N", "-n", fmt.Sprintf("gnomon%d", time.Now().UnixNano()), "-f", filepath.Join(o.dir, "squid.conf"))
	cmd.Stderr, cmd.Stdout = &said, &said
	if err := cmd.Start(); err != nil {
		o.t.Fatalf("starting squid: %v; install squid", err)
	}
	o.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if o.t.Failed() {
			text, _ := os.ReadFile(filepath.Join(o.dir, "cache.log")) // it may not be there
			o.t.Logf("squid: %s\n%s", said.String(), text)
		}
	})
}

// upload sends so much as a user, once Squid listens.
func (o *office) upload(user, address, host string, size int) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ip", "netns", "exec", o.clients, "curl", "-sS", "-k", "--retry", "100", "--retry-delay", "1", "--retry-connrefused", "--interface", address,
		"-x", "http://"+user+":secret@10.20.1.1:3128", "-H", "Expect:", "--data-binary", "@-", "https://"+host+"/")
	cmd.Stdin = io.LimitReader(zeroes{}, int64(size))
	if text, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(text)) != strconv.Itoa(size) {
		o.t.Fatalf("%s to %s: %v: %s", user, host, err, text)
	}
}

type zeroes struct{}

// Read implements io.Reader.
func (zeroes) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// records are what the sensor wrote of use.
func records(t *testing.T, path string) (all []event.Event) {
	t.Helper()
	text, _ := os.ReadFile(path) // it may not be there yet
	for line := range bytes.Lines(text) {
		var ev event.Event
		if json.Unmarshal(line, &ev) == nil && ev.Event.Dataset == event.DatasetActivity { // the last line may be half written
			all = append(all, ev)
		}
	}
	return all
}

// until waits for so many records of the log.
func (o *office) until(path string, want int) bool {
	o.t.Helper()
	deadline := time.After(50 * time.Second)
	for tick := time.Tick(100 * time.Millisecond); ; {
		n := 0
		for _, ev := range records(o.t, path) {
			if ev.Log != nil {
				n++
			}
		}
		if n >= want {
			return true
		}
		select {
		case <-tick:
		case <-deadline:
			return false
		}
	}
}

// compare holds what counts against what was sent.
func (o *office) compare(all []event.Event) {
	o.t.Helper()
	type sum struct{ flows, visits, bytes, low, high uint64 }
	got, want := map[string]sum{}, map[string]sum{}
	for _, u := range officeUse {
		if id := serviceOf(o.t, u.host); id != "-" {
			s := want[u.user+" "+id]
			s.flows, s.visits, s.bytes = s.flows+1, 1, s.bytes+uint64(u.size)
			want[u.user+" "+id] = s
		}
	}
	packets := 0
	for _, ev := range all {
		if ev.Log == nil {
			packets++
		}
		if ev.Gnomon.Counted == nil || !*ev.Gnomon.Counted {
			continue
		}
		who := ev.Source.IP
		if ev.User != nil {
			who = ev.User.Name
		}
		s := got[who+" "+ev.Gnomon.Service.ID]
		if ev.Gnomon.Flow.Slice == 0 {
			s.flows++
		}
		if ev.Gnomon.Visit.First {
			s.visits++
		}
		if u := ev.Gnomon.Upload; u != nil {
			s.low, s.high = s.low+u.Low, s.high+u.High
		}
		got[who+" "+ev.Gnomon.Service.ID] = s
	}
	for key, w := range want {
		if g := got[key]; g.flows != w.flows || g.visits != w.visits || w.bytes < g.low || w.bytes > g.high {
			o.t.Errorf("%s: %d flows in %d visits with %d to %d bytes, want %d, %d and %d", key, g.flows, g.visits, g.low, g.high, w.flows, w.visits, w.bytes)
		}
	}
	if len(got) != len(want) || packets == 0 {
		o.t.Errorf("%d sums of %d records of packets, want %d: %+v", len(got), packets, len(want), got)
	}
}
