package dashboard_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard"
	"github.com/gnomon-sensor/gnomon/exporters/dashboard/dashboardtest"
)

// TestHeaders wants the headers that protect a page on every response, whatever its status.
func TestHeaders(t *testing.T) {
	quiet := &dashboardtest.World{Quiet: true}
	local, users := open(t, quiet, nil), open(t, quiet, withUsers(t))
	css := regexp.MustCompile(`/static/[0-9a-f]+/style\.css`).FindString(local.get("/", nil).Body.String())
	for _, tt := range []struct {
		name, method, path, host string
		site                     *site
		status                   int
		cache                    string
	}{
		{"page", "GET", "/", "", local, 200, "no-store"},
		{"head of a page", "HEAD", "/", "", local, 200, "no-store"},
		{"login", "GET", "/login", "", users, 200, "no-store"},
		{"to the login", "GET", "/services", "", users, 303, "no-store"},
		{"style sheet", "GET", css, "", local, 200, "public, max-age=31536000, immutable"},
		{"another style sheet", "GET", "/static/0000000000000000/style.css", "", local, 404, "no-store"},
		{"nothing there", "GET", "/wp-admin", "", local, 404, "no-store"},
		{"way out of the directory", "GET", "/static/..%2f..%2fserver.go", "", local, 404, "no-store"},
		{"wrong method", "DELETE", "/", "", local, 405, "no-store"},
		{"health", "GET", "/healthz", "", users, 200, "no-store"},
		{"health under any name", "GET", "/healthz", "10.9.8.7", users, 200, "no-store"},
		{"another name", "GET", "/", "evil.example", local, 421, "no-store"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request(tt.method, tt.path, nil)
			if tt.host != "" {
				r.Host = tt.host
			}
			w := httptest.NewRecorder()
			tt.site.ServeHTTP(w, r)
			h := w.Header()
			if w.Code != tt.status || h.Get("Cache-Control") != tt.cache {
				t.Errorf("status %d, cache %q; want %d, %q", w.Code, h.Get("Cache-Control"), tt.status, tt.cache)
			}
			const csp = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
			for name, want := range map[string]string{"Content-Security-Policy": csp, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"} {
				if h.Get(name) != want {
					t.Errorf("%s is %q, want %q", name, h.Get(name), want)
				}
			}
		})
	}
}

// TestHost is DNS rebinding: a name that resolves here but is not ours.
func TestHost(t *testing.T) {
	quiet := &dashboardtest.World{Quiet: true}
	loopback := open(t, quiet, nil)
	named := open(t, quiet, func(c *dashboard.Config) {
		withUsers(t)(c)
		c.Listen, c.TLSCert, c.TLSKey, c.Hosts = "0.0.0.0:8686", "c", "k", []string{"gnomon.example.com"}
	})
	for _, tt := range []struct {
		name, host string
		site       *site
		ok         bool
	}{
		{"address", "127.0.0.1:8686", loopback, true},
		{"localhost", "localhost:8686", loopback, true},
		{"any port: a tunnel may change it", "localhost:9999", loopback, true},
		{"v6", "[::1]:8686", loopback, true},
		{"case and dot", "LOCALHOST.:8686", loopback, true},
		{"rebound", "evil.example:8686", loopback, false},
		{"looks local", "127.0.0.1.evil.example", loopback, false},
		{"localhost of another", "localhost.evil.example", loopback, false},
		{"empty", "", loopback, false},
		{"our name", "gnomon.example.com", named, true},
		{"our name and port", "Gnomon.Example.com:443", named, true},
		{"not our name", "gnomon.example.com.evil.example", named, false},
		{"loopback beyond loopback", "localhost", named, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request("GET", "/login", nil)
			r.Host = tt.host
			w := httptest.NewRecorder()
			tt.site.ServeHTTP(w, r)
			if (w.Code != http.StatusMisdirectedRequest) != tt.ok {
				t.Errorf("status %d", w.Code)
			}
		})
	}
}

