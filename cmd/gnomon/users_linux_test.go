package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/exporters/store"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Two desks of the demonstration have a user; its resolver and its proxy are nobody's.
const (
	annasDesk = "10.20.1.21"
	bensDesk  = "10.20.1.22"
	resolver  = "10.20.0.53"
	proxy     = "10.20.0.128"

	// That the table knows better makes no difference.
	usersTable = "address,user,department\n" + annasDesk + ",anna,Sales\n" + bensDesk + ",ben,Research\n" + resolver + ",ghost,Cellar\n" + proxy +
		",ghost,Cellar\n"
)

// withResolver is the demonstration with a resolver that then does what Ben did.
func withResolver(t *testing.T) string {
	t.Helper()
	all := demoFrames(t)
	ben, name := netip.MustParseAddr(bensDesk).As4(), netip.MustParseAddr(resolver).As4()
	for _, f := range slices.Clone(all) {
		if bytes.Contains(f.Data, ben[:]) && !bytes.Contains(f.Data, name[:]) {
			f.Data = bytes.ReplaceAll(f.Data, ben[:], name[:])
			f.Time += int64(time.Hour)
			all = append(all, f)
		}
	}
	return file(t, "office.pcap", string(captureOf(t, all)))
}

// send plays the first frames of a capture into a namespace.
func send(t *testing.T, ns, capture string, frames int) {
	t.Helper()
	if out, err := inside(context.Background(), ns, "sender", strconv.Itoa(frames), capture, "out0").CombinedOutput(); err != nil {
		t.Fatalf("sending: %v: %s", err, out)
	}
}

// personSum is what the sums of a store say of a user.
type personSum struct {
	label    string
	up, down uint64
}

// people adds up by user and department; the keys are departments.
func people(t *testing.T, dir string) map[string]personSum {
	t.Helper()
	r, err := store.OpenReader(filepath.Join(dir, "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	rows, err := r.Sums(context.Background(), query.Request{By: []query.Dimension{query.ByDepartment, query.ByUser}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]personSum{}
	for _, row := range rows {
		if row.Key[0] == "" {
			continue
		}
		if _, twice := got[row.Key[0]]; twice {
			t.Errorf("%s has more than one user", row.Key[0])
		}
		got[row.Key[0]] = personSum{row.Labels[1], row.BytesUp, row.BytesDown}
	}
	return got
}

// The table of users names who used what live, with the bytes that the file shows, in records, sums and reports. Without keep_names a
// pseudonym stands in each place of a name. Resolver and proxy are nobody's.
func TestProcessUsers(t *testing.T) {
	for _, c := range []struct {
		name string
		keep bool
	}{
		{"names kept", true},
		{"pseudonyms alone", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ns := namespace(t, 1)
			conf := file(t, "gnomon.toml", fmt.Sprintf("[flow]\nfirst_slice = \"1s\"\n[privacy]\nkeep_names = %v\n[identity]\ntable = %q\n", c.keep,
				file(t, "users.csv", usersTable)))
			dir := t.TempDir()
			d := startDaemon(t, ns, "-c", conf, "-i", "in0", "--state-dir", dir)
			office := withResolver(t)
			send(t, ns, office, 1<<30)
			d.waitFor(t, 1, isSNI("chatgpt.com"))
			d.stop(t)

			offline := sameSensor(t, dir)
			if status, _, stderr := gnomon(t, "", "scan", "-c", conf, "--store", "--state-dir", offline, office); status != 0 {
				t.Fatal(stderr)
			}
			got, want := people(t, dir), people(t, offline)
			if len(want) != 2 || want["Sales"].up < 20_000 || want["Research"].up < 7_000 {
				t.Fatalf("the file shows %+v", want)
			}
			for department, w := range want {
				if got[department] != w {
					t.Errorf("%s: live %+v, from the file %+v", department, got[department], w)
				}
			}
			if named := got["Sales"].label == "anna" && got["Research"].label == "ben"; len(got) != 2 || named != c.keep {
				t.Errorf("live %+v", got)
			}
			checkPeople(t, recordsIn(t, dir), c.keep)
			checkDLP(t, dir, conf, c.keep)
		})
	}
}

// checkPeople holds the records of a live replay against who sat where.
func checkPeople(t *testing.T, records []event.Event, keep bool) {
	t.Helper()
	seen := map[string]int{}
	for i := range records {
		ev := &records[i]
		if ev.Event.Dataset != event.DatasetActivity {
			continue
		}
		seen[ev.Source.IP]++
		u, shared := ev.User, ev.Gnomon.Attribution != nil && ev.Gnomon.Attribution.Shared
		switch who := map[string]string{annasDesk: "anna Sales", bensDesk: "ben Research"}[ev.Source.IP]; {
		case who != "" && (u == nil || u.ID == "" || u.Group == nil || shared):
			t.Errorf("a record of %s has user %+v, shared %v", ev.Source.IP, u, shared)
		case who != "" && keep && u.Name+" "+u.Group.Name != who:
			t.Errorf("a record of %s names %s of %s", ev.Source.IP, u.Name, u.Group.Name)
		case (ev.Source.IP == resolver || ev.Source.IP == proxy) && (u != nil || !shared):
			t.Errorf("a record of %s has user %+v, shared %v", ev.Source.IP, u, shared)
		}
		if !keep && u != nil && u.Name+u.Domain != "" {
			t.Errorf("a record of %s names %s", ev.Source.IP, u.Name)
		}
	}
	for _, ip := range []string{annasDesk, bensDesk, resolver, proxy} {
		if seen[ip] == 0 {
			t.Errorf("no record of %s", ip)
		}
	}
}

// checkDLP wants names in the report for the DLP team if they are kept, and in no other.
func checkDLP(t *testing.T, dir, conf string, keep bool) {
	t.Helper()
	for _, c := range []struct {
		audience string
		names    bool
	}{{"dlp", keep}, {"management", false}} {
		status, out, stderr := gnomon(t, "", "report", "-c", conf, "--state-dir", dir, "--last", "24h", "--audience", c.audience, "--format", "json")
		if status != 0 || !json.Valid([]byte(out)) {
			t.Fatalf("status %d: %s", status, stderr)
		}
		if got := strings.Contains(out, `"anna`) && strings.Contains(out, `"ben`); got != c.names {
			t.Errorf("the %s report names users: %v, want %v", c.audience, got, c.names)
		}
	}
}

// heard waits until the daemon has said something on stderr.
func (d *daemonProcess) heard(t *testing.T, what string) {
	t.Helper()
	until(t, "the daemon says "+what, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return strings.Contains(d.errs.String(), what)
	})
}

