package dashboard

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard/login"
)

// policyCSP lets a page load the style sheet and the icon of its own host and nothing else.
const policyCSP = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// maxBody is more than any form of the pages sends.
const maxBody = 8 << 10

// identity is who asks, and how that is known.
type identity struct {
	Name string
	Role login.Role
	How  string // local, login or proxy
}

// Ways of knowing who asks.
const (
	howLocal = "local"
	howLogin = "login"
	howProxy = "proxy"
)

// guard wraps the pages in what holds for every request.
func (s *Server) guard(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.problem(w, http.StatusForbidden, "This came from another site", "A form on another site tried to act here in your name. Nothing was done.", "")
	}))
	checked := crossOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policyCSP)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if r.URL.Path != "/healthz" && !s.knownHost(r.Host) {
			s.problem(w, http.StatusMisdirectedRequest, "No pages under this name",
				"The name in the address is not one of this sensor's. If it should be, add it to dashboard.hosts.", "")
			return
		}
		checked.ServeHTTP(w, r)
	})
}

// knownHost says whether a Host header names this server: a page elsewhere whose name resolves to this machine must not read from here.
func (s *Server) knownHost(header string) bool {
	host := header
	if h, _, err := net.SplitHostPort(header); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	listen, _, _ := net.SplitHostPort(s.config.Listen) // Validate has read it
	if loopbackName(host) && (loopbackName(listen) || listen == "") {
		return true
	}
	return host != "" && (strings.EqualFold(host, listen) || slices.ContainsFunc(s.config.Hosts, func(h string) bool { return strings.EqualFold(h, host) }))
}

// peer is the address at the other end of the connection.
func peer(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

// who says who asks. A proxy that may be trusted is asked first; then a login; and where there is neither, this machine's own user is an
// analyst: they own the data anyway.
func (s *Server) who(r *http.Request) (identity, bool) {
	if s.config.Proxy.enabled() && s.trusted(peer(r)) {
		return s.fromProxy(r.Header)
	}
	if s.users.Len() > 0 {
		cookie, err := r.Cookie(cookieName(r))
		if err != nil {
			return identity{}, false
		}
		session, ok := s.sessions.Find(cookie.Value)
		return identity{session.User, session.Role, howLogin}, ok
	}
	if s.config.Proxy.enabled() || !s.fromHere(r) {
		return identity{}, false
	}
	return identity{"this machine's user", login.Analyst, howLocal}, true
}

// fromHere says whether a browser on this machine asks. A proxy in front that was not told to dashboard.proxy would make everyone local:
// what it forwards is refused.
func (s *Server) fromHere(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if _, ok := r.Header[name]; ok {
			return false
		}
	}
	return peer(r).IsLoopback()
}

func (s *Server) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(s.config.Proxy.From, func(p netip.Prefix) bool { return p.Contains(a) })
}

// fromProxy reads the headers of a trusted proxy. A header that is there twice may hold one that the proxy did not write.
func (s *Server) fromProxy(h http.Header) (identity, bool) {
	p := &s.config.Proxy
	names, groups := h.Values(p.UserHeader), h.Values(p.GroupHeader)
	if len(names) != 1 || len(groups) > 1 || names[0] == "" || len(names[0]) > maxText {
		return identity{}, false
	}
	who := identity{Name: names[0], How: howProxy}
	for group := range strings.SplitSeq(strings.Join(groups, ""), p.GroupSeparator) {
		group = strings.TrimSpace(group)
		switch {
		case slices.Contains(p.Analysts, group):
			who.Role = login.Analyst
			return who, true
		case slices.Contains(p.Viewers, group):
			who.Role = login.Viewer
		}
	}
	return who, true
}

// cookieName ties the cookie to this host where the connection is secure.
func cookieName(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-gnomon"
	}
	return "gnomon"
}

func sessionCookie(r *http.Request, token string, life time.Duration) *http.Cookie {
	c := &http.Cookie{Name: cookieName(r), Value: token, Path: "/", MaxAge: int(life / time.Second), HttpOnly: true, Secure: r.TLS != nil,
		SameSite: http.SameSiteStrictMode}
	if token == "" {
		c.MaxAge = -1
	}
	return c
}
