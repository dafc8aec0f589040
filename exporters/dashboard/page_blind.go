package dashboard

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// askBlind asks whose names could not be read: for analysts, where the query knows.
func (v *view) askBlind(q *questions, into *[]query.BlindRow) {
	blind, ok := v.s.parts.Query.(query.Blind)
	if !ok || !v.analyst() {
		return
	}
	limit := listRows
	if v.csv == "clients" {
		limit = query.MaxRows
	}
	q.one(func(ctx context.Context) (err error) {
		*into, err = blind.BlindClients(ctx, v.period.from, v.period.to, limit)
		return err
	})
}

// blindPanels say what was hidden or had no name, by what, and for analysts whose it was.
func (v *view) blindPanels(s *seen, clients []query.BlindRow) []panel {
	panels := []panel{sightPanel(s), v.hiderPanel(s)}
	if _, ok := v.s.parts.Query.(query.Blind); ok && v.analyst() {
		panels = append(panels, v.clientPanel(clients))
	}
	return panels
}

// sightPanel divides the traffic to port 443, and what hides names on other ports.
func sightPanel(s *seen) panel {
	t := &table{ID: "blind", Caption: "Blind spots", Empty: "No traffic to port 443 was seen.", Columns: []column{{Title: "Traffic", CSV: []string{"traffic"}},
		{Title: "Flows", Class: "num", CSV: []string{"flows"}}, {Title: "Share", Class: "num", CSV: []string{}},
		{Title: "Bytes", Class: "num opt", CSV: []string{"bytes"}}, {Title: "Share of bytes", Class: "num opt", CSV: []string{}}}}
	web := s.Web.Total()
	line := func(name, note string, p, whole event.Part) {
		c := []cell{{Text: name, Note: note, CSV: []string{name}}, number(p.Flows), {Text: percent(p.Flows, whole.Flows), CSV: []string{}},
			{Text: size(p.Bytes), CSV: []string{decimal(p.Bytes)}}, {Text: percent(p.Bytes, whole.Bytes), CSV: []string{}}}
		t.Rows = append(t.Rows, c)
	}
	if s.everything().Flows > 0 {
		line("Name readable", "to port 443, as all lines down to no name", s.Web.Named, web)
		line("Encrypted Client Hello", "the name is hidden from everyone on the way", s.Web.ECH, web)
		line("Encrypted DNS", "look-ups that cannot help to name other flows", s.Web.EncryptedDNS, web)
		line("Relays and VPNs", "services behind them are not seen", s.Web.Relay, web)
		line("No name, one direction", "the tap delivers half of these flows", s.Web.OneSided, web)
		line("No name, cut", "by a snaplen", s.Web.Cut, web)
		line("No name", "mostly connections that began before", s.Web.Nameless, web)
		all := s.everything()
		line("Other ports: encrypted DNS", "over TLS or QUIC; share of all lines", s.OtherPorts.EncryptedDNS, all)
		line("Other ports: relays and VPNs", "WireGuard, OpenVPN, IPsec; share of all lines", s.OtherPorts.Relay, all)
	}
	return panel{ID: "blind-spots", Title: "Blind spots", Half: true, Table: t, Lead: "Use of a service in any line but the first is named by look-ups at best, else it is in no figure."}
}

// hiderPanel lists by what names were hidden.
func (v *view) hiderPanel(s *seen) panel {
	t := &table{ID: "hiders", Caption: "What hides names", Empty: "Nothing that hides names was seen.", Columns: []column{{Title: "Service or protocol", CSV: []string{"id", "name"}},
		{Title: "Flows", Class: "num", CSV: []string{"flows"}}, {Title: "Bytes", Class: "num", CSV: []string{"bytes"}}}}
	names := slices.SortedFunc(maps.Keys(s.HiddenBy), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.HiddenBy[b].Bytes, s.HiddenBy[a].Bytes), strings.Compare(a, b))
	})
	for _, id := range names {
		p, name := s.HiddenBy[id], v.hiderName(id)
		t.Rows = append(t.Rows, []cell{{Text: name, CSV: []string{clean(id), name}}, number(p.Flows), {Text: size(p.Bytes), CSV: []string{decimal(p.Bytes)}}})
	}
	return panel{ID: "hiders-list", Title: "What hides names", Half: true, Table: t, Lead: "Most bytes first. Dummies of encrypted hellos (GREASE), which browsers send everywhere, are not counted."}
}

// hiderName is a name for people: of a protocol, or of an entry of the catalogue.
func (v *view) hiderName(id string) string {
	switch id {
	case "ech":
		return "Encrypted Client Hello"
	case "dns-over-tls":
		return "DNS over TLS, other resolvers"
	case "dns-over-quic":
		return "DNS over QUIC, other resolvers"
	case "wireguard":
		return "WireGuard"
	case "openvpn":
		return "OpenVPN"
	case "ipsec":
		return "IPsec"
	}
	return v.serviceName(id, "")
}

// clientPanel lists those of whose traffic most was hidden or nameless. It names people: it is for analysts.
func (v *view) clientPanel(rows []query.BlindRow) panel {
	t := &table{ID: "clients", Caption: "Clients that are not seen", Users: true, Empty: "No client had traffic without a readable name.",
		Columns: []column{{Title: "User or address", CSV: []string{"key", "user"}}, {Title: "Bytes without", Class: "num", CSV: []string{"bytes_without_name"}},
			{Title: "Flows", Class: "num opt", CSV: []string{"flows"}}, {Title: "Readable", Class: "num", CSV: []string{"flows_named"}},
			{Title: "ECH", Class: "num opt", CSV: []string{"flows_ech"}}, {Title: "Encrypted DNS", Class: "num opt", CSV: []string{"flows_encrypted_dns"}},
			{Title: "Relay, VPN", Class: "num opt", CSV: []string{"flows_relay"}}, {Title: "No name", Class: "num opt", CSV: []string{"flows_without_name"}}}}
	for i := range rows {
		r := &rows[i]
		sight := &r.Sight
		who := link(userName(r.Key, r.Label), v.userLink(r.Key))
		who.CSV = []string{clean(r.Key), ""}
		if r.Label != r.Key {
			who.CSV[1] = clean(r.Label)
		}
		without, flows := sight.Blind().Bytes, sight.Total().Flows
		nameless := sight.OneSided.Plus(sight.Cut).Plus(sight.Nameless)
		t.Rows = append(t.Rows, []cell{who, {Text: size(without), CSV: []string{decimal(without)}}, number(flows),
			{Text: percent(sight.Named.Flows, flows), CSV: []string{decimal(sight.Named.Flows)}}, number(sight.ECH.Flows), number(sight.EncryptedDNS.Flows),
			number(sight.Relay.Flows), number(nameless.Flows)})
	}
	if v.csv != t.ID && len(rows) == listRows {
		t.More = "The first " + decimal(listRows) + " are shown; the CSV file has all."
	}
	return panel{ID: "blind-clients", Title: "Clients that are not seen", Table: t,
		Lead: "Those with most that had no readable name, as far back as records are kept. A VPN or a resolver of one's own is no misuse: ask before you judge."}
}
