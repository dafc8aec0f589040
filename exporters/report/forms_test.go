package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// hostile names try to break out of every form.
func hostile(kind string, i int) string {
	tricks := []string{
		`<script>alert(1)</script>`, `=HYPERLINK("http://example.org","x")`, "+1+1", "-2", "@SUM(A1)", "\tTAB", "\rCR", "a\"b,c;d\ne",
		"\x1b[2J\x1b[31m", "\u202Egnp.exe", "\xff\xfe broken", "山田太郎", "Ελένη Παπαδοπούλου", "Наталья", strings.Repeat("Long name ", 60),
		strings.Repeat("x", 5000), "(paren\\theses)", "]]>--><!--", "{{.}} %s", "😀 emoji", "",
	}
	return fmt.Sprintf("%s%d", tricks[i%len(tricks)], i) + kind
}

// shapes are the data that every form must bear.
func shapes(t testing.TB) map[string]query.Query {
	t.Helper()
	hard := usual()
	hard.name, hard.services, hard.departments = hostile, 60, 40
	small := usual()
	small.users = 1
	large := usual()
	large.users, large.perWeek, large.from, large.departments = 10_000, 0.25, date("2026-07-01"), 300
	blind := newFake(usual())
	blind.watched = nil
	holed := newFake(usual())
	holed.watched = func(t time.Time) bool { return t.YearDay()%5 < 3 }
	empty := &fake{watched: blind.watched, sumsFrom: date("2025-10-01")}
	return map[string]query.Query{"hostile names": newFake(hard), "one user": newFake(small), "10000 users": newFake(large), "no coverage": blind,
		"full of gaps": holed, "nothing at all": empty, "unspanned": silent{newFake(usual())}}
}

var pageObject = regexp.MustCompile(`/Type /Page\b[^s]`)

// Every form of every shape holds together; management's PDF has two pages.
func TestForms(t *testing.T) {
	for name, q := range shapes(t) {
		for _, a := range []Audience{Management, DLP} {
			for _, paper := range []Paper{A4, Letter} {
				req := september(t, a)
				req.Paper, req.TopN = paper, 15
				rep := build(t, q, req)
				t.Run(fmt.Sprintf("%s, %s, %s", name, a, paper), func(t *testing.T) {
					checkText(t, searchable(t, rep, "text"))
					checkHTML(t, searchable(t, rep, "html"))
					checkCSV(t, searchable(t, rep, "csv"))
					if b := searchable(t, rep, "json"); !json.Valid(b) {
						t.Error("the JSON is not valid")
					}
					pdf := searchable(t, rep, "pdf")
					pages := len(pageObject.FindAll(pdf, -1))
					if pages < 1 || a == Management && pages > managementPages {
						t.Errorf("%d pages", pages)
					}
					if !bytes.HasPrefix(pdf, []byte("%PDF-")) || !bytes.HasSuffix(bytes.TrimSpace(pdf), []byte("%%EOF")) {
						t.Error("the PDF is not whole")
					}
				})
			}
		}
	}
}

func checkText(t *testing.T, b []byte) {
	t.Helper()
	if !utf8.Valid(b) {
		t.Error("the text is not UTF-8")
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if n := cells(line); n > textColumns {
			t.Errorf("%d columns: %q", n, line)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x202e }) {
			t.Errorf("control characters in %q", line)
		}
	}
}

// checkHTML wants a well-formed page that runs and loads nothing.
func checkHTML(t *testing.T, b []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(b))
	d.Strict, d.AutoClose, d.Entity = false, []string{"meta"}, xml.HTMLEntity
	ids, depth := map[string]bool{}, 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("reading the HTML: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			depth++
			if n := e.Name.Local; n == "script" || n == "img" || n == "link" || n == "iframe" || n == "object" || n == "form" {
				t.Errorf("there is a %s", n)
			}
			for _, attr := range e.Attr {
				name := attr.Name.Local
				if strings.HasPrefix(name, "on") || name == "src" || name == "href" && !strings.HasPrefix(attr.Value, "#") {
					t.Errorf("%s has %s=%q", e.Name.Local, name, attr.Value)
				}
				if name == "id" && ids[attr.Value] {
					t.Errorf("two elements are called %s", attr.Value)
				}
				ids[attr.Value] = ids[attr.Value] || name == "id"
				if strings.Contains(attr.Value, "ZgotmplZ") {
					t.Errorf("%s has an attribute the template refused: %v", e.Name.Local, attr)
				}
			}
		case xml.EndElement:
			depth--
		}
	}
	if depth != 0 || bytes.Contains(b, []byte("url(")) || bytes.Contains(b, []byte("@import")) {
		t.Errorf("%d elements are left open, or the style loads something", depth)
	}
}

