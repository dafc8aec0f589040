package cases

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/gnomon-sensor/gnomon/testdata/lab/clients"
	"github.com/gnomon-sensor/gnomon/testdata/lab/pcapfile"
	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
)

// errand is what one client does by way of one server, so that its log can be held against what the stand-in counted. Each has a host of
// its own: the stand-in sees the server's address, and knows by the host whose errand it was.
type errand struct {
	server  string
	logs    []string // the formats of the server's logs that tell of it
	port    uint16   // of the server; 0: the stand-in itself
	desk    byte
	user    string
	how     string // proxy, connect (as if the server were the host), lookup, direct
	request clients.Request
}

// LogTruth is what the stand-in counted of one errand.
type LogTruth struct {
	Logs       []string   `json:"logs"` // formats; empty: no log has it, the packets alone
	Client     netip.Addr `json:"client"`
	User       string     `json:"user,omitempty"`
	Host       string     `json:"host"`
	Lookup     bool       `json:"lookup,omitempty"` // the name was looked up and nothing else
	Requests   int        `json:"requests"`
	Uploaded   int64      `json:"request_body_bytes"`
	Downloaded int64      `json:"response_body_bytes"`
}

// squidLogs are the forms in which Squid logs everything.
var squidLogs = []string{"squid-upload", "squid-native", "squid-common", "squid-combined"}

func errands() []errand {
	web := func(host string, up, down int) clients.Request { return cleartext("POST", host, up, down) }
	return []errand{
		{"squid", squidLogs, squidPort, 11, "alice", "proxy", post("claude.ai", 20000, 2000)},
		{"squid", squidLogs, squidPort, 12, "bob", "proxy", post("api.openai.com", 30000, 900)},
		{"squid", squidLogs, squidPort, 12, "bob", "proxy", web("api.mistral.ai", 8000, 500)},
		{"squid", squidLogs, squidPort, 11, "alice", "proxy", get("chatgpt.com", 6000)},
		{"squid", nil, 0, 13, "", "direct", post("chat.deepseek.com", 12000, 700)},
		{"haproxy", []string{"haproxy-http"}, 8081, 11, "", "connect", web("api.openai.com", 30000, 900)},
		{"haproxy", []string{"haproxy-upload"}, 8083, 12, "", "connect", web("api.mistral.ai", 50000, 800)},
		{"haproxy", []string{"haproxy-tcp"}, 8443, 13, "", "connect", post("api.x.ai", 20000, 700)},
		{"haproxy", []string{"haproxy-upload"}, 8445, 13, "", "connect", post("claude.ai", 90000, 600)},
		{"nginx", []string{"nginx-combined", "nginx-json"}, 8082, 11, "dave", "connect", web("api.openai.com", 70000, 500)},
		{"nginx", []string{"nginx-stream"}, 8444, 12, "", "connect", post("chatgpt.com", 45000, 400)},
		{"tinyproxy", []string{"tinyproxy"}, 8888, 11, "", "proxy", post("api.anthropic.com", 15000, 300)},
		{"tinyproxy", []string{"tinyproxy"}, 8888, 12, "", "proxy", web("api.mistral.ai", 9000, 300)},
		{"bind", []string{"bind-query"}, 5301, 11, "", "lookup", get("claude.ai", 0)},
		{"bind", []string{"bind-query"}, 5301, 12, "", "lookup", get("chatgpt.com", 0)},
		{"unbound", []string{"unbound"}, 5302, 12, "", "lookup", get("api.openai.com", 0)},
		{"dnsmasq", []string{"dnsmasq"}, 5303, 13, "", "lookup", get("chat.deepseek.com", 0)},
	}
}

// Logs runs every server, sends the errands through it, and writes what it logged and what the stand-in counted into a directory of its
// name below dir. A server that does not work does not stop the others; failed is the number of those.
func (l *Lab) Logs(ctx context.Context, log io.Writer, dir string) (failed int) {
	for _, s := range append([]logServer{{name: "squid", version: []string{"squid", "-v"}}}, logServers()...) {
		if ctx.Err() != nil {
			return failed
		}
		all := slices.DeleteFunc(errands(), func(e errand) bool { return e.server != s.name })
		if err := l.captureLogs(ctx, &s, all, filepath.Join(dir, s.name)); err != nil {
			fmt.Fprintf(log, "%s: %v\n", s.name, err)
			failed++
			continue
		}
		fmt.Fprintf(log, "%s: made\n", s.name)
	}
	return failed
}

