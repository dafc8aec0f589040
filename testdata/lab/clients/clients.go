// Package clients knows how to make real programs do a list of requests: command-line tools, language run-times and browsers.
// It builds command lines and scratch files; starting them in a network namespace is the caller's part.
package clients

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Versions of HTTP a job can ask for. A client does not offer them all.
const (
	H1  = "h1"
	H2  = "h2"
	H3  = "h3"
	WS  = "ws"  // WebSocket: each request's body is one message
	ECH = "ech" // HTTP/2 with the name encrypted, as the server's HTTPS record invites to
	Raw = "raw" // requests pipelined on one connection without TLS
)

// Request is one exchange: a body of Upload bytes goes to URL, whose query says what comes back.
type Request struct {
	Method string
	URL    string
	Upload int
}

// String returns the form that all clients take: method,bytes,URL.
func (r Request) String() string {
	return r.Method + "," + strconv.Itoa(r.Upload) + "," + r.URL
}

// ParseRequest reads the form that String writes.
func ParseRequest(s string) (Request, error) {
	method, rest, ok := strings.Cut(s, ",")
	size, url, ok2 := strings.Cut(rest, ",")
	n, err := strconv.Atoi(size)
	if !ok || !ok2 || err != nil || n < 0 {
		return Request{}, fmt.Errorf("reading request %q: want METHOD,BYTES,URL", s)
	}
	return Request{method, url, n}, nil
}

// Job is what a client is to do.
type Job struct {
	Version  string
	Requests []Request
	CAFile   string // PEM
	KeyHash  string // of the servers' key, for browsers
	Proxy    string // URL with user and password, or empty
	Dir      string // scratch, of this job alone
	Manner   Manner
}

// Manner is how a client goes about its requests, where that is not as usual. Only curl (but not Fresh) and the Go client can.
type Manner struct {
	TLS12 bool   // TLS 1.2 and no later
	Fresh bool   // each request over a connection of its own; later ones resume, over QUIC with early data
	Cert  string // PEM file with a certificate and its key, to be shown to servers that ask
	Gzip  bool   // bodies are compressed
}

// body is the body of a request.
func (m Manner) body(n int) []byte {
	if m.Gzip {
		return Compressed(n)
	}
	return make([]byte, n)
}

// curl writes a manner as options of curl.
func (m Manner) curl() (out []string) {
	if m.TLS12 {
		out = append(out, "--tls-max", "1.2")
	}
	if m.Cert != "" {
		out = append(out, "--cert", m.Cert)
	}
	if m.Gzip {
		out = append(out, "--header", "Content-Encoding: gzip")
	}
	return out
}

// args writes a manner as arguments of the Go client.
func (m Manner) args() (out []string) {
	for name, yes := range map[string]bool{"-tls12": m.TLS12, "-fresh": m.Fresh, "-gzip": m.Gzip, "-cert=" + m.Cert: m.Cert != ""} {
		if yes {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Client is a program that can do jobs.
type Client struct {
	Name    string
	Browser bool // does not end by itself: its page says when it is done
	version []string
	command func(Job) (argv, env []string, err error)
}

// Command returns the arguments and additional environment of a job.
func (c Client) Command(job Job) (argv, env []string, err error) {
	return c.command(job)
}

// Version asks the program for its own version.
func (c Client) Version(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, c.version[0], c.version[1:]...).Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w; install what \"lab deps\" lists", c.Name, err)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line, nil
}

// All returns every client. self is the laboratory's own program, which plays the Go clients.
func All(self string) []Client {
	return []Client{
		{Name: "curl", version: []string{"curl", "--version"}, command: curl},
		{Name: "python", version: []string{systemPython, "--version"}, command: script("client.py", pythonScript, systemPython)},
		{Name: "node", version: []string{"node", "-p", "'Node.js ' + process.version"}, command: node},
		{Name: "java", version: []string{"java", "--version"}, command: script("Client.java", javaSource, "java", "-XX:TieredStopAtLevel=1")},
		{Name: "go", version: []string{self, "client", "version"}, command: goClient(self)},
		{Name: "chromium", version: []string{"chromium", "--version"}, command: chromium, Browser: true},
		{Name: "firefox", version: []string{"firefox-esr", "--version"}, command: firefox, Browser: true},
	}
}

// systemPython is Debian's, whatever else is first on the path.
const systemPython = "/usr/bin/python3"

//go:embed scripts/client.py
var pythonScript string

//go:embed scripts/client.mjs
var nodeScript string

//go:embed scripts/Client.java
var javaSource string

// script returns a command that runs an embedded script; its arguments are version, CA file, proxy or "-", and the requests.
func script(file, source string, interpreter ...string) func(Job) ([]string, []string, error) {
	return func(job Job) ([]string, []string, error) {
		path := filepath.Join(job.Dir, file)
		if err := os.WriteFile(path, []byte(source), 0o644); err != nil {
			return nil, nil, fmt.Errorf("writing client script: %w", err)
		}
		argv := append(append([]string(nil), interpreter...), path)
		return append(argv, arguments(job)...), []string{"NODE_EXTRA_CA_CERTS=" + job.CAFile}, nil
	}
}

// node asks for WebSocket only where it is needed: Debian 12's Node 18 does not know the option, nor does it have a WebSocket.
func node(job Job) ([]string, []string, error) {
	interpreter := []string{"node", "--no-warnings"}
	if job.Version == WS {
		interpreter = append(interpreter, "--experimental-websocket")
	}
	return script("client.mjs", nodeScript, interpreter...)(job)
}

func goClient(self string) func(Job) ([]string, []string, error) {
	return func(job Job) ([]string, []string, error) {
		return append(append([]string{self, "client"}, job.Manner.args()...), arguments(job)...), nil, nil
	}
}

func arguments(job Job) []string {
	proxy := job.Proxy
	if proxy == "" {
		proxy = "-"
	}
	args := []string{job.Version, job.CAFile, proxy}
	for _, r := range job.Requests {
		args = append(args, r.String())
	}
	return args
}

// curl does all requests in one process, so that it can reuse connections.
func curl(job Job) ([]string, []string, error) {
	flag, ok := map[string]string{H1: "--http1.1", H2: "--http2", H3: "--http3-only"}[job.Version]
	if !ok || job.Manner.Fresh {
		return nil, nil, fmt.Errorf("preparing curl: it has no %q, or cannot resume", job.Version)
	}
	argv := []string{"curl"}
	for i, r := range job.Requests {
		if i > 0 {
			argv = append(argv, "--next")
		}
		argv = append(argv, flag, "--silent", "--show-error", "--cacert", job.CAFile, "--output", "/dev/null", "--request", r.Method)
		if r.Upload > 0 {
			body := filepath.Join(job.Dir, fmt.Sprintf("body%d", i))
			if err := os.WriteFile(body, job.Manner.body(r.Upload), 0o644); err != nil {
				return nil, nil, fmt.Errorf("writing request body: %w", err)
			}
			argv = append(argv, "--data-binary", "@"+body)
		}
		if job.Proxy != "" {
			argv = append(argv, "--proxy", job.Proxy)
		}
		argv = append(argv, job.Manner.curl()...)
		argv = append(argv, r.URL)
	}
	return argv, nil, nil
}
