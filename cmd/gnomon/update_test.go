package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aead.dev/minisign"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/spool"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/signatures"
	"github.com/gnomon-sensor/gnomon/signatures/bundle"
)

// updates is a sensor that takes in catalogues signed with a key of the test's own.
type updates struct {
	dir     string
	keyFile string
	config  string // gnomon.toml
	own     string
}

func newUpdates(t *testing.T) *updates {
	t.Helper()
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := private.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	u := &updates{dir: t.TempDir(), own: t.TempDir()}
	u.keyFile = u.write(t, "gnomon.key", string(secret))
	u.config = u.write(t, "gnomon.toml", fmt.Sprintf("[observer]\nstate_dir = %q\n[catalogue]\nkeys = [%q]\nown = %q\n[dashboard]\nlisten = \"\"\n",
		filepath.Join(u.dir, "state"), public, u.own))
	return u
}

func (u *updates) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(u.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// signature is a catalogue file with one service.
func signature(id, name string) string {
	return fmt.Sprintf(`vendor = "Corp"

[source.t]
title = "a test"
date = "2026-11-21"
weight = "vendor"

[[service]]
id = %q
name = "Service %s"
category = "chat-assistant"
kind = "web"
verified = 2026-11-21
names = [{ name = %q, match = "suffix", role = "primary", confidence = "high", sources = ["t"] }]
`, id, id, name)
}

// signed makes a signed catalogue with one service and returns its path.
func (u *updates) signed(t *testing.T, version, id, name string, more ...string) string {
	t.Helper()
	source := filepath.Join(version, "source")
	u.write(t, filepath.Join(source, "VERSION"), version+"\n")
	u.write(t, filepath.Join(source, "corp.toml"), signature(id, name))
	out := filepath.Join(u.dir, version, "catalogue.zip")
	args := append([]string{"catalogue", "sign", "--key", u.keyFile, "-o", out}, more...)
	if status, stdout, stderr := gnomon(t, "", append(args, filepath.Join(u.dir, source))...); status != 0 || !strings.Contains(stdout, version) {
		t.Fatalf("sign: status %d:\n%s%s", status, stdout, stderr)
	}
	return out
}

func (u *updates) gnomon(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return gnomon(t, "", append(args, "-c", u.config)...)
}

// finds says which service the sensor finds behind a name.
func (u *updates) finds(t *testing.T, name string) string {
	t.Helper()
	status, stdout, stderr := u.gnomon(t, "catalogue", "match", "--all", name)
	if status != 0 {
		t.Fatalf("match: status %d:\n%s", status, stderr)
	}
	return strings.Split(strings.TrimSpace(stdout), "\t")[1]
}

// A catalogue is taken in from a file and from an address, the newest wins, own signatures stay, and one can go back.
func TestUpdate(t *testing.T) {
	u := newUpdates(t)
	if err := os.WriteFile(filepath.Join(u.own, "own.toml"), []byte(signature("our-own", "own.corp.example")), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(u.dir)))
	defer server.Close()
	first := u.signed(t, "2099.1.1", "corp-one", "corp.example")
	u.signed(t, "2099.2.1", "corp-two", "corp.example")
	for _, c := range []struct {
		name, from  string
		says, finds string
	}{
		{"from a file", first, "catalogue 2099.1.1 is in use", "corp-one"},
		{"from an address", server.URL + "/2099.2.1/catalogue.zip", "catalogue 2099.2.1 is in use", "corp-two"},
		{"back", "--back", "catalogue 2099.1.1 is in use", "corp-one"},
		{"forward again", filepath.Join(u.dir, "2099.2.1", "catalogue.zip"), "catalogue 2099.2.1 is in use", "corp-two"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if status, stdout, stderr := u.gnomon(t, "catalogue", "update", c.from); status != 0 || !strings.Contains(stdout, c.says) {
				t.Fatalf("status %d:\n%s%s", status, stdout, stderr)
			}
			if got := u.finds(t, "www.corp.example"); got != c.finds {
				t.Errorf("www.corp.example is %q, want %q", got, c.finds)
			}
			if got := u.finds(t, "own.corp.example"); got != "our-own" {
				t.Errorf("own.corp.example is %q: the own signature is gone", got)
			}
		})
	}
	if status, _, stderr := u.gnomon(t, "catalogue", "update", server.URL+"/2099.2.1/catalogue.zip"); status != 0 || !strings.Contains(stderr, "in use") {
		t.Errorf("the same again: status %d: %s", status, stderr)
	}
}

