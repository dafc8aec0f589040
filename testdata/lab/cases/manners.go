package cases

import (
	"fmt"
	"slices"

	"github.com/gnomon-sensor/gnomon/testdata/lab/clients"
	"github.com/gnomon-sensor/gnomon/testdata/lab/standin"
)

// manner is a way to talk that is not a client's usual one.
type manner struct {
	name    string
	talkers []talker
	set     func(*Case)
	before  []clients.Request // requests that come first, such as the one whose session is resumed
}

// manners are those that the matrix has beside what each client does of its own.
func manners() []manner {
	curl, goes := []talker{{"curl", clients.H1}, {"curl", clients.H2}}, []talker{{"go", clients.H1}, {"go", clients.H2}}
	tcp := slices.Concat(curl, goes)
	cert := clients.Manner{Cert: "the world's"}
	cert12 := cert
	cert12.TLS12 = true
	return []manner{
		{name: "TLS 1.2", talkers: tcp, set: func(c *Case) { c.Manner.TLS12 = true }},
		{name: "client certificate", talkers: tcp, set: func(c *Case) { c.Manner, c.Names[0].Asks = cert, true }},
		{name: "client certificate, TLS 1.2", talkers: tcp, set: func(c *Case) { c.Manner, c.Names[0].Asks = cert12, true }},
		{name: "resumption", talkers: goes, set: func(c *Case) { c.Manner.Fresh = true }, before: list(get(uploadHost, 500))},
		{name: "resumption, TLS 1.2", talkers: goes, set: func(c *Case) { c.Manner = clients.Manner{Fresh: true, TLS12: true} }, before: list(get(uploadHost, 500))},
		{name: "0-RTT", talkers: []talker{{"go", clients.H3}}, set: func(c *Case) { c.Manner.Fresh = true }, before: list(get(uploadHost, 500))},
		{name: "compressed", talkers: append(tcp, talker{"go", clients.H3}), set: func(c *Case) { c.Manner.Gzip = true }},
		{name: "through Squid", talkers: curl, set: func(c *Case) { c.User = "alice" }},
		{name: "WebSocket", talkers: []talker{{"go", clients.WS}, {"node", clients.WS}, {"chromium", clients.WS}}, set: messages},
		{name: "answer in many pieces", talkers: talkers(), set: func(c *Case) {
			for i := range c.Requests {
				c.Requests[i].URL += "00&chunks=200&gap=2"
			}
		}},
	}
}

// uploadHost is where the matrix uploads to.
const uploadHost = "upload.example.net"

// messages makes requests messages.
func messages(c *Case) {
	for i := range c.Requests {
		c.Requests[i].Method, c.Requests[i].URL = "WS", "wss://"+uploadHost+standin.WSPath+"?down=900"
	}
}

// Manners returns the cases of these manners. Their names begin with the manner's, which the score tells apart by.
func Manners() []Case {
	var out []Case
	for _, m := range manners() {
		for _, t := range m.talkers {
			for _, up := range []way{bodies(0), bodies(1 << 10), bodies(50 << 10), bodies(1 << 20), bodies(40<<10, 200<<10, 90<<10)} {
				c := t.play(up, wire{})
				if t.version == clients.WS && up.bodies[0] == 0 {
					continue // a message of nothing is a request of nothing
				}
				c.Requests = append(slices.Clone(m.before), c.Requests...)
				m.set(&c)
				c.Name = fmt.Sprintf("%s+%s-%s-%s", m.name, t.client, t.version, up.name)
				out = append(out, c)
			}
		}
	}
	return out
}