// checkCSV wants one table with harmless cells and bounds the right way round.
func checkCSV(t *testing.T, b []byte) {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range records[0] {
		at[name] = i
	}
	figure := func(r []string, name string) uint64 {
		n, err := strconv.ParseUint(r[at[name]], 10, 64)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return n
	}
	for _, r := range records[1:] {
		if r[0] == "" {
			t.Errorf("no section in %q", r)
		}
		for _, c := range r {
			if c != "" && strings.ContainsRune("=+-@\t\r", rune(c[0])) {
				t.Errorf("a formula: %q", c)
			}
		}
		if r[at["upload_bytes"]] == "" {
			continue
		}
		if low, n, high := figure(r, "upload_low"), figure(r, "upload_bytes"), figure(r, "upload_high"); low > n || n > high {
			t.Errorf("bounds of %q: %d, %d, %d", r[1], low, n, high)
		}
	}
	if !bytes.Contains(b, []byte("\r\n")) {
		t.Error("lines do not end as RFC 4180 says")
	}
}

// Names in writing that the PDF's font lacks are told apart by the head of the pseudonym, and the page says why.
func TestUndrawableNames(t *testing.T) {
	s := usual()
	s.users = 12
	s.name = func(kind string, i int) string {
		if kind == "user" {
			return "山田"
		}
		return ordinary(kind, i)
	}
	rep := build(t, newFake(s), september(t, DLP))
	pdf := searchable(t, rep, "pdf")
	if !bytes.Contains(pdf, utf16Text("hmac001eef")) || !bytes.Contains(pdf, utf16Text("stands for letters")) {
		t.Error("users whose names cannot be drawn look alike, or the page does not say why")
	}
	if html := searchable(t, rep, "html"); !bytes.Contains(html, []byte("山田")) {
		t.Error("the HTML has no name")
	}
}

// A figure is never cut: without its end it would be another one.
func TestFiguresInFull(t *testing.T) {
	s := usual()
	s.users = 30
	r := build(t, newFake(s), september(t, DLP))
	u := &r.ByService.Rows[0].Use
	u.Users, u.Visits = 123_456_789, 1_234_567_890_123
	u.Upload = Upload{Bytes: 999_600_000_000_000, Low: 987_600_000, High: 1_023_400_000_000_000, Known: true}
	var b bytes.Buffer
	if err := r.writePDF(&b, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{number(u.Users), visits(*u), estimate(*u), bounds(*u)} {
		if !bytes.Contains(b.Bytes(), utf16Text(want)) {
			t.Errorf("%q does not stand in the PDF as a whole", want)
		}
	}
}

func TestHarmless(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "Sales", "Sales"}, {"empty", "", ""}, {"equals", "=1", "'=1"}, {"plus", "+1", "'+1"}, {"minus", "-1", "'-1"},
		{"at", "@a", "'@a"}, {"tab", "\ta", "'\ta"}, {"return", "\ra", "'\ra"}, {"within", "a=1", "a=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := harmless(tt.in); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// An empty period says that nothing was seen, and one that was not watched that nothing can be said.
func TestEmptyPeriods(t *testing.T) {
	watchful := newFake(usual())
	watchful.uses, watchful.findings = nil, nil
	blind := &fake{sumsFrom: date("2025-10-01")}
	for _, tt := range []struct {
		name string
		q    query.Query
		want string
	}{{"watched", watchful, "No use of AI services was seen"}, {"not watched", blind, "cannot say whether there was any"}} {
		for _, a := range []Audience{Management, DLP} {
			t.Run(tt.name+" "+string(a), func(t *testing.T) {
				text := searchable(t, build(t, tt.q, september(t, a)), "text")
				if !bytes.Contains(bytes.ReplaceAll(text, []byte("\n"), []byte(" ")), []byte(tt.want)) {
					t.Errorf("%q is missing in\n%s", tt.want, text)
				}
			})
		}
	}
}
