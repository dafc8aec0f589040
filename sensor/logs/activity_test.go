package logs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// oneService knows chat.example and nothing else.
type oneService struct{ service signatures.Service }

func (o *oneService) Classify(ev *classifiers.Evidence) (classifiers.Verdict, bool) {
	if !strings.EqualFold(strings.TrimSuffix(string(ev.Name), "."), "chat.example") {
		return classifiers.Verdict{}, false
	}
	return classifiers.Verdict{Service: &o.service, Role: signatures.RolePrimary, Class: ev.Class, Confidence: classifiers.ConfidenceHigh}, true
}

type recorder struct{ events []event.Event }

func (r *recorder) Offer(ev *event.Event) { r.events = append(r.events, *ev) }

// run takes lines of a format through the pipeline's first half.
func run(t testing.TB, format, text string) ([]event.Event, *Account) {
	t.Helper()
	f, err := library(t).Open(format, Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	var r recorder
	var a Account
	activities := NewActivities(Config{Observer: event.Observer{ID: "o"}, Source: "test.log", Visits: sensor.NewVisits(), Written: now(),
		Ruleset: func() string { return "test" }}, &oneService{signatures.Service{ID: "chat", Name: "Chat", Category: "chat-assistant"}}, &r)
	err = Read(NewLines(strings.NewReader(text)), f, &a, func(line []byte, rec *Record, err error) error {
		if err == nil && activities.Add(rec, line) {
			a.Used++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.events, &a
}

// counts is what of an activity counts.
func counts(ev *event.Event) string {
	show := func(n *uint64) string {
		if n == nil {
			return "-"
		}
		return fmt.Sprint(*n)
	}
	upload := "-"
	if u := ev.Gnomon.Upload; u != nil {
		upload = fmt.Sprintf("%d..%d", u.Low, u.High)
	}
	return fmt.Sprintf("slice %d counted %v up %s down %s upload %s %s", ev.Gnomon.Flow.Slice, *ev.Gnomon.Counted, show(ev.Source.Bytes),
		show(ev.Destination.Bytes), upload, ev.Event.Action)
}

func TestActivities(t *testing.T) {
	const forti = `date=2026-03-06 time=12:20:3%d devid="FG1" eventtime=177279603%d tz="+0000" type="%s" srcip=192.0.2.4 srcport=5000 dstip=203.0.113.5 sessionid=%d %s` + "\n"
	const panos = `1,2026/06/16 10:41:4%d,0017,%s,2305,2026/06/16 10:41:4%d,192.0.2.4,203.0.113.8,,,r,,,ssl,vsys1,in,out,ae1,ae2,log,2026/06/16 10:41:44,%d,1,51413,443,0,0,0x19,tcp,%s` + "\n"
	squid := func(result, rest string) string {
		return "1795248312.186 21 192.0.2.5 " + result + " 100 " + rest + " - HIER_DIRECT/203.0.113.1 -\n"
	}
	for _, tt := range []struct {
		name, format, text string
		want               []string
	}{
		{"a request", "squid-native", squid("TCP_MISS/200", "POST http://chat.example/"), []string{"slice 0 counted true up - down 100 upload - allowed"}},
		{"not AI", "squid-native", squid("TCP_MISS/200", "POST http://other.example/"), nil},
		{"denied", "squid-native", squid("TCP_DENIED/403", "CONNECT chat.example:443"), []string{"slice 0 counted false up - down 100 upload - denied"}},
		{"asked to log in", "squid-native", squid("TCP_DENIED/407", "CONNECT chat.example:443"), []string{"slice 0 counted false up - down 100 upload - authentication-required"}},
		{"a look-up", "dnsmasq", "Nov 21 08:06:38 dnsmasq[9]: query[A] chat.example from 192.0.2.31\n", []string{"slice 0 counted false up - down - upload - "}},
		{"upload", "squid-upload", "1795248312.530 50 192.0.2.5 mary TCP_MISS/200 2053 41017 POST http://chat.example/ - \"-\"\n",
			[]string{"slice 0 counted true up 41017 down 2053 upload 24633..41017 allowed"}},
		{"running totals", "fortigate-kv",
			fmt.Sprintf(forti, 1, 1, "utm", 7, `subtype="webfilter" hostname="chat.example" sentbyte=400 rcvdbyte=0 action="passthrough"`) +
				fmt.Sprintf(forti, 2, 2, "traffic", 7, `action="accept" sentbyte=1000 rcvdbyte=500 sentdelta=600 rcvddelta=500`) +
				fmt.Sprintf(forti, 3, 3, "traffic", 7, `action="accept" sentbyte=3000 rcvdbyte=900 sentdelta=2000 rcvddelta=400`) +
				fmt.Sprintf(forti, 4, 4, "traffic", 7, `action="close" sentbyte=3500 rcvdbyte=1000`) +
				fmt.Sprintf(forti, 5, 5, "traffic", 8, `action="close" sentbyte=3500 rcvdbyte=1000`),
			[]string{"slice 0 counted true up 400 down 0 upload 0..400 allowed", "slice 1 counted true up 600 down 500 upload 0..600 allowed",
				"slice 2 counted true up 2000 down 400 upload 0..2000 allowed", "slice 3 counted true up 500 down 100 upload 0..500 allowed"}},
		{"name and bytes in two records", "panos-csv",
			fmt.Sprintf(panos, 4, "THREAT,url", 4, 77, "alert,chat.example/,") + fmt.Sprintf(panos, 5, "TRAFFIC,end", 5, 77, "allow,90000,80000,10000,9") +
				fmt.Sprintf(panos, 5, "TRAFFIC,end", 5, 78, "allow,90000,80000,10000,9"),
			[]string{"slice 0 counted true up - down - upload - allowed", "slice 1 counted true up 80000 down 10000 upload 55616..80000 allowed"}},
		{"start and end", "cisco-ftd",
			"%FTD-6-430002: FirstPacketSecond: 2026-07-27T08:13:09Z, ConnectionID: 5, AccessControlRuleAction: Allow, SrcIP: 192.0.2.3, DstIP: 203.0.113.1, InitiatorBytes: 300, ResponderBytes: 100, URL: https://chat.example\n" +
				"%FTD-6-430003: FirstPacketSecond: 2026-07-27T08:13:09Z, ConnectionID: 5, AccessControlRuleAction: Allow, SrcIP: 192.0.2.3, DstIP: 203.0.113.1, InitiatorBytes: 5000, ResponderBytes: 900, URL: https://chat.example\n",
			[]string{"slice 0 counted true up - down - upload - allowed", "slice 1 counted true up 5000 down 900 upload 0..5000 allowed"}},
		{"no time", "coredns", `[INFO] 192.0.2.7:50759 - 29008 "A IN chat.example. udp 41 false 4096" NOERROR qr 68 0.03s` + "\n", []string{"slice 0 counted false up - down - upload - "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			events, account := run(t, tt.format, tt.text)
			var got []string
			for i := range events {
				ev := &events[i]
				got = append(got, counts(ev))
				if ev.Gnomon.Evidence.Class != "log" || ev.Rule.ID != "chat" || ev.Gnomon.Visit.ID == "" || ev.Event.ID == "" || ev.Timestamp == 0 || ev.Log.File.Path != "test.log" {
					t.Errorf("%+v", ev)
				}
				if ev.URL != nil && strings.Contains(ev.URL.Domain, "/") {
					t.Errorf("a path is kept: %s", ev.URL.Domain)
				}
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") || account.Used != uint64(len(tt.want)) || account.Rejected() != 0 {
				t.Errorf("%+v\ngot\n%s\nwant\n%s", account, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// Reading the same lines again gives the same identifiers; identical lines are told apart.
func TestIdentifiers(t *testing.T) {
	line := "1795248312.186 21 192.0.2.5 TCP_MISS/200 100 POST http://chat.example/ - HIER_DIRECT/203.0.113.1 -\n"
	text := line + line + strings.Replace(line, "8312", "8313", 1) + line
	first, _ := run(t, "squid-native", text)
	second, _ := run(t, "squid-native", text)
	seen := map[string]bool{}
	for i := range first {
		if first[i].Event.ID != second[i].Event.ID {
			t.Errorf("line %d is %s and then %s", i+1, first[i].Event.ID, second[i].Event.ID)
		}
		seen[first[i].Event.ID] = true
	}
	if len(first) != 4 || len(seen) != 4 {
		t.Errorf("%d activities with %d identifiers, want 4", len(first), len(seen))
	}
}

// A site's name is no user's, though the line's document has it.
func TestNobody(t *testing.T) {
	line := `"2026-06-12 14:31:38","%s","192.0.2.1","198.51.100.2","203.0.113.3","","ALLOWED","https://chat.example/api","","agent","200","471","930","","","Chat","","","","","","%s",""` + "\n"
	events, _ := run(t, "cisco-umbrella-proxy", fmt.Sprintf(line, "Berlin", "Networks")+fmt.Sprintf(line, "mary", "AD Users"))
	if len(events) != 2 || events[0].User != nil || events[1].User == nil || events[1].User.Name != "mary" {
		t.Errorf("%+v", events)
	}
}

// The tables of what is remembered are bounded, and forget the oldest first.
func TestBounds(t *testing.T) {
	table := newSessions()
	for i := range 3 * maxSessions {
		r := Record{Session: fmt.Appendf(nil, "%d", i), Host: []byte("chat.example")}
		table.open(&r, table.find(&r), classifiers.Verdict{}, "f")
	}
	if len(table.byKey) > maxSessions || len(table.order) > maxSessions {
		t.Errorf("%d sessions are held", len(table.byKey))
	}
	if last := (Record{Session: fmt.Appendf(nil, "%d", 3*maxSessions-1)}); table.find(&last) == nil {
		t.Error("the last session is forgotten")
	}
	f, err := library(t).Open("tinyproxy", Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 * maxKept {
		var r Record
		_ = f.Parse(fmt.Appendf(nil, "CONNECT   Nov 21 08:07:01.249 [1]: Connect (file descriptor %d): 192.0.2.27", i), &r)
	}
	if n := len(f.(*reader).kept); n > maxKept {
		t.Errorf("%d lines wait for their next one", n)
	}
}
