package cases

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/clients"
	"github.com/gnomon-sensor/gnomon/testdata/lab/pcapfile"
	"github.com/gnomon-sensor/gnomon/testdata/lab/standin"
	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
)

// desk is the client's address in worlds with one client.
var desk = netip.MustParseAddr("10.20.1.11")

// Lab makes cases. It is not safe for concurrent use.
type Lab struct {
	authority *standin.Authority
	clients   map[string]clients.Client
	versions  map[string]string
}

// NewLab returns a laboratory; self is its own program, which plays the Go clients.
func NewLab(self string) (*Lab, error) {
	authority, err := standin.NewAuthority()
	if err != nil {
		return nil, err
	}
	l := &Lab{authority: authority, clients: map[string]clients.Client{}, versions: map[string]string{}}
	for _, c := range clients.All(self) {
		l.clients[c.Name] = c
	}
	return l, nil
}

// result is what one run of a world gave.
type result struct {
	frames   []pcapfile.Frame
	records  []truth.Record
	programs []string // versions of all programs that took part
}

// capture plays a case in a world of its own.
func (l *Lab) capture(ctx context.Context, c Case) (res result, err error) {
	zone, err := c.zone()
	if err != nil {
		return res, err
	}
	program, err := l.version(ctx, c.Client)
	if err != nil {
		return res, err
	}
	w, err := newWorld(ctx, setup{zone: zone, clients: []netip.Addr{desk}, proxy: c.User != "", rules: c.Rules, echName: c.ECHName}, l.authority)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	job := clients.Job{Version: c.Version, Requests: c.Requests, Manner: c.Manner}
	if c.User != "" {
		job.Proxy = proxyURL(c.User)
	}
	if err := l.run(ctx, w, desk, c.Client, job); err != nil {
		return res, err
	}
	if res.frames, res.records, err = w.finish(ctx); err != nil {
		return res, err
	}
	res.programs = []string{program}
	stamp(res.records, program, desk, sixOf(desk))
	if c.User != "" {
		squidVersion, err := versionOf(ctx, "squid", "-v")
		if err != nil {
			return res, err
		}
		stamp(res.records, squidVersion, proxy)
		res.programs = append(res.programs, squidVersion)
	}
	return res, verify(c.Requests, res.records)
}

// run lets one client do one job and waits for its end: a browser's when its page says that it is done.
func (l *Lab) run(ctx context.Context, w *world, at netip.Addr, name string, job clients.Job) error {
	client, ok := l.clients[name]
	if !ok {
		return fmt.Errorf("starting client %q: there is none of that name", name)
	}
	const patience = 3 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var err error
	if job.Dir, err = os.MkdirTemp(w.dir, name+"-"); err != nil {
		return fmt.Errorf("making a scratch directory for %s: %w", name, err)
	}
	job.CAFile, job.KeyHash = w.ca, w.keyHash
	if job.Manner.Cert != "" {
		job.Manner.Cert = w.cert
	}
	argv, env, err := client.Command(job)
	if err != nil {
		return err
	}
	cmd := w.hosts[at].Command(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = job.Dir, append(os.Environ(), env...), 5*time.Second
	output := filepath.Join(job.Dir, "output")
	log, err := os.Create(output)
	if err != nil {
		return fmt.Errorf("keeping the output of %s: %w", name, err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	if client.Browser {
		err = w.browse(ctx, cmd)
	} else {
		err = cmd.Wait()
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what a browser left behind in its group
	if err != nil {
		said, _ := os.ReadFile(output)
		return fmt.Errorf("running %s: %w: %s", name, err, lastLine(said))
	}
	w.settle(ctx)
	return nil
}

// browse waits for the page to be done, and then asks the browser to end.
func (w *world) browse(ctx context.Context, cmd *exec.Cmd) error {
	ended := make(chan struct{})
	var waited error // valid once ended is closed
	go func() {
		waited = cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		if waited == nil {
			return errors.New("it ended before its page was done; see its words here")
		}
		return fmt.Errorf("it ended before its page was done: %w; see its words here", waited)
	case <-ctx.Done():
		<-ended // it was killed
		return fmt.Errorf("waiting for its page: %w", ctx.Err())
	case <-w.stand.Done():
	}
	w.settle(ctx)
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	const patience = 5 * time.Second
	select {
	case <-ended: // by its own will or by the signal: its page is done
	case <-time.After(patience):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
	}
	return nil
}

// version asks a client for its version once.
func (l *Lab) version(ctx context.Context, name string) (string, error) {
	if v, ok := l.versions[name]; ok {
		return v, nil
	}
	v, err := l.clients[name].Version(ctx)
	if err != nil {
		return "", err
	}
	v, _, _ = strings.Cut(v, " (")         // curl goes on with its libraries
	v, _, _ = strings.Cut(v, " built on ") // and Chromium with its builder
	l.versions[name] = v
	return v, nil
}

func versionOf(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w; install what \"lab deps\" lists", name, err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line), nil
}

// stamp names the program on every connection from one of the addresses that has none yet.
func stamp(records []truth.Record, program string, from ...netip.Addr) {
	for i := range records {
		if r := &records[i]; slices.Contains(from, r.Client.Addr()) && r.Program == "" && r.Kind != truth.KindDNS {
			r.Program = program
		}
	}
}

// verify reports requests the servers did not see whole: a capture without them would be a case about nothing.
func verify(requests []clients.Request, records []truth.Record) error {
	want, got := map[string]int64{}, map[string]int64{}
	for _, r := range requests {
		u, err := url.Parse(r.URL)
		if err != nil {
			return fmt.Errorf("reading request %s: %w", r, err)
		}
		want[u.Hostname()] += int64(r.Upload)
	}
	for _, r := range records {
		if r.Kind != truth.KindConnection {
			continue
		}
		for _, h := range r.Hosts {
			got[h.Name] += h.Uploaded
		}
	}
	for host, up := range want {
		if seen, ok := got[host]; !ok || seen != up {
			return fmt.Errorf("checking the servers' count: %s was to get %d bytes and got %d; run it again", host, up, seen)
		}
	}
	return nil
}

// lastLine returns the last line a program said, which is where they say why they gave up.
func lastLine(said []byte) string {
	const most = 300
	text := strings.TrimSpace(string(said))
	text = text[strings.LastIndexByte(text, '\n')+1:]
	return text[max(0, len(text)-most):]
}
