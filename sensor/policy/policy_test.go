package policy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// rules is how rules are written.
const rules = `
[[rule]]
id = "our-azure"
names = ["contoso-*.openai.azure.com", "**.ai.contoso.example"]
status = "approved"
owner = "platform@contoso.example"
review = 2026-06-30
reason = "our own resources"

[[rule]]
id = "chatgpt-trial"
services = ["openai-chatgpt"]
departments = ["Research"]
status = "tolerated"
from = 2026-03-01
until = "2026-03-31"

[[rule]]
id = "chatgpt-guests"
services = ["openai-chatgpt", "openai-api"]
networks = ["10.9.0.0/16", "2001:db8:9::/48"]
status = "in-review"

[[rule]]
id = "chatgpt"
services = ["openai-chatgpt"]
status = "prohibited"
owner = "dlp"

[[rule]]
id = "assistants-of-anthropic"
vendors = ["anthropic"]
categories = ["chat-assistant"]
status = "tolerated"
review = 2026-12-31

[[rule]]
id = "coding"
categories = ["Coding"]
status = "approved"

[[rule]]
id = "legal"
departments = ["legal"]
status = "prohibited"
`

func parse(t testing.TB, text string) []Rule {
	t.Helper()
	var f File
	meta, err := toml.Decode(text, &f)
	if err != nil {
		t.Fatal(err)
	}
	if len(meta.Undecoded()) > 0 {
		t.Fatalf("not read: %v", meta.Undecoded())
	}
	return f.Rules
}

func mustCompile(t testing.TB, rules []Rule, loc *time.Location) *Policy {
	t.Helper()
	p, err := Compile(rules, loc)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// moment reads a time of RFC 3339.
func moment(s string) event.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return event.At(t)
}

// activity is a record of a use.
func activity(service, at string, change func(*event.Event)) *event.Event {
	counted := true
	ev := &event.Event{Event: event.Meta{ID: "id-" + service + at, Dataset: event.DatasetActivity, Start: moment(at)}, Timestamp: moment(at) + 60e9,
		Source: &event.Endpoint{IP: "10.1.2.3"}, Destination: &event.Endpoint{},
		Gnomon: &event.Gnomon{Site: "berlin", Counted: &counted, Service: &event.Service{ID: service, Vendor: "OpenAI", Category: "chat-assistant"}}}
	if change != nil {
		change(ev)
	}
	return ev
}

func in(department string) func(*event.Event) {
	return func(ev *event.Event) { ev.User = &event.User{Group: &event.Group{Name: department}} }
}

