package dashboard

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard/login"
)

// loginPage is the form.
type loginPage struct {
	CSS, Icon, Title, Next, Name, Wrong string
}

func (s *Server) loginForm(w http.ResponseWriter, r *http.Request) {
	if s.users.Len() == 0 {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.askLogin(w, http.StatusOK, loginPage{Next: localPath(r.URL.Query().Get("next"))})
}

func (s *Server) askLogin(w http.ResponseWriter, code int, p loginPage) {
	p.CSS, p.Icon, p.Title = s.css.Path, s.icon.Path, "Log in"
	s.render(w, code, "login", p)
}

func (s *Server) logIn(w http.ResponseWriter, r *http.Request) {
	if s.users.Len() == 0 {
		s.fail(w, errNotFound)
		return
	}
	if err := r.ParseForm(); err != nil {
		s.fail(w, usage{errors.New("the form cannot be read; fill it in again")})
		return
	}
	from, name := peer(r), r.PostForm.Get("name")
	p := loginPage{Next: localPath(r.PostForm.Get("next"))}
	if len(name) <= login.MaxName {
		p.Name = clean(name)
	}
	if wait, ok := s.mayTry(from, name); !ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		p.Wrong = "There were too many tries. Wait " + lasting(max(wait, time.Minute)) + " and try again."
		s.askLogin(w, http.StatusTooManyRequests, p)
		return
	}
	role, ok, err := s.users.Check(r.Context(), name, r.PostForm.Get("password"))
	if err != nil {
		s.fail(w, err)
		return
	}
	s.parts.Audit(r.Context(), Act{Who: p.Name, What: ActLogin, From: from, Succeeded: ok})
	if !ok {
		p.Wrong = "Name and password do not belong together."
		s.askLogin(w, http.StatusUnauthorized, p)
		return
	}
	s.byAddr.Return(addrKey(from))
	s.byUser.Return(name)
	if old, err := r.Cookie(cookieName(r)); err == nil {
		s.sessions.End(old.Value) // a new login never goes on with a token that was there before
	}
	token, _ := s.sessions.Begin(name, role)
	http.SetCookie(w, sessionCookie(r, token, s.config.Session))
	http.Redirect(w, r, p.Next, http.StatusSeeOther)
}

// mayTry counts a try for the address and for the user.
func (s *Server) mayTry(from netip.Addr, name string) (time.Duration, bool) {
	if wait, ok := s.byAddr.Take(addrKey(from)); !ok {
		return wait, false
	}
	return s.byUser.Take(name)
}

// addrKey is what is counted for an address: of IPv6 the network, because one machine has as many addresses there as it likes.
func addrKey(a netip.Addr) string {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

func (s *Server) logOut(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(cookieName(r)); err == nil {
		if session, ok := s.sessions.Find(cookie.Value); ok {
			s.parts.Audit(r.Context(), Act{Who: session.User, What: ActLogout, From: peer(r), Succeeded: true})
		}
		s.sessions.End(cookie.Value)
	}
	http.SetCookie(w, sessionCookie(r, "", 0))
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// localPath is next if it stays on this host, else the first page.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") ||
		strings.ContainsAny(next, "\\\t\r\n") || strings.HasPrefix(next, "//") {
		return "/"
	}
	return u.RequestURI()
}
