package dashboard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard"
	"github.com/gnomon-sensor/gnomon/exporters/dashboard/dashboardtest"
	"github.com/gnomon-sensor/gnomon/exporters/dashboard/login"
)

const password = "correct horse battery"

// passwordHash is made once: it takes a while by design.
var passwordHash = sync.OnceValues(func() (string, error) { return dashboard.HashPassword(password) })

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// site is a server and what tests know of it.
type site struct {
	*dashboard.Server
	world *dashboardtest.World
	clock *clock
	mu    sync.Mutex
	acts  []dashboard.Act
}

// open makes the pages over a world; change may alter the configuration.
func open(t *testing.T, w *dashboardtest.World, change func(*dashboard.Config)) *site {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	c := dashboard.Default()
	if change != nil {
		change(&c)
	}
	s := &site{world: w, clock: &clock{t: dashboardtest.Now()}}
	s.Server, err = dashboard.New(c, dashboard.Parts{Query: w, About: dashboardtest.About, Services: dashboardtest.Services{}, Location: berlin,
		Now: s.clock.now, Audit: func(_ context.Context, a dashboard.Act) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.acts = append(s.acts, a)
		}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// withUsers gives the site one login of each role.
func withUsers(t *testing.T) func(*dashboard.Config) {
	t.Helper()
	hash, err := passwordHash()
	if err != nil {
		t.Fatal(err)
	}
	return func(c *dashboard.Config) {
		c.Users = []login.User{{Name: "ada", Role: login.Analyst, Hash: hash}, {Name: "mia", Role: login.Viewer, Hash: hash}}
	}
}

// request is one from this machine's browser, under the right name.
func request(method, path string, body io.Reader) *http.Request {
	r := httptest.NewRequest(method, path, body)
	r.Host, r.RemoteAddr = "127.0.0.1:8686", "127.0.0.1:40000"
	return r
}

// get fetches a page, with a cookie if it is not nil.
func (s *site) get(path string, cookie *http.Cookie) *httptest.ResponseRecorder {
	r := request("GET", path, nil)
	if cookie != nil {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// post sends the login form.
func (s *site) post(name, pass, next string) *httptest.ResponseRecorder {
	r := request("POST", "/login", strings.NewReader(url.Values{"name": {name}, "password": {pass}, "next": {next}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// login returns the cookie of a user.
func (s *site) login(t *testing.T, name string) *http.Cookie {
	t.Helper()
	w := s.post(name, password, "/")
	cookies := w.Result().Cookies()
	if w.Code != http.StatusSeeOther || len(cookies) != 1 {
		t.Fatalf("logging %s in: status %d, %d cookies", name, w.Code, len(cookies))
	}
	return cookies[0]
}

// paths are all pages with figures; those behind the second are for analysts.
func paths(w *dashboardtest.World) (all, analysts []string) {
	key := url.PathEscape(w.Keys()[0])
	all = []string{"/", "/services", "/services/chatgpt", "/departments", "/departments/" + dashboardtest.Large, "/findings", "/findings?kind=upload-limit", "/coverage", "/about"}
	return all, []string{"/users", "/users/" + key, "/records", "/records?service=claude", "/records?user=" + key}
}

// TestRoles asks for every page in every role: who may not see it gets no part of it.
func TestRoles(t *testing.T) {
	w := &dashboardtest.World{}
	s := open(t, w, withUsers(t))
	all, analysts := paths(w)
	viewer, analyst := s.login(t, "mia"), s.login(t, "ada")
	names, keys := w.Names(), w.Keys()
	address := regexp.MustCompile(`\b10\.20\.\d+\.\d+\b`)
	for _, path := range append(slices.Clone(all), analysts...) {
		for _, csv := range []string{"", "time", "services", "departments", "users", "status", "findings", "records"} {
			at := path
			if csv != "" {
				at += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "csv=" + csv
			}
			t.Run(at, func(t *testing.T) {
				if got := s.get(at, nil); got.Code != http.StatusSeeOther || !strings.HasPrefix(got.Header().Get("Location"), "/login") || got.Body.Len() > 200 {
					t.Errorf("without a login: status %d to %q with %d bytes", got.Code, got.Header().Get("Location"), got.Body.Len())
				}
				got := s.get(at, viewer)
				body := got.Body.String()
				if want := map[bool]int{true: 403, false: 200}[slices.Contains(analysts, path)]; csv == "" && got.Code != want {
					t.Errorf("a viewer gets status %d, want %d", got.Code, want)
				}
				for _, secret := range slices.Concat(names, keys) {
					if strings.Contains(body, secret) {
						t.Fatalf("a viewer sees %q", secret)
					}
				}
				if a := address.FindString(body); a != "" {
					t.Errorf("a viewer sees the address %s", a)
				}
				if strings.Contains(body, dashboardtest.Small) && !strings.Contains(body, "Too few") {
					t.Errorf("a viewer sees the department %s", dashboardtest.Small)
				}
				if got := s.get(at, analyst); csv == "" && got.Code != http.StatusOK {
					t.Errorf("an analyst gets status %d", got.Code)
				}
			})
		}
	}
	if body := s.get("/users", analyst).Body.String(); !slices.ContainsFunc(names, func(n string) bool { return strings.Contains(body, n) }) {
		t.Error("an analyst sees no name: the test above proves nothing")
	}
	if body := s.get("/departments", analyst).Body.String(); !strings.Contains(body, dashboardtest.Small) {
		t.Error("an analyst does not see the small department: the test above proves nothing")
	}
}

// TestSmallDepartments asks for a small one by its name, and for figures whose difference would be it.
func TestSmallDepartments(t *testing.T) {
	s := open(t, &dashboardtest.World{}, withUsers(t))
	viewer := s.login(t, "mia")
	for _, tt := range []struct {
		name, path string
		status     int
		without    string
	}{
		{"small", "/departments/" + dashboardtest.Small, 403, "class=\"tile\""},
		{"small as CSV", "/departments/" + dashboardtest.Small + "?csv=services", 403, "chatgpt"},
		{"one that does not exist", "/departments/Nowhere", 403, "class=\"tile\""},
		{"large", "/departments/" + dashboardtest.Large, 200, "by status"},
		{"large in a period with few people", "/departments/Legal?from=2026-11-14&to=2026-11-14", 403, "class=\"tile\""},
		{"filters do not reach it", "/departments/" + dashboardtest.Large + "?status=prohibited", 200, "status: "},
		{"no departments beside filters", "/?status=prohibited", 200, "/departments/Engineering"},
		{"no departments of a service beside filters", "/services/chatgpt?status=tolerated", 200, "/departments/Engineering"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := s.get(tt.path, viewer)
			if got.Code != tt.status || strings.Contains(got.Body.String(), tt.without) {
				t.Errorf("status %d, want %d without %q", got.Code, tt.status, tt.without)
			}
		})
	}
	if body := s.get("/", viewer).Body.String(); !strings.Contains(body, "Other departments") {
		t.Error("the small departments are not shown together")
	}
}

// hostile are names as an attacker would put them on the wire or into a log.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'onmouseover='alert(1)`, "javascript:alert(1)", "</title></svg><script>", "{{.Secret}}", "=cmd|'/c calc'!A1",
	"exe\u202efdp.com", "\u2066a\u2069b", "a\u200bb", "a\x00b", "a\r\nSet-Cookie: x=1", "\xff\xfe", "../../etc/passwd", "..", "a/b?c#d&e=f", "%2e%2e%2f", "]]>", "<!--", strings.Repeat("long", 200),
	"pile" + strings.Repeat("\u0301", 50),
}

// void are elements without an end.
var void = []string{"meta", "link", "img", "input", "br"}

// checkHTML holds a page against the rules of all pages: well formed, nothing inline, nothing invisible, nothing from elsewhere.
func checkHTML(t *testing.T, body string) {
	t.Helper()
	if i := strings.IndexFunc(body, func(r rune) bool { return r != '\n' && r != '\u202f' && !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("there is %q in the page", body[max(i-20, 0):min(i+20, len(body))])
	}
	z := html.NewTokenizer(strings.NewReader(body))
	var stack []string
	ids := map[string]bool{}
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) || len(stack) > 0 {
				t.Errorf("the page ends with %v open: %v", stack, z.Err())
			}
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			checkTag(t, &token, ids)
			if kind == html.StartTagToken && !slices.Contains(void, token.Data) {
				stack = append(stack, token.Data)
			}
		case html.EndTagToken:
			name := z.Token().Data
			if len(stack) == 0 || stack[len(stack)-1] != name {
				t.Fatalf("</%s> closes %v", name, stack)
			}
			stack = stack[:len(stack)-1]
		}
	}
}

func checkTag(t *testing.T, token *html.Token, ids map[string]bool) {
	t.Helper()
	if slices.Contains([]string{"script", "style", "iframe", "object", "embed", "base"}, token.Data) {
		t.Errorf("there is a <%s>", token.Data)
	}
	for _, a := range token.Attr {
		switch {
		case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
			t.Errorf("<%s> has an inline %s", token.Data, a.Key)
		case a.Key == "id":
			if ids[a.Val] {
				t.Errorf("the id %q is there twice", a.Val)
			}
			ids[a.Val] = true
		case a.Key == "src" || a.Key == "action" || a.Key == "href" && token.Data == "link":
			if !strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//") {
				t.Errorf("<%s> loads %q", token.Data, a.Val)
			}
		case a.Key == "href":
			if u, err := url.Parse(a.Val); err != nil || u.Scheme != "" && u.Scheme != "https" || u.Scheme == "" && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") {
				t.Errorf("a link leads to %q", a.Val)
			}
		}
	}
}

// TestHostileNames draws every page of a world that is full of them.
func TestHostileNames(t *testing.T) {
	w := &dashboardtest.World{Hostile: hostile}
	s := open(t, w, withUsers(t))
	all, analysts := paths(w)
	for _, name := range hostile {
		all = append(all, "/services/"+url.PathEscape("~"+name), "/departments/"+url.PathEscape("~"+name))
	}
	analyst, viewer := s.login(t, "ada"), s.login(t, "mia")
	for _, path := range append(all, analysts...) {
		t.Run(path, func(t *testing.T) {
			for _, cookie := range []*http.Cookie{analyst, viewer} {
				got := s.get(path, cookie)
				if got.Code >= 500 {
					t.Fatalf("status %d", got.Code)
				}
				checkHTML(t, got.Body.String())
			}
		})
	}
	t.Run("CSV", func(t *testing.T) {
		for _, line := range strings.Split(s.get("/services?csv=services", analyst).Body.String(), "\r\n") {
			for field := range strings.SplitSeq(line, ",") {
				if strings.HasPrefix(strings.Trim(field, `"`), "=") {
					t.Errorf("a cell is a formula: %s", line)
				}
			}
		}
	})
	t.Run("login", func(t *testing.T) {
		for _, name := range hostile {
			checkHTML(t, s.post(name, "x", name).Body.String())
		}
	})
}

// TestEveryLink follows every link of every page once, as an analyst: none is broken.
func TestEveryLink(t *testing.T) {
	w := &dashboardtest.World{}
	s := open(t, w, nil)
	seen, next := map[string]bool{}, []string{"/", "/?p=24h", "/services?p=12m&measure=upload"}
	href := regexp.MustCompile(`href="(/[^"]*)"`)
	for len(next) > 0 && len(seen) < 400 {
		path := next[0]
		next = next[1:]
		path, _, _ = strings.Cut(path, "#")
		if seen[path] {
			continue
		}
		seen[path] = true
		got := s.get(path, nil)
		if got.Code != http.StatusOK {
			t.Errorf("%s: status %d", path, got.Code)
		}
		if !strings.HasPrefix(got.Header().Get("Content-Type"), "text/html") {
			continue
		}
		checkHTML(t, got.Body.String())
		for _, m := range href.FindAllStringSubmatch(got.Body.String(), -1) {
			next = append(next, html.UnescapeString(m[1]))
		}
	}
	if len(seen) < 300 {
		t.Errorf("only %d pages were found", len(seen))
	}
}

// TestQueries counts what a page asks: six questions at most, and all at the same time.
func TestQueries(t *testing.T) {
	w := &dashboardtest.World{}
	s := open(t, w, withUsers(t))
	all, analysts := paths(w)
	cookies := map[string]*http.Cookie{"viewer": s.login(t, "mia"), "analyst": s.login(t, "ada")}
	for _, path := range append(all, analysts...) {
		for role, cookie := range cookies {
			t.Run(role+path, func(t *testing.T) {
				before := w.Queries.Load()
				s.get(path, cookie)
				if n := w.Queries.Load() - before; n > 6 {
					t.Errorf("the page asks %d questions", n)
				}
			})
		}
	}
}

// TestTogether holds the first question back until all are asked: they do not wait for each other.
func TestTogether(t *testing.T) {
	w := &dashboardtest.World{Wait: make(chan struct{})}
	s := open(t, w, nil)
	done := make(chan int)
	go func() { done <- s.get("/", nil).Code }()
	for w.MostAtOnce() < 6 {
		select {
		case code := <-done:
			t.Fatalf("the page came with status %d before all was asked; %d at once", code, w.MostAtOnce())
		default:
			runtime.Gosched()
		}
	}
	close(w.Wait)
	if code := <-done; code != http.StatusOK {
		t.Errorf("status %d", code)
	}
}

// TestTroubles are a store that does not answer, one that is slow, and a world without data.
func TestTroubles(t *testing.T) {
	whole := &dashboardtest.World{}
	for _, tt := range []struct {
		name   string
		world  *dashboardtest.World
		path   string
		status int
		says   string
	}{
		{"store broken", &dashboardtest.World{Err: errors.New("database is locked")}, "/", 503, "does not answer"},
		{"store broken under records", &dashboardtest.World{Err: errors.New("database is locked")}, "/records", 503, "does not answer"},
		{"no sensor", &dashboardtest.World{Blind: true}, "/", 200, "gnomon doctor"},
		{"no sensor, coverage", &dashboardtest.World{Blind: true}, "/coverage", 200, "gnomon doctor"},
		{"no use", &dashboardtest.World{Quiet: true}, "/", 200, "No AI service was seen"},
		{"no findings", &dashboardtest.World{Quiet: true}, "/findings", 200, "No findings"},
		{"filtered away", whole, "/?site=mars", 200, "Remove all filters"},
		{"records begin within the period", whole, "/?from=2024-09-01&to=2024-09-30", 200, "Records begin on"},
		{"nothing to compare with", whole, "/?from=2024-10-01&to=2025-10-30", 200, "No comparison"},
		{"no such page", whole, "/nowhere", 404, "Nothing here"},
		{"no such service", whole, "/services/nowhere", 404, "Nothing here"},
		{"no such kind", whole, "/findings?kind=x", 404, "Nothing here"},
		{"no such table", whole, "/?csv=secrets", 404, "Nothing here"},
		{"no such period", whole, "/?p=1y", 400, "not offered"},
		{"broken address", whole, "/?p=%zz", 400, "cannot be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := open(t, tt.world, nil).get(tt.path, nil)
			if got.Code != tt.status || !strings.Contains(got.Body.String(), tt.says) {
				t.Errorf("status %d, want %d with %q", got.Code, tt.status, tt.says)
			}
			if strings.Contains(got.Body.String(), "locked") {
				t.Error("the page tells what is inside the store")
			}
			checkHTML(t, got.Body.String())
		})
	}
}

// TestServiceOfBefore shows a service that the catalogue knows no more, and that was not used in the period, by the name that it had.
func TestServiceOfBefore(t *testing.T) {
	server, err := dashboard.New(dashboard.Default(), dashboard.Parts{Query: &dashboardtest.World{}, About: dashboardtest.About, Now: dashboardtest.Now})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/services/chatgpt?from=2024-01-01&to=2024-01-07": {200, "<h1>ChatGPT</h1>"},
		"/services/nowhere?from=2024-01-01&to=2024-01-07": {404, "Nothing here"},
	} {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, request("GET", path, nil))
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.says) {
			t.Errorf("%s: status %d, want %d with %q", path, w.Code, want.status, want.says)
		}
		checkHTML(t, w.Body.String())
	}
}