// Whatever is wrong with an update, the catalogue in use stays.
func TestUpdateRefused(t *testing.T) {
	u := newUpdates(t)
	newer := u.signed(t, "2099.2.1", "corp-two", "corp.example")
	older := u.signed(t, "2026.1.1", "corp-old", "corp.example")
	if status, _, stderr := u.gnomon(t, "catalogue", "update", u.signed(t, "2099.1.1", "corp-one", "corp.example")); status != 0 {
		t.Fatal(stderr)
	}
	whole, err := os.ReadFile(newer)
	if err != nil {
		t.Fatal(err)
	}
	stranger := newUpdates(t).signed(t, "2099.3.1", "stranger", "corp.example")
	changed := bytes.Clone(whole)
	changed[len(changed)/3] ^= 4
	beside := func(name string, data []byte) string {
		path := u.write(t, name, string(data))
		signature, err := os.ReadFile(newer + bundle.Suffix)
		if err != nil {
			t.Fatal(err)
		}
		u.write(t, name+bundle.Suffix, string(signature))
		return path
	}
	for _, c := range []struct{ name, from, says string }{
		{"another's key", stranger, "no key that is trusted"},
		{"changed", beside("changed.zip", changed), "no key that is trusted"},
		{"half written", beside("half.zip", whole[:len(whole)/2]), "no key that is trusted"},
		{"older", older, "no newer than the catalogue in use (2099.1.1)"},
		{"no signature beside it", u.write(t, "alone.zip", string(whole)), "alone.zip.minisig"},
		{"not there", filepath.Join(u.dir, "nothing.zip"), "nothing.zip"},
		{"endless", beside("endless.zip", make([]byte, bundle.MaxBytes+1)), "more than the"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if status, _, stderr := u.gnomon(t, "catalogue", "update", c.from); status != 1 || !strings.Contains(stderr, c.says) {
				t.Errorf("status %d, want 1 and %q:\n%s", status, c.says, stderr)
			}
			if got := u.finds(t, "corp.example"); got != "corp-one" {
				t.Errorf("corp.example is %q now", got)
			}
		})
	}
}

// An update that does not load over the own signatures is refused before it is put in use, and so is an expired one.
func TestUpdateChecked(t *testing.T) {
	u := newUpdates(t)
	p := &program{stdout: io.Discard, stderr: io.Discard, configPath: u.config}
	c, err := p.load()
	if err != nil {
		t.Fatal(err)
	}
	from := u.signed(t, "2099.1.1", "corp-one", "corp.example", "--days", "10")
	if _, err := p.update(context.Background(), &c, from, time.Now().AddDate(0, 0, 12)); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("after its last day: %v", err)
	}
	text, err := os.ReadFile(u.keyFile)
	if err != nil {
		t.Fatal(err)
	}
	key, err := bundle.ReadKey(text, "")
	if err != nil {
		t.Fatal(err)
	}
	data, err := bundle.Pack(fstest.MapFS{"VERSION": {Data: []byte("2099.3.1")}, "broken.toml": {Data: []byte("vendor = 3")}})
	if err != nil {
		t.Fatal(err)
	}
	sig, err := bundle.Sign(key, data, time.Now().AddDate(0, 0, 10))
	if err != nil {
		t.Fatal(err)
	}
	broken := u.write(t, "broken.zip", string(data))
	u.write(t, "broken.zip.minisig", string(sig))
	if _, err := p.update(context.Background(), &c, broken, time.Now()); err == nil || !strings.Contains(err.Error(), "the one in use stays") {
		t.Errorf("a catalogue that does not load: %v", err)
	}
	if v, err := p.versionInUse(&c); err != nil || v != signatures.BuiltIn() {
		t.Errorf("in use is %s (%v)", v, err)
	}
}

