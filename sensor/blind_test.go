package sensor_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// sights is what a case's coverage says of names, in total and for each client.
type sights struct {
	Readable   uint64                       `json:"flows_readable"`
	Named      uint64                       `json:"flows_named"`
	ECHOffered uint64                       `json:"hellos_ech"`
	Web        event.Sight                  `json:"web"`
	OtherPorts event.Sight                  `json:"other_ports"`
	HiddenBy   map[string]event.Part        `json:"hidden_by,omitempty"`
	Clients    map[string]event.ClientSight `json:"clients,omitempty"`
}

// measure runs a case and returns what was seen of its names.
func measure(t *testing.T, config sensor.Config, dir string) sights {
	t.Helper()
	config.Clients, config.Fronts = sensor.NewClients(config.Seed), sensor.NewFronts()
	var sink recorder
	s, err := sensor.New(config, input(t, dir), classifier(t), &sink)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	c := s.Coverage()
	got := sights{Readable: c.Readable, Named: c.Named, ECHOffered: c.ECHOffered, Web: c.Web, OtherPorts: c.OtherPorts, HiddenBy: c.HiddenBy,
		Clients: map[string]event.ClientSight{}}
	clients, leftOut := config.Clients.Take(100)
	for _, one := range clients {
		got.Clients[one.Addr.Addr().String()] = event.ClientSight{Web: one.Web, OtherPorts: one.OtherPorts}
	}
	if leftOut != 0 {
		t.Errorf("%d flows of clients were left out", leftOut)
	}
	return got
}

// TestCoverage holds the measure of blind spots against golden files, and checks that it adds up: every flow stands in one part, every part
// in one client, and in slices there is as much as in whole flows.
func TestCoverage(t *testing.T) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			got := measure(t, settings(), dir)
			text, err := json.MarshalIndent(got, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join(dir, "want.coverage.json"), append(text, '\n'))

			var clients event.Part
			for _, c := range got.Clients {
				clients = clients.Plus(c.Blind())
			}
			if blind := got.Web.Blind().Plus(got.OtherPorts.Blind()); clients != blind {
				t.Errorf("clients have %+v that was not named, all together %+v", clients, blind)
			}
			var by event.Part
			for _, p := range got.HiddenBy {
				by = by.Plus(p)
			}
			if hidden := got.Web.Hidden().Plus(got.OtherPorts.Hidden()); by != hidden {
				t.Errorf("%+v is hidden by something, all together %+v", by, hidden)
			}
			whole := settings()
			whole.All = true // no slices
			if again := measure(t, whole, dir); again.Web != got.Web || again.OtherPorts != got.OtherPorts {
				t.Errorf("whole flows give %+v and %+v,\nslices %+v and %+v", again.Web, again.OtherPorts, got.Web, got.OtherPorts)
			}
		})
	}
}

// wordless knows services and nothing that hides names: what a catalogue without fronts would say.
type wordless struct{ classifiers.Classifier }

// TestFrontsLearned finds a hidden name without the catalogue's help: the client looked up what to hide it behind.
func TestFrontsLearned(t *testing.T) {
	tests := []struct {
		name, dir string
		fronts    *sensor.Fronts
		want      uint64
	}{
		{"looked up", "go-ech", sensor.NewFronts(), 1},
		{"nobody listens to look-ups", "go-ech", nil, 0},
		{"GREASE", "chromium-h2", sensor.NewFronts(), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := settings()
			config.Fronts = tt.fronts
			s, err := sensor.New(config, input(t, filepath.Join(casesDir, tt.dir)), wordless{classifier(t)}, &recorder{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			if c := s.Coverage(); c.ECH != tt.want || c.ECHOffered == 0 {
				t.Errorf("%d hidden of %d hellos that may hide, want %d", c.ECH, c.ECHOffered, tt.want)
			}
		})
	}
}

// TestCoverageSince takes what was before off, part by part.
func TestCoverageSince(t *testing.T) {
	before := sensor.Coverage{Flows: 3, Readable: 2, Undecodable: map[string]uint64{"short": 1}, HiddenBy: map[string]event.Part{"ipsec": {Flows: 1, Bytes: 10}},
		Web: event.Sight{Relay: event.Part{Flows: 1, Bytes: 10}}}
	var now sensor.Coverage
	now.Add(&before)
	now.Add(&sensor.Coverage{Flows: 4, Readable: 1, Cut: 2, Undecodable: map[string]uint64{"short": 2, "not_ip": 1},
		HiddenBy: map[string]event.Part{"openvpn": {Flows: 1, Bytes: 5}}, Web: event.Sight{Relay: event.Part{Flows: 1, Bytes: 5}}})
	got, err := json.Marshal(now.Since(&before))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"received":0,"dropped":0,"undecodable":{"not_ip":1,"short":2},"flows":4,"flows_readable":1,"flows_named":0,"ech":0,"encrypted_dns":0,` +
		`"relay":0,"one_sided":0,"cut":2,"web":{"relay":{"flows":1,"bytes":5}},"hidden_by":{"openvpn":{"flows":1,"bytes":5}},` +
		`"bytes_with_user":0,"evicted":0,"queue_age_s":0}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
