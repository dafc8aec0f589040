package main

import (
	"encoding/json"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const tunnelsCapture = "../../testdata/cases/tunnels/input.pcap"

// TestScanBlindSpots reads a capture that holds nothing but tunnels.
func TestScanBlindSpots(t *testing.T) {
	status, out, _ := gnomon(t, "", "scan", tunnelsCapture)
	for _, want := range []string{"relay or VPN", "On other ports: 5 flows into relays and VPNs", "ipsec 2, openvpn 3, wireguard 2", "10.20.1.27"} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("status %d, %q is missing:\n%s", status, want, out)
		}
	}
	status, out, _ = gnomon(t, "", "scan", "--json", tunnelsCapture)
	var got summaryJSON
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != 0 {
		t.Fatalf("status %d, %v:\n%s", status, err, out)
	}
	if c := got.Coverage; c.Relay != 7 || c.Web.Relay.Flows != 2 || c.HiddenBy["wireguard"].Flows != 2 {
		t.Errorf("%+v", c)
	}
	if len(got.Clients) != 6 || got.Clients[0].Source.IP != "10.20.1.21" || got.Clients[0].OtherPorts.Relay.Flows != 1 {
		t.Errorf("clients are %+v", got.Clients)
	}
}

// TestClientSights gives clients the users whom activities would have, under pseudonyms, and leaves those out who are excluded.
func TestClientSights(t *testing.T) {
	table := file(t, "who.csv", "address,user\n10.0.0.1,CORP\\ada\n")
	p := &program{stderr: io.Discard, environ: []string{"HOME=" + t.TempDir()}, configPath: file(t, "gnomon.toml",
		"[observer]\nstate_dir = \""+t.TempDir()+"\"\n[identity]\ntable = \""+table+"\"\n[privacy]\nexclude = [\"10.0.9.0/24\"]\n[networks]\ninfrastructure = [\"10.0.0.53/32\"]\n")}
	c, err := p.load()
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := p.newPipeline(&c, true, p.logger(&c))
	if err != nil {
		t.Fatal(err)
	}
	var seen []sensor.ClientSeen
	for _, ip := range []string{"10.0.0.1", "10.0.0.2", "10.0.9.9", "10.0.0.53"} {
		seen = append(seen, sensor.ClientSeen{Addr: decode.AddressOf(netip.MustParseAddr(ip)), Last: 1_790_000_000e9, Web: event.Sight{Relay: event.Part{Flows: 1}}})
	}
	got := pipe.clientSights(seen)
	if len(got) != 3 {
		t.Fatalf("%d clients, want 3: one is excluded", len(got))
	}
	if u := got[0].User; u == nil || u.ID == "" || u.Name != "" {
		t.Errorf("the first is %+v, want a pseudonym alone", u)
	}
	if got[1].User != nil || got[1].Shared || got[1].Source.IP != "10.0.0.2" {
		t.Errorf("the second is %+v", got[1])
	}
	if !got[2].Shared || got[2].User != nil {
		t.Errorf("the resolver is %+v, want it shared", got[2])
	}
}

// TestBytesWithUser adds up what is counted, until coverage takes it.
func TestBytesWithUser(t *testing.T) {
	var l pipeline
	yes, no, up, down := true, false, uint64(100), uint64(900)
	activity := func(counted *bool, user *event.User) *event.Event {
		return &event.Event{User: user, Source: &event.Endpoint{Bytes: &up}, Destination: &event.Endpoint{Bytes: &down}, Gnomon: &event.Gnomon{Counted: counted}}
	}
	ada := &event.User{Name: "ada"}
	for _, ev := range []*event.Event{activity(&yes, ada), activity(&yes, nil), activity(&no, ada), activity(nil, ada), activity(&yes, &event.User{})} {
		l.countUser(ev)
	}
	for _, want := range []uint64{1000, 0} {
		c := event.Coverage{}
		if l.countUser(&event.Event{Gnomon: &event.Gnomon{Coverage: &c}}); c.BytesWithUser != want {
			t.Errorf("%d bytes, want %d", c.BytesWithUser, want)
		}
	}
}

// TestJudgeHidden tells of each kind of what hides names, and of nothing else.
func TestJudgeHidden(t *testing.T) {
	one := event.Part{Flows: 1, Bytes: 5000}
	c := sensor.Coverage{Web: event.Sight{Named: event.Part{Flows: 97}, ECH: one, EncryptedDNS: one}, OtherPorts: event.Sight{Relay: one}}
	var names []string
	for _, check := range judgeHidden(&c) {
		names = append(names, check.Name)
		if check.Verdict != warn || !strings.Contains(check.Says, "1.0 %") || check.Do == "" {
			t.Errorf("%+v", check)
		}
	}
	if got := strings.Join(names, ", "); got != "ech, encrypted DNS, relays" {
		t.Errorf("told of %s", got)
	}
	if got := judgeHidden(&sensor.Coverage{Web: event.Sight{Nameless: one}}); len(got) > 0 {
		t.Errorf("nothing is hidden, told of %+v", got)
	}
}
