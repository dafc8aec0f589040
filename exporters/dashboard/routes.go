package dashboard

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard/login"
)

// maker makes a page for a request.
type maker func(context.Context, *view) (*page, error)

// errNotFound makes a page that says so.
var errNotFound = errors.New("there is nothing under this address")

// errTooFew is what a viewer gets for a department that is too small to show.
var errTooFew = errors.New("too few people")

// usage is an error in what was asked for.
type usage struct{ err error }

func (u usage) Error() string { return u.err.Error() }

// routes lists every page and who may see it.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for _, route := range []struct {
		path string
		role login.Role // at least
		make maker
	}{
		{"/{$}", login.Viewer, overview},
		{"/services", login.Viewer, servicesPage},
		{"/services/{key}", login.Viewer, servicePage},
		{"/departments", login.Viewer, departmentsPage},
		{"/departments/{key}", login.Viewer, departmentPage},
		{"/users", login.Analyst, usersPage},
		{"/users/{key}", login.Analyst, userPage},
		{"/records", login.Analyst, recordsPage},
		{"/findings", login.Viewer, findingsPage},
		{"/coverage", login.Viewer, coveragePage},
		{"/about", login.Viewer, aboutPage},
	} {
		mux.Handle("GET "+route.path, s.page(route.role, route.make))
	}
	mux.HandleFunc("GET /login", s.loginForm)
	mux.HandleFunc("POST /login", s.logIn)
	mux.HandleFunc("POST /logout", s.logOut)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
	if s.parts.Metrics != nil {
		mux.HandleFunc("GET /metrics", s.metrics)
	}
	for _, a := range []asset{s.css, s.icon} {
		mux.HandleFunc("GET "+a.Path, a.serve)
	}
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { s.fail(w, errNotFound) })
	return s.guard(mux)
}

func (a asset) serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.body)
}

// metrics serves the sensor's own figures, which name nobody, to whoever may see the pages.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	if who, ok := s.who(r); !ok || who.Role == "" {
		s.problem(w, http.StatusForbidden, "Not without a login", "The metrics are for whoever may see these pages. Prometheus cannot log in: give them an address "+
			"of their own with metrics.listen.", "")
		return
	}
	s.parts.Metrics.ServeHTTP(w, r)
}

// page serves what draw makes to whoever has the role.
func (s *Server) page(least login.Role, draw maker) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, ok := s.who(r)
		if !ok || who.Role == "" || least == login.Analyst && who.Role != login.Analyst {
			s.refuse(w, r, who)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		case <-ctx.Done():
			s.fail(w, ctx.Err())
			return
		}
		v, err := s.newView(ctx, r, who)
		if err == nil {
			var p *page
			if p, err = draw(ctx, v); err == nil {
				s.send(ctx, w, v, p)
				return
			}
		}
		s.fail(w, err)
	}
}

// send writes the page, or the one table of it that was asked for.
func (s *Server) send(ctx context.Context, w http.ResponseWriter, v *view, p *page) {
	if v.csv == "" {
		s.render(w, http.StatusOK, "page", v.frame(p))
		return
	}
	for _, t := range p.tables() {
		if t.ID != v.csv {
			continue
		}
		if t.Users {
			s.parts.Audit(ctx, Act{Who: v.who.Name, What: ActExport, From: v.peer, Succeeded: true})
		}
		if err := writeCSV(w, t); err != nil {
			s.parts.Log.Debug("sending a table", "error", err)
		}
		return
	}
	s.fail(w, errNotFound)
}

// refuse sends whoever may not see a page to where they can get in, or says that they cannot.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, who identity) {
	switch {
	case who.Name != "":
		s.problem(w, http.StatusForbidden, "Not for your role",
			"This page names people or addresses. Your login sees sums alone; an analyst's sees both.", "/")
	case s.users.Len() > 0:
		to := "/login"
		if next := r.URL.RequestURI(); next != "/" {
			to += "?next=" + url.QueryEscape(next)
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	case s.config.Proxy.enabled():
		s.problem(w, http.StatusUnauthorized, "Come through the proxy",
			"These pages are reached through a proxy that knows who you are. This request did not come from it, or it did not say.", "")
	default:
		s.problem(w, http.StatusForbidden, "Only on this machine",
			"Without logins these pages are for browsers on the sensor itself. A proxy in front must be named in dashboard.proxy.", "")
	}
}

// fail answers with what went wrong.
func (s *Server) fail(w http.ResponseWriter, err error) {
	var wrong usage
	switch {
	case errors.Is(err, errNotFound):
		s.problem(w, http.StatusNotFound, "Nothing here", "There is no page under this address.", "/")
	case errors.Is(err, errTooFew):
		s.problem(w, http.StatusForbidden, "Too few people",
			"This department had fewer than "+strconv.Itoa(s.config.SmallestGroup)+" users in this period, or is shown together with one that had. "+
				"Its figures could be those of one person and are not shown.", "/departments")
	case errors.As(err, &wrong):
		s.problem(w, http.StatusBadRequest, "This cannot be asked", sentence(wrong.Error()), "/")
	case errors.Is(err, context.Canceled):
		s.problem(w, http.StatusServiceUnavailable, "Given up", "The browser went away before the page was ready.", "/")
	default:
		s.parts.Log.Warn("answering a page", "error", err)
		w.Header().Set("Retry-After", "5")
		s.problem(w, http.StatusServiceUnavailable, "The store does not answer",
			"It is busy or cannot be read. Nothing is lost by this: records are taken in apart from these pages. Try again in a moment; "+
				"if it lasts, the sensor's log and gnomon doctor say more.", "")
	}
}

// problemPage is a page that only says what is wrong.
type problemPage struct {
	CSS, Icon, Title, Text, Back string
}

func (s *Server) problem(w http.ResponseWriter, code int, title, text, back string) {
	s.render(w, code, "problem", problemPage{s.css.Path, s.icon.Path, title, text, back})
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