// captureLogs is one server's run.
func (l *Lab) captureLogs(ctx context.Context, s *logServer, all []errand, dir string) (err error) {
	const patience = 5 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	whole := Case{Name: s.name}
	for _, e := range all {
		whole.Requests = append(whole.Requests, e.request)
	}
	zone, err := whole.zone()
	if err != nil {
		return err
	}
	var desks []netip.Addr
	for host := byte(11); host <= 13; host++ {
		desks = append(desks, at(host))
	}
	w, err := newWorld(ctx, setup{zone: zone, clients: desks, proxy: true}, l.authority)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	logs, err := w.serveErrands(ctx, s, all)
	if err != nil {
		return err
	}
	frames, records, err := w.finish(ctx)
	if err != nil {
		return err
	}
	if s.name == "squid" { // its logs are whole once it has ended
		logs = nil
		for _, format := range squidLogs {
			logs = append(logs, file{format + ".log", nil})
		}
		if err := readLogs(logs, filepath.Join(w.dir, "squid")); err != nil {
			return err
		}
	}
	return s.write(ctx, dir, logs, frames, counted(all, records))
}

func at(host byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 20, 1, host}) }

// serveErrands runs a server while the clients do their errands, and returns its logs.
func (w *world) serveErrands(ctx context.Context, s *logServer, all []errand) (logs []file, err error) {
	if s.config == "" { // the world has a Squid anyhow
		return nil, w.doErrands(ctx, all)
	}
	own := filepath.Join(w.dir, s.name)
	argv, err := s.prepare(own)
	if err != nil {
		return nil, err
	}
	d, err := startDaemon(ctx, w.hosts[proxy], s.addresses(), argv...)
	if err != nil {
		return nil, err
	}
	err = errors.Join(w.doErrands(ctx, all), d.stop(ctx))
	if err != nil {
		return nil, err
	}
	for format, text := range s.logs {
		f := file{name: format + ".log"}
		if text != "" {
			f.content = linesWith(d.stdout.Bytes(), text)
		}
		logs = append(logs, f)
	}
	slices.SortFunc(logs, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return logs, readLogs(logs, own)
}

// readLogs reads the logs that are not there yet, and complains about one that is empty.
func readLogs(logs []file, dir string) (err error) {
	for i := range logs {
		if f := &logs[i]; f.content == nil {
			if f.content, err = os.ReadFile(filepath.Join(dir, f.name)); err != nil {
				return fmt.Errorf("reading what was logged: %w", err)
			}
		}
		if len(logs[i].content) == 0 {
			return fmt.Errorf("reading what was logged: %s is empty", logs[i].name)
		}
	}
	return nil
}

// linesWith are the lines that hold a text.
func linesWith(all []byte, text string) (out []byte) {
	for line := range bytes.Lines(all) {
		if bytes.Contains(line, []byte(text)) {
			out = append(out, line...)
		}
	}
	return out
}

func (w *world) doErrands(ctx context.Context, all []errand) error {
	for i := range all {
		do := w.fetch
		if all[i].how == "lookup" {
			do = w.lookUp
		}
		if err := do(ctx, &all[i]); err != nil {
			return err
		}
	}
	w.settle(ctx)
	return nil
}

// fetch has curl do one request.
func (w *world) fetch(ctx context.Context, e *errand) error {
	server := netip.AddrPortFrom(proxy, e.port).String()
	args := []string{"-sS", "-f", "--max-time", "30", "--cacert", w.ca, "-o", "/dev/null", "-X", e.request.Method}
	switch {
	case e.how == "proxy" && e.user != "":
		args = append(args, "-x", proxyURL(e.user))
	case e.how == "proxy":
		args = append(args, "-x", "http://"+server)
	case e.how == "connect":
		args = append(args, "--connect-to", "::"+server)
		if e.user != "" {
			args = append(args, "-u", e.user+":secret")
		}
	}
	if e.request.Upload > 0 {
		body := filepath.Join(w.dir, "body")
		if err := os.WriteFile(body, bytes.Repeat([]byte("prompt\n"), e.request.Upload/7+1)[:e.request.Upload], 0o644); err != nil {
			return fmt.Errorf("writing a request's body: %w", err)
		}
		args = append(args, "-H", "Expect:", "--data-binary", "@"+body)
	}
	cmd := w.hosts[at(e.desk)].Command(ctx, "curl", append(args, e.request.URL)...)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fetching %s by way of %s: %w: %s", e.request.URL, e.server, err, lastLine(said))
	}
	return nil
}

