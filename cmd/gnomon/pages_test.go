package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard"
	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/capture/pcapfile"
)

// hostile is what names on a wire may hold: markup, escapes of terminals, formulas of spreadsheets, marks that turn the writing around.
var hostile = []string{
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\u009b31m",
	"=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\u202egnp.exe", "\u2066x", "a\nb", "a\rb", "\x00", "a\tb", "javascript:alert(1)", "{{7}}", "%s%n",
}

// wire builds a capture.
type wire struct {
	t     *testing.T
	w     *pcapfile.Writer
	at    time.Time
	ports uint16
}

// packet writes a frame of IPv4 between a client and a server; checksums are left to the card, as on the way out.
func (w *wire) packet(proto byte, fromClient bool, transport []byte) {
	w.t.Helper()
	client, server := [4]byte{10, 20, 1, 21}, [4]byte{203, 0, 113, 9}
	if !fromClient {
		client, server = server, client
	}
	frame := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0}
	frame = append(frame, 0x45, 0)
	frame = binary.BigEndian.AppendUint16(frame, uint16(20+len(transport)))
	frame = append(frame, 0, 0, 0x40, 0, 64, proto, 0, 0)
	frame = append(append(frame, client[:]...), server[:]...)
	frame = append(frame, transport...)
	w.at = w.at.Add(time.Millisecond)
	if err := w.w.Write(capture.Frame{Data: frame, Time: w.at.UnixNano(), WireLen: uint32(len(frame)), Link: 1}); err != nil {
		w.t.Fatal(err)
	}
}

// talk is a connection in which the client and the server take turns.
func (w *wire) talk(port uint16, turns ...string) {
	w.t.Helper()
	w.ports++
	ends := [2]uint16{20000 + w.ports, port}
	seq := [2]uint32{1000, 5000}
	segment := func(from int, flags byte, payload string) {
		var b []byte
		b = binary.BigEndian.AppendUint16(b, ends[from])
		b = binary.BigEndian.AppendUint16(b, ends[1-from])
		b = binary.BigEndian.AppendUint32(b, seq[from])
		b = binary.BigEndian.AppendUint32(b, seq[1-from])
		b = append(b, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0)
		w.packet(6, from == 0, append(b, payload...))
		seq[from] += uint32(len(payload)) + uint32(flags&1) + uint32(flags>>1&1)
	}
	segment(0, 0x02, "")
	segment(1, 0x12, "")
	segment(0, 0x10, "")
	for i, turn := range turns {
		segment(i%2, 0x18, turn)
		segment(1-i%2, 0x10, "")
	}
	segment(0, 0x11, "")
	segment(1, 0x11, "")
}

// ask is a DNS query for a name below evil.example, of which the first label is free.
func (w *wire) ask(label string) {
	w.t.Helper()
	q := []byte{0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, byte(len(label))}
	q = append(q, label+"\x04evil\x07example\x00\x00\x01\x00\x01"...)
	w.ports++
	b := binary.BigEndian.AppendUint16(nil, 20000+w.ports)
	b = binary.BigEndian.AppendUint16(b, 53)
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(q)))
	w.packet(17, true, append(append(b, 0, 0), q...))
}

// hello is the first flight of a TLS client that asks for a name.
func hello(t *testing.T, name string) string {
	t.Helper()
	client, server := net.Pipe()
	go func() {
		_ = tls.Client(client, &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12}).Handshake()
		_ = client.Close()
	}()
	b := make([]byte, 1<<14)
	n, err := server.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	_ = server.Close()
	return string(b[:n])
}

// hostileCapture has every hostile text in every place that a name is read from.
func hostileCapture(t *testing.T) string {
	t.Helper()
	var buf bytes.Buffer
	out, err := pcapfile.NewWriter(&buf, 1)
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, w: out, at: time.Now().Add(-time.Hour)}
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for i, text := range append([]string{"plain"}, hostile...) {
		name := text + ".evil.example"
		w.ask(text)
		w.talk(443, hello(t, name))
		w.talk(80, "POST / HTTP/1.1\r\nHost: "+name+"\r\nUser-Agent: "+text+"\r\nContent-Length: 3\r\n\r\nabc", ok)
		// The name is plain, what is about it is not.
		w.talk(80, fmt.Sprintf("POST / HTTP/1.1\r\nHost: n%d.evil.example\r\nUser-Agent: %s\r\nContent-Length: 3\r\n\r\nabc", i, text), ok)
		user := base64.StdEncoding.EncodeToString([]byte(text + ":password"))
		w.talk(3128, fmt.Sprintf("CONNECT n%d.evil.example:443 HTTP/1.1\r\nUser-Agent: %s\r\nProxy-Authorization: Basic %s\r\n\r\n", i, text, user),
			"HTTP/1.1 200 OK\r\n\r\n", hello(t, name))
	}
	return file(t, "hostile.pcap", buf.String())
}