func TestJudge(t *testing.T) {
	p := mustCompile(t, parse(t, rules), nil)
	const day = "2026-05-04T12:00:00Z"
	from := func(ip string) func(*event.Event) { return func(ev *event.Event) { ev.Source.IP = ip } }
	to := func(name string) func(*event.Event) { return func(ev *event.Event) { ev.Destination.Domain = name } }
	tests := []struct {
		name, service, at string
		change            func(*event.Event)
		want              string
	}{
		{"no rule", "unknown", day, nil, "unreviewed//"},
		{"service", "openai-chatgpt", day, nil, "prohibited/chatgpt/dlp"},
		{"department on its days", "openai-chatgpt", "2026-03-31T23:59:59Z", in("research"), "tolerated/chatgpt-trial/"},
		{"department before its days", "openai-chatgpt", "2026-02-28T23:59:59Z", in("Research"), "prohibited/chatgpt/dlp"},
		{"department behind its days", "openai-chatgpt", "2026-04-01T00:00:00Z", in("Research"), "prohibited/chatgpt/dlp"},
		{"network", "openai-chatgpt", day, from("10.9.1.1"), "in-review/chatgpt-guests/"},
		{"network in IPv6 clothes", "openai-chatgpt", day, from("::ffff:10.9.1.1"), "in-review/chatgpt-guests/"},
		{"network of IPv6", "openai-api", day, from("2001:db8:9::1"), "in-review/chatgpt-guests/"},
		{"other network", "openai-api", day, from("2001:db8:8::1"), "unreviewed//"},
		{"own resource", "azure-openai", day, to("Contoso-eu.openai.azure.com"), "approved/our-azure/platform@contoso.example"},
		{"somebody else's resource", "azure-openai", day, to("evil.openai.azure.com"), "unreviewed//"},
		{"a label more", "azure-openai", day, to("contoso-x.evil.openai.azure.com"), "unreviewed//"},
		{"by TLS name", "azure-openai", day, func(ev *event.Event) {
			ev.TLS = &event.TLS{Client: &event.TLSClient{ServerName: "contoso-eu.openai.azure.com"}}
		}, "approved/our-azure/platform@contoso.example"},
		{"by URL", "x", day, func(ev *event.Event) { ev.URL = &event.URL{Domain: "a.b.ai.contoso.example."} }, "approved/our-azure/platform@contoso.example"},
		{"by question", "x", day, func(ev *event.Event) { ev.DNS = &event.DNS{Question: &event.Question{Name: "a.ai.contoso.example"}} },
			"approved/our-azure/platform@contoso.example"},
		{"last day of the approval", "azure-openai", "2026-06-30T23:59:59Z", to("contoso-eu.openai.azure.com"), "approved/our-azure/platform@contoso.example"},
		{"approval is over", "azure-openai", "2026-07-01T00:00:00Z", to("contoso-eu.openai.azure.com"), "in-review/our-azure/platform@contoso.example"},
		{"vendor and category", "claude", day, func(ev *event.Event) { ev.Gnomon.Service.Vendor = "Anthropic" }, "tolerated/assistants-of-anthropic/"},
		{"toleration is over", "claude", "2027-01-01T00:00:00Z", func(ev *event.Event) { ev.Gnomon.Service.Vendor = "Anthropic" }, "in-review/assistants-of-anthropic/"},
		{"vendor alone", "claude", day, func(ev *event.Event) { ev.Gnomon.Service.Vendor, ev.Gnomon.Service.Category = "Anthropic", "api" }, "unreviewed//"},
		{"category", "copilot", day, func(ev *event.Event) { ev.Gnomon.Service.Category = "coding" }, "approved/coding/"},
		{"first rule wins", "copilot", day, func(ev *event.Event) { in("Legal")(ev); ev.Gnomon.Service.Category = "coding" }, "approved/coding/"},
		{"department alone", "x", day, in("LEGAL"), "prohibited/legal/"},
		{"nothing but a service", "openai-chatgpt", day, func(ev *event.Event) { ev.Source, ev.Destination = nil, nil }, "prohibited/chatgpt/dlp"},
		{"no start", "openai-chatgpt", day, func(ev *event.Event) { ev.Event.Start = 0 }, "prohibited/chatgpt/dlp"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ev := activity(tt.service, tt.at, tt.change)
			p.Judge(ev)
			got := ev.Gnomon.Policy
			if s := got.Status + "/" + got.Rule + "/" + got.Owner; s != tt.want {
				t.Errorf("got %s, want %s", s, tt.want)
			}
		})
	}
}

func TestJudgeLeavesOthersAlone(t *testing.T) {
	p := mustCompile(t, nil, nil)
	for _, ev := range []*event.Event{{}, {Gnomon: &event.Gnomon{}}} {
		if p.Judge(ev); ev.Gnomon != nil && ev.Gnomon.Policy != nil {
			t.Errorf("judged %+v", ev.Gnomon.Policy)
		}
	}
}

// TestJudgeDays wants a rule's days to be those of the organisation, where clocks are changed too.
func TestJudgeDays(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	p := mustCompile(t, parse(t, `
[[rule]]
id = "a-day"
status = "approved"
services = ["s"]
from = 2026-03-29
until = 2026-03-29
`), berlin)
	for at, want := range map[string]string{"2026-03-28T22:59:59Z": Unreviewed, "2026-03-28T23:00:00Z": Approved,
		"2026-03-29T21:59:59Z": Approved, "2026-03-29T22:00:00Z": Unreviewed} {
		ev := activity("s", at, nil)
		if p.Judge(ev); ev.Gnomon.Policy.Status != want {
			t.Errorf("at %s: %s, want %s", at, ev.Gnomon.Policy.Status, want)
		}
	}
}

