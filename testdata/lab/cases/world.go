package cases

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/forward"
	"github.com/gnomon-sensor/gnomon/testdata/lab/netns"
	"github.com/gnomon-sensor/gnomon/testdata/lab/pcapfile"
	"github.com/gnomon-sensor/gnomon/testdata/lab/standin"
	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
)

// Addresses of the laboratory's office. Everything outside office is reached through the router, behind which the stand-in plays
// the Internet.
var (
	office   = netip.MustParsePrefix("10.20.0.0/16")
	router   = netip.MustParseAddr("10.20.0.1")
	resolver = netip.MustParseAddr("10.20.0.53")
	proxy    = netip.MustParseAddr("10.20.0.128")
)

// setup describes a world.
type setup struct {
	zone    *standin.Zone
	clients []netip.Addr
	proxy   bool
	rules   forward.Rules
	echName string // public name of encrypted hellos, if the server takes them
}

// world is a running laboratory: hosts around a switch with a tap.
//
//	client 1 --\                 /-- router = stand-in (resolver, web)
//	client n ---+-- switch+tap --+
//	                             \-- proxy
type world struct {
	setup
	spaces  []*netns.Space // all of them, to be removed
	hosts   map[netip.Addr]*netns.Space
	wire    *forward.Switch
	stand   *standin.Server
	book    *truth.Book
	dir     string
	ca      string
	cert    string // of the clients
	keyHash string
	squid   *squid

	mu      sync.Mutex
	frames  []pcapfile.Frame
	running sync.WaitGroup
	stop    context.CancelFunc
	wireErr error
}

// newWorld builds namespaces, links and servers. Close removes them, also after an error here.
func newWorld(ctx context.Context, s setup, authority *standin.Authority) (*world, error) {
	w := &world{setup: s, hosts: map[netip.Addr]*netns.Space{}, book: &truth.Book{}}
	if err := w.build(ctx, authority); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *world) build(ctx context.Context, authority *standin.Authority) error {
	if err := w.scratch(authority); err != nil {
		return err
	}
	middle, err := w.space(ctx, "mid", false)
	if err != nil {
		return err
	}
	addresses := append([]netip.Addr{router}, w.clients...)
	if w.proxy {
		addresses = append(addresses, proxy)
	}
	var ports []string
	for i, address := range addresses {
		port := fmt.Sprintf("port%d", i)
		if err := w.host(ctx, middle, port, address); err != nil {
			return err
		}
		ports = append(ports, port)
	}
	if err := middle.Do(func() error { w.wire, err = forward.Open(ports, w.rules, w.record); return err }); err != nil {
		return err
	}
	wireCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	w.running.Go(func() { w.wireErr = w.wire.Run(wireCtx) })
	if err := w.serve(authority); err != nil {
		return err
	}
	if w.proxy {
		w.squid, err = startSquid(ctx, w.hosts[proxy], w.dir)
	}
	return err
}

func (w *world) scratch(authority *standin.Authority) error {
	var err error
	if w.dir, err = netns.Scratch(); err != nil {
		return err
	}
	if err := os.Chmod(w.dir, 0o755); err != nil { // the proxy runs as another user
		return fmt.Errorf("opening the scratch directory: %w", err)
	}
	w.ca = filepath.Join(w.dir, "ca.pem")
	if err := os.WriteFile(w.ca, authority.PEM(), 0o644); err != nil {
		return fmt.Errorf("writing the root certificate: %w", err)
	}
	cert, err := authority.Client()
	if err != nil {
		return err
	}
	w.cert = filepath.Join(w.dir, "client.pem")
	if err := os.WriteFile(w.cert, cert, 0o600); err != nil {
		return fmt.Errorf("writing the clients' certificate: %w", err)
	}
	w.keyHash, err = authority.KeyHash()
	return err
}

func (w *world) space(ctx context.Context, role string, ipv6 bool) (*netns.Space, error) {
	s, err := netns.New(ctx, role, ipv6)
	if err == nil {
		w.spaces = append(w.spaces, s)
	}
	return s, err
}

