package identity

import (
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	tests := []struct {
		name, domain string
		aliases      []string
		raw          string
		want         string
		kind         Kind
	}{
		{"bare", "", nil, "Anna", "anna", Person},
		{"bare with a default", "Corp.Example", nil, "Anna", `corp.example\anna`, Person},
		{"backslash", "other", nil, `CORP\Anna`, `corp\anna`, Person},
		{"at sign", "other", nil, "Anna@Corp.Example.", `corp.example\anna`, Person},
		{"two at signs", "", nil, "anna@home@corp", `corp\anna@home`, Person},
		{"backslash before at sign", "", nil, `CORP\anna@corp.example`, `corp\anna@corp.example`, Person},
		{"alias", "", []string{"CORP = corp.example"}, `CORP\Anna`, `corp.example\anna`, Person},
		{"alias of the default", "corp", []string{"CORP=corp.example"}, "Anna", `corp.example\anna`, Person},
		{"no domain before the backslash", "corp", nil, `\anna`, `corp\anna`, Person},
		{"no domain behind the at sign", "corp", nil, "anna@", `corp\anna`, Person},
		{"letters of the world", "", nil, "JÜRGEN", "jürgen", Person},
		{"spaces around", "", nil, "  anna\t", "anna", Person},
		{"space before the at sign", "", nil, "anna @ corp . ", `corp\anna`, Person},
		{"space inside", "", nil, "anna b", "anna b", Person},
		{"machine", "corp", nil, `CORP\DESK-17$`, "desk-17", Machine},
		{"machine of a certificate", "", nil, "host/Desk-17.corp.example", "desk-17.corp.example", Machine},
		{"dollar alone", "", nil, "$", "", Nobody},
		{"empty", "corp", nil, " ", "", Nobody},
		{"hyphen", "", nil, "-", "", Nobody},
		{"anonymous", "", nil, `NT AUTHORITY\ANONYMOUS LOGON`, "", Nobody},
		{"window manager", "", nil, "DWM-3", "", Nobody},
		{"not the window manager", "", nil, "dwm", "dwm", Person},
		{"domain alone", "", nil, "@corp", "", Nobody},
		{"two backslashes", "", nil, `a\b\c`, "", Unsafe},
		{"control character", "", nil, "an\x00na", "", Unsafe},
		{"line break", "", nil, "anna\nben", "", Unsafe},
		{"direction turned", "", nil, "\u202eanna", "", Unsafe},
		{"zero width", "", nil, "an\u200bna", "", Unsafe},
		{"not UTF-8", "", nil, "J\xfcrgen", "", Unsafe},
		{"was not UTF-8", "", nil, "J\ufffdrgen", "", Unsafe},
		{"long", "", nil, strings.Repeat("a", maxName+1), "", Unsafe},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := mustNames(t, func(c *Config) { c.DefaultDomain, c.DomainAliases = tt.domain, tt.aliases })
			if got, kind := n.Canonical(tt.raw); got.Key() != tt.want || kind != tt.kind {
				t.Errorf("got %q of kind %d, want %q of kind %d", got.Key(), kind, tt.want, tt.kind)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"default", func(*Config) {}, ""},
		{"few bindings", func(c *Config) { c.MaxBindings = 10 }, "identity.max_bindings = 10"},
		{"short lease", func(c *Config) { c.DHCPDefault = 1 }, "identity.dhcp_default = 1ns"},
		{"short sharing", func(c *Config) { c.SharedFor = 1 }, "identity.shared_for = 1ns"},
		{"no domain", func(c *Config) { c.DefaultDomain = `a\b` }, "identity.default_domain"},
		{"star inside", func(c *Config) { c.NotUsers = []string{"a*b"} }, `identity.not_users: "a*b"`},
		{"everybody", func(c *Config) { c.NotUsers = []string{"*"} }, `identity.not_users: "*"`},
		{"no pair", func(c *Config) { c.DomainAliases = []string{"corp"} }, `identity.domain_aliases: "corp" is no pair`},
		{"two for one", func(c *Config) { c.DomainAliases = []string{"a=b", "A=c"} }, "stands for both"},
		{"chain", func(c *Config) { c.DomainAliases = []string{"a=b", "b=c"} }, `"a" leads to "b"`},
		{"itself", func(c *Config) { c.DomainAliases = []string{"a=b", "b=b"} }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Default()
			tt.change(&c)
			err := c.Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}