// TestJudgeOrder compares the lists with a walk over all rules.
func TestJudgeOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	pick := func(of string) []string {
		var out []string
		for range rng.IntN(3) {
			out = append(out, fmt.Sprint(of, rng.IntN(3)))
		}
		return out
	}
	for range 500 {
		var list []Rule
		for i := range rng.IntN(12) {
			list = append(list, Rule{ID: fmt.Sprint("r", i), Status: Approved, Services: pick("s"), Vendors: pick("v"), Categories: pick("c"), Departments: pick("d")})
		}
		list = append(list, Rule{ID: "last", Status: Prohibited})
		for i := range list[:len(list)-1] {
			if list[i].anything() {
				list[i].Departments = []string{"d0"}
			}
		}
		p := mustCompile(t, list, nil)
		for range 20 {
			s := &event.Service{ID: fmt.Sprint("s", rng.IntN(3)), Vendor: fmt.Sprint("V", rng.IntN(3)), Category: fmt.Sprint("c", rng.IntN(3))}
			u := use{service: s, department: fmt.Sprint("D", rng.IntN(3))}
			want := ""
			for _, r := range list {
				if among(r.Services, s.ID) && among(r.Vendors, s.Vendor) && among(r.Categories, s.Category) && among(r.Departments, u.department) {
					want = r.ID
					break
				}
			}
			if got := p.judge(&u).Rule; got != want {
				t.Fatalf("got %s, want %s of %+v for %+v in %s", got, want, list, s, u.department)
			}
		}
	}
}

