package identity

import (
	"strings"
	"testing"
	"time"
)

func FuzzReadTable(f *testing.F) {
	f.Add(example)
	f.Add("\xef\xbb\xbfaddress;user\r\n10.0.0.1;\"anna\"\r\n")
	f.Add("network\tdepartment\tfrom\tuntil\n::/0\tAll\t2026-01-01\t2026-01-02\n")
	f.Fuzz(func(t *testing.T, text string) {
		table, err := readTable(strings.NewReader(text), mustNames(t, nil), time.UTC)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Fatalf("error without a line: %v", err)
			}
			return
		}
		for i := range table.rows { // every row is found where it belongs
			if r := &table.rows[i]; r.until <= r.from || int(r.person) >= len(table.people) || int(r.department) >= len(table.words) ||
				int(r.host) >= len(table.words) {
				t.Fatalf("row %+v", r)
			}
		}
		for i, s := range table.spans {
			first := &table.rows[s.first]
			if table.valid(s, first.from) != first || table.valid(s, first.from-1) != nil {
				t.Fatalf("network %d: rows %+v", i, s)
			}
		}
	})
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`CORP\Anna`, "anna@corp.example", "DESK$", `a\b\c`, "\u202eanna", "host/pc.corp"} {
		f.Add(s)
	}
	names := mustNames(f, func(c *Config) { c.DefaultDomain, c.DomainAliases = "corp", []string{"corp=corp.example"} })
	f.Fuzz(func(t *testing.T, raw string) {
		name, kind := names.Canonical(raw)
		if (kind == Person || kind == Machine) == name.IsZero() {
			t.Fatalf("%q is %v of kind %d", raw, name, kind)
		}
		if kind != Person {
			return
		}
		if again, kind := names.Canonical(name.Key()); kind == Person && again != name && !strings.Contains(name.User, "@") {
			t.Fatalf("%q is %q, which is %q", raw, name.Key(), again.Key())
		}
	})
}

func FuzzHostName(f *testing.F) {
	f.Add([]byte("Desk-17\x00"))
	f.Add([]byte("localhost"))
	f.Fuzz(func(t *testing.T, b []byte) {
		name := hostName(b)
		if len(name) > 3*maxName || !printable(name) || name != "" && hostName([]byte(name)) != name {
			t.Fatalf("%q is %q", b, name)
		}
	})
}