// TestCrossSite sends forms as another site would make a browser send them.
func TestCrossSite(t *testing.T) {
	s := open(t, &dashboardtest.World{Quiet: true}, withUsers(t))
	cookie := s.login(t, "ada")
	for _, tt := range []struct {
		name, path    string
		header, value string
		refused       bool
	}{
		{"log out from here", "/logout", "Sec-Fetch-Site", "same-origin", false},
		{"log in from elsewhere", "/login", "Sec-Fetch-Site", "cross-site", true},
		{"log out from elsewhere", "/logout", "Sec-Fetch-Site", "cross-site", true},
		{"from a neighbour", "/logout", "Sec-Fetch-Site", "same-site", true},
		{"old browser, other origin", "/logout", "Origin", "https://evil.example", true},
		{"old browser, no origin", "/logout", "Origin", "null", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request("POST", tt.path, strings.NewReader("name=ada&password=x"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(tt.header, tt.value)
			if tt.refused {
				r.AddCookie(cookie)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if (w.Code == http.StatusForbidden) != tt.refused {
				t.Errorf("status %d, refused should be %v", w.Code, tt.refused)
			}
		})
	}
	if s.get("/", cookie).Code != http.StatusOK {
		t.Error("a refused form ended the session")
	}
	if s.get("/logout", cookie).Code == http.StatusSeeOther || s.get("/", cookie).Code != http.StatusOK {
		t.Error("a link was enough to log out")
	}
}

func TestSession(t *testing.T) {
	s := open(t, &dashboardtest.World{Quiet: true}, withUsers(t))
	w := s.post("ada", password, "/services?p=7d")
	cookie := w.Result().Cookies()[0]
	if w.Header().Get("Location") != "/services?p=7d" {
		t.Errorf("after the login one is sent to %q", w.Header().Get("Location"))
	}
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || len(cookie.Value) < 43 || cookie.Domain != "" {
		t.Errorf("cookie %+v", cookie)
	}
	if again := s.login(t, "ada"); again.Value == cookie.Value {
		t.Error("two logins have one token")
	}
	forged := *cookie
	forged.Value = strings.Repeat("A", len(cookie.Value))
	if s.get("/", &forged).Code != http.StatusSeeOther {
		t.Error("a made-up token was taken")
	}
	r := request("POST", "/logout", nil)
	r.AddCookie(cookie)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	s.ServeHTTP(httptest.NewRecorder(), r)
	if s.get("/", cookie).Code != http.StatusSeeOther {
		t.Error("the token works after logging out")
	}
	cookie = s.login(t, "ada")
	s.clock.forward(8 * time.Hour)
	if s.get("/", cookie).Code != http.StatusSeeOther {
		t.Error("the session outlived its time")
	}
	if w := s.post("ada", "wrong", "//evil.example"); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "evil.example") {
		t.Errorf("a wrong password: status %d", w.Code)
	}
}

// TestGuessing tries passwords from one address, and for one user from many.
func TestGuessing(t *testing.T) {
	s := open(t, &dashboardtest.World{Quiet: true}, withUsers(t))
	try := func(from, name, pass string) int {
		r := request("POST", "/login", strings.NewReader("name="+name+"&password="+pass))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") == "" {
			t.Error("nothing says how long to wait")
		}
		return w.Code
	}
	for range 10 {
		if code := try("10.0.0.1:1", "eve", "x"); code != http.StatusUnauthorized {
			t.Fatalf("status %d", code)
		}
	}
	right := strings.ReplaceAll(password, " ", "+")
	if code := try("10.0.0.1:2", "ada", right); code != http.StatusTooManyRequests {
		t.Errorf("the eleventh try from an address: status %d", code)
	}
	if code := try("10.0.0.2:1", "ada", right); code != http.StatusSeeOther {
		t.Errorf("another address: status %d", code)
	}
	s.clock.forward(time.Minute)
	if code := try("10.0.0.1:3", "ada", right); code != http.StatusSeeOther {
		t.Errorf("a minute later: status %d", code)
	}
	last := 0
	for i := range 21 {
		last = try(netip.AddrFrom4([4]byte{10, 1, byte(i), 1}).String()+":1", "mia", "x")
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the 21st try for a user: status %d", last)
	}
}

// TestProxy sends headers as the proxy does, and as someone who would like to be it.
func TestProxy(t *testing.T) {
	change := func(c *dashboard.Config) {
		c.Proxy.From = []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32")}
		c.Proxy.Viewers, c.Proxy.Analysts = []string{"managers"}, []string{"dlp"}
	}
	s := open(t, &dashboardtest.World{Quiet: true}, change)
	both := open(t, &dashboardtest.World{Quiet: true}, func(c *dashboard.Config) { change(c); withUsers(t)(c) })
	const user, groups = "X-Forwarded-User", "X-Forwarded-Groups"
	for _, tt := range []struct {
		name   string
		site   *site
		from   string
		header http.Header
		path   string
		status int
	}{
		{"analyst", s, "10.0.0.5:1", http.Header{user: {"ada"}, groups: {"staff, dlp"}}, "/users", 200},
		{"viewer", s, "10.0.0.5:1", http.Header{user: {"mia"}, groups: {"managers"}}, "/", 200},
		{"viewer among analysts' pages", s, "10.0.0.5:1", http.Header{user: {"mia"}, groups: {"managers"}}, "/users", 403},
		{"mapped address", s, "[::ffff:10.0.0.5]:1", http.Header{user: {"ada"}, groups: {"dlp"}}, "/users", 200},
		{"no group of ours", s, "10.0.0.5:1", http.Header{user: {"eve"}, groups: {"staff"}}, "/", 403},
		{"part of a group's name", s, "10.0.0.5:1", http.Header{user: {"eve"}, groups: {"not-dlp"}}, "/", 403},
		{"no group", s, "10.0.0.5:1", http.Header{user: {"eve"}}, "/", 403},
		{"no user", s, "10.0.0.5:1", http.Header{groups: {"dlp"}}, "/", 401},
		{"user twice", s, "10.0.0.5:1", http.Header{user: {"eve", "ada"}, groups: {"dlp"}}, "/", 401},
		{"groups twice", s, "10.0.0.5:1", http.Header{user: {"eve"}, groups: {"dlp", "staff"}}, "/", 401},
		{"wrong address", s, "10.0.0.6:1", http.Header{user: {"ada"}, groups: {"dlp"}}, "/", 401},
		{"this machine is not the proxy", s, "127.0.0.1:1", http.Header{user: {"ada"}, groups: {"dlp"}}, "/", 401},
		{"this machine without headers", s, "127.0.0.1:1", nil, "/", 401},
		{"wrong address where there are logins", both, "10.0.0.6:1", http.Header{user: {"ada"}, groups: {"dlp"}}, "/", 303},
		{"the proxy where there are logins", both, "10.0.0.5:1", http.Header{user: {"ada"}, groups: {"dlp"}}, "/users", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request("GET", tt.path, nil)
			r.RemoteAddr = tt.from
			for name, values := range tt.header {
				r.Header[http.CanonicalHeaderKey(name)] = values
			}
			w := httptest.NewRecorder()
			tt.site.ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
		})
	}
}

