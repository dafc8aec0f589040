package syslog

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// maxValue bounds a value of a message, in bytes: what CEF allows for most of its fields.
const maxValue = 1023

// Severities of CEF, 0 to 10.
const (
	severityLow     = 1
	severityKnown   = 3
	severityUnknown = 4
	severityMost    = 8
)

// cef is a message in ArcSight's Common Event Format that is being written.
type cef struct{ b []byte }

// appendCEF writes an event: CEF:0|vendor|product|version|class|name|severity|extension.
func appendCEF(b []byte, ev *event.Event) []byte {
	c := cef{append(b, "CEF:0|Gnomon|Gnomon|"...)}
	version := "unknown"
	if ev.Observer != nil && ev.Observer.Version != "" {
		version = ev.Observer.Version
	}
	class, name := classOf(ev)
	c.header(version)
	c.header(class)
	c.header(name)
	c.b = append(strconv.AppendInt(c.b, int64(severityOf(ev)), 10), '|')
	c.meta(ev)
	c.network(ev)
	c.people(ev)
	c.own(ev)
	return bytes.TrimSuffix(c.b, []byte(" "))
}

// classOf says what kind of message it is: for the rules of a SIEM, and for people.
func classOf(ev *event.Event) (class, name string) {
	switch ev.Event.Dataset {
	case event.DatasetActivity:
		return ev.Event.Dataset, "AI service used"
	case event.DatasetFinding:
		return ev.Event.Dataset + "." + ev.Event.Action, "Finding: " + ev.Event.Action
	case event.DatasetCoverage:
		return ev.Event.Dataset, "Coverage of the sensor"
	case event.DatasetCandidate:
		return ev.Event.Dataset, "Possible AI service"
	}
	return ev.Event.Dataset + "." + ev.Event.Action, "Audit: " + ev.Event.Action
}

// severityOf is between 0 and 10: a finding's own (0 to 100 in ECS), and of a use what the organisation says of the service.
func severityOf(ev *event.Event) int {
	if ev.Event.Severity > 0 {
		return min(10, (ev.Event.Severity+9)/10)
	}
	if ev.Gnomon == nil || ev.Gnomon.Policy == nil {
		return severityLow
	}
	switch ev.Gnomon.Policy.Status {
	case "prohibited":
		return severityMost
	case "unreviewed":
		return severityUnknown
	case "in-review", "tolerated":
		return severityKnown
	}
	return severityLow
}

// header writes a field of the header.
func (c *cef) header(s string) {
	c.clean(s, "|")
	c.b = append(c.b, '|')
}

// text writes a field of the extension; what is not known is left out.
func (c *cef) text(key, value string) {
	if value == "" {
		return
	}
	c.b = append(append(c.b, key...), '=')
	c.clean(value, "=")
	c.b = append(c.b, ' ')
}

// mapped writes a field with some of its characters moved: to upper case, or to another separator.
func (c *cef) mapped(key, value string, from, to byte, by int) {
	start := len(c.b) + len(key) + 1
	c.text(key, value)
	for i := start; i < len(c.b); i++ {
		if c.b[i] >= from && c.b[i] <= to {
			c.b[i] = byte(int(c.b[i]) + by)
		}
	}
}

func (c *cef) number(key string, n uint64) {
	c.b = append(append(c.b, key...), '=')
	c.b = append(strconv.AppendUint(c.b, n, 10), ' ')
}

func (c *cef) known(key string, n *uint64) {
	if n != nil {
		c.number(key, *n)
	}
}

// time writes milliseconds since 1970.
func (c *cef) time(key string, t event.Time) {
	if t != 0 {
		c.b = append(append(c.b, key...), '=')
		c.b = append(strconv.AppendInt(c.b, t.Time().UnixMilli(), 10), ' ')
	}
}

// labelled writes one of the fields that mean what their label says.
func (c *cef) labelled(key, label, value string) {
	if value != "" {
		c.text(key, value)
		c.text(key+"Label", label)
	}
}

func (c *cef) labelledNumber(key, label string, n uint64) {
	c.number(key, n)
	c.text(key+"Label", label)
}

