package input

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// gateway is lines as Cloudflare's Gateway writes them.
func gateway(n int, end string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"Datetime":"2026-11-21T10:00:%02dZ","SourceIP":"192.0.2.%d","Email":"mary@corp.example","HTTPHost":"chat.example","HTTPMethod":"POST","Action":"allow","URL":"https://chat.example/?a=[1,2]"}`, i%60, i)
		if i < n-1 {
			b.WriteString(end)
		}
	}
	return b.String()
}

func TestPush(t *testing.T) {
	lines := gateway(20, "\n")
	for _, tt := range []struct {
		name   string
		body   []byte
		status int
		used   uint64
		other  uint64
	}{
		{"lines", []byte(lines + "\n"), 200, 20, 0},
		{"the last does not end", []byte(lines), 200, 20, 0},
		{"gzip", pack(t, lines), 200, 20, 0},
		{"a list", []byte("[" + gateway(20, ",") + "]"), 200, 20, 0},
		{"a list on several lines", []byte("[ " + gateway(20, ",\n ") + "\n]\n"), 200, 20, 0},
		{"a test before there is anything", pack(t, `{"content":"tests"}`), 200, 0, 1},
		{"gzip that breaks off", pack(t, lines)[:60], 400, 0, 0},
		{"nothing", nil, 200, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, Config{Protocol: "http", Format: "cloudflare-gateway-http"})
			for range 2 { // the second time it is known
				if got := r.post(tt.body); got != tt.status {
					t.Fatalf("status %d", got)
				}
				r.want(int(tt.used)) // what was answered is durable
			}
			if c := r.set.Sources()["proxy"]; c.Used != tt.used || c.Other != tt.other || c.Rejected != 0 {
				t.Errorf("counted %+v", c)
			}
		})
	}
}

// Who sends a body again after a crash finds it taken, or taken once.
func TestPushAgain(t *testing.T) {
	for _, tt := range []struct {
		name string
		kept bool
	}{{"it was kept", true}, {"it was not", false}} {
		t.Run(tt.name, func(t *testing.T) {
			body := []byte(strings.Repeat(gateway(1, "\n")+"\n", 5))
			r := run(t, Config{Protocol: "http", Format: "cloudflare-gateway-http"})
			if !tt.kept {
				r.mu.Lock()
				r.broken = os.ErrPermission
				r.mu.Unlock()
			}
			if got, want := r.post(body), map[bool]int{true: 200, false: 503}[tt.kept]; got != want {
				t.Fatalf("status %d", got)
			}
			r.mu.Lock()
			r.broken = nil
			for _, id := range r.pending {
				r.durable[id]++ // it came that far
			}
			r.mu.Unlock()
			state, err := os.ReadFile(statePath(r.state, "proxy"))
			if tt.kept == (err != nil) {
				t.Fatal(err)
			}
			r.stop()
			_ = os.Remove(statePath(r.state, "proxy"))
			if tt.kept {
				if err := os.WriteFile(statePath(r.state, "proxy"), state, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			next := r.world.run()
			if got := next.post(body); got != 200 {
				t.Fatalf("status %d", got)
			}
			next.want(5)
		})
	}
}

func TestPushSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("correct horse battery\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("cloudflare:correct horse battery"))
	r := run(t, Config{Protocol: "http", Format: "cloudflare-gateway-http", SecretFile: file})
	for _, tt := range []struct {
		name, shown string
		want        int
	}{
		{"nothing", "", 401}, {"another", "Bearer wrong", 401}, {"a part", "Bearer correct horse", 401}, {"more", "Bearer correct horse battery x", 401},
		{"bearer", "Bearer correct horse battery", 200}, {"alone", "correct horse battery", 200}, {"splunk", "Splunk correct horse battery", 200}, {"basic", basic, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.post([]byte(gateway(1, "")+tt.name), "Authorization", tt.shown); got != tt.want {
				t.Errorf("status %d", got)
			}
		})
	}
	if c := r.set.Sources()["proxy"]; c.Read != 4 || !strings.Contains(c.Problem, "without the right secret") {
		t.Errorf("counted %+v", c)
	}
	if err := os.WriteFile(file, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readSecret(file); err == nil || !strings.Contains(err.Error(), "write at least 16") {
		t.Errorf("it says %v", err)
	}
}

// zeros never end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// A body that unpacks to more than may be is refused, and nothing of it is taken.
func TestPushBomb(t *testing.T) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(z, gateway(1, "")+"\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(z, zeros{}, maxUnpacked); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r := run(t, Config{Protocol: "http", Format: "cloudflare-gateway-http"})
	if got := r.post(b.Bytes()); got != http.StatusBadRequest {
		t.Errorf("status %d", got)
	}
	if got := r.post(make([]byte, maxBody+1)); got != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", got)
	}
	if c := r.set.Sources()["proxy"]; c.Read != 0 {
		t.Errorf("counted %+v", c)
	}
}

// Where there is no room, senders are asked to come again.
func TestPushNoRoom(t *testing.T) {
	r := run(t, Config{Protocol: "http", Format: "cloudflare-gateway-http"})
	p := r.set.sources[0].reader.(*push)
	for range maxBodies {
		p.slots <- struct{}{}
	}
	if got := r.post([]byte(gateway(1, ""))); got != http.StatusServiceUnavailable {
		t.Errorf("status %d", got)
	}
	for range maxBodies {
		<-p.slots
	}
	if got := r.post([]byte(gateway(1, ""))); got != 200 {
		t.Errorf("status %d", got)
	}
	r.until("it is used", func(c event.Source) bool { return c.Used == 1 })
}
