// Package config holds what IT can set: the structs of gnomon.toml, their defaults and their checks. It knows names and ranges of
// settings, not what the rooms do with them.
package config

import (
	"net/netip"
	"time"
)

// Config is gnomon.toml.
type Config struct {
	Observer  Observer  `toml:"observer"`
	Capture   Capture   `toml:"capture"`
	Networks  Networks  `toml:"networks"`
	Flow      Flow      `toml:"flow"`
	Catalogue Catalogue `toml:"catalogue"`
	Logs      Logs      `toml:"logs"`
	Visit     Visit     `toml:"visit"`
	File      File      `toml:"file"`
	Log       Log       `toml:"log"`
}

// Observer says which sensor this is.
type Observer struct {
	// Name is written as observer.name. Default: the host's name.
	Name string `toml:"name"`
	// ID is the sensor's identity, a UUID; IDOfMachine makes it of the machine's. Default: a random one, kept in StateDir.
	ID string `toml:"id"`
	// Site groups sensors that see the same people.
	Site string `toml:"site"`
	// StateDir keeps the sensor's identity and its data. Default: /var/lib/gnomon for root, else $XDG_STATE_HOME/gnomon.
	StateDir string `toml:"state_dir"`
}

// Capture says where frames come from.
type Capture struct {
	// Interfaces are captured each on its own. Default: the interface of the default route.
	Interfaces []string `toml:"interfaces"`
	// Taps are groups of interfaces that are one source, each carrying one direction.
	Taps []Tap `toml:"tap"`
	// Workers is how many rings and goroutines share an interface.
	Workers int `toml:"workers"`
	// Ring is the memory of one ring.
	Ring Bytes `toml:"ring"`
	// Snaplen cuts frames to this many bytes; 0 keeps them whole.
	Snaplen int `toml:"snaplen"`
	// Promiscuous makes the card deliver frames for other hosts too.
	Promiscuous bool `toml:"promiscuous"`
}

// Tap is a network tap that delivers each direction on an interface of its own.
type Tap struct {
	Interfaces []string `toml:"interfaces"`
}

// Networks says which addresses are the organisation's own.
type Networks struct {
	// Internal are the organisation's networks: where nobody was seen to open a connection, the side outside is the server.
	Internal []netip.Prefix `toml:"internal"`
	// Infrastructure are networks whose addresses are never a user: resolvers, proxies, load balancers. Those that answer DNS or accept
	// CONNECT are noticed without it.
	Infrastructure []netip.Prefix `toml:"infrastructure"`
}

// Flow tunes the flow table; see package flow for what a flow is.
type Flow struct {
	// TCPIdle ends a TCP flow that has been silent this long: a chat is silent for minutes. Default 1h; at least 1m.
	TCPIdle time.Duration `toml:"tcp_idle"`
	// UDPIdle ends a UDP flow that has been silent this long. Default 5m; at least 10s.
	UDPIdle time.Duration `toml:"udp_idle"`
	// FirstSlice is how long after the service was recognised the first record is written. Default 2s; 1s to 1m.
	FirstSlice time.Duration `toml:"first_slice"`
	// Slice is how far apart the records of an open flow are. Default 60s; 5s to 60s.
	Slice time.Duration `toml:"slice"`
	// MaxFlows bounds the table of each worker; beyond it the longest idle flows are evicted and counted. Default 400000.
	MaxFlows int `toml:"max_flows"`
}

// Catalogue says which signatures are used.
type Catalogue struct {
	// Own is a directory of the organisation's own signatures (*.toml), which win over the built-in ones.
	Own string `toml:"own"`
	// LowConfidence adds names for which only one weak source is known.
	LowConfidence bool `toml:"low_confidence"`
	// Keys are the minisign public keys of those who may sign a catalogue, beside the release key.
	Keys []string `toml:"keys"`
	// Update is where newer catalogues lie, with their signatures beside them: a file or an address (https). Empty: nowhere.
	Update string `toml:"update"`
	// UpdateEvery is how often that is looked at.
	UpdateEvery time.Duration `toml:"update_every"`
	// Unlisted counts contacts with names that are in no catalogue, per name and day and without users.
	Unlisted bool `toml:"unlisted"`
}

// Visit says what counts where packets and logs tell of the same use.
type Visit struct {
	// Prefer is logs or packets.
	Prefer string `toml:"prefer"`
	// Covered are networks of whose use the logs tell in full: clients behind a proxy, and the proxy's own address.
	Covered []netip.Prefix `toml:"covered"`
	// Patience is how long a log may be silent before packets count again. Default 1h; 1m to 48h.
	Patience time.Duration `toml:"patience"`
}

// The words of visit.prefer.
const (
	PreferLogs    = "logs"
	PreferPackets = "packets"
)

// File writes every record to files as NDJSON.
type File struct {
	// Path of the file that is being written; empty: none. Full ones are renamed to PATH.1, PATH.2, ...
	Path string `toml:"path"`
	// MaxBytes is the size at which a file is full.
	MaxBytes Bytes `toml:"max_bytes"`
	// Keep is how many full files stay.
	Keep int `toml:"keep"`
}

// Log is the sensor's own log, on stderr.
type Log struct {
	// Level is debug, info, warn or error.
	Level string `toml:"level"`
	// Format is text or json.
	Format string `toml:"format"`
}

// Default returns every default.
func Default() Config {
	return Config{
		Capture: Capture{Workers: 1, Ring: 64 << 20, Promiscuous: true},
		Networks: Networks{Internal: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
			netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10")}},
		Flow:      Flow{TCPIdle: time.Hour, UDPIdle: 5 * time.Minute, FirstSlice: 2 * time.Second, Slice: time.Minute, MaxFlows: 400_000},
		Catalogue: Catalogue{UpdateEvery: 24 * time.Hour, Unlisted: true},
		Logs:      Logs{Timezone: "UTC"},
		Visit:     Visit{Prefer: PreferLogs, Patience: time.Hour},
		File:      File{MaxBytes: 100 << 20, Keep: 10},
		Log:       Log{Level: "info", Format: "text"},
	}
}