// What was taken in and is damaged on the disk is said and left aside; the built-in catalogue takes its place.
func TestDamagedUpdate(t *testing.T) {
	u := newUpdates(t)
	if status, _, stderr := u.gnomon(t, "catalogue", "update", u.signed(t, "2099.1.1", "corp-one", "corp.example")); status != 0 {
		t.Fatal(stderr)
	}
	u.write(t, "state/catalogue/2099.1.1/catalogue.zip", "PK")
	status, stdout, stderr := u.gnomon(t, "catalogue", "match", "--all", "chatgpt.com")
	if status != 0 || !strings.Contains(stdout, "\tchatgpt\t") || !strings.Contains(stderr, "using the built-in catalogue") {
		t.Errorf("status %d:\n%s%s", status, stdout, stderr)
	}
}

// keeper is a catalogueKeeper without a daemon around it, whose audit records arrive in a list.
func (u *updates) keeper(t *testing.T, more func(*settings)) (*catalogueKeeper, *audits) {
	t.Helper()
	p := &program{stdout: io.Discard, stderr: io.Discard, configPath: u.config}
	c, err := p.load()
	if err != nil {
		t.Fatal(err)
	}
	more(&c)
	parts, err := p.assemble(&c)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	seen := &audits{}
	conf := spool.Default(t.TempDir())
	conf.Exporters = []string{"audit"}
	records, err := spool.Open(conf)
	if err != nil {
		t.Fatal(err)
	}
	if err := records.Attach("audit", seen); err != nil {
		t.Fatal(err)
	}
	outs := &outputs{spool: records, names: []string{"audit"}, log: log}
	k := p.keepCatalogue(&c, &daemonParts{parts: parts, log: log}, outs)
	seen.drain = func() {
		if err := outs.close(); err != nil {
			t.Error(err)
		}
	}
	return k, seen
}

// audits is an exporter that remembers messages.
type audits struct {
	said  []string
	drain func()
}

var _ exporters.Exporter = (*audits)(nil)

// Export implements exporters.Exporter.
func (a *audits) Export(_ context.Context, batch []event.Event, out []exporters.Outcome) error {
	for i := range batch {
		a.said = append(a.said, batch[i].Message)
		out[i] = exporters.Outcome{State: exporters.Stored}
	}
	return nil
}

// Close implements exporters.Exporter.
func (a *audits) Close() error { return nil }

// A daemon takes up what another process put in use, fetches what is due, keeps what it has if that is broken, and notes each change.
func TestKeeper(t *testing.T) {
	u := newUpdates(t)
	place := u.write(t, "offer.zip", "")
	now := time.Now()
	k, said := u.keeper(t, func(c *settings) { c.Catalogue.Update, c.Catalogue.UpdateEvery = place, time.Hour })
	k.now = func() time.Time { return now }
	offer := func(version string) {
		for _, end := range []string{"", bundle.Suffix} {
			data, err := os.ReadFile(filepath.Join(u.dir, version, "catalogue.zip"+end))
			if err != nil {
				t.Fatal(err)
			}
			u.write(t, "offer.zip"+end, string(data))
		}
	}
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"nothing is there", func() { k.look(context.Background()) }, signatures.BuiltIn()},
		{"not looked at again yet", func() {
			u.signed(t, "2099.1.1", "corp-one", "corp.example")
			offer("2099.1.1")
			k.look(context.Background())
		}, signatures.BuiltIn()},
		{"an hour later", func() { now = now.Add(time.Hour); k.look(context.Background()) }, "2099.1.1"},
		{"another process", func() {
			if status, _, stderr := u.gnomon(t, "catalogue", "update", u.signed(t, "2099.2.1", "corp-two", "corp.example")); status != 0 {
				t.Fatal(stderr)
			}
			k.look(context.Background())
		}, "2099.2.1"},
		{"broken own signatures", func() {
			if err := os.WriteFile(filepath.Join(u.own, "own.toml"), []byte("vendor = 3\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			k.reload()
		}, "2099.2.1"},
	} {
		t.Run(step.name, func(t *testing.T) {
			step.do()
			if got := k.daemon.catalogue.Load().Version(); got != step.want {
				t.Errorf("catalogue %s is in use, want %s", got, step.want)
			}
			if got, want := k.daemon.sensor(k.config).Ruleset(), "catalogue "+step.want; got != want {
				t.Errorf("records say %q, want %q", got, want)
			}
		})
	}
	said.drain()
	if got, _ := json.Marshal(said.said); strings.Count(string(got), "catalogue-change") != 2 {
		t.Errorf("the audit log says %s; want both changes", got)
	}
}
