package dashboard

import (
	"encoding/csv"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard/login"
	"github.com/gnomon-sensor/gnomon/exporters/query"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "chatgpt.com", "chatgpt.com"},
		{"other scripts", "Отдел продаж 部門", "Отдел продаж 部門"},
		{"bidi override", "exe\u202efdp.com", `exe\u{202e}fdp.com`},
		{"bidi isolate", "\u2066a\u2069", `\u{2066}a\u{2069}`},
		{"zero width", "chat\u200bgpt", `chat\u{200b}gpt`},
		{"line break", "a\r\nb", `a\u{000d}\u{000a}b`},
		{"no UTF-8", "a\xffb", `a\xffb`},
		{"the replacement itself", "a\ufffdb", "a\ufffdb"},
		{"markup is html/template's", "<b>", "<b>"},
		{"pile of marks", "a" + strings.Repeat("\u0301", 6), "a" + strings.Repeat("\u0301", 4) + `\u{0301}\u{0301}`},
		{"endless", strings.Repeat("a", 400), strings.Repeat("a", maxText) + "…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := clean(tt.in); got != tt.want {
				t.Errorf("clean(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	f.Add("chatgpt.com")
	f.Add("a\u202eb\xff\u0301\u0301\u0301\u0301\u0301\u0301")
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s)
		if strings.ContainsFunc(strings.TrimSuffix(got, "…"), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("clean(%q) = %q has what cannot be seen", s, got)
		}
		if len(got) > 12*maxText+4 {
			t.Errorf("clean of %d bytes gave %d", len(s), len(got))
		}
	})
}