// hostileSettings match the names, forbid their use, and have hostile texts of their own where tables come from elsewhere.
func hostileSettings(t *testing.T) string {
	t.Helper()
	own := filepath.Dir(file(t, "evil.toml", `vendor = "Evil"
[[service]]
id = "evil"
name = "Evil"
category = "chat-assistant"
kind = "web"
verified = 2026-11-21
names = [{ name = "evil.example", match = "suffix", role = "primary", confidence = "high", sources = ["https://evil.example/docs@2026-11-21"] }]
`))
	var users bytes.Buffer
	w := csv.NewWriter(&users)
	_ = w.Write([]string{"address", "user", "department", "host"})
	_ = w.Write([]string{"10.20.1.21", hostile[0], "=cmd|'/c calc'!A1 <script>", "<script>host"})
	w.Flush()
	return file(t, "gnomon.toml", fmt.Sprintf(`[catalogue]
own = %q
[privacy]
keep_names = true
[identity]
table = %q
[[policy.rule]]
id = "no-evil"
services = ["evil"]
status = "prohibited"
reason = "<script>reason"
[report]
organisation = "=1+1 <script>"
`, own, file(t, "users.csv", users.String())))
}

// raw says what of a hostile text stands in a document as it must not. JSON may hold marks, but no control characters.
func raw(kind, text string) string {
	for _, r := range text {
		own := r == '\n' || unicode.Is(unicode.Zs, r) || kind != "text" && (r == '\t' || r == '\r') // layout, and the spaces that group digits
		if !unicode.IsPrint(r) && !own && (kind != "json" || r < ' ') {
			return fmt.Sprintf("the character %U", r)
		}
	}
	switch low := strings.ToLower(text); {
	case kind == "html" && (strings.Contains(low, "<script") || strings.Contains(low, "<img src=x") || strings.Contains(low, `="javascript:`)):
		return "markup"
	case kind == "csv":
		return formula(text)
	}
	return ""
}

// formula returns a cell that a spreadsheet would compute.
func formula(text string) string {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		return err.Error()
	}
	for _, row := range rows {
		for _, cell := range row {
			if _, err := strconv.ParseFloat(cell, 64); err != nil && cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) && cell != "-" {
				return fmt.Sprintf("the cell %q", cell)
			}
		}
	}
	return ""
}

// What is looked for would be found.
func TestRaw(t *testing.T) {
	for _, c := range []struct {
		name, kind, text string
		found            bool
	}{
		{"escape in text", "text", "a \x1b[31mred", true},
		{"escape of one byte in text", "text", "a \u009b31m", true},
		{"mark that turns the writing", "text", "a \u202egnp.exe", true},
		{"plain text", "text", "1\u00a0000 uses of <script>\n", false},
		{"script", "html", "<p><SCRIPT>", true},
		{"image", "html", `<p title=""><img src=x onerror=alert(1)>">`, true},
		{"link that acts", "html", `<a href="javascript:alert(1)">`, true},
		{"escaped script", "html", "<p>&lt;script&gt;</p>", false},
		{"control character in JSON", "json", "{\"a\":\"\x1b\"}", true},
		{"escaped in JSON", "json", `{"a":"\u001b"}`, false},
		{"formula", "csv", "a,=1+1\n", true},
		{"quoted formula", "csv", "a,\"@SUM(A1)\"\n", true},
		{"negative number", "csv", "a,-2.5\n", false},
		{"formula made text", "csv", "a,'=1+1\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if found := raw(c.kind, c.text); (found != "") != c.found {
				t.Errorf("found: %q", found)
			}
		})
	}
}

func checkRaw(t *testing.T, what, kind, text string) {
	t.Helper()
	if found := raw(kind, text); found != "" {
		t.Errorf("%s has %s as it came from the wire", what, found)
	}
	if kind == "json" && !json.Valid([]byte(text)) {
		for line := range strings.Lines(text) {
			if !json.Valid([]byte(line)) {
				t.Fatalf("%s is no JSON: %s", what, line)
			}
		}
	}
}