// lookUp asks for an address once.
func (w *world) lookUp(_ context.Context, e *errand) error {
	u, err := url.Parse(e.request.URL)
	if err != nil {
		return fmt.Errorf("reading request %s: %w", e.request, err)
	}
	return w.hosts[at(e.desk)].Do(func() error {
		c, err := net.Dial("udp", netip.AddrPortFrom(proxy, e.port).String())
		if err != nil {
			return fmt.Errorf("looking up %s: %w", u.Hostname(), err)
		}
		defer c.Close()
		question := new(dns.Msg).SetQuestion(dns.Fqdn(u.Hostname()), dns.TypeA)
		answer, _, err := new(dns.Client).ExchangeWithConn(question, &dns.Conn{Conn: c})
		if err != nil {
			return fmt.Errorf("looking up %s at %s: %w", u.Hostname(), e.server, err)
		}
		if len(answer.Answer) == 0 {
			return fmt.Errorf("looking up %s at %s: it has no address", u.Hostname(), e.server)
		}
		return nil
	})
}

// counted is the stand-in's count of each errand.
func counted(all []errand, records []truth.Record) (out []LogTruth) {
	for _, e := range all {
		u, err := url.Parse(e.request.URL)
		if err != nil {
			continue // it was read before
		}
		t := LogTruth{Logs: e.logs, Client: at(e.desk), User: e.user, Host: u.Hostname(), Lookup: e.how == "lookup"}
		for _, r := range records {
			if r.Kind != truth.KindConnection {
				continue
			}
			for _, h := range r.Hosts {
				if h.Name == t.Host {
					t.Requests, t.Uploaded, t.Downloaded = t.Requests+h.Requests, t.Uploaded+h.Uploaded, t.Downloaded+h.Downloaded
				}
			}
		}
		out = append(out, t)
	}
	return out
}

// write checks the count and puts everything into the server's directory: packets only for Squid, whose clients are seen twice.
func (s *logServer) write(ctx context.Context, dir string, logs []file, frames []pcapfile.Frame, known []LogTruth) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	for i := range known {
		if t := &known[i]; !t.Lookup && t.Requests != 1 {
			return fmt.Errorf("checking the stand-in's count: %s was to get one request and got %d; run it again", t.Host, t.Requests)
		}
		if err := enc.Encode(&known[i]); err != nil {
			return fmt.Errorf("writing truth: %w", err)
		}
	}
	said, err := versionOf(ctx, s.version[0], s.version[1:]...)
	if err != nil {
		return err
	}
	files := append(logs, file{truthFile, text.Bytes()}, file{"ABOUT", s.about(said)})
	if s.name == "squid" {
		var capture bytes.Buffer
		if err := pcapfile.Write(&capture, frames); err != nil {
			return err
		}
		files = append(files, file{"input.pcap", capture.Bytes()})
	}
	return writeFiles(dir, files)
}

func (s *logServer) about(version string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "Why: what %s logs of requests whose size is known, in the forms that are in use and in the one that is recommended.\n", s.name)
	b.WriteString("Made by: testdata/lab (go run . logs): clients in network namespaces, the server, and a stand-in that played the named hosts;\n")
	b.WriteString("  no packet left the machine, and no account or person is behind it.\n")
	fmt.Fprintf(&b, "Program: %s.\n", version)
	b.WriteString("Logs: each file is called after its format. input.pcap, if there is one, is what a tap saw of the same minute.\n")
	b.WriteString("Truth: truth.ndjson is what the stand-in counted of each client's request, and which logs tell of it.\n")
	b.WriteString("Licence: the project's own.\n")
	return []byte(b.String())
}