func TestFigures(t *testing.T) {
	for _, tt := range []struct{ name, got, want string }{
		{"small count", count(1234), "1234"},
		{"large count", count(1234567), "1 234 567"},
		{"bytes", size(999), "999 B"},
		{"kilobytes", size(1500), "1.50 kB"},
		{"rounds up into the next unit", size(999_600), "1.00 MB"},
		{"gigabytes", size(12_340_000_000), "12.3 GB"},
		{"all", size(^uint64(0)), "18.4 EB"},
		{"bounds in one unit", between(query.Bounds{Bytes: 1_200_000_000, Low: 1_100_000_000, High: 1_400_000_000}), "1.10–1.40 GB"},
		{"wide bounds", between(query.Bounds{Bytes: 1_200_000_000, Low: 100, High: 1_400_000_000}), "100 B–1.40 GB"},
		{"nothing of nothing", percent(0, 0), "–"},
		{"never nothing where there is something", percent(1, 100_000), "< 0.1 %"},
		{"never all where something is missing", percent(99_999, 100_000), "> 99.9 %"},
		{"all of it", percent(7, 7), "100 %"},
		{"none of it", percent(0, 7), "0 %"},
		{"change up", change(120, 100, "before"), "▲ 20 % on before"},
		{"change down", change(80, 100, "before"), "▼ 20 % on before"},
		{"change from nothing", change(80, 0, "before"), "none in before"},
		{"change beyond sense", change(5000, 100, "before"), "▲ 50 times that of before"},
		{"change of nothing", change(5, 5, "before"), "the same as in before"},
		{"short", lasting(90 * time.Second), "2 min"},
		{"hours", lasting(3*time.Hour + 20*time.Minute), "3 h 20 min"},
		{"days", lasting(50 * time.Hour), "2 d 2 h"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.ReplaceAll(tt.got, thin, " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestUploadText(t *testing.T) {
	known := query.Bounds{Bytes: 1000, Low: 900, High: 1100}
	for _, tt := range []struct {
		name string
		row  query.Row
		want string
	}{
		{"estimate", query.Row{Flows: 2, Upload: known}, "≈ 1.00 kB"},
		{"known in part", query.Row{Flows: 2, Unknown: 1, Upload: known}, "≈ 1.00 kB"},
		{"unknown is said", query.Row{Flows: 2, Unknown: 2}, "unknown"},
		{"nothing was sent", query.Row{Flows: 2}, "0 B"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := uploadText(&tt.row)
			if got = strings.ReplaceAll(got, thin, " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// rowsOf makes rows with so many users each, named a, b, c, ...
func rowsOf(users ...uint64) []query.Row {
	var rows []query.Row
	for i, n := range users {
		rows = append(rows, query.Row{Key: []string{string(rune('a' + i))}, Users: n, Visits: n})
	}
	return rows
}

func keysOf(rows []query.Row) string {
	var keys []string
	for i := range rows {
		keys = append(keys, rows[i].Key[0])
	}
	slices.Sort(keys)
	return strings.Join(keys, "")
}

func TestFold(t *testing.T) {
	for _, tt := range []struct {
		name          string
		users         []uint64
		hidden        string
		shown, folded string
	}{
		{"all large", []uint64{9, 7, 5}, "", "abc", ""},
		{"two small ones with enough people", []uint64{9, 3, 4}, "", "a", "bc"},
		{"two small ones with too few people", []uint64{9, 1, 2, 7}, "", "a", "bcd"},
		{"a single small one takes the next with it", []uint64{20, 3, 9}, "", "a", "bc"},
		{"a single small one beside one large", []uint64{20, 3}, "", "", "ab"},
		{"a single one", []uint64{3}, "", "", "a"},
		{"nobody", []uint64{9, 8, 0}, "", "a", "bc"},
		{"hidden elsewhere", []uint64{20, 9, 8}, "b", "a", "bc"},
		{"none", nil, "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			shown, folded := fold(rowsOf(tt.users...), 5, func(key string) bool { return strings.Contains(tt.hidden, key) })
			if keysOf(shown) != tt.shown || keysOf(folded) != tt.folded {
				t.Errorf("shown %q, folded %q; want %q, %q", keysOf(shown), keysOf(folded), tt.shown, tt.folded)
			}
		})
	}
}

// FuzzFold holds the promise of fold for any sizes: what is folded cannot be found by subtraction.
func FuzzFold(f *testing.F) {
	f.Add([]byte{9, 3, 4}, byte(5))
	f.Add([]byte{0, 0, 1}, byte(3))
	f.Fuzz(func(t *testing.T, sizes []byte, least byte) {
		var rows []query.Row
		for i, n := range sizes {
			rows = append(rows, query.Row{Key: []string{string(rune(i))}, Users: uint64(n)})
		}
		shown, folded := fold(rows, uint64(least), nil)
		if len(shown)+len(folded) != len(rows) {
			t.Fatalf("%d rows became %d and %d", len(rows), len(shown), len(folded))
		}
		for i := range shown {
			if shown[i].Users < uint64(least) {
				t.Errorf("a row with %d users is shown", shown[i].Users)
			}
		}
		if len(folded) > 0 && len(shown) > 0 && (len(folded) < 2 || together(folded).Users < uint64(least)) {
			t.Errorf("%d rows with %d users are folded", len(folded), together(folded).Users)
		}
	})
}

func TestPeriod(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 19, 13, 20, 0, 0, time.UTC) // a Thursday, 14:20 in Berlin
	for _, tt := range []struct {
		name, query    string
		from, to       string
		before         string
		step           query.Dimension
		steps          int
		first, problem string
	}{
		{name: "default", from: "2026-10-21T00:00", to: "2026-11-19T15:00", before: "2026-09-21T00:00", step: query.ByDay, steps: 30, first: "2026-10-21"},
		{name: "24 hours", query: "p=24h", from: "2026-11-18T15:00", to: "2026-11-19T15:00", before: "2026-11-17T15:00", step: query.ByHour, steps: 24, first: "2026-11-18T15:00:00+01:00"},
		{name: "week", query: "p=7d", from: "2026-11-13T00:00", to: "2026-11-19T15:00", before: "2026-11-06T00:00", step: query.ByDay, steps: 7, first: "2026-11-13"},
		{name: "12 weeks begin on a Monday", query: "p=12w", from: "2026-08-31T00:00", to: "2026-11-19T15:00", before: "2026-06-08T00:00", step: query.ByWeek, steps: 12, first: "2026-08-31"},
		{name: "12 months", query: "p=12m", from: "2025-12-01T00:00", to: "2026-11-19T15:00", before: "2024-12-01T00:00", step: query.ByMonth, steps: 12, first: "2025-12-01"},
		{name: "one day", query: "p=custom&from=2026-11-03&to=2026-11-03", from: "2026-11-03T00:00", to: "2026-11-04T00:00", before: "2026-11-02T00:00", step: query.ByHour, steps: 24, first: "2026-11-03T00:00:00+01:00"},
		{name: "the day with 25 hours", query: "p=custom&from=2026-10-25&to=2026-10-25", from: "2026-10-25T00:00", to: "2026-10-26T00:00", before: "2026-10-24T00:00", step: query.ByHour, steps: 25, first: "2026-10-25T00:00:00+02:00"},
		{name: "p is not needed", query: "from=2026-11-01&to=2026-11-10", from: "2026-11-01T00:00", to: "2026-11-11T00:00", before: "2026-10-22T00:00", step: query.ByDay, steps: 10, first: "2026-11-01"},
		{name: "a quarter", query: "from=2026-07-01&to=2026-09-30", from: "2026-07-01T00:00", to: "2026-10-01T00:00", before: "2026-03-31T00:00", step: query.ByWeek, steps: 14, first: "2026-06-29"},
		{name: "end in the future", query: "from=2026-11-18&to=2027-11-10", from: "2026-11-18T00:00", to: "2026-11-20T00:00", before: "2026-11-16T00:00", step: query.ByHour, steps: 48, first: "2026-11-18T00:00:00+01:00"},
		{name: "backwards", query: "from=2026-11-10&to=2026-11-01", problem: "cannot be read"},
		{name: "no day", query: "p=custom&from=yesterday&to=2026-11-01", problem: "cannot be read"},
		{name: "half of it", query: "from=2026-11-10", problem: "cannot be read"},
		{name: "in the future", query: "from=2027-11-10&to=2027-11-11", problem: "future"},
		{name: "centuries", query: "from=2001-01-01&to=2026-11-01", problem: "1100 days"},
		{name: "no such preset", query: "p=1y", problem: "not offered"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			p, err := parsePeriod(q, now, berlin)
			if tt.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tt.problem) {
					t.Fatalf("error %v does not say %q", err, tt.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			const layout = "2006-01-02T15:04"
			before, end := p.before()
			if p.from.Format(layout) != tt.from || p.to.Format(layout) != tt.to || before.In(berlin).Format(layout) != tt.before {
				t.Errorf("from %v to %v, before from %v", p.from, p.to, before)
			}
			if end.After(p.from) {
				t.Errorf("the period before ends at %v, within this one", end)
			}
			starts := p.starts()
			if p.step != tt.step || len(starts) != tt.steps || p.key(starts[0]) != tt.first {
				t.Errorf("%d steps by %s from %s; want %d by %s from %s", len(starts), p.step, p.key(starts[0]), tt.steps, tt.step, tt.first)
			}
		})
	}
}

func TestSegments(t *testing.T) {
	for _, key := range []string{"", ".", "..", "~", "~x", "a/b", "a b", "a?b#c", "ip:10.1.2.3@berlin", "<script>", "\xff", "%2e%2e", "Ünï"} {
		t.Run(key, func(t *testing.T) {
			path, err := url.PathUnescape(toSegment(key))
			if err != nil || fromSegment(path) != key {
				t.Errorf("%q becomes %q becomes %q (%v)", key, toSegment(key), fromSegment(path), err)
			}
			if s := toSegment(key); s == "" || s[0] == '.' || strings.ContainsAny(s, "/?# ") {
				t.Errorf("%q cannot stand in a path", s)
			}
		})
	}
}

func TestCSVCells(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"text", "ChatGPT", "ChatGPT"},
		{"number", "12", "12"},
		{"formula", `=HYPERLINK("http://x")`, `'=HYPERLINK("http://x")`},
		{"plus", "+1", "'+1"},
		{"minus", "-1", "'-1"},
		{"at", "@SUM(A1)", "'@SUM(A1)"},
		{"tab", "\t=1", "'\t=1"},
		{"return", "\r=1", "'\r=1"},
		{"behind spaces", "  =1", "'  =1"},
		{"full width", "＝1", "'＝1"},
		{"empty", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := csvCell(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWriteCSV(t *testing.T) {
	w := httptest.NewRecorder()
	tab := &table{ID: "services", Columns: append([]column{{Title: "Service"}, {Title: "Share", Class: "bar", CSV: []string{}}}, figureColumns()...), More: "cut after 1 row"}
	r := query.Row{Users: 3, Visits: 12345, Flows: 4, Unknown: 1, Upload: query.Bounds{Bytes: 20, Low: 10, High: 30}, Background: query.Background{Users: 2}}
	tab.Rows = [][]cell{append([]cell{text(`=1+"a",` + "b"), {Bar: &bar{}, CSV: []string{}}}, figureCells(&r)...)}
	if err := writeCSV(w, tab); err != nil {
		t.Fatal(err)
	}
	in := csv.NewReader(w.Body)
	in.FieldsPerRecord = -1
	got, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"service", "users", "background_users", "visits", "background_visits", "upload_bytes", "upload_low", "upload_high", "flows_upload_unknown"},
		{`'=1+"a",b`, "3", "2", "12345", "0", "20", "10", "30", "1"}, {"cut after 1 row"}}
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSummarize(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var rows []query.CoverageRow
	for h, minutes := range []int{60, 0, 0, 30, 60, 60} {
		r := query.CoverageRow{Start: start.Add(time.Duration(h) * time.Hour), Minutes: minutes}
		r.Flows, r.FlowsReadable, r.FlowsNamed, r.Received = 300, 100, 80, 1000
		rows = append(rows, r)
	}
	s := summarize(rows, start, start.Add(6*time.Hour), start.Add(5*time.Hour+33*time.Minute), time.Hour)
	if s.expected != 330 || s.watched != 60+30+60+30 {
		t.Errorf("watched %d of %d minutes, want 180 of 330", s.watched, s.expected)
	}
	if len(s.gaps) != 1 || !s.gaps[0].from.Equal(start.Add(time.Hour)) || s.gaps[0].to.Sub(s.gaps[0].from) != 2*time.Hour {
		t.Errorf("gaps %v, want one of two hours", s.gaps)
	}
	if w := strings.Join(s.worries(), "; "); !strings.Contains(w, "not watched for") || !strings.Contains(w, "no readable name") {
		t.Errorf("worries are %q", w)
	}
}

func TestNiceTick(t *testing.T) {
	for _, tt := range []struct {
		name      string
		top, want uint64
	}{{"nothing", 0, 1}, {"five", 5, 1}, {"six", 6, 2}, {"eleven", 11, 5}, {"hundreds", 420, 100}, {"gigabytes", 2_400_000_000, 500_000_000}, {"largest", 1 << 60, 500_000_000_000_000_000}} {
		t.Run(tt.name, func(t *testing.T) {
			if got := niceTick(tt.top); got != tt.want {
				t.Errorf("niceTick(%d) = %d, want %d", tt.top, got, tt.want)
			}
		})
	}
}

// TestDrawing draws figures no network has: nothing may leave the picture, and drawing them ends.
func TestDrawing(t *testing.T) {
	c := &chart{ID: "x", Series: []series{{"a", "s-plain"}, {"b", "s-none"}}, write: count, Gaps: []chartGap{{0, 1}}}
	for _, n := range []uint64{0, 1, 1 << 40, 1 << 59} {
		c.Steps = append(c.Steps, chartStep{short: "s", long: "l", values: []uint64{n, n / 2}})
	}
	for _, d := range []drawing{c.Wide(), c.Narrow()} {
		if len(d.Grid) < 2 || len(d.Columns) != 4 {
			t.Fatalf("%d lines, %d columns", len(d.Grid), len(d.Columns))
		}
		for _, column := range d.Columns {
			for _, part := range column.Parts {
				if part.Y < d.Top-0.6 || part.Y+part.H > d.Base+0.6 || column.X < d.Left || column.X+column.W > d.Right {
					t.Errorf("%+v leaves the picture", part)
				}
			}
		}
	}
}

func TestLocalPath(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"page", "/services?p=7d", "/services?p=7d"},
		{"empty", "", "/"},
		{"other host", "https://evil.example/", "/"},
		{"no scheme", "//evil.example/", "/"},
		{"backslash", `/\evil.example`, "/"},
		{"three slashes", "///evil.example", "/"},
		{"script", "javascript:alert(1)", "/"},
		{"line break", "/a\r\nSet-Cookie: x", "/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := localPath(tt.in); got != tt.want {
				t.Errorf("localPath(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestAddrKey(t *testing.T) {
	for _, tt := range []struct{ name, addr, want string }{
		{"v4", "10.1.2.3", "10.1.2.3"},
		{"v6 is counted by network", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := addrKey(netip.MustParseAddr(tt.addr)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestConfigValidate(t *testing.T) {
	hash, err := HashPassword("correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	user := []login.User{{Name: "ada", Role: login.Analyst, Hash: hash}}
	proxy := []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32")}
	for _, tt := range []struct {
		name   string
		change func(*Config)
		err    string
	}{
		{"default", func(*Config) {}, ""},
		{"off", func(c *Config) { c.Listen = "" }, ""},
		{"localhost", func(c *Config) { c.Listen = "localhost:80" }, ""},
		{"v6 loopback", func(c *Config) { c.Listen = "[::1]:80" }, ""},
		{"no port", func(c *Config) { c.Listen = "127.0.0.1" }, "address and a port"},
		{"open without TLS", func(c *Config) { c.Listen, c.Users = "10.0.0.1:443", user }, "over TLS alone"},
		{"open without logins", func(c *Config) { c.Listen, c.TLSCert, c.TLSKey = "10.0.0.1:443", "c", "k" }, "ask who it is"},
		{"open with both", func(c *Config) { c.Listen, c.TLSCert, c.TLSKey, c.Users = "10.0.0.1:443", "c", "k", user }, ""},
		{"open behind a proxy without TLS", func(c *Config) {
			c.Listen, c.Proxy.From, c.Proxy.Viewers = "10.0.0.1:443", proxy, []string{"managers"}
		}, "over TLS alone"},
		{"everywhere without names", func(c *Config) { c.Listen, c.TLSCert, c.TLSKey, c.Users = "0.0.0.0:443", "c", "k", user }, "any name"},
		{"no address is everywhere", func(c *Config) { c.Listen, c.TLSCert, c.TLSKey, c.Users = ":443", "c", "k", user }, "any name"},
		{"everywhere", func(c *Config) {
			c.Listen, c.TLSCert, c.TLSKey, c.Users, c.Hosts = ":443", "c", "k", user, []string{"gnomon.example.com"}
		}, ""},
		{"certificate without key", func(c *Config) { c.TLSCert = "c" }, "set both or none"},
		{"session", func(c *Config) { c.Session = time.Second }, "5m to 168h"},
		{"group of one", func(c *Config) { c.SmallestGroup = 1 }, "3 to 1000"},
		{"host with a port", func(c *Config) { c.Hosts = []string{"a:80"} }, "no host name"},
		{"host with a star", func(c *Config) { c.Hosts = []string{"*.example.com"} }, "no host name"},
		{"user without hash", func(c *Config) { c.Users = []login.User{{Name: "ada", Role: "viewer"}} }, "hash-password"},
		{"proxy from everywhere", func(c *Config) {
			c.Proxy.From, c.Proxy.Viewers = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}, []string{"m"}
		}, "is everyone"},
		{"proxy without groups", func(c *Config) { c.Proxy.From = proxy }, "nobody could see"},
		{"proxy without header", func(c *Config) { c.Proxy.From, c.Proxy.Viewers, c.Proxy.UserHeader = proxy, []string{"m"}, "" }, "no name of a header"},
		{"proxy without separator", func(c *Config) { c.Proxy.From, c.Proxy.Viewers, c.Proxy.GroupSeparator = proxy, []string{"m"}, "" }, "group_separator"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Default()
			tt.change(&c)
			err := c.Validate()
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

func TestQuietNote(t *testing.T) {
	server := &Server{config: Config{SmallestGroup: 5}}
	tests := []struct {
		name    string
		analyst bool
		users   uint64
		want    string
	}{
		{"none", true, 0, ""},
		{"an analyst may see few", true, 2, "and 2 in the background only"},
		{"a viewer may not", false, 2, ""},
		{"a viewer may see many", false, 5, "and 5 in the background only"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := &view{s: server}
			if tt.analyst {
				v.who.Role = login.Analyst
			}
			if got := v.quietNote(&query.Row{Background: query.Background{Users: tt.users}}); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
	shown, _ := (&view{s: server}).departmentRows([]query.Row{{Key: []string{"a"}, Users: 9, Background: query.Background{Users: 1}}}, nil)
	if len(shown) != 1 || shown[0].Background.Users != 0 {
		t.Errorf("%+v", shown)
	}
}