// host makes one host, cabled to a port of the switch.
func (w *world) host(ctx context.Context, middle *netns.Space, port string, address netip.Addr) error {
	b := address.As4()
	s, err := w.space(ctx, fmt.Sprintf("h%d", int(b[2])<<8|int(b[3])), w.zone.IPv6)
	if err != nil {
		return err
	}
	w.hosts[address] = s
	if err := netns.Connect(ctx, s, "eth0", middle, port); err != nil {
		return err
	}
	commands := [][]string{
		{"link", "set", "eth0", "address", fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3])},
		{"address", "add", fmt.Sprintf("%s/%d", address, office.Bits()), "dev", "eth0"},
	}
	if w.zone.IPv6 {
		commands = append(commands, []string{"address", "add", sixOf(address).String() + "/64", "dev", "eth0"})
	}
	commands = append(commands, w.routes(address)...)
	for _, c := range commands {
		if err := s.IP(ctx, c...); err != nil {
			return err
		}
	}
	return s.SetFile("resolv.conf", fmt.Sprintf("nameserver %s\n", resolver))
}

// sixOf returns the IPv6 address of the host that has the given IPv4 address.
func sixOf(address netip.Addr) netip.Addr {
	b := address.As4()
	return netip.AddrFrom16([16]byte{0xfd, 0x20, 13: b[2], 15: b[3]})
}

// routes makes the router own the whole outside world, and all others send it what is for outside.
func (w *world) routes(address netip.Addr) [][]string {
	if address != router {
		out := [][]string{{"route", "add", "default", "via", router.String()}}
		if w.zone.IPv6 {
			out = append(out, []string{"route", "add", "default", "via", sixOf(router).String()})
		}
		return out
	}
	out := [][]string{
		{"address", "add", fmt.Sprintf("%s/%d", resolver, office.Bits()), "dev", "eth0"},
		{"route", "add", "local", "203.0.113.0/24", "dev", "lo"},
	}
	if w.zone.IPv6 {
		out = append(out, []string{"route", "add", "local", "2001:db8:203::/48", "dev", "lo"})
	}
	return out
}

func (w *world) serve(authority *standin.Authority) error {
	cfg := standin.Config{Zone: w.zone, Authority: authority, Book: w.book, Resolver: netip.AddrPortFrom(resolver, 53), ECHName: w.echName}
	if w.echName != "" {
		key, list, err := standin.NewECHKey(w.echName)
		if err != nil {
			return err
		}
		w.zone.ECH, cfg.ECHKeys = list, []tls.EncryptedClientHelloKey{key}
	}
	return w.hosts[router].Do(func() (err error) {
		w.stand, err = standin.Start(cfg)
		return err
	})
}

func (w *world) record(at time.Time, port int, frame []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frames = append(w.frames, pcapfile.Frame{Time: at.UTC(), Data: frame, Port: port})
}

// settle waits until the wire has been quiet for a while, but not for ever.
func (w *world) settle(ctx context.Context) {
	const quiet, patience = 250 * time.Millisecond, 5 * time.Second
	deadline := time.After(patience)
	tick := time.NewTicker(quiet / 5)
	defer tick.Stop()
	for w.wire.Quiet() < quiet {
		select {
		case <-ctx.Done():
			return
		case <-deadline:
			return
		case <-tick.C:
		}
	}
}

// finish ends proxy and servers in good order and returns what the tap and the servers saw.
func (w *world) finish(ctx context.Context) ([]pcapfile.Frame, []truth.Record, error) {
	var outgoing map[netip.AddrPort]int
	w.settle(ctx)
	records := w.book.Snapshot()
	if w.squid != nil {
		legs, err := w.squid.stop(ctx)
		if err != nil {
			return nil, nil, err
		}
		w.settle(ctx)
		records = w.book.Snapshot()
		outgoing = map[netip.AddrPort]int{}
		for _, leg := range legs {
			for _, out := range leg.outgoing {
				outgoing[out] = len(records)
			}
			records = append(records, leg.record)
		}
	}
	truth.Join(records, outgoing)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.frames, records, nil
}

// Close ends everything and removes every trace.
func (w *world) Close() error {
	var errs []error
	if w.squid != nil {
		w.squid.kill()
	}
	if w.stand != nil {
		errs = append(errs, w.stand.Close())
	}
	if w.wire != nil {
		if w.stop != nil {
			w.stop()
		}
		errs = append(errs, w.wire.Close())
		w.running.Wait()
		errs = append(errs, w.wireErr)
	}
	for _, s := range w.spaces {
		errs = append(errs, s.Remove())
	}
	if w.dir != "" {
		errs = append(errs, os.RemoveAll(w.dir))
	}
	return errors.Join(errs...)
}
