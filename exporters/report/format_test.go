package report

import (
	"math"
	"math/big"
	"strings"
	"testing"
	"time"
)

func TestFormats(t *testing.T) {
	for _, tt := range []struct{ name, got, want string }{
		{"zero", size(0), "0 B"},
		{"bytes", size(999), "999 B"},
		{"kilobytes", size(1000), "1.00 kB"},
		{"three digits", size(12_345), "12.3 kB"},
		{"rounded over the unit", size(999_950), "1.00 MB"},
		{"half", size(1_235), "1.24 kB"},
		{"most", size(math.MaxUint64), "18.4 EB"},
		{"four digits together", number(1234), "1234"},
		{"groups", number(1234567), "1 234 567"},
		{"exact upload", Upload{Bytes: 5, Low: 5, High: 5, Known: true}.String(), "5 B (5 B)"},
		{"upload", Upload{Bytes: 1_240_000, Low: 1_206_999, High: 1_300_001, Known: true}.String(), "≈ 1.24 MB (1.20–1.31 MB)"},
		{"two units", Upload{Bytes: 1_000_000, Low: 980_000, High: 1_020_000, Known: true}.String(), "≈ 1.00 MB (980 kB–1.02 MB)"},
		{"unknown", Upload{Unknown: 3}.String(), "unknown"},
		{"none", Upload{Known: true}.String(), "0 B"},
		{"share of nothing", percent(0, 0), "–"},
		{"no share", percent(0, 9), "0 %"},
		{"all", percent(9, 9), "100 %"},
		{"a trace", percent(1, 100_000), "< 0.1 %"},
		{"nearly all", percent(99_999, 100_000), "> 99.9 %"},
		{"a third", percent(1, 3), "33.3 %"},
		{"more", change(12, 10), "+20.0 %"},
		{"less", change(8, 10), "−20.0 %"},
		{"from none", change(8, 0), "from none"},
		{"same", change(8, 8), "unchanged"},
		{"minutes", span(30 * time.Minute), "30 minutes"},
		{"hours", span(90 * time.Minute), "1.5 h"},
		{"days", span(96 * time.Hour), "4.0 days"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.ReplaceAll(tt.got, space, " "); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// Printed bounds hold what they stand for.
func TestPrintedBoundsEnclose(t *testing.T) {
	units := map[string]int64{"B": 0, "kB": 3, "MB": 6, "GB": 9, "TB": 12, "PB": 15, "EB": 18}
	value := func(digits, unit string) *big.Rat {
		v, ok := new(big.Rat).SetString(digits)
		if !ok {
			t.Fatalf("%q is not a number", digits)
		}
		return v.Mul(v, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(units[unit]), nil)))
	}
	for n := uint64(1); n < math.MaxUint64/3; n = n*3/2 + 1 {
		exact := new(big.Rat).SetInt(new(big.Int).SetUint64(n))
		if low := value(scaled(n, down)); low.Cmp(exact) > 0 {
			t.Errorf("%d is printed as at least %s", n, low.FloatString(2))
		}
		if high := value(scaled(n, up)); high.Cmp(exact) < 0 {
			t.Errorf("%d is printed as at most %s", n, high.FloatString(2))
		}
	}
}

func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "Müller, Ж 山田", "Müller, Ж 山田"},
		{"escape sequence", "a\x1b[31mb", "a\uFFFD[31mb"},
		{"line break", "a\r\nb", "a\uFFFD\uFFFDb"},
		{"turned writing", "a\u202Eb", "a\uFFFDb"},
		{"no width", "a\u200Bb", "a\uFFFDb"},
		{"not UTF-8", "a\xffb", "a\uFFFDb"},
		{"long", strings.Repeat("é", 300), strings.Repeat("é", maxLabel-1) + "…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := clean(tt.in); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestTicks(t *testing.T) {
	for n := uint64(1); n < 1<<40; n = n*7/5 + 1 {
		got := ticks(n)
		if last := got[len(got)-1]; last < n || len(got) < 2 || len(got) > 6 {
			t.Errorf("ticks(%d) = %v", n, got)
		}
	}
}
