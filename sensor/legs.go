package sensor

import (
	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/wire/http"
)

// leg is the use of a service through a proxy: what the proxy itself sends there is the same bytes again.
type leg struct {
	client string
	last   int64
}

// Through notes that the client uses the service by way of the proxy.
func (v *Visits) Through(proxy, service, client string, at int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.legs) >= maxVisits {
		clear(v.legs) // of a flood: what is not known to be seen twice is counted
	}
	key := visitor{proxy, service}
	v.legs[key] = leg{client, max(at, v.legs[key].last)}
}

// Onward says for whom an address uses a service, if it is a proxy that clients were just seen to use for it.
func (v *Visits) Onward(address, service string, at int64) (client string, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	l, ok := v.legs[visitor{address, service}]
	return l.client, ok && at-l.last <= visitPause
}

// noteLeg notes a client's leg to a proxy: a CONNECT, or a request for a whole URI.
func (s *Sensor) noteLeg(f *flow.Flow, seg *decode.Segment, o *evidence.Observation, v classifiers.Verdict) {
	if !v.Use() || o.Class != classifiers.ClassConnect && (o.Request == nil || o.Request.Form != http.FormAbsolute) {
		return
	}
	client := f.Client()
	s.config.Visits.Through(f.Key.Address(1-client).Addr().String(), v.Service.ID, f.Key.Address(client).Addr().String(), seg.Time)
}

// visit says which visit a contact with a service belongs to, and whether it is a proxy's: that of the client behind it, seen for the second time.
func (s *Sensor) visit(address, service string, start, last int64) (id string, onward bool) {
	who, onward := s.person(address, service, start)
	return s.config.Visits.ID(s.config.Observer.ID, who, service, start, last), onward
}

// person is whose use of a service that of an address is: its own, or if it is a proxy's, that of the client behind it.
func (s *Sensor) person(address, service string, at int64) (who string, onward bool) {
	if client, onward := s.config.Visits.Onward(address, service, at); onward {
		return client, true
	}
	return address, false
}
