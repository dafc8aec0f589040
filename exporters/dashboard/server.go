package dashboard

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard/login"
	"github.com/gnomon-sensor/gnomon/exporters/query"
)

//go:embed templates style.css icon.svg
var files embed.FS

// Bounds of the HTTP server. Pages are small, and nobody sends much.
const (
	headTimeout  = 10 * time.Second
	readTimeout  = 20 * time.Second
	writeTimeout = 60 * time.Second
	idleTimeout  = 2 * time.Minute
	maxHead      = 32 << 10
	stopTimeout  = 5 * time.Second
)

// atOnce is how many pages are made at a time; others wait their turn.
const atOnce = 8

// Tries of a login: so many at once, then one for every pause.
const (
	triesPerAddress = 10
	triesPerUser    = 20
	pausePerAddress = time.Minute
	pausePerUser    = 30 * time.Second
)

// Server serves the pages. It is an http.Handler; all its methods may be called from several goroutines at once.
type Server struct {
	config   Config
	parts    Parts
	users    *login.Users
	sessions *login.Sessions
	byAddr   *login.Limiter
	byUser   *login.Limiter
	pages    map[string]*template.Template
	css      asset
	icon     asset
	slots    chan struct{}
	handler  http.Handler

	audited bool // somebody is told who looked a person up

	spanMu sync.Mutex // guards span and spanAt
	span   query.Span
	spanAt time.Time
}

// asset is a file that browsers may keep: its path changes with its content.
type asset struct {
	Path, kind string
	body       []byte
}

var _ http.Handler = (*Server)(nil)

// New checks the configuration and reads the users and the certificate.
func New(c Config, p Parts) (*Server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if p.Query == nil || p.About == nil {
		return nil, errors.New("making the pages: there is no Query or no About to read from")
	}
	list, err := c.users()
	if err != nil {
		return nil, err
	}
	s := &Server{config: c, parts: withDefaults(p), slots: make(chan struct{}, atOnce), audited: p.Audit != nil}
	if s.users, err = login.NewUsers(list); err != nil {
		return nil, fmt.Errorf("checking the users of the pages: %w", err)
	}
	now := s.parts.Now
	s.sessions = login.NewSessions(c.Session, now)
	s.byAddr = login.NewLimiter(triesPerAddress, pausePerAddress, now)
	s.byUser = login.NewLimiter(triesPerUser, pausePerUser, now)
	if s.css, err = newAsset("style.css", "text/css; charset=utf-8"); err != nil {
		return nil, err
	}
	if s.icon, err = newAsset("icon.svg", "image/svg+xml"); err != nil {
		return nil, err
	}
	if s.pages, err = parsePages(); err != nil {
		return nil, err
	}
	s.handler = s.routes()
	return s, nil
}

func withDefaults(p Parts) Parts {
	if p.Location == nil {
		p.Location = time.UTC
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if p.Audit == nil {
		p.Audit = func(context.Context, Act) {}
	}
	return p
}

// parsePages reads one set of templates for each kind of page.
func parsePages() (map[string]*template.Template, error) {
	pages := map[string]*template.Template{}
	for _, name := range []string{"page", "login", "problem"} {
		t, err := template.ParseFS(files, "templates/layout.html", "templates/parts.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("reading the templates of the pages: %w", err)
		}
		pages[name] = t
	}
	return pages, nil
}

func newAsset(name, kind string) (asset, error) {
	body, err := files.ReadFile(name)
	if err != nil {
		return asset{}, fmt.Errorf("reading %s of the pages: %w", name, err)
	}
	sum := sha256.Sum256(body)
	return asset{Path: "/static/" + hex.EncodeToString(sum[:8]) + "/" + name, kind: kind, body: body}, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Serve answers requests until ctx ends; it closes the listener. It refuses a listener that other machines reach unless there are TLS and
// logins, whatever Config.Listen says.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if !loopbackAddr(l.Addr()) {
		if err := s.config.open(l.Addr().String()); err != nil {
			return errors.Join(err, l.Close())
		}
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: headTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHead, ErrorLog: slog.NewLogLogger(s.parts.Log.Handler(), slog.LevelDebug)}
	serve := server.Serve
	if s.config.TLSCert != "" {
		keys := &keyPair{cert: s.config.TLSCert, key: s.config.TLSKey, now: s.parts.Now, log: s.parts.Log}
		if err := keys.load(); err != nil {
			return errors.Join(err, l.Close())
		}
		server.TLSConfig = keys.config()
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	stop := context.AfterFunc(ctx, func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if server.Shutdown(late) != nil {
			_ = server.Close() // whoever still waits has had their time
		}
	})
	defer stop()
	if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the pages on %v: %w", l.Addr(), err)
	}
	return nil
}

// loopbackAddr says whether only this machine reaches the address; a Unix socket is reached from here alone too.
func loopbackAddr(a net.Addr) bool {
	if a.Network() == "unix" {
		return true
	}
	at, err := netip.ParseAddrPort(a.String())
	return err == nil && at.Addr().Unmap().IsLoopback()
}

// render writes a page whole or not at all.
func (s *Server) render(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&b, "layout", data); err != nil {
		s.parts.Log.Error("drawing a page", "template", name, "error", err)
		http.Error(w, "the page cannot be drawn; the sensor's log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // whoever asked may have gone
}
