package afpacket

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
)

// The routes of this thread's network, which is the process's in a program that does not wander between namespaces.
const (
	routes4 = "/proc/thread-self/net/route"
	routes6 = "/proc/thread-self/net/ipv6_route"
)

// DefaultInterface is the interface of the default route, of IPv4 before IPv6; without one, the first that is up and not the
// loopback.
func DefaultInterface() (string, error) {
	for _, table := range []struct {
		file  string
		parse func(io.Reader) string
	}{{routes4, defaultRoute4}, {routes6, defaultRoute6}} {
		f, err := os.Open(table.file)
		if err != nil {
			continue // a kernel without this protocol
		}
		name := table.parse(f)
		f.Close()
		if name != "" {
			return name, nil
		}
	}
	all, err := net.Interfaces()
	if err != nil {
		return "", fmt.Errorf("looking for the default interface: %w", err)
	}
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			return i.Name, nil
		}
	}
	return "", errors.New("looking for the default interface: none is up but the loopback; name the one to capture on")
}

// Flags of a route in <linux/route.h>.
const (
	routeUp     = 0x1
	routeReject = 0x200
)

// defaultRoute4 is the interface of the default route with the lowest metric in /proc/net/route.
func defaultRoute4(r io.Reader) string {
	return lowest(r, func(f []string) (name, flags, metric string, base int, ok bool) {
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" {
			return "", "", "", 0, false
		}
		return f[0], f[3], f[6], 10, true
	})
}

// defaultRoute6 is the interface of the default route with the lowest metric in /proc/net/ipv6_route.
func defaultRoute6(r io.Reader) string {
	return lowest(r, func(f []string) (name, flags, metric string, base int, ok bool) {
		if len(f) < 10 || f[0] != strings.Repeat("0", 32) || f[1] != "00" {
			return "", "", "", 0, false
		}
		return f[9], f[8], f[5], 16, true
	})
}

// lowest is the interface of the usable route with the lowest metric among the lines that route understands. The flags are
// hexadecimal, the metric is in the given base.
func lowest(r io.Reader, route func(fields []string) (name, flags, metric string, base int, ok bool)) string {
	best, bestMetric := "", uint64(0)
	for lines := bufio.NewScanner(r); lines.Scan(); {
		name, flagText, metricText, base, ok := route(strings.Fields(lines.Text()))
		if !ok || name == "lo" {
			continue
		}
		flags, err := strconv.ParseUint(flagText, 16, 32)
		if err != nil || flags&routeUp == 0 || flags&routeReject != 0 {
			continue
		}
		metric, err := strconv.ParseUint(metricText, base, 32)
		if err != nil {
			continue
		}
		if best == "" || metric < bestMetric {
			best, bestMetric = name, metric
		}
	}
	return best
}
