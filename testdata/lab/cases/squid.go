package cases

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/netns"
	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
)

// squid is a running Squid and its log of who asked for what.
type squid struct {
	cmd    *exec.Cmd
	log    string
	stderr bytes.Buffer
	ended  chan struct{}
}

// leg is a client's connection to the proxy, and the proxy's local addresses of the connections it opened for it.
type leg struct {
	record   truth.Record
	outgoing []netip.AddrPort
}

const squidPort = 3128

// squidConfig wants users to name themselves and believes any password. The log has one line per request:
// client address and port, user, method, URL, status, local address and port of the outgoing connection,
// then sizes of request, its header, reply, its header. The other logs are those that customers have, and the one they are told to have.
const squidConfig = `http_port %d
visible_hostname proxy.office.example
dns_nameservers %s
auth_param basic program /usr/lib/squid/basic_fake_auth
auth_param basic realm office
auth_param basic children 1 startup=1
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
pinger_enable off
netdb_filename none
shutdown_lifetime 0 seconds
memory_cache_shared off
via on
forwarded_for delete
pid_filename %[3]s/squid.pid
coredump_dir %[3]s
cache_log %[3]s/cache.log
logformat lab %%>a %%>p %%un %%rm %%ru %%>Hs %%<la %%<lp %%>st %%>sh %%<st %%<sh
access_log stdio:%[3]s/access.log logformat=lab
logformat gnomon %%ts.%%03tu %%6tr %%>a %%un %%Ss/%%03>Hs %%<st %%>st %%rm %%ru - "%%{User-Agent}>h"
access_log stdio:%[3]s/squid-upload.log logformat=gnomon
access_log stdio:%[3]s/squid-native.log logformat=squid
access_log stdio:%[3]s/squid-common.log logformat=common
access_log stdio:%[3]s/squid-combined.log logformat=combined
`

// proxyURL is how a client reaches the proxy as a user.
func proxyURL(user string) string {
	return fmt.Sprintf("http://%s:secret@%s:%d", user, proxy, squidPort)
}

// startSquid starts Squid in a namespace and waits until it listens.
func startSquid(ctx context.Context, space *netns.Space, dir string) (*squid, error) {
	own := filepath.Join(dir, "squid")
	if err := squidDir(own); err != nil {
		return nil, err
	}
	config := filepath.Join(own, "squid.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, squidConfig, squidPort, resolver, own), 0o644); err != nil {
		return nil, fmt.Errorf("writing Squid's configuration: %w", err)
	}
	s := &squid{log: filepath.Join(own, "access.log"), ended: make(chan struct{})}
	s.cmd = space.Command(context.WithoutCancel(ctx), "squid", "-N", "-n", fmt.Sprintf("lab%d", os.Getpid()), "-f", config)
	s.cmd.Stderr = &s.stderr
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting squid: %w", err)
	}
	go func() {
		_ = s.cmd.Wait() // how it ended shows in what it logged
		close(s.ended)
	}()
	address := netip.AddrPortFrom(proxy, squidPort).String()
	for tick := time.Tick(50 * time.Millisecond); ; {
		err := space.Do(func() error {
			c, err := net.DialTimeout("tcp", address, time.Second)
			if err != nil {
				return err
			}
			return c.Close()
		})
		if err == nil {
			return s, nil
		}
		select {
		case <-tick:
		case <-s.ended:
			return nil, fmt.Errorf("starting squid: it ended: %s", strings.TrimSpace(s.stderr.String()))
		case <-ctx.Done():
			s.kill()
			return nil, fmt.Errorf("waiting for squid to listen on %s: %w", address, ctx.Err())
		}
	}
}

// squidDir makes a directory for the unprivileged user that Squid becomes.
func squidDir(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("making Squid's directory: %w", err)
	}
	owner, err := user.Lookup("proxy")
	if err != nil {
		return fmt.Errorf("finding Squid's user: %w; install what \"lab deps\" lists", err)
	}
	uid, _ := strconv.Atoi(owner.Uid) // numbers on Linux
	gid, _ := strconv.Atoi(owner.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		return fmt.Errorf("giving Squid its directory: %w", err)
	}
	return nil
}

// stop ends Squid and reads its log.
func (s *squid) stop(ctx context.Context) ([]leg, error) {
	if err := syscall.Kill(s.cmd.Process.Pid, syscall.SIGTERM); err != nil {
		return nil, fmt.Errorf("stopping squid: %w", err)
	}
	select {
	case <-s.ended:
	case <-ctx.Done():
		return nil, fmt.Errorf("stopping squid: %w", ctx.Err())
	}
	log, err := os.ReadFile(s.log)
	if err != nil {
		return nil, fmt.Errorf("reading Squid's log: %w", err)
	}
	return parseSquidLog(log)
}

// kill ends Squid and its helpers, if they still run.
func (s *squid) kill() {
	select {
	case <-s.ended:
	default:
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		<-s.ended
	}
}

var errLogLine = errors.New("line is not in the format the configuration asks for")

// parseSquidLog gathers the lines of each client connection into one leg, in order of first mention.
func parseSquidLog(log []byte) ([]leg, error) {
	var legs []leg
	index := map[netip.AddrPort]int{}
	for line := range strings.Lines(string(log)) {
		f := strings.Fields(line)
		if len(f) != 12 {
			return nil, fmt.Errorf("reading Squid's log: %q: %w", line, errLogLine)
		}
		client, err := netip.ParseAddrPort(net.JoinHostPort(f[0], f[1]))
		if err != nil || client.Port() == 0 {
			continue // not about a request: the probe that waited for the port, or an idle connection's end
		}
		if f[3] == "NONE" || f[3] == "-" {
			continue
		}
		i, known := index[client]
		if !known {
			i = len(legs)
			index[client] = i
			legs = append(legs, leg{record: truth.Record{
				Kind: truth.KindProxied, Transport: "tcp", Client: client, Server: netip.AddrPortFrom(proxy, squidPort), Protocol: "http",
			}})
		}
		if err := legs[i].enter(f); err != nil {
			return nil, fmt.Errorf("reading Squid's log: %q: %w", line, err)
		}
	}
	return legs, nil
}

// enter adds one log line to its leg.
func (l *leg) enter(f []string) error {
	if f[2] != "-" {
		l.record.User = f[2]
	}
	if out, err := netip.ParseAddrPort(net.JoinHostPort(f[6], f[7])); err == nil {
		l.outgoing = append(l.outgoing, out)
	}
	if f[3] == "CONNECT" {
		host, _, err := net.SplitHostPort(f[4])
		if err != nil {
			return errLogLine
		}
		l.record.Protocol, l.record.Name = "connect", host
		return nil // what passed inside is the server's to count
	}
	target, err := url.Parse(f[4])
	if err != nil {
		return errLogLine
	}
	var sizes [4]int64
	for i := range sizes {
		if sizes[i], err = strconv.ParseInt(f[8+i], 10, 64); err != nil {
			return errLogLine
		}
	}
	l.record.Count(target.Hostname(), 1, sizes[0]-sizes[1], sizes[2]-sizes[3])
	return nil
}