func TestCompileErrors(t *testing.T) {
	ok := Rule{ID: "ok", Services: []string{"s"}, Status: Approved}
	with := func(change func(*Rule)) []Rule {
		r := ok
		r.ID = "bad"
		change(&r)
		return []Rule{ok, r, {ID: "third", Services: []string{"s"}, Status: Approved}}
	}
	day := func(s string) (d Date) {
		if err := d.UnmarshalText([]byte(s)); err != nil {
			t.Fatal(err)
		}
		return d
	}
	tests := []struct {
		name  string
		rules []Rule
		want  string
	}{
		{"no id", with(func(r *Rule) { r.ID = "" }), `policy.rule 2 (id ""): id = ""`},
		{"odd id", with(func(r *Rule) { r.ID = "a b" }), `id = "a b": ' ' is neither`},
		{"same id", with(func(r *Rule) { r.ID = "ok" }), `policy.rule 2 (id "ok"): id = "ok" is that of rule 1 too`},
		{"no status", with(func(r *Rule) { r.Status = "" }), `policy.rule 2 (id "bad"): status = "" is none of`},
		{"odd status", with(func(r *Rule) { r.Status = "allowed" }), `status = "allowed" is none of ["approved"`},
		{"unreviewed is no opinion", with(func(r *Rule) { r.Status = Unreviewed }), `status = "unreviewed"`},
		{"days turned round", with(func(r *Rule) { r.From, r.Until = day("2026-02-01"), day("2026-01-31") }), "until = 2026-01-31 lies before from = 2026-02-01"},
		{"review of a prohibition", with(func(r *Rule) { r.Status, r.Review = Prohibited, day("2026-02-01") }), "review = 2026-02-01"},
		{"everything, not last", with(func(r *Rule) { r.Services = nil }), "the 1 rules behind it would never be asked"},
		{"empty entry", with(func(r *Rule) { r.Vendors = []string{"a", " "} }), "vendors: an entry is empty"},
		{"no network", with(func(r *Rule) { r.Networks = []string{"10.0.0.1/8"} }), `networks: "10.0.0.1/8"`},
		{"star at the end", with(func(r *Rule) { r.Names = []string{"openai.*"} }), `names: "openai.*" ends in a star`},
		{"star alone", with(func(r *Rule) { r.Names = []string{"*"} }), `names: "*" ends in a star`},
		{"two stars inside", with(func(r *Rule) { r.Names = []string{"a.**.com"} }), "has ** elsewhere"},
		{"empty label", with(func(r *Rule) { r.Names = []string{"a..com"} }), `names: "a..com" is no pattern`},
		{"empty name", with(func(r *Rule) { r.Names = []string{""} }), `names: "" is no pattern`},
		{"a URL", with(func(r *Rule) { r.Names = []string{"https://a.com"} }), "has ':' in it"},
		{"a character class", with(func(r *Rule) { r.Names = []string{"[ab].com"} }), "has '[' in it"},
		{"two faults", with(func(r *Rule) { r.Status, r.Networks = "x", []string{"y"} }), "networks: \"y\""},
		{"too many", make([]Rule, maxRules+1), "there are 10001 rules"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Compile(tt.rules, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	both := Config{File: "policy.toml", Rules: []Rule{ok}}
	if err := both.Validate(); err == nil || !strings.Contains(err.Error(), `policy.file = "policy.toml"`) {
		t.Errorf("rules in two places: %v", err)
	}
	if c := Default(); c.Validate() != nil {
		t.Errorf("the default: %v", c.Validate())
	}
}

func TestDate(t *testing.T) {
	tests := []struct {
		name, text, want string
		ok               bool
	}{
		{"day", "2026-12-31", "2026-12-31", true},
		{"date of TOML", "2026-12-31T00:00:00+01:00", "2026-12-31", true},
		{"none", "", "", true},
		{"moment", "2026-12-31T10:00:00Z", "", false},
		{"no day", "2026-02-30", "", false},
		{"far away", "9999-12-31", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d Date
			if err := d.UnmarshalText([]byte(tt.text)); (err == nil) != tt.ok || d.String() != tt.want {
				t.Errorf("got %q, error %v", d, err)
			}
		})
	}
}

func TestUnknownServices(t *testing.T) {
	p := mustCompile(t, parse(t, rules), nil)
	got := p.UnknownServices(func(id string) bool { return id == "openai-chatgpt" })
	if len(got) != 1 || !strings.Contains(got[0], `"chatgpt-guests"`) || !strings.Contains(got[0], `"openai-api"`) {
		t.Errorf("got %q", got)
	}
}

func TestLive(t *testing.T) {
	l := NewLive(mustCompile(t, nil, nil))
	ev := activity("openai-chatgpt", "2026-05-04T12:00:00Z", nil)
	if l.Judge(ev); ev.Gnomon.Policy.Status != Unreviewed {
		t.Errorf("got %+v", ev.Gnomon.Policy)
	}
	l.Swap(mustCompile(t, parse(t, rules), nil))
	if l.Judge(ev); ev.Gnomon.Policy.Status != Prohibited {
		t.Errorf("got %+v", ev.Gnomon.Policy)
	}
}

func TestJudgeAllocs(t *testing.T) {
	p := mustCompile(t, parse(t, rules), nil)
	ev := activity("openai-chatgpt", "2026-05-04T12:00:00Z", in("sales"))
	ev.Gnomon.Service.Vendor = "openai" // lower case costs nothing
	if n := testing.AllocsPerRun(100, func() { p.Judge(ev) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkJudge(b *testing.B) {
	list := parse(b, rules)
	for i := range 200 {
		list = append(list, Rule{ID: fmt.Sprint("s", i), Status: Approved, Services: []string{fmt.Sprint("service-", i)}})
	}
	p := mustCompile(b, list, nil)
	for _, service := range []string{"openai-chatgpt", "service-199", "unknown"} {
		ev := activity(service, "2026-05-04T12:00:00Z", in("sales"))
		ev.Destination.Domain = "ab.cdn.chatgpt.com"
		b.Run(service, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Judge(ev)
			}
		})
	}
}
