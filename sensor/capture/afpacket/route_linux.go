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

// A routeTable is a file of the kernel that lists routes, one in a line of columns. It shows the routes of this thread's network,
// which is the process's in a program that does not wander between namespaces.
type routeTable struct {
	file                string
	columns             int // at least
	name, flags, metric int // columns
	metricBase          int
	nets                map[int]string // what the columns of destination and mask hold for the default route
}

// tables are IPv4's and IPv6's.
var tables = [...]routeTable{
	{file: "/proc/thread-self/net/route", columns: 8, name: 0, flags: 3, metric: 6, metricBase: 10,
		nets: map[int]string{1: "00000000", 7: "00000000"}},
	{file: "/proc/thread-self/net/ipv6_route", columns: 10, name: 9, flags: 8, metric: 5, metricBase: 16,
		nets: map[int]string{0: "00000000000000000000000000000000", 1: "00"}},
}

// DefaultInterface is the interface of the default route, of IPv4 before IPv6; without one, the first that is up and not the
// loopback.
func DefaultInterface() (string, error) {
	for i := range tables {
		f, err := os.Open(tables[i].file)
		if err != nil {
			continue // a kernel without this protocol
		}
		name := tables[i].defaultRoute(f)
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

// defaultRoute is the interface of the default route with the lowest metric among the lines of r.
func (t *routeTable) defaultRoute(r io.Reader) string {
	best, bestMetric := "", uint64(0)
	for lines := bufio.NewScanner(r); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if !t.usable(fields) {
			continue
		}
		metric, err := strconv.ParseUint(fields[t.metric], t.metricBase, 32)
		if err == nil && (best == "" || metric < bestMetric) {
			best, bestMetric = fields[t.name], metric
		}
	}
	return best
}

// Flags of a route in <linux/route.h>.
const (
	routeUp     = 0x1
	routeReject = 0x200
)

// usable says if the line is a default route that leads somewhere.
func (t *routeTable) usable(fields []string) bool {
	if len(fields) < t.columns || fields[t.name] == "lo" {
		return false
	}
	for column, zero := range t.nets {
		if fields[column] != zero {
			return false
		}
	}
	flags, err := strconv.ParseUint(fields[t.flags], 16, 32)
	return err == nil && flags&routeUp != 0 && flags&routeReject == 0
}
