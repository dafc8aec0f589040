package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

func TestSummaryShowsBackgroundApart(t *testing.T) {
	s := newSummary()
	counted := true
	for _, use := range []struct{ client, use string }{
		{"10.0.0.1", "background"}, {"10.0.0.1", "interactive"}, {"10.0.0.2", "background"}, {"10.0.0.3", "unknown"}, {"10.0.0.4", ""},
	} {
		s.Offer(&event.Event{Event: event.Meta{Dataset: event.DatasetActivity}, Source: &event.Endpoint{IP: use.client}, Destination: &event.Endpoint{},
			Rule: &event.Rule{ID: "openai-chatgpt", Name: "ChatGPT"}, Gnomon: &event.Gnomon{Service: &event.Service{ID: "openai-chatgpt"},
				Flow: &event.Flow{}, Evidence: &event.Evidence{Class: "sni"}, Counted: &counted, Use: use.use}})
	}
	sum := s.services["openai-chatgpt"]
	if sum.users.all().n != 4 || sum.users.quiet().n != 1 {
		t.Errorf("%v users, %v of them in the background only; want 4 and 1", sum.users.all(), sum.users.quiet())
	}
	var out bytes.Buffer
	s.writeServices(&out)
	if !strings.Contains(out.String(), "no request): ChatGPT 1\n") {
		t.Errorf("%s", out.String())
	}
}
