package sensor

import (
	"net/netip"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// draft is the record in the making, with what it points to: a sink keeps nothing of a record, so that one serves for all of a worker's.
type draft struct {
	event               event.Event
	ecs                 event.ECS
	observer            event.Observer
	ingress             event.Ingress
	source, destination draftEndpoint
	network             event.Network
	gnomon              event.Gnomon
	flow                event.Flow
	tls                 event.TLS
	client              event.TLSClient
	rule                event.Rule
	service             event.Service
	evidence            event.Evidence
	visit               event.Visit
	counted, ech        bool
}

type draftEndpoint struct {
	event.Endpoint
	port           uint16
	bytes, packets uint64
}

// of fills in an address and a port.
func (e *draftEndpoint) of(a netip.AddrPort) *event.Endpoint {
	e.port = a.Port()
	e.IP, e.Port = a.Addr().String(), &e.port
	return &e.Endpoint
}

// carried fills in what a side sent.
func (e *draftEndpoint) carried(bytes, packets uint64) {
	e.bytes, e.packets = bytes, packets
	e.Bytes, e.Packets = &e.bytes, &e.packets
}

// setService says which service it was.
func (d *draft) setService(v classifiers.Verdict, ruleset string) {
	svc := v.Service
	d.network.Application = svc.ID
	d.rule = event.Rule{ID: svc.ID, Name: svc.Name, Category: svc.Category, Ruleset: ruleset}
	d.service = event.Service{ID: svc.ID, Vendor: svc.Vendor, Category: svc.Category, Kind: svc.Kind}
	d.event.Rule, d.gnomon.Service = &d.rule, &d.service
}

// setEvidence says on what evidence.
func (d *draft) setEvidence(class classifiers.Class, v classifiers.Verdict, also []string) {
	d.evidence = event.Evidence{Class: class.String(), Confidence: v.Confidence.String(), Also: also}
	d.gnomon.Evidence = &d.evidence
}

// setVisit says to which visit it belongs, and whether it counts.
func (d *draft) setVisit(id string, counted bool) {
	d.visit.ID, d.counted = id, counted
	d.gnomon.Visit, d.gnomon.Counted = &d.visit, &d.counted
}