func (d *daemonProcess) hangup(t *testing.T) {
	t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// overwrite changes a file in place.
func overwrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// usedBy matches a use of a service that began after a time, by whoever sits at Anna's desk.
func usedBy(user, status string, since time.Time) func(*event.Event) bool {
	return func(ev *event.Event) bool {
		return ev.Event.Dataset == event.DatasetActivity && ev.Source.IP == annasDesk && ev.Gnomon.Service != nil &&
			ev.Gnomon.Service.ID == "chatgpt" && ev.Event.Start.Time().After(since) &&
			ev.User != nil && ev.User.Name == user && ev.Gnomon.Policy != nil && ev.Gnomon.Policy.Status == status
	}
}

// SIGHUP takes up a changed table of users and changed rules without a restart. Broken files change nothing, and the daemon says where
// they are broken.
func TestProcessReload(t *testing.T) {
	ns := namespace(t, 1)
	users, rules := file(t, "users.csv", usersTable), file(t, "policy.toml", "")
	conf := file(t, "gnomon.toml", fmt.Sprintf("[flow]\nfirst_slice = \"1s\"\n[privacy]\nkeep_names = true\n[identity]\ntable = %q\n[policy]\nfile = %q\n",
		users, rules))
	d := startDaemon(t, ns, "-c", conf, "-i", "in0")
	began := time.Now()
	send(t, ns, demo, 400)
	d.waitFor(t, 1, usedBy("anna", "unreviewed", began))

	overwrite(t, users, "address,user,department\n"+annasDesk+",carla,Legal\n")
	overwrite(t, rules, "[[rule]]\nid = \"no-chatgpt\"\nservices = [\"chatgpt\"]\nstatus = \"prohibited\"\n")
	d.hangup(t)
	d.heard(t, `msg="reloaded the table of users" rows=1`)
	d.heard(t, `msg="reloaded the policy" rules=1`)
	changed := time.Now()
	send(t, ns, demo, 400)
	d.waitFor(t, 1, usedBy("carla", "prohibited", changed))
	d.waitFor(t, 1, func(ev *event.Event) bool {
		return ev.Event.Dataset == event.DatasetFinding && ev.Event.Action == "prohibited-use" && ev.User != nil && ev.User.Name == "carla"
	})

	overwrite(t, users, "address,user\n10.20.1.999,dora\n")
	overwrite(t, rules, "[[rule]]\nid = \"x\"\nstatus = \"forbidden\"\n")
	d.hangup(t)
	d.heard(t, "the table of users was not reloaded: the old one stays")
	d.heard(t, "10.20.1.999")
	d.heard(t, "the policy was not reloaded: the old one stays")
	d.heard(t, "forbidden")
	broken := time.Now()
	send(t, ns, demo, 400)
	d.waitFor(t, 1, usedBy("carla", "prohibited", broken))
	for _, ev := range d.stop(t) {
		if usedBy("anna", "unreviewed", changed)(&ev.Event) {
			t.Errorf("record %s was made by what no longer held", ev.Event.Event.ID)
		}
	}
}
