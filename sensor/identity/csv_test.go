package identity

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/wire/dhcp"
)

func TestReadTable(t *testing.T) {
	tests := []struct {
		name, text string
		want       string // of 10.0.0.1
	}{
		{"plain", "address,user,department\n10.0.0.1,anna,Sales\n", `anna/3 "Sales" /0 shared=false`},
		{"columns turned round", "Department, USER ,address\nSales,anna,10.0.0.1\n", `anna/3 "Sales" /0 shared=false`},
		{"byte order mark and CRLF", "\xef\xbb\xbfaddress,user\r\n10.0.0.1,anna\r\n", `anna/3 "" /0 shared=false`},
		{"quoted", "address,department\n\"10.0.0.1\",\"Sales, \"\"North\"\"\"\n", `/0 "Sales, \"North\"" /0 shared=false`},
		{"semicolons", "address;user;department\n10.0.0.1;anna;Sales, North\n", `anna/3 "Sales, North" /0 shared=false`},
		{"tabs", "address\tuser\n10.0.0.1\tanna\n", `anna/3 "" /0 shared=false`},
		{"comments and blank lines", "# who sits where; as of May\n\naddress,user\n\n# first floor\n10.0.0.1,anna\n", `anna/3 "" /0 shared=false`},
		{"no end of the last line", "address,user\n10.0.0.1,anna", `anna/3 "" /0 shared=false`},
		{"header alone", "address,user\n", `/0 "" /0 shared=false`},
		{"spaces", "address, user, shared\n 10.0.0.1 , anna , no \n", `anna/3 "" /0 shared=false`},
		{"letters of the world", "address,user,department\n10.0.0.1,Jürgen,Büro Łódź\n", `jürgen/3 "Büro Łódź" /0 shared=false`},
		{"one address as a network", "network,host\n10.0.0.1/32,Desk\n", `/0 "" desk/3 shared=false`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := show(mustTable(t, tt.text).Lookup(netip.MustParseAddr("10.0.0.1"), dhcp.MAC{}, on("2026-01-01"))); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestReadTableErrors(t *testing.T) {
	long := strings.Repeat("x", maxName+1)
	tests := []struct{ name, text, want string }{
		{"empty", "", "line 1: the table is empty"},
		{"unknown column", "address,usr\n", `line 1: unknown column "usr"`},
		{"column twice", "user,address,User\n", `line 1: column "user" stands there twice`},
		{"UTF-16", "\xff\xfea\x00", "UTF-16"},
		{"Latin-1", "address,user\n10.0.0.1,J\xfcrgen\n", "line 2: user = \"J\\xfcrgen\" has characters that cannot be shown"},
		{"control character", "address,user\n10.0.0.1,a\x1b[31mnna\n", "line 2: user = "},
		{"direction turned", "address,department\n10.0.0.1,\u202eselaS\n", "line 2: department = "},
		{"no address", "address,user\n10.0.0.256,anna\n", `line 2: address = "10.0.0.256"`},
		{"nobody's address", "address,user\n0.0.0.0,anna\n", `line 2: address = "0.0.0.0"`},
		{"no network", "network,department\n10.0.0.0/33,Sales\n", `line 2: network = "10.0.0.0/33"`},
		{"host bits", "network,department\n10.0.0.1/24,Sales\n", "write 10.0.0.0/24"},
		{"no MAC", "mac,user\n00:00:5e:00:53,anna\n", `line 2: mac = "00:00:5e:00:53"`},
		{"group's MAC", "mac,user\n01:00:5e:00:53:01,anna\n", `line 2: mac = "01:00:5e:00:53:01"`},
		{"two keys", "address,mac,user\n10.0.0.1,00:00:5e:00:53:01,anna\n", "line 2: address, network and mac"},
		{"user without department", "address,user\n,anna\n", "line 2: without address"},
		{"host of a user", "address,user,department,host\n,anna,Sales,desk\n", "line 2: host and shared"},
		{"nothing said", "address,user\n10.0.0.1,\n", "line 2: the row says nothing"},
		{"shared user", "address,user,shared\n10.0.0.1,anna,yes\n", "line 2: a shared address has no user"},
		{"neither yes nor no", "address,shared\n10.0.0.1,perhaps\n", `line 2: shared = "perhaps"`},
		{"host of a network", "network,host\n10.0.0.0/24,desk\n", "line 2: a network is no host"},
		{"machine's account", "address,user\n10.0.0.1,DESK$\n", `line 2: user = "DESK$"`},
		{"no day", "address,user,from\n10.0.0.1,anna,1.5.2026\n", `line 2: from = "1.5.2026" is no day`},
		{"day too far", "address,user,until\n10.0.0.1,anna,9999-12-31\n", `line 2: until = "9999-12-31"`},
		{"days turned round", "address,user,from,until\n10.0.0.1,anna,2026-02-01,2026-01-01\n", "line 2: until lies before from"},
		{"twice", "address,user\n10.0.0.1,anna\n10.0.0.2,ben\n10.0.0.1,carol\n", "line 4: address 10.0.0.1 stands in line 2 too"},
		{"twice in IPv6 clothes", "address,user\n10.0.0.1,anna\n::ffff:10.0.0.1,carol\n", "line 3: address 10.0.0.1 stands in line 2 too"},
		{"network twice", "network,department\n10.0.0.0/8,A\n10.0.0.0/8,B\n", "line 3: network 10.0.0.0/8 stands in line 2 too"},
		{"mac twice", "mac,user\n00:00:5e:00:53:01,anna\n00-00-5E-00-53-01,ben\n", "line 3: mac 00-00-5E-00-53-01 stands in line 2 too"},
		{"user twice", "user,department\nCORP\\anna,A\nanna@corp,B\n", `line 3: user corp\anna stands in line 2 too`},
		{"days overlap", "address,user,from,until\n10.0.0.1,anna,,2026-03-01\n10.0.0.1,ben,2026-03-01,\n", "line 3: address 10.0.0.1 stands in line 2 too"},
		{"cells missing", "address,user\n10.0.0.1\n", "line 2: it has more or fewer cells"},
		{"quote not closed", "address,user\n10.0.0.1,\"anna\n", "line "},
		{"quote inside", "address,user\n10.0.0.1,an\"na\n", "line 2, column "},
		{"two faults", "address,user\nx,anna\ny,ben\n", "line 2: address = \"x\" is no host's IP address\nline 3: address = \"y\""},
		{"cell too long", "address,user\n10.0.0.1," + long + "\n", "line 2: user is over 256 octets long"},
		{"line counted behind a quoted line break", "address,department\n10.0.0.1,\"a\nb\"\n10.0.0.2,x\n", "line 2: department = "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readTable(strings.NewReader(tt.text), mustNames(t, nil), time.UTC)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestReadTableBounded wants tables without end to end, and faults without number to be told up to a number.
func TestReadTableBounded(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("address,user\n10.0.0.1,\""), zeros{})
	if _, err := readTable(endless, mustNames(t, nil), time.UTC); err == nil || !strings.Contains(err.Error(), "MiB") {
		t.Errorf("a cell without end: error %v", err)
	}
	_, err := readTable(strings.NewReader("address\n"+strings.Repeat("x\n", 1000)), mustNames(t, nil), time.UTC)
	if err == nil || strings.Count(err.Error(), "\n") != maxFaults-1 {
		t.Errorf("1000 faults: %v", err)
	}
	var rows strings.Builder
	rows.WriteString("address,host\n")
	for i := range maxRows + 1 {
		fmt.Fprintf(&rows, "10.%d.%d.%d,h\n", i>>16, i>>8&255, i&255)
	}
	if _, err := readTable(strings.NewReader(rows.String()), mustNames(t, nil), time.UTC); err == nil ||
		!strings.Contains(err.Error(), "line 1000002: over 1000000 rows") {
		t.Errorf("too many rows: %v", err)
	}
}

// zeros is a file without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestParseMAC(t *testing.T) {
	tests := []struct {
		name, text, want string
	}{
		{"colons", "00:00:5e:00:53:1f", "00-00-5E-00-53-1F"},
		{"hyphens", "00-00-5E-00-53-1F", "00-00-5E-00-53-1F"},
		{"dots", "0000.5e00.531f", "00-00-5E-00-53-1F"},
		{"digits alone", "00005e00531f", "00-00-5E-00-53-1F"},
		{"mixed", "00:00-5e:00:53:1f", ""},
		{"group", "01:00:5e:00:53:1f", ""},
		{"nobody", "00:00:00:00:00:00", ""},
		{"no digit", "00:00:5g:00:53:1f", ""},
		{"separator for a digit", "0:0:0:5e:00:53:1f", ""},
		{"short", "00:00:5e:00:53:", ""},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, ok := parseMAC(tt.text)
			if ok != (tt.want != "") || ok && formatMAC(m) != tt.want {
				t.Errorf("got %v %v, want %q", m, ok, tt.want)
			}
		})
	}
}