// TestGaveUp ends a request whose store hangs.
func TestGaveUp(t *testing.T) {
	s := open(t, &dashboardtest.World{Wait: make(chan struct{})}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, request("GET", "/", nil).WithContext(ctx))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d", w.Code)
	}
}

// TestAudit wants a record of each look at a person, and none of a look at sums.
func TestAudit(t *testing.T) {
	w := &dashboardtest.World{}
	s := open(t, w, withUsers(t))
	analyst := s.login(t, "ada")
	key := w.Keys()[0]
	for _, path := range []string{"/", "/services?csv=services", "/users/" + key, "/records?user=" + key, "/users?csv=users"} {
		s.get(path, analyst)
	}
	s.post("eve", "x", "/")
	var got []string
	for _, a := range s.acts {
		got = append(got, fmt.Sprint(a.What, " ", a.Who, " ", a.On == key, " ", a.Succeeded))
	}
	want := []string{"login ada false true", "view-user ada true true", "view-user ada true true", "export-users ada false true", "login eve false false"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if s.acts[0].From != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("from %v", s.acts[0].From)
	}
}

func BenchmarkOverview(b *testing.B) {
	w := &dashboardtest.World{}
	s, err := dashboard.New(dashboard.Default(), dashboard.Parts{Query: w, About: dashboardtest.About, Now: dashboardtest.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.ServeHTTP(httptest.NewRecorder(), request("GET", "/", nil))
	}
}
