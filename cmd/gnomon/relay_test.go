//go:build relay

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// own is an address of this machine that nobody else uses: connections to others come from 127.0.0.1, and so none of them takes a port that
// was free a moment ago.
const own = "127.77.7.7"

// relay is one way from a proxy over rsyslog to the sensor.
type relay struct {
	name     string
	listen   string // of the sensor; %d is the port
	action   string // of rsyslog; %d is the port
	client   string // stands for 10.20.1 in the lines
	in, port int    // of rsyslog and of the sensor
}

const rsyslogConfig = `global(workDirectory="%[1]s" defaultNetstreamDriverCAFile="%[1]s/ca.pem" defaultNetstreamDriverCertFile="%[1]s/relay.pem" defaultNetstreamDriverKeyFile="%[1]s/relay.key")
module(load="imtcp")
`

// What a proxy hands to rsyslog and rsyslog relays over UDP, TCP in both framings and TLS with certificates of both sides arrives whole: every
// line once, with its client, user and bytes. It needs rsyslogd with its TLS driver, which .ci/run installs.
func TestRelay(t *testing.T) {
	const forward = `action(type="omfwd" target="` + own + `" port="%d" `
	relays := []relay{
		{name: "udp", listen: "udp://" + own + ":%d", action: forward + `protocol="udp")`, client: "10.20.2"},
		{name: "tcp", listen: "tcp://" + own + ":%d", action: forward + `protocol="tcp")`, client: "10.20.3"},
		{name: "octets", listen: "tcp://" + own + ":%d", action: forward + `protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")`, client: "10.20.4"},
		{name: "tls", listen: "tls://" + own + ":%d", action: forward + `protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format" ` +
			`streamDriver="gtls" streamDriverMode="1" streamDriverAuthMode="x509/certvalid")`, client: "10.20.5"},
	}
	lines, err := os.ReadFile("../../testdata/logs/squid/squid-upload.log")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificates(t, dir)
	settings := fmt.Sprintf("[observer]\nstate_dir = %q\n[dashboard]\nlisten = \"\"\n[store]\nenabled = false\n[file]\npath = %q\n[privacy]\nkeep_names = true\n", dir, filepath.Join(dir, "out.ndjson"))
	config := fmt.Sprintf(rsyslogConfig, dir)
	ports := freePorts(t, 2*len(relays))
	for i := range relays {
		r := &relays[i]
		r.in, r.port = ports[2*i], ports[2*i+1]
		settings += fmt.Sprintf("[[logs.source]]\nname = %q\nlisten = %q\nformat = \"squid-upload\"\n", r.name, fmt.Sprintf(r.listen, r.port))
		if r.name == "tls" {
			settings += fmt.Sprintf("cert = %q\nkey = %q\nca = %q\n", filepath.Join(dir, "relay.pem"), filepath.Join(dir, "relay.key"), filepath.Join(dir, "ca.pem"))
		}
		config += fmt.Sprintf("ruleset(name=%q) { %s }\ninput(type=\"imtcp\" address=\""+own+"\" port=\"%d\" ruleset=%q)\n", r.name, fmt.Sprintf(r.action, r.port), r.in, r.name)
	}
	stop := startDaemonWith(t, file(t, "gnomon.toml", settings))
	for i := range relays {
		if relays[i].name != "udp" {
			dial(t, relays[i].port).Close()
		}
	}
	startRelay(t, dir, config)
	for i := range relays {
		relayed(t, &relays[i], lines)
	}
	arrived(t, filepath.Join(dir, "out.ndjson"), 4*len(relays))
	stop()
	told := arrived(t, filepath.Join(dir, "out.ndjson"), 4*len(relays)) // with whatever came after
	for _, r := range relays {
		for _, want := range []string{".11 alice claude.ai", ".12 bob api.openai.com", ".12 bob api.mistral.ai", ".11 alice chatgpt.com"} {
			if n := told[r.name+" "+r.client+want]; n != 1 {
				t.Errorf("%s: %s%s came %d times; there are %v", r.name, r.client, want, n, told)
			}
		}
	}
	if len(told) != 4*len(relays) {
		t.Errorf("%d different records, want %d: %v", len(told), 4*len(relays), told)
	}
}

