package logs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// busy is a log as a busy proxy or firewall writes it: one line in fifty is of an AI service.
func busy(format string, lines int) []byte {
	var b bytes.Buffer
	if format == "w3c" {
		b.WriteString("#Version: 1.0\n#Fields: date time time-taken c-ip cs-username s-action sc-status cs-method cs-uri-scheme cs-host cs-uri-port cs-uri-path cs(User-Agent) s-ip sc-bytes cs-bytes r-ip\n")
	}
	for i := range lines {
		host := fmt.Sprintf("www%d.cdn.example.com", i%977)
		if i%50 == 0 {
			host = "api.openai.com"
		}
		at := time.Unix(1795248312+int64(i/100), int64(i%100)*1e7).UTC()
		client := fmt.Sprintf("10.%d.%d.%d", i%3, i%200, i%250+1)
		user, up, down := fmt.Sprintf("user%d", i%5000), 500+i%9000, 900+i%90000
		switch format {
		case "squid-native":
			fmt.Fprintf(&b, "%d.%03d %6d %s TCP_MISS/200 %d GET http://%s/path/%d/index.html %s HIER_DIRECT/203.0.113.%d text/html\n", at.Unix(), at.Nanosecond()/1e6, i%900, client, down, host, i, user, i%250)
		case "w3c":
			fmt.Fprintf(&b, "%s %s %d %s CORP\\%s TCP_NC_MISS 200 POST https %s 443 /path/%d \"Mozilla/5.0 (Windows NT 10.0; Win64; x64)\" 192.0.2.9 %d %d 203.0.113.%d\n", at.Format("2006-01-02"), at.Format("15:04:05"), i%900, client, user, host, i, down, up, i%250)
		case "fortigate-kv":
			fmt.Fprintf(&b, `<189>date=%s time=%s devname="fw1" devid="FG100E0000000001" eventtime=%d tz="+0000" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" srcip=%s srcport=%d srcintf="lan" srcintfrole="lan" dstip=203.0.113.%d dstport=443 dstintf="wan1" dstintfrole="wan" srccountry="Reserved" dstcountry="United States" sessionid=%d proto=6 action="close" policyid=7 policytype="policy" poluuid="5e7eca5b-f585-4633-bbd4-9ed431f7f95b" user="%s" service="HTTPS" trandisp="snat" duration=61 sentbyte=%d rcvdbyte=%d sentpkt=12 rcvdpkt=20 appcat="unscanned" hostname="%s"`+"\n", at.Format("2006-01-02"), at.Format("15:04:05"), at.UnixNano(), client, 1024+i%60000, i%250, i, user, up, down, host)
		case "nginx-json":
			fmt.Fprintf(&b, `{"time":"%s","client":"%s","user":"%s","method":"POST","host":"%s","uri":"/path/%d?x=\"1\"","status":200,"bytes_sent":%d,"request_length":%d,"ua":"Mozilla/5.0 (Windows NT 10.0; Win64; x64)"}`+"\n", at.Format(time.RFC3339), client, user, host, i, down, up)
		}
	}
	return b.Bytes()
}

// row is what the plain readers below take out of a line: what anyone would write who needs these fields of this one format.
type row struct {
	at       time.Time
	client   netip.Addr
	user     string
	host     string
	up, down uint64
}

func plainSquid(line string) (r row, err error) {
	w := strings.Fields(line)
	seconds, err := strconv.ParseFloat(w[0], 64)
	if err != nil {
		return r, err
	}
	r.at = time.UnixMilli(int64(seconds * 1000))
	if r.client, err = netip.ParseAddr(w[2]); err != nil {
		return r, err
	}
	r.down, err = strconv.ParseUint(w[4], 10, 64)
	r.host = strings.TrimPrefix(w[6], "http://")
	r.host, _, _ = strings.Cut(r.host, "/")
	r.user = w[7]
	return r, err
}

func plainW3C(line string) (r row, err error) {
	var w []string
	for rest := line; rest != ""; {
		var one string
		if rest[0] == '"' {
			one, rest, _ = strings.Cut(rest[1:], `"`)
			rest = strings.TrimPrefix(rest, " ")
		} else {
			one, rest, _ = strings.Cut(rest, " ")
		}
		w = append(w, one)
	}
	if r.at, err = time.Parse("2006-01-02 15:04:05", w[0]+" "+w[1]); err != nil {
		return r, err
	}
	if r.client, err = netip.ParseAddr(w[3]); err != nil {
		return r, err
	}
	r.user, r.host = w[4], w[9]
	r.down, _ = strconv.ParseUint(w[14], 10, 64)
	r.up, err = strconv.ParseUint(w[15], 10, 64)
	return r, err
}

