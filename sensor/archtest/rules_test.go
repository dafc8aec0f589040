package archtest

// modulePath is the module whose packages the rules speak of; packages are named without it ("sensor/flow").
const modulePath = "github.com/gnomon-sensor/gnomon"

// A room says which packages of this module the packages that match it may import. Patterns are exact, or end in "/..." and then
// match the package and everything below it. A package may always import what lies below itself.
type room struct {
	pattern string
	may     []string
	why     string
}

// rooms is read from the top; the first pattern that matches decides. A package that none matches is an error, so a new room gets
// its arrows before it gets its code.
var rooms = []room{
	{"cmd/gnomon/...", []string{"sensor/...", "classifiers/...", "signatures/...", "exporters/...", "cmd/gnomon/..."},
		"the program knows every implementation"},

	{"sensor/archtest", nil, "it reads the source, it does not use it"},
	{"sensor/event", nil, "everyone imports the record, so the record imports nobody"},
	{"sensor/wire/quic/...", []string{"sensor/wire/quic/...", "sensor/wire/tls"},
		"a QUIC Initial carries a ClientHello; a parser knows nothing else of the sensor"},
	{"sensor/wire/...", nil, "a parser takes bytes and returns a struct; it knows nothing of the sensor"},
	{"sensor/capture/...", []string{"sensor/capture/..."}, "a frame source knows nothing of what is in a frame"},
	{"sensor/decode/...", []string{"sensor/decode/...", "sensor/capture"}, "decoding needs a frame and nothing else"},
	{"sensor/...", []string{"sensor", "sensor/...", "classifiers/..."},
		"the sensor sees signatures through its classifiers, and exporters only as its own Sink"},

	{"classifiers/...", []string{"classifiers/...", "signatures/..."},
		"a classifier judges evidence; where evidence comes from and verdicts go to is not its business"},
	{"signatures/...", []string{"signatures/..."}, "the catalogue is data"},

	{"exporters/dashboard/...", []string{"exporters", "exporters/query", "exporters/dashboard/...", "sensor/event"},
		"pages read through the Query interface, whatever store stands behind it"},
	{"exporters/report/...", []string{"exporters", "exporters/query", "exporters/report/...", "sensor/event"},
		"reports read through the Query interface, whatever store stands behind it"},
	{"exporters/query", []string{"exporters", "sensor/event"}, "the questions that pages and reports ask"},
	{"exporters/store/...", []string{"exporters", "exporters/query", "exporters/store/...", "sensor/event"},
		"the embedded store keeps events and answers queries"},
	{"exporters/elasticsearch/...", []string{"exporters", "exporters/query", "exporters/elasticsearch/...", "sensor/event"},
		"Elasticsearch keeps events and answers queries"},
	{"exporters", []string{"sensor/event"}, "the interface speaks of events alone"},
	{"exporters/...", []string{"exporters", "sensor/event"}, "an exporter takes events; it knows no other exporter and no sensor"},
}

// A guest is a package from outside the module, or one of the standard library that is not for everyone. Only the rooms in `in`
// may import it. A module from outside that no guest names is an error: a new dependency needs its sentence here.
type guest struct {
	pattern string
	in      []string
	why     string
}

// guests is read from the top; the first pattern that matches decides.
var guests = []guest{
	{"github.com/google/gopacket/...", []string{"sensor/capture/...", "sensor/decode/..."},
		"it decodes rare links and tunnels; elsewhere a frame has already been decoded"},
	{"github.com/miekg/dns/...", []string{"sensor/wire/dns"}, "DNS messages are read in one place"},
	{"github.com/elastic/...", []string{"exporters/elasticsearch/..."}, "only this exporter speaks to Elasticsearch"},
	{"github.com/BurntSushi/toml/...", []string{"sensor/config", "signatures/...", "sensor/logs/..."},
		"configuration, catalogue and log formats are TOML, and nothing else is"},
	{"github.com/klauspost/compress/...", []string{"sensor/capture/...", "sensor/logs/...", "exporters/..."},
		"compressed captures and logs come in, compressed batches and segments go out"},
	{"github.com/spf13/cobra/...", []string{"cmd/gnomon/..."}, "the command line is the program's"},
	{"github.com/spf13/pflag/...", []string{"cmd/gnomon/..."}, "the command line is the program's"},
	{"modernc.org/sqlite/...", []string{"exporters/store/..."}, "the embedded store"},
	{"codeberg.org/go-pdf/fpdf/...", []string{"exporters/report/..."}, "reports are printed"},
	{"golang.org/x/image/...", []string{"exporters/report/..."}, "a PDF brings its letters along: the core fonts know Latin-1 only"},
	{"github.com/coreos/go-systemd/v22/...", []string{"cmd/..."}, "systemd is told when the daemon is ready, and that it is alive"},
	{"aead.dev/minisign", []string{"signatures/bundle"}, "catalogues are signed in the form that minisign checks too"},
	{"golang.org/x/crypto/argon2", []string{"sensor/privacy/...", "exporters/dashboard/..."}, "passwords and pass phrases of people become keys"},
	{"golang.org/x/net/...", []string{"signatures/..."}, "the public suffix list and IDNA, for matching names"},
	{"golang.org/x/sys/unix", []string{"cmd/gnomon/...", "sensor", "sensor/capture/...", "sensor/hugepage", "sensor/logs/...", "sensor/privacy/...", "exporters/..."},
		"system calls that the standard library lacks, for what touches the kernel"},
	{"golang.org/x/sys/cpu", []string{"sensor/wire/quic"}, "which instructions the processor has"},

	{"unsafe", []string{"sensor/capture/...", "sensor/flow", "sensor/hugepage", "sensor/prefetch"}, "only the capture ring and tables on the path of every packet live outside the Go heap"},
	{"C", nil, "pure Go: the binary is static and cross-compiles"},
	{"plugin", nil, "one static binary; implementations are listed in wire.go"},
	{"io/ioutil", nil, "deprecated; use os and io"},
	{"math/rand", nil, "nothing in a record is random; use crypto/rand for keys and math/rand/v2 in tests"},
}

// A ban keeps a package of the standard library out of rooms that are pure by contract.
type ban struct {
	pattern string
	not     []string
	why     string
}

// bans hold for every package that matches.
var bans = []ban{
	{"sensor/wire/...", []string{"os", "os/...", "net", "net/http/...", "log/...", "syscall"},
		"a parser does no I/O and writes no log: bytes in, struct out"},
	{"sensor/event", []string{"os", "os/...", "net", "net/http/...", "log/...", "syscall"},
		"the record knows nothing of where it comes from or goes to"},
	{"classifiers/...", []string{"os", "os/...", "net", "net/http/...", "syscall"},
		"a classifier judges what it is given; it looks nothing up"},
	{"sensor/flow", []string{"os/exec", "net", "net/http/...", "log/..."}, "the flow table is on the path of every packet"},
	{"sensor/decode/...", []string{"os", "os/...", "net", "net/http/...", "log/..."}, "decoding is on the path of every packet"},
}
