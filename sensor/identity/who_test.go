package identity

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// activity is a record as the sensor makes it.
func activity(ip, user string, at event.Time) *event.Event {
	counted := true
	ev := &event.Event{Timestamp: at + 60e9, Event: event.Meta{Dataset: event.DatasetActivity, Start: at}, Source: &event.Endpoint{IP: ip},
		Gnomon: &event.Gnomon{Schema: event.SchemaVersion, Counted: &counted}}
	if user != "" {
		ev.User = &event.User{Name: user}
	}
	return ev
}

// who is a Who with the table of the other tests and a history.
func who(t testing.TB) *Who {
	t.Helper()
	path := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(path, []byte(example+"10.9.9.2,,,,Machines,proxy-a,,,\n10.9.9.5,,,ida,,,,,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.Table = path
	w, err := New(c, Options{Infrastructure: []netip.Prefix{netip.MustParsePrefix("10.9.9.0/24")}})
	if err != nil {
		t.Fatal(err)
	}
	start := on("2026-01-15")
	bind := func(addr string, b Binding) {
		b.Addr, b.From, b.Until = netip.MustParseAddr(addr), start-7200e9, start+7200e9
		w.Bindings().Bind(b)
	}
	bind("10.1.2.77", Binding{MAC: card(1), Host: "chosen", Source: SourceDHCP, Confidence: High})
	bind("10.1.3.5", Binding{MAC: card(9), Host: "phone", Source: SourceDHCP, Confidence: High})
	bind("10.1.3.6", Binding{User: Name{"kim", "corp"}, Source: "kerberos", Confidence: High})
	bind("10.1.9.6", Binding{User: Name{"kim", "corp"}, Source: "kerberos", Confidence: High})
	w.Shared().SawProxy(netip.MustParseAddr("10.1.2.80"), start)
	w.Shared().SawResolver(netip.MustParseAddr("10.1.2.53"), start)
	return w
}

func TestApply(t *testing.T) {
	w := who(t)
	start := on("2026-01-15")
	tests := []struct {
		name, ip, user string
		at             event.Time
		want           string
	}{
		{"nothing known", "2001:db8:5::1", "", start, `counted=true`},
		{"no address", "", "", start, `counted=true`},
		{"proxy's user", "2001:db8:5::1", `CORP\Anna`, start,
			`user={"name":"anna","domain":"corp","group":{"name":"Development"}} attribution={"source":"proxy-auth","confidence":"high","age_s":0,"shared":false} counted=true`},
		{"proxy's user at another's desk", "10.1.2.3", "ben", start,
			`user={"name":"ben"} host={"name":"desk-1"} attribution={"source":"proxy-auth","confidence":"high","age_s":0,"shared":false} counted=true`},
		{"proxy's user in a network", "10.1.2.200", "ben", start,
			`user={"name":"ben","group":{"name":"Research"}} attribution={"source":"proxy-auth","confidence":"high","age_s":0,"shared":false} counted=true`},
		{"address", "10.1.2.3", "", start,
			`user={"name":"anna","domain":"corp","group":{"name":"Development"}} host={"name":"desk-1"} attribution={"source":"static","confidence":"high","shared":false} counted=true`},
		{"card by DHCP", "10.1.2.77", "", start,
			`user={"name":"dora","group":{"name":"Legal"}} host={"name":"laptop-d"} mac=00-00-5E-00-53-01 attribution={"source":"static","confidence":"high","age_s":7200,"shared":false} counted=true`},
		{"card before its lease", "10.1.2.77", "", start - 7201e9,
			`user={"group":{"name":"Research"}} attribution={"source":"static","confidence":"medium","shared":false} counted=true`},
		{"host by DHCP", "10.1.3.5", "", start,
			`user={"group":{"name":"Logistics"}} host={"name":"phone"} mac=00-00-5E-00-53-09 attribution={"source":"dhcp","confidence":"medium","age_s":7200,"shared":false} counted=true`},
		{"bound user", "10.1.3.6", "", start,
			`user={"name":"kim","domain":"corp","group":{"name":"Logistics"}} attribution={"source":"kerberos","confidence":"high","age_s":7200,"shared":false} counted=true`},
		{"department alone", "10.1.3.7", "", start,
			`user={"group":{"name":"Logistics"}} attribution={"source":"static","confidence":"medium","shared":false} counted=true`},
		{"network's user", "10.2.0.1", "", start,
			`user={"name":"carol","domain":"corp","group":{"name":"Board"}} attribution={"source":"static","confidence":"medium","shared":false} counted=true`},
		{"shared by the table", "10.1.9.6", "", start,
			`user={"group":{"name":"Logistics"}} attribution={"source":"static","confidence":"medium","shared":true} counted=true`},
		{"proxy's user on a shared address", "10.1.9.6", "ben", start,
			`user={"name":"ben","group":{"name":"Logistics"}} attribution={"source":"proxy-auth","confidence":"high","age_s":0,"shared":true} counted=true`},
		{"proxy seen", "10.1.2.80", "", start, `attribution={"shared":true} counted=true`},
		{"resolver seen", "10.1.2.53", "", start, `attribution={"shared":true} counted=false`},
		{"infrastructure with a host", "10.9.9.2", "", start, `host={"name":"proxy-a"} attribution={"source":"static","confidence":"high","shared":true} counted=false`},
		{"infrastructure with a user in the table", "10.9.9.5", "", start, `attribution={"shared":true} counted=false`},
		{"infrastructure with the record's own user", "10.9.9.9", `CORP\Anna`, start,
			`user={"name":"anna","domain":"corp","group":{"name":"Development"}} attribution={"source":"proxy-auth","confidence":"high","age_s":0,"shared":true} counted=true`},
		{"machine's account", "2001:db8:5::1", `CORP\DESK-9$`, start,
			`host={"name":"desk-9"} attribution={"source":"proxy-auth","confidence":"high","shared":false} counted=true`},
		{"nobody's account", "2001:db8:5::1", "anonymous", start, `counted=true`},
		{"hostile name", "2001:db8:5::1", "an\u202ena", start, `counted=true`},
		{"bytes of another alphabet", "10.1.2.3", "J\ufffdrgen", start,
			`user={"name":"anna","domain":"corp","group":{"name":"Development"}} host={"name":"desk-1"} attribution={"source":"static","confidence":"high","shared":false} counted=true`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ev := activity(tt.ip, tt.user, tt.at)
			w.Apply(ev)
			if got := told(t, ev); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	s := w.Stats()
	if s.Records != uint64(len(tests)) || s.Unsafe != 2 || s.Machines != 1 || s.Shared != 7 || s.WithUser != 10 {
		t.Errorf("counted %+v of %d", s, len(tests))
	}
}

// told is what Apply wrote, in one line.
func told(t *testing.T, ev *event.Event) string {
	t.Helper()
	var b strings.Builder
	part := func(name string, v any, there bool) {
		if there {
			text, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString(name + "=" + string(text) + " ")
		}
	}
	part("user", ev.User, ev.User != nil)
	part("host", ev.Host, ev.Host != nil)
	if ev.Source.MAC != "" {
		b.WriteString("mac=" + ev.Source.MAC + " ")
	}
	part("attribution", ev.Gnomon.Attribution, ev.Gnomon.Attribution != nil)
	part("counted", *ev.Gnomon.Counted, true)
	return strings.TrimSpace(b.String())
}

func TestApplyLeavesOthersAlone(t *testing.T) {
	w := who(t)
	for _, ev := range []*event.Event{
		{Event: event.Meta{Dataset: event.DatasetCoverage}, Gnomon: &event.Gnomon{}},
		{Event: event.Meta{Dataset: event.DatasetActivity}},
		{Event: event.Meta{Dataset: event.DatasetActivity}, Gnomon: &event.Gnomon{}},
	} {
		w.Apply(ev)
		if ev.User != nil || ev.Host != nil || ev.Gnomon != nil && ev.Gnomon.Attribution != nil {
			t.Errorf("got %+v", ev)
		}
	}
}

// TestSourceOf wants what came with the record to be said.
func TestSourceOf(t *testing.T) {
	w := who(t)
	fromLog, named := activity("", "anna", 1), activity("", "anna", 1)
	fromLog.Log = &event.Log{}
	named.Gnomon.Attribution = &event.Attribution{Source: "vpn"}
	named.User.Group = &event.Group{Name: "as the log says"}
	w.Apply(fromLog)
	w.Apply(named)
	if got := fromLog.Gnomon.Attribution.Source; got != SourceLog {
		t.Errorf("source %q of a log", got)
	}
	if got := named.Gnomon.Attribution.Source; got != "vpn" || named.User.Group == nil || named.User.Group.Name != "as the log says" {
		t.Errorf("source %q of a record that names one, group %+v", got, named.User.Group)
	}
}

func TestReload(t *testing.T) {
	w := who(t)
	ask := func() string {
		return w.Table().Lookup(netip.MustParseAddr("10.1.2.3"), card(0), on("2026-01-15")).User.Key()
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(w.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("address,user\n10.1.2.3,ben\n")
	if err := w.Reload(); err != nil || ask() != "ben" {
		t.Errorf("a new table: %v, user %q", err, ask())
	}
	write("address,user\n10.1.2.3\n")
	if err := w.Reload(); err == nil || !strings.Contains(err.Error(), "nothing was changed") || !strings.Contains(err.Error(), "line 2") || ask() != "ben" {
		t.Errorf("a broken table: %v, user %q", err, ask())
	}
	if err := os.Remove(w.path); err != nil {
		t.Fatal(err)
	}
	if err := w.Reload(); err == nil || ask() != "ben" {
		t.Errorf("no table: %v, user %q", err, ask())
	}
	c := Default()
	c.Table = w.path
	if _, err := New(c, Options{}); err == nil {
		t.Error("a start without the table that is configured")
	}
}

func BenchmarkApply(b *testing.B) {
	w := who(b)
	at := on("2026-01-15")
	b.ReportAllocs()
	for b.Loop() {
		ev := event.Event{Event: event.Meta{Dataset: event.DatasetActivity, Start: at}, Source: &event.Endpoint{IP: "10.1.2.3"}, Gnomon: &event.Gnomon{}}
		w.Apply(&ev)
	}
}