func plainFortiGate(line string) (r row, err error) {
	m := map[string]string{}
	for rest := line; rest != ""; {
		key, after, ok := strings.Cut(rest, "=")
		if !ok {
			break
		}
		var value string
		if strings.HasPrefix(after, `"`) {
			value, rest, _ = strings.Cut(after[1:], `"`)
			rest = strings.TrimPrefix(rest, " ")
		} else {
			value, rest, _ = strings.Cut(after, " ")
		}
		m[key] = value
	}
	nanos, err := strconv.ParseInt(m["eventtime"], 10, 64)
	if err != nil {
		return r, err
	}
	r.at = time.Unix(0, nanos)
	if r.client, err = netip.ParseAddr(m["srcip"]); err != nil {
		return r, err
	}
	r.user, r.host = m["user"], m["hostname"]
	r.down, _ = strconv.ParseUint(m["rcvdbyte"], 10, 64)
	r.up, err = strconv.ParseUint(m["sentbyte"], 10, 64)
	return r, err
}

func plainJSON(line string) (r row, err error) {
	var j struct {
		Time   time.Time `json:"time"`
		Client string    `json:"client"`
		User   string    `json:"user"`
		Host   string    `json:"host"`
		Up     uint64    `json:"request_length"`
		Down   uint64    `json:"bytes_sent"`
	}
	if err := json.Unmarshal([]byte(line), &j); err != nil {
		return r, err
	}
	r.client, err = netip.ParseAddr(j.Client)
	r.at, r.user, r.host, r.up, r.down = j.Time, j.User, j.Host, j.Up, j.Down
	return r, err
}

var plainReaders = map[string]func(string) (row, error){
	"squid-native": plainSquid, "w3c": plainW3C, "fortigate-kv": plainFortiGate, "nginx-json": plainJSON,
}

// The engine says of every line what a plain reader of the one format says.
func TestPlainReaders(t *testing.T) {
	l := library(t)
	for name, plain := range plainReaders {
		t.Run(name, func(t *testing.T) {
			f, err := l.Open(name, Options{Now: now})
			if err != nil {
				t.Fatal(err)
			}
			var r Record
			for line := range bytes.Lines(busy(name, 500)) {
				if err := f.Parse(line, &r); err != nil {
					if line[0] != '#' {
						t.Fatalf("%v: %s", err, line)
					}
					continue
				}
				want, err := plain(strings.TrimSuffix(string(line), "\n"))
				if err != nil {
					t.Fatal(err)
				}
				if r.Time != want.at.UnixNano() || r.Client != want.client || string(r.User) != want.user || string(r.Host) != want.host || r.Up != want.up || r.Down != want.down {
					t.Fatalf("%s\nis %+v, want %+v", line, r, want)
				}
			}
		})
	}
}

// Reading a line allocates nothing, in every shape that busy logs have.
func TestParseAllocates(t *testing.T) {
	l := library(t)
	for name := range plainReaders {
		t.Run(name, func(t *testing.T) {
			f, err := l.Open(name, Options{Now: now})
			if err != nil {
				t.Fatal(err)
			}
			lines := bytes.Split(bytes.TrimSpace(busy(name, 100)), []byte("\n"))
			var r Record
			for _, line := range lines {
				_ = f.Parse(line, &r) // the header, and room for what is written anew
			}
			last := lines[len(lines)-1]
			if n := testing.AllocsPerRun(100, func() {
				if err := f.Parse(last, &r); err != nil {
					t.Error(err)
				}
			}); n != 0 {
				t.Errorf("%v allocations for a line", n)
			}
		})
	}
}

// BenchmarkParse reads lines beside a plain reader that takes the same fields.
func BenchmarkParse(b *testing.B) {
	l := library(b)
	for _, name := range []string{"squid-native", "w3c", "fortigate-kv", "nginx-json"} {
		text := busy(name, 2000)
		lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		b.Run(name+"/engine", func(b *testing.B) {
			f, err := l.Open(name, Options{Now: now})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(text) / len(lines)))
			var r Record
			_ = f.Parse(lines[0], &r)
			_ = f.Parse(lines[1%len(lines)], &r)
			for i := 0; b.Loop(); i++ {
				_ = f.Parse(lines[i%len(lines)], &r)
			}
		})
		b.Run(name+"/plain", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text) / len(lines)))
			for i := 0; b.Loop(); i++ {
				if line := lines[i%len(lines)]; line[0] != '#' {
					_, _ = plainReaders[name](string(line))
				}
			}
		})
	}
}
