// Package afpacket captures frames live from Linux network interfaces: TPACKET_V3 rings shared with the kernel, several workers
// per interface, taps of several interfaces merged by time, and interfaces that go down, vanish and come back. It also answers what
// the set-up checks ask of an interface: the default one, its state, its offloads.
//
// It does not look inside a frame (see decode), read capture files (see pcapfile) or know why a frame is of interest.
//
//	eth1 ──fanout──┬─ ring 0 ─┐
//	               └─ ring 1 ─┼──┐
//	eth2 ──fanout──┬─ ring 0 ─┴──┼── worker 0: merged by time ── Next
//	               └─ ring 1 ────┴── worker 1: merged by time ── Next
//
// The kernel's fanout hash is the same in both directions of a flow and on every interface, so a flow stays with one worker.
// Linux 4.12 is needed for more than one worker, 5.1 to keep flows and workers together when an interface of a tap goes down and
// up again.
package afpacket

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"
)

// AnyInterface is the name that captures on all interfaces at once, also on those that appear later.
const AnyInterface = "any"

// Config says what to capture and how much memory it may take. The zero value of a field is its default.
type Config struct {
	// Interfaces are captured each for itself; AnyInterface stands alone. A bridge, a bond or a VLAN shows its frames once more on
	// the interfaces below it.
	Interfaces []string
	// Taps are groups of two or more interfaces that carry one direction each. All interfaces of a worker are merged by time;
	// that some are a tap only shows in the name of the source.
	Taps [][]string
	// Workers is how many sources share the traffic of every interface. Default 1; at most 64.
	Workers int
	// BlockSize is how much the kernel hands over at once, in bytes; a frame that is longer is cut. Default 1 MiB; a multiple of
	// 64 KiB, at most 16 MiB.
	BlockSize int
	// Blocks is how many blocks a ring has; there is one ring per interface and worker. Default 64; at least 2, a ring at most 1 GiB.
	Blocks int
	// Snaplen cuts frames to this many bytes in the kernel. Default 0: whole frames.
	Snaplen int
	// Promiscuous makes the cards deliver frames that are not addressed to this host.
	Promiscuous bool
	// Timeout is how long a frame may wait in a block that is not full. Default 100 ms; 1 ms to 1 s. While the kernel's timer hands a
	// block over, a frame that arrives on another core may find no room and be dropped (1 in 330 million with 20 ms), so it is not
	// shorter than people need.
	Timeout time.Duration
	// Logger is told when an interface goes down and comes back. Default: nobody is told.
	Logger *slog.Logger
}

const (
	blockUnit    = 64 << 10 // a multiple of every page size that Linux uses
	maxBlockSize = 16 << 20
	maxRing      = 1 << 30
	maxWorkers   = 64
	maxPorts     = 1024
)

// LinkState is what the kernel says of an interface.
type LinkState struct {
	// Index is the number of the interface.
	Index int
	// Up says that it was switched on.
	Up bool
	// Running says that it can carry frames: there is a carrier.
	Running bool
	// Promiscuous says that it was asked for the frames of other hosts by an administrator; captures do not show here.
	Promiscuous bool
	// Loopback says that it leads nowhere.
	Loopback bool
	// MTU is the longest packet that it sends, in bytes.
	MTU int
	// Hardware is the ARPHRD_ type: 1 is Ethernet.
	Hardware uint16
}

// OffloadState says which offloads of an interface are on. The receiving ones (GRO, LRO) join packets before a capture sees them,
// the sending ones (GSO, TSO) divide them after it has.
type OffloadState struct {
	GRO, LRO, GSO, TSO bool
}

// withDefaults is c with its gaps filled, or what is wrong with it.
func (c Config) withDefaults() (Config, error) {
	if c.Workers == 0 {
		c.Workers = 1
	}
	if c.BlockSize == 0 {
		c.BlockSize = 1 << 20
	}
	if c.Blocks == 0 {
		c.Blocks = 64
	}
	if c.Timeout == 0 {
		c.Timeout = 100 * time.Millisecond
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if err := c.checkSizes(); err != nil {
		return c, fmt.Errorf("setting up capture: %w", err)
	}
	if err := c.checkNames(); err != nil {
		return c, fmt.Errorf("setting up capture: %w", err)
	}
	return c, nil
}

func (c *Config) checkSizes() error {
	for _, v := range []struct {
		what               string
		value, least, most int
	}{
		{"number of workers", c.Workers, 1, maxWorkers},
		{"block size", c.BlockSize, blockUnit, maxBlockSize},
		{"number of blocks", c.Blocks, 2, maxRing / max(c.BlockSize, blockUnit)},
		{"snaplen", c.Snaplen, 0, maxRing},
		{"timeout in ms", int(min(c.Timeout.Milliseconds(), maxRing)), 1, 1000},
	} {
		if v.value < v.least || v.value > v.most {
			return fmt.Errorf("the %s is %d: use %d to %d", v.what, v.value, v.least, v.most)
		}
	}
	if c.BlockSize%blockUnit != 0 {
		return fmt.Errorf("the block size is %d: use a multiple of %d", c.BlockSize, blockUnit)
	}
	return nil
}

func (c *Config) checkNames() error {
	names := c.names()
	if len(names) == 0 {
		return errors.New("no interface is named: name one, or use DefaultInterface")
	}
	if len(names) > maxPorts {
		return fmt.Errorf("%d interfaces: name at most %d, or use %q", len(names), maxPorts, AnyInterface)
	}
	if len(names) > 1 && slices.Contains(names, AnyInterface) {
		return fmt.Errorf("%q reads every interface: name no other beside it", AnyInterface)
	}
	for i, name := range names {
		if name == "" {
			return errors.New("an interface has an empty name: take it out")
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("%s is named twice: name each interface once, alone or in one tap", name)
		}
	}
	for _, tap := range c.Taps {
		if len(tap) < 2 {
			return fmt.Errorf("the tap %q has fewer than two interfaces: name the one under interfaces", strings.Join(tap, "+"))
		}
	}
	return nil
}

// names are all interfaces of the configuration.
func (c *Config) names() []string {
	return slices.Concat(c.Interfaces, slices.Concat(c.Taps...))
}

// title is the name of the source that worker reads.
func (c *Config) title(worker int) string {
	parts := slices.Clone(c.Interfaces)
	for _, tap := range c.Taps {
		parts = append(parts, strings.Join(tap, "+"))
	}
	title := strings.Join(parts, ",")
	if c.Workers > 1 {
		title = fmt.Sprintf("%s (worker %d of %d)", title, worker+1, c.Workers)
	}
	return title
}

// explain adds to an error of opening or asking an interface what to do about it.
func explain(doing, name string, err error) error {
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%s %s: %w; run as root or grant CAP_NET_RAW (see packaging/)", doing, name, err)
	}
	return fmt.Errorf("%s %s: %w", doing, name, err)
}