// Whatever names on the wire hold, nothing of it acts: not in a terminal, a browser or a spreadsheet.
func TestHostileNames(t *testing.T) {
	pcap, conf, dir := hostileCapture(t), hostileSettings(t), t.TempDir()
	run := func(kind string, args ...string) string {
		t.Helper()
		status, stdout, stderr := gnomon(t, "", append(args, "-c", conf)...)
		if status != 0 {
			t.Errorf("%v: status %d: %s", args, status, stderr)
		}
		checkRaw(t, fmt.Sprint(args), kind, stdout)
		checkRaw(t, fmt.Sprint(args, " on stderr"), "text", stderr)
		return stdout
	}
	run("text", "scan", pcap)
	run("json", "scan", "--json", pcap)
	seen := run("json", "inspect", pcap)
	if strings.Count(seen, "script") < 5 {
		t.Fatalf("hostile names are not seen at all:\n%s", seen)
	}
	run("text", "scan", "--store", "--state-dir", dir, pcap)
	replayHostile(t, conf, dir, pcap)
	harmless := map[string]string{"html": "&lt;script&gt;alert(1)", "csv": "'=cmd|'/c calc'!a1", "text": "<script>alert(1)", "json": "=cmd|"}
	for _, audience := range []string{"management", "dlp"} {
		for format, kind := range map[string]string{"text": "text", "html": "html", "csv": "csv", "json": "json"} {
			t.Run(audience+" "+format, func(t *testing.T) {
				out := run(kind, "report", "--state-dir", dir, "--last", "24h", "--audience", audience, "--format", format)
				if !strings.Contains(out, "Evil") {
					t.Errorf("the report says nothing of it:\n%s", out)
				}
				if made := harmless[kind]; audience == "dlp" && !strings.Contains(out, made) {
					t.Errorf("%s is not in the report:\n%s", made, out)
				}
			})
		}
		run("pdf", "report", "--state-dir", dir, "--last", "24h", "--audience", audience, "-o", filepath.Join(t.TempDir(), "report.pdf"))
	}
	for kind, args := range map[string][]string{"text": {"findings"}, "json": {"findings", "--json"}} {
		if out := run(kind, append(args, "--state-dir", dir, "--last", "24h")...); !strings.Contains(out, "prohibited-use") {
			t.Errorf("there are no findings:\n%s", out)
		}
	}
	browse(t, conf, dir)
}

// replayHostile lets the daemon see the capture, which finds what is prohibited, and looks at what it prints.
func replayHostile(t *testing.T, conf, dir, pcap string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p := &program{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, version: "test", configPath: conf}
	c, err := p.load()
	if err != nil {
		t.Fatal(err)
	}
	c.Observer.StateDir, c.Dashboard.Listen = dir, ""
	parts, err := p.assemble(&c)
	if err != nil {
		t.Fatal(err)
	}
	if parts.observer.ID, err = observerID(dir); err != nil {
		t.Fatal(err)
	}
	source, err := openReplay(pcap, 0)
	if err != nil {
		t.Fatal(err)
	}
	d := &daemonParts{parts: parts, sources: sourceList(source), log: p.logger(&c), replay: true}
	if err := p.daemon(context.Background(), &c, &runFlags{}, d); err != nil {
		t.Fatal(err)
	}
	checkRaw(t, "the daemon's output", "text", stdout.String())
	checkRaw(t, "the daemon's log", "text", stderr.String())
	if !strings.Contains(stdout.String(), "Evil") {
		t.Errorf("the daemon saw nothing:\n%s", stdout.String())
	}
}

// browse follows every link of the pages, tables to download too.
func browse(t *testing.T, conf, dir string) {
	t.Helper()
	p := &program{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, configPath: conf}
	c, err := p.load()
	if err != nil {
		t.Fatal(err)
	}
	c.Observer.StateDir = dir
	reader, err := p.openReader(&c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	parts, err := p.assemble(&c)
	if err != nil {
		t.Fatal(err)
	}
	server, err := dashboard.New(c.Dashboard, dashboard.Parts{Query: reader, Services: services{parts.catalogue.Load}, Location: time.UTC,
		About: func() dashboard.About { return dashboard.About{} }})
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`(?:href|src|action)="([^"#]+)["#]`)
	todo, known, kinds := []string{"/"}, map[string]bool{"/": true}, map[string]int{}
	for len(todo) > 0 && len(known) < 300 {
		at := todo[0]
		todo = todo[1:]
		r := httptest.NewRequest(http.MethodGet, "http://"+c.Dashboard.Listen+at, nil)
		r.RemoteAddr = "127.0.0.1:4711"
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		kind := map[string]string{"text/html": "html", "text/csv": "csv"}[strings.Split(w.Header().Get("Content-Type"), ";")[0]]
		kinds[kind]++
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", at, w.Code)
		}
		checkRaw(t, "the page "+at, kind, w.Body.String())
		base, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(w.Body.String(), -1) {
			to, err := base.Parse(strings.ReplaceAll(m[1], "&amp;", "&"))
			if next := to.String(); err == nil && to.Host == "" && !known[next] && kind == "html" {
				known[next] = true
				todo = append(todo, next)
			}
		}
	}
	if kinds["html"] < 10 || kinds["csv"] < 3 {
		t.Errorf("only these were found: %v", kinds)
	}
}
