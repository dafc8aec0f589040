package main

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// counted runs a daemon's keeper of names by hand: two runs on the same day, and the day's end in the second.
type counted struct {
	*updates
	p   *program
	c   settings
	now time.Time
}

func newCounted(t *testing.T) *counted {
	t.Helper()
	u := newUpdates(t)
	p := &program{stdout: &strings.Builder{}, stderr: &strings.Builder{}, configPath: u.config}
	c, err := p.load()
	if err != nil {
		t.Fatal(err)
	}
	c.Report.Timezone = "UTC"
	if err := os.MkdirAll(c.Observer.StateDir, 0o750); err != nil {
		t.Fatal(err)
	}
	// Of two clients a sketch may see one, once in 64 keys: this is not one of them.
	if err := os.WriteFile(filepath.Join(c.Observer.StateDir, "pseudonym.key"), []byte("0123456789abcdef0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	today := time.Now().UTC().Truncate(24 * time.Hour)
	return &counted{u, p, c, today.Add(-12 * time.Hour)} // noon of yesterday
}

// run counts with what, writes down, and settles what is over at the given time. The records come back.
func (k *counted) run(t *testing.T, part string, at time.Time, count func(table *candidates.Table)) []timed {
	t.Helper()
	parts, err := k.p.assemble(&k.c)
	if err != nil {
		t.Fatal(err)
	}
	parts.observer.ID = "observer"
	kept, err := k.p.openStore(&k.c, k.p.logger(&k.c))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	}()
	var seen collected
	pipe := &pipeline{next: &seen, log: k.p.logger(&k.c)}
	u, err := k.p.newUnlisted(&k.c, parts, pipe, &outputs{store: kept}, part)
	if err != nil {
		t.Fatal(err)
	}
	count(u.table)
	if err := u.look(context.Background(), at); err != nil {
		t.Fatal(err)
	}
	return seen.events
}

// contact is one flow of a client with a name.
func contact(table *candidates.Table, name string, client uint64, at time.Time, answers uint32) {
	ref, _ := table.See([]byte(name), candidates.Client{Lo: client}, at.UnixNano())
	table.Add(ref, 1000, 9000, answers)
}

// A day that two runs of the program counted is one day: its candidates are recorded after it has ended, once, without a user; they can be
// listed, silenced and accepted.
func TestUnlisted(t *testing.T) {
	k := newCounted(t)
	k.c.Catalogue.Own = k.own
	first := k.run(t, "one", k.now, func(table *candidates.Table) {
		contact(table, "www.shop.example", 1, k.now, 0)
		contact(table, "words.corp.example", 1, k.now, 1)
	})
	if len(first) != 0 {
		t.Fatalf("%d records before the day has ended", len(first))
	}
	k.run(t, "two", k.now, func(table *candidates.Table) {
		contact(table, "words.corp.example", 1, k.now, 1)
		contact(table, "words.corp.example", 2, k.now, 0)
		contact(table, "tools.words.ai", 3, k.now, 0)
	})
	records := k.run(t, "three", k.now.Add(36*time.Hour), func(*candidates.Table) {})
	if len(records) != 2 {
		t.Fatalf("%d records, want one for each candidate", len(records))
	}
	ev := &records[0].Event
	if ev.DNS.Question.Name != "words.corp.example" || ev.Event.Dataset != event.DatasetCandidate || ev.Gnomon.Candidate.Clients != 2 ||
		ev.Gnomon.Candidate.Flows != 3 || ev.Gnomon.Candidate.Upload != 3000 || ev.User != nil || ev.Source != nil {
		text, _ := json.Marshal(ev)
		t.Errorf("the record is %s", text)
	}
	if again := k.run(t, "four", k.now.Add(37*time.Hour), func(*candidates.Table) {}); len(again) != 0 {
		t.Errorf("%d records the second time", len(again))
	}
	k.commands(t)
}

func (k *counted) commands(t *testing.T) {
	t.Helper()
	lists := func(want string, not ...string) {
		t.Helper()
		status, stdout, stderr := k.gnomon(t, "catalogue", "candidates", "--days", "3")
		if status != 0 || !strings.Contains(stdout+stderr, want) {
			t.Errorf("status %d, want %q:\n%s%s", status, want, stdout, stderr)
		}
		for _, n := range not {
			if strings.Contains(stdout, n) {
				t.Errorf("%s is listed:\n%s", n, stdout)
			}
		}
	}
	lists("words.corp.example  ", "shop.example")
	lists("2 answers streamed at a token's pace")
	for _, args := range [][]string{
		{"silence", "words.ai", "--why", "not what it seems"},
		{"accept", "Words.Corp.Example.", "--service", "Corp \"Words\"", "--category", "chat-assistant", "--id", "corp-words"},
	} {
		if status, _, stderr := k.gnomon(t, append([]string{"catalogue", "candidates"}, args...)...); status != 0 {
			t.Fatalf("%v: status %d: %s", args, status, stderr)
		}
	}
	lists("No candidates", "words")
	if got := k.finds(t, "api.words.corp.example"); got != "corp-words" {
		t.Errorf("api.words.corp.example is %q after it was accepted", got)
	}
	if status, stdout, stderr := k.gnomon(t, "catalogue", "lint", k.own); status != 0 {
		t.Errorf("the accepted signature: %s%s", stdout, stderr)
	}
	if status, _, stderr := k.gnomon(t, "catalogue", "candidates", "accept", "words.corp.example"); status != 1 || !strings.Contains(stderr, "already") {
		t.Errorf("accepted twice: status %d: %s", status, stderr)
	}
	if status, _, stderr := k.gnomon(t, "catalogue", "candidates", "silence", "--undo", "words.ai"); status != 0 {
		t.Error(stderr)
	}
	lists("tools.words.ai")
}

// What an update would have changed is read from the names that nobody knew and the services that were used.
func TestDiffAgainstStore(t *testing.T) {
	k := newCounted(t)
	k.run(t, "one", k.now, func(table *candidates.Table) {
		contact(table, "www.corp.example", 1, k.now, 0)
		contact(table, "api.corp.example", 2, k.now, 0)
		contact(table, "www.shop.example", 1, k.now, 0)
	})
	k.run(t, "two", k.now.Add(24*time.Hour), func(table *candidates.Table) { contact(table, "www.corp.example", 2, k.now.Add(24*time.Hour), 0) })
	older := filepath.Dir(k.write(t, "older/VERSION", "2099.1.1"))
	k.write(t, "older/f.toml", signature("other", "other.example"))
	newer := k.signed(t, "2099.2.1", "corp-two", "corp.example")
	status, stdout, stderr := k.gnomon(t, "catalogue", "diff", older, newer, "--against-store", "--json")
	var got diffJSON
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || status != 0 {
		t.Fatalf("status %d, %v: %s", status, err, stderr)
	}
	if got.Old != "2099.1.1" || got.New != "2099.2.1" || len(got.Changes) != 2 || got.Changes[0].Kind != "added" || got.Changes[1].Kind != "removed" {
		t.Errorf("changes: %+v", got)
	}
	if len(got.Found) != 1 {
		t.Fatalf("found: %+v", got.Found)
	}
	if f := got.Found[0]; f.Service != "corp-two" || len(f.Names) != 2 || f.Clients != 2 || f.Flows != 3 || f.Days != 2 || f.BytesUp != 3000 {
		t.Errorf("found: %+v", f)
	}
	status, stdout, _ = k.gnomon(t, "catalogue", "diff", older, newer, "--against-store")
	for _, want := range []string{"1 services added, 1 removed, 0 changed", "+ corp-two: corp.example", "would have found 1 more services", "www.corp.example"} {
		if status != 0 || !strings.Contains(stdout, want) {
			t.Errorf("it does not say %q:\n%s", want, stdout)
		}
	}
	for _, c := range []struct{ name, says string }{{"/nonexistent", "no such file"}, {k.keyFile, "damaged"}} {
		if status, _, stderr := k.gnomon(t, "catalogue", "diff", "built-in", c.name); status != 1 || !strings.Contains(stderr, c.says) {
			t.Errorf("diff with %s: status %d: %s", c.name, status, stderr)
		}
	}
}

// Switched off, nothing is counted, and the commands say so.
func TestUnlistedOff(t *testing.T) {
	k := newCounted(t)
	k.c.Catalogue.Unlisted = false
	if table, err := k.p.countUnlisted(&k.c, true); table != nil || err != nil {
		t.Errorf("there is a table (%v)", err)
	}
	k.config = k.write(t, "off.toml", "[catalogue]\nunlisted = false\n")
	if status, _, stderr := k.gnomon(t, "catalogue", "candidates"); status != 2 || !strings.Contains(stderr, "catalogue.unlisted") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// Whoever is excluded leaves no contact, by address or by name.
func TestUncounted(t *testing.T) {
	u := newUpdates(t)
	table := u.write(t, "users.csv", "address,user\n10.0.0.7,anna\n10.0.0.8,bert\n")
	u.config = u.write(t, "exclude.toml", "[observer]\nstate_dir = \""+filepath.Join(u.dir, "state")+"\"\n[identity]\ntable = \""+table+
		"\"\n[privacy]\nexclude = [\"10.1.0.0/16\"]\nexclude_users = [\"anna\"]\n")
	p := &program{stdout: os.Stdout, stderr: os.Stderr, configPath: u.config}
	c, err := p.load()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(c.Observer.StateDir, 0o750); err != nil {
		t.Fatal(err)
	}
	pipe, err := p.newPipeline(&c, true, p.logger(&c))
	if err != nil {
		t.Fatal(err)
	}
	uncounted := pipe.uncounted(&c)
	for addr, want := range map[string]bool{"10.0.0.7": true, "10.0.0.8": false, "10.1.2.3": true, "10.2.0.1": false} {
		if got := uncounted(netip.MustParseAddr(addr), time.Now().UnixNano()); got != want {
			t.Errorf("%s is left out: %v, want %v", addr, got, want)
		}
	}
}