// clean writes a value without what could end it or the message, change how it is shown, or is no text; special is escaped, as is the
// backslash. Names come from the wire: whoever chose them may have wanted to write a message of their own.
func (c *cef) clean(s, special string) {
	end := len(c.b) + maxValue
	for _, r := range s {
		if len(c.b)+utf8.UTFMax+1 > end {
			return
		}
		switch {
		case r == '\\' || strings.ContainsRune(special, r):
			c.b = append(c.b, '\\', byte(r))
		case strings.ContainsRune("\n\r\t", r):
			c.b = append(c.b, ' ')
		case r >= ' ' && r <= '~' || unicode.IsPrint(r):
			c.b = utf8.AppendRune(c.b, r)
		default: // control characters, marks that turn text around, and utf8.RuneError for what is no UTF-8
			c.b = utf8.AppendRune(c.b, utf8.RuneError)
		}
	}
}

// meta writes what every record has.
func (c *cef) meta(ev *event.Event) {
	c.time("rt", ev.Timestamp)
	c.time("start", ev.Event.Start)
	c.time("end", ev.Event.End)
	c.text("externalId", ev.Event.ID)
	c.text("act", ev.Event.Action)
	c.text("outcome", ev.Event.Outcome)
	if o := ev.Observer; o != nil {
		c.text("dvchost", o.Name)
		c.text("deviceExternalId", o.ID)
		if o.Ingress != nil {
			c.text("deviceInboundInterface", o.Ingress.Interface.Name)
		}
	}
}

// network writes the two sides of a flow. By the format, `in` counts what flows from source to destination, `out` the way back.
func (c *cef) network(ev *event.Event) {
	if s := ev.Source; s != nil {
		c.text("src", s.IP)
		c.port("spt", s.Port)
		c.mapped("smac", s.MAC, '-', '-', ':'-'-')
		c.known("in", s.Bytes)
	}
	if d := ev.Destination; d != nil {
		c.text("dst", d.IP)
		c.port("dpt", d.Port)
		c.text("dhost", d.Domain)
		c.known("out", d.Bytes)
	}
	if n := ev.Network; n != nil {
		c.mapped("proto", n.Transport, 'a', 'z', 'A'-'a')
		c.mapped("app", n.Protocol, 'a', 'z', 'A'-'a')
	}
	if ev.DNS != nil && ev.DNS.Question != nil && (ev.Destination == nil || ev.Destination.Domain == "") {
		c.text("dhost", ev.DNS.Question.Name)
	}
}

func (c *cef) port(key string, port *uint16) {
	if port != nil {
		c.number(key, uint64(*port))
	}
}

// people writes who it was: a pseudonym, unless names are kept.
func (c *cef) people(ev *event.Event) {
	if u := ev.User; u != nil {
		c.text("suid", u.ID)
		name := u.Name
		if name == "" {
			name = u.ID
		}
		c.text("suser", name)
		c.text("sntdom", u.Domain)
		if u.Group != nil {
			c.labelled("cs3", "department", u.Group.Name)
		}
	}
	if ev.Host != nil {
		c.text("shost", ev.Host.Name)
	}
}

// own writes what only Gnomon knows.
func (c *cef) own(ev *event.Event) {
	if r := ev.Rule; r != nil {
		c.text("cat", r.Category)
		c.labelled("cs1", "service", r.ID)
	}
	if g := ev.Gnomon; g != nil {
		c.judged(g)
		c.measured(g)
	}
	c.text("msg", ev.Message)
	c.text("reason", ev.Event.Reason)
}

func (c *cef) judged(g *event.Gnomon) {
	if g.Policy != nil {
		c.labelled("cs2", "policy", g.Policy.Status)
	}
	if g.Evidence != nil {
		c.labelled("cs4", "evidence", g.Evidence.Class)
		c.labelled("cs6", "confidence", g.Evidence.Confidence)
	}
	c.labelled("cs5", "site", g.Site)
	if g.Counted != nil {
		c.labelled("flexString1", "counted", strconv.FormatBool(*g.Counted))
	}
}

// measured writes figures: of a record only one of the three can be there.
func (c *cef) measured(g *event.Gnomon) {
	switch {
	case g.Upload != nil:
		c.labelledNumber("cn1", "uploadBytes", g.Upload.Bytes)
		c.labelledNumber("cn2", "uploadLow", g.Upload.Low)
		c.labelledNumber("cn3", "uploadHigh", g.Upload.High)
	case g.Finding != nil:
		c.labelledNumber("cn1", "value", g.Finding.Value)
		c.labelledNumber("cn2", "limit", g.Finding.Limit)
		c.labelled("flexString2", "period", g.Finding.Period)
	case g.Coverage != nil:
		c.labelledNumber("cn1", "packetsReceived", g.Coverage.Received)
		c.labelledNumber("cn2", "packetsDropped", g.Coverage.Dropped)
		c.labelledNumber("cn3", "flows", g.Coverage.Flows)
	}
}