// startDaemonWith runs the daemon until stop is called.
func startDaemonWith(t *testing.T, config string) (stop func()) {
	t.Helper()
	var out, errs bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, version: "test", environ: []string{"HOME=" + filepath.Dir(config)}}
		ended <- p.main(ctx, []string{"run", "-c", config})
	}()
	return func() {
		cancel()
		if status := <-ended; status != 0 {
			t.Errorf("status %d: %s", status, errs.String())
		}
	}
}

// startRelay runs rsyslogd.
func startRelay(t *testing.T, dir, config string) {
	t.Helper()
	path := filepath.Join(dir, "rsyslog.conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command("rsyslogd", "-n", "-f", path, "-i", filepath.Join(dir, "rsyslogd.pid"))
	cmd.Stderr, cmd.Stdout = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting rsyslogd: %v; install rsyslog and rsyslog-gnutls", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
}

// relayed hands the lines to the relay as a proxy does.
func relayed(t *testing.T, r *relay, lines []byte) {
	t.Helper()
	c := dial(t, r.in)
	defer c.Close()
	for line := range bytes.Lines(lines) {
		text := strings.ReplaceAll(string(line), "10.20.1.", r.client+".")
		if _, err := fmt.Fprintf(c, "<134>Nov 21 19:36:19 proxy squid[7]: %s", text); err != nil {
			t.Fatal(err)
		}
	}
}

// dial connects once somebody listens.
func dial(t *testing.T, port int) net.Conn {
	t.Helper()
	deadline := time.After(patience)
	for tick := time.Tick(20 * time.Millisecond); ; {
		c, err := net.Dial("tcp", fmt.Sprintf(own+":%d", port))
		if err == nil {
			return c
		}
		select {
		case <-tick:
		case <-deadline:
			t.Fatal(err)
		}
	}
}

// arrived reads what the sensor wrote until so many records are there, and counts each by source, client, user and host.
func arrived(t *testing.T, path string, want int) map[string]int {
	t.Helper()
	deadline := time.After(patience)
	for tick := time.Tick(100 * time.Millisecond); ; {
		told, n := map[string]int{}, 0
		text, _ := os.ReadFile(path) // it may not be there yet
		for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
			var ev event.Event
			if json.Unmarshal(s.Bytes(), &ev) != nil || ev.Event.Dataset != event.DatasetActivity { // the last line may be half written
				continue
			}
			n++
			told[ev.Log.File.Path+" "+ev.Source.IP+" "+ev.User.Name+" "+ev.Destination.Domain]++
			if ev.Source.Bytes == nil || *ev.Source.Bytes == 0 {
				t.Errorf("a line without its upload: %s", s.Text())
			}
		}
		if n >= want {
			return told
		}
		select {
		case <-tick:
		case <-deadline:
			return told
		}
	}
}

// freePorts are ports that nobody listens on, each another one.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", own+":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // when all are known
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// certificates makes an authority, and a certificate that serves both sides.
func certificates(t *testing.T, dir string) {
	t.Helper()
	write := func(name, kind string, der []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	made := func(c, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) []byte {
		der, err := x509.CreateCertificate(rand.Reader, c, parent, public, key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	keys := make([]*ecdsa.PrivateKey, 2)
	for i := range keys {
		var err error
		if keys[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	both := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	write("ca.pem", "CERTIFICATE", made(ca, ca, &keys[0].PublicKey, keys[0]))
	write("relay.pem", "CERTIFICATE", made(both, ca, &keys[1].PublicKey, keys[0]))
	key, err := x509.MarshalPKCS8PrivateKey(keys[1])
	if err != nil {
		t.Fatal(err)
	}
	write("relay.key", "PRIVATE KEY", key)
}
