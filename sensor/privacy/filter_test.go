package privacy

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/identity"
)

func names(t testing.TB) *identity.Names {
	t.Helper()
	c := identity.Default()
	c.DefaultDomain = "corp"
	w, err := identity.New(c, identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return w.Names()
}

func filter(t testing.TB, c Config) *Filter {
	t.Helper()
	f, err := New(c, Key([]byte("0123456789abcdef0123456789abcdef")), names(t))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func record() *event.Event {
	return &event.Event{Event: event.Meta{Dataset: event.DatasetActivity}, Source: &event.Endpoint{IP: "10.1.2.3", MAC: "00-00-5E-00-53-01"},
		User: &event.User{Name: "anna", Domain: "corp", Group: &event.Group{Name: "Sales"}}, Host: &event.Host{Name: "annas-laptop"}}
}

// annasID was computed with: printf 'user\0corp\\anna' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef -binary
const annasID = "n6supfq1luh55t63fprs7oekrg"

func TestPseudonym(t *testing.T) {
	f := filter(t, Default())
	if got := f.Pseudonym(identity.Name{User: "anna", Domain: "corp"}); got != annasID {
		t.Errorf("got %q, want %q", got, annasID)
	}
	form := regexp.MustCompile(`^[0-9a-v]{26}$`)
	seen := map[string]string{}
	for _, name := range []identity.Name{{User: "anna"}, {User: "anna", Domain: "corp"}, {User: "anna", Domain: "other"}, {User: "ben", Domain: "corp"},
		{User: "corp"}, {User: strings.Repeat("x", 500)}} {
		id := f.Pseudonym(name)
		if !form.MatchString(id) || seen[id] != "" || f.Pseudonym(name) != id {
			t.Errorf("%q has the pseudonym %q, as %q has", name.Key(), id, seen[id])
		}
		seen[id] = name.Key()
	}
	if id := f.Pseudonym(identity.Name{}); id != "" {
		t.Errorf("nobody has the pseudonym %q", id)
	}
	other, err := New(Default(), Key{1}, names(t))
	if err != nil {
		t.Fatal(err)
	}
	if other.Pseudonym(identity.Name{User: "anna", Domain: "corp"}) == annasID {
		t.Error("another key gives the same pseudonym")
	}
}

func TestApply(t *testing.T) {
	const mac = `"mac":"00-00-5E-00-53-01"`
	tests := []struct {
		name   string
		config Config
		has    []string
		lacks  []string
	}{
		{"default", Default(), []string{annasID, "Sales", "10.1.2.3"}, []string{"anna\"", "corp", "annas-laptop", "mac"}},
		{"names", Config{KeepNames: true}, []string{annasID, `"name":"anna","domain":"corp"`, "annas-laptop"}, []string{"mac"}},
		{"hosts", Config{KeepHosts: true}, []string{annasID, "annas-laptop"}, []string{"anna\"", "corp", "mac"}},
		{"MACs", Config{KeepMACs: true}, []string{annasID, mac}, []string{"anna\"", "corp", "annas-laptop"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ev := record()
			if !filter(t, tt.config).Apply(ev) {
				t.Fatal("the record is dropped")
			}
			text, err := json.Marshal(ev)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range tt.has {
				if !strings.Contains(string(text), s) {
					t.Errorf("%s is not in %s", s, text)
				}
			}
			for _, s := range tt.lacks {
				if strings.Contains(string(text), s) {
					t.Errorf("%s is in %s", s, text)
				}
			}
		})
	}
}

// TestApplyWithoutUser wants no pseudonym for nobody.
func TestApplyWithoutUser(t *testing.T) {
	f := filter(t, Default())
	department, coverage := record(), &event.Event{Event: event.Meta{Dataset: event.DatasetCoverage}}
	department.User.Name, department.User.Domain = "", ""
	if !f.Apply(department) || department.User.ID != "" || department.User.Group.Name != "Sales" {
		t.Errorf("got %+v", department.User)
	}
	if !f.Apply(coverage) || coverage.User != nil {
		t.Errorf("got %+v", coverage)
	}
}

func TestExclude(t *testing.T) {
	c := Config{Exclude: []string{"10.1.2.3", "10.9.0.0/24", "::ffff:10.8.0.1", "2001:db8::/64", "10.7.0.9/24"},
		ExcludeUsers: []string{`CORP\Ben`, "carol", "dora@other"}}
	tests := []struct {
		name, ip, user, domain string
		keep                   bool
	}{
		{"address", "10.1.2.3", "", "", false},
		{"address in IPv6 clothes", "::ffff:10.1.2.3", "", "", false},
		{"written in IPv6 clothes", "10.8.0.1", "", "", false},
		{"next address", "10.1.2.4", "", "", true},
		{"network", "10.9.0.255", "", "", false},
		{"network with host bits", "10.7.0.1", "", "", false},
		{"IPv6 network", "2001:db8::1", "", "", false},
		{"behind the network", "10.9.1.0", "", "", true},
		{"user", "10.5.0.1", "ben", "corp", false},
		{"user of another domain", "10.5.0.1", "ben", "other", true},
		{"user of any domain", "10.5.0.1", "carol", "other", false},
		{"user of a domain", "10.5.0.1", "dora", "other", false},
		{"user of the default domain", "10.5.0.1", "dora", "corp", true},
		{"nobody", "", "", "", true},
		{"no address", "x", "anna", "corp", true},
	}
	f := filter(t, c)
	dropped := uint64(0)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ev := record()
			ev.Source.IP, ev.User.Name, ev.User.Domain = tt.ip, tt.user, tt.domain
			if got := f.Apply(ev); got != tt.keep {
				t.Errorf("kept: %v, want %v", got, tt.keep)
			}
		})
		if !tt.keep {
			dropped++
		}
	}
	if f.Dropped() != dropped {
		t.Errorf("%d counted, want %d", f.Dropped(), dropped)
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name   string
		config Config
		want   string
	}{
		{"default", Default(), ""},
		{"no network", Config{Exclude: []string{"10.0.0.0/33"}}, `privacy.exclude: "10.0.0.0/33"`},
		{"a name", Config{Exclude: []string{"desk"}}, `privacy.exclude: "desk"`},
		{"a zone", Config{Exclude: []string{"fe80::1%eth0"}}, `privacy.exclude: "fe80::1%eth0"`},
		{"no user", Config{ExcludeUsers: []string{" "}}, "privacy.exclude_users"},
		{"a machine", Config{ExcludeUsers: []string{"DESK$"}}, `privacy.exclude_users: "DESK$" is no person's`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.config, Key{1}, names(t))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func BenchmarkApply(b *testing.B) {
	f := filter(b, Default())
	b.ReportAllocs()
	for b.Loop() {
		ev := event.Event{User: &event.User{Name: "anna", Domain: "corp"}}
		f.Apply(&ev)
	}
}