// TestLocal is a sensor without logins: this machine's browser alone, and no proxy that nobody told it of.
func TestLocal(t *testing.T) {
	s := open(t, &dashboardtest.World{Quiet: true}, nil)
	for _, tt := range []struct {
		name, from, header string
		status             int
	}{
		{"here", "127.0.0.1:1", "", 200},
		{"here, v6", "[::1]:1", "", 200},
		{"elsewhere", "10.0.0.9:1", "", 403},
		{"through an unknown proxy", "127.0.0.1:1", "X-Forwarded-For", 403},
		{"through another", "127.0.0.1:1", "Forwarded", 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request("GET", "/users", nil)
			r.RemoteAddr = tt.from
			if tt.header != "" {
				r.Header.Set(tt.header, "10.0.0.9")
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
		})
	}
	if body := s.get("/", nil).Body.String(); !strings.Contains(body, "no login") {
		t.Error("the page does not say that there is no login")
	}
	if w := s.post("ada", password, "/"); w.Code != http.StatusNotFound {
		t.Errorf("a login without users: status %d", w.Code)
	}
}

// outside is a listener that says other machines reach it.
type outside struct{ net.Listener }

func (outside) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 8686} }

func TestServeRefusesOpenPort(t *testing.T) {
	s := open(t, &dashboardtest.World{Quiet: true}, nil)
	l := listen(t)
	if err := s.Serve(t.Context(), outside{l}); err == nil || !strings.Contains(err.Error(), "over TLS alone") {
		t.Errorf("error %v", err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("the listener is still open")
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// certificate writes one for 127.0.0.1 with a serial number and returns it.
func certificate(t *testing.T, dir string, serial int64) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestServeTLS serves over TLS, takes up a renewed certificate, and stops when it is told to.
func TestServeTLS(t *testing.T) {
	dir := t.TempDir()
	roots := x509.NewCertPool()
	roots.AddCert(certificate(t, dir, 1))
	s := open(t, &dashboardtest.World{Quiet: true}, func(c *dashboard.Config) {
		withUsers(t)(c)
		c.TLSCert, c.TLSKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	l := listen(t)
	go func() { ended <- s.Serve(ctx, l) }()
	serial := func() int64 {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		answer, err := client.PostForm("https://"+l.Addr().String()+"/login", map[string][]string{"name": {"ada"}, "password": {password}})
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if c := answer.Cookies(); len(c) != 1 || !c[0].Secure || c[0].Name != "__Host-gnomon" || answer.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("status %d, cookies %+v, headers %v", answer.StatusCode, c, answer.Header)
		}
		return answer.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	if n := serial(); n != 1 {
		t.Errorf("certificate %d", n)
	}
	roots.AddCert(certificate(t, dir, 2))
	later := time.Now().Add(time.Hour)
	for _, name := range []string{"cert.pem", "key.pem"} {
		if err := os.Chtimes(filepath.Join(dir, name), later, later); err != nil {
			t.Fatal(err)
		}
	}
	s.clock.forward(2 * time.Minute)
	if n := serial(); n != 2 {
		t.Errorf("the renewed certificate was not taken up; still %d", n)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("stopping: %v", err)
	}
}

// TestUsersFile reads users from a file, but not from one that everybody reads.
func TestUsersFile(t *testing.T) {
	hash, err := passwordHash()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text string
		mode       os.FileMode
		err        string
	}{
		{"good", "ada:analyst:" + hash + "\n", 0o640, ""},
		{"open to all", "ada:analyst:" + hash + "\n", 0o644, "chmod 640"},
		{"no hash", "ada:analyst:secret\n", 0o600, "hash-password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "users")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			c := dashboard.Default()
			c.UsersFile = path
			_, err := dashboard.New(c, dashboard.Parts{Query: &dashboardtest.World{}, About: dashboardtest.About})
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}
