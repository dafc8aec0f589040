package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// blindSpots is what a scan says of names that could not be read, in total and for each client.
type blindSpots struct {
	coverage *sensor.Coverage
	clients  []event.ClientSight
	leftOut  uint64 // flows of clients that there was no room for
}

// parts of the traffic, in the words of the summary.
func sightLines(s *event.Sight) []struct {
	says string
	part event.Part
} {
	return []struct {
		says string
		part event.Part
	}{
		{"name readable", s.Named},
		{"hidden by ECH", s.ECH},
		{"encrypted DNS", s.EncryptedDNS},
		{"relay or VPN", s.Relay},
		{"one direction only", s.OneSided},
		{"cut by the snaplen", s.Cut},
		{"no name seen", s.Nameless},
	}
}

// write prints the blind spots for a person.
func (b *blindSpots) write(w io.Writer) {
	c := b.coverage
	web := c.Web.Total()
	if web.Flows > 0 && c.Web.Blind().Flows > 0 {
		fmt.Fprintf(w, "\nNames on port 443 (%d flows, %s)\n\n", web.Flows, size(web.Bytes))
		t := newTable("", "FLOWS", "SHARE", "BYTES", "OF BYTES")
		for _, line := range sightLines(&c.Web) {
			if p := line.part; p.Flows+p.Bytes > 0 {
				t.row(line.says, fmt.Sprint(p.Flows), percent(p.Flows, web.Flows), size(p.Bytes), percent(p.Bytes, web.Bytes))
			}
		}
		t.write(w)
	}
	if p := c.OtherPorts.EncryptedDNS; p.Flows > 0 {
		fmt.Fprintf(w, "On other ports: %d flows of encrypted DNS (%s).\n", p.Flows, size(p.Bytes))
	}
	if p := c.OtherPorts.Relay; p.Flows > 0 {
		fmt.Fprintf(w, "On other ports: %d flows into relays and VPNs (%s).\n", p.Flows, size(p.Bytes))
	}
	b.writeHiders(w)
	b.writeClients(w)
}

// writeHiders says by what names were hidden.
func (b *blindSpots) writeHiders(w io.Writer) {
	by := b.coverage.HiddenBy
	if len(by) == 0 {
		return
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(by)) {
		all = append(all, fmt.Sprintf("%s %d", printable(name), by[name].Flows))
	}
	fmt.Fprintf(w, "Hidden by (flows): %s.\n", strings.Join(all, ", "))
}

// writeClients lists those of which most was hidden or nameless.
func (b *blindSpots) writeClients(w io.Writer) {
	if len(b.clients) == 0 {
		return
	}
	const most = 10
	fmt.Fprintf(w, "\nClients with most that had no readable name (%d", len(b.clients))
	if len(b.clients) > most {
		fmt.Fprintf(w, ", the first %d", most)
	}
	fmt.Fprint(w, ")\n\n")
	t := newTable("USER OR ADDRESS", "FLOWS", "READABLE", "ECH", "ENC. DNS", "RELAY/VPN", "OTHER", "BYTES WITHOUT")
	t.optional = []string{"OTHER", "ECH"}
	for i := range b.clients[:min(most, len(b.clients))] {
		c := &b.clients[i]
		all := c.Web
		all.Add(&c.OtherPorts)
		flows := all.Total().Flows
		t.row(printable(whoIs(c)), fmt.Sprint(flows), percent(all.Named.Flows, flows), fmt.Sprint(all.ECH.Flows), fmt.Sprint(all.EncryptedDNS.Flows),
			fmt.Sprint(all.Relay.Flows), fmt.Sprint(all.OneSided.Flows+all.Cut.Flows+all.Nameless.Flows), size(c.Blind().Bytes))
	}
	t.write(w)
	if b.leftOut > 0 {
		fmt.Fprintf(w, "%d flows of further clients are in no row.\n", b.leftOut)
	}
}

// whoIs is the user behind a client, else its address.
func whoIs(c *event.ClientSight) string {
	switch u := c.User; {
	case u != nil && u.Name != "":
		return u.Name
	case u != nil && u.ID != "":
		return u.ID
	}
	return c.Source.IP
}
