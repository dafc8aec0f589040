package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// space stands between the digits' groups of three and before units: a comma or a point would be read as decimals in half of the world.
const space = "\u00a0"

// dash stands where there is no figure.
const dash = "–"

// A rounding says which way figures are cut.
type rounding uint8

const (
	nearest rounding = iota
	down
	up
)

// number groups digits by three.
func number(n uint64) string {
	s := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, c := range []byte(s) {
		if i > 0 && (len(s)-i)%3 == 0 && len(s) > 4 {
			b.WriteString(space)
		}
		b.WriteByte(c)
	}
	return b.String()
}

// plural counts things: "1 visit", "3 visits".
func plural(n uint64, one, many string) string {
	if n == 1 {
		return "1" + space + one
	}
	return number(n) + space + many
}

// size writes bytes with three digits and an SI unit.
func size(n uint64) string {
	digits, unit := scaled(n, nearest)
	return digits + space + unit
}

// scaled cuts n to three digits of the largest unit that leaves one before the point.
func scaled(n uint64, r rounding) (digits, unit string) {
	if n < 1000 {
		return strconv.FormatUint(n, 10), "B"
	}
	scale := uint64(1)
	for _, unit = range []string{"kB", "MB", "GB", "TB", "PB", "EB"} {
		scale *= 1000
		for decimals, step := 2, scale/100; decimals >= 0; decimals, step = decimals-1, step*10 {
			if q := divide(n, step, r); q < 1000 {
				return strconv.FormatFloat(float64(q)/float64([]int{1, 10, 100}[decimals]), 'f', decimals, 64), unit
			}
		}
	}
	return strconv.FormatUint(divide(n, scale, r), 10), unit
}

// divide rounds the quotient as told.
func divide(n, by uint64, r rounding) uint64 {
	q, rest := n/by, n%by
	if r == up && rest > 0 || r == nearest && rest >= by-rest {
		q++
	}
	return q
}

// String is the estimate with its bounds, which are rounded outwards: "≈ 1.24 GB (1.20–1.31 GB)".
func (u Upload) String() string {
	if !u.Known {
		return "unknown"
	}
	if u.High == 0 {
		return "0" + space + "B"
	}
	return u.estimate() + " (" + u.bounds() + ")"
}

// estimate is the bytes alone.
func (u Upload) estimate() string {
	if !u.Known {
		return "unknown"
	}
	if u.Low == u.High {
		return size(u.Bytes)
	}
	return "≈" + space + size(u.Bytes)
}

// bounds is what the bytes lie between.
func (u Upload) bounds() string {
	if !u.Known {
		return dash
	}
	low, lowUnit := scaled(u.Low, down)
	high, highUnit := scaled(u.High, up)
	switch {
	case u.Low == u.High:
		return low + space + lowUnit
	case lowUnit == highUnit:
		return low + dash + high + space + highUnit
	}
	return low + space + lowUnit + dash + high + space + highUnit
}

// percent writes a share with one decimal; never 0 % or 100 % of what is not nothing or all.
func percent(part, whole uint64) string {
	if whole == 0 {
		return dash
	}
	share := 100 * float64(part) / float64(whole)
	switch {
	case part == 0:
		return "0" + space + "%"
	case part == whole:
		return "100" + space + "%"
	case share < 0.1:
		return "<" + space + "0.1" + space + "%"
	case part < whole && share > 99.9:
		return ">" + space + "99.9" + space + "%"
	}
	return strconv.FormatFloat(share, 'f', 1, 64) + space + "%"
}

// change says how now differs from before.
func change(now, before uint64) string {
	switch {
	case now == before:
		return "unchanged"
	case before == 0:
		return "from none"
	}
	by := percent(max(now, before)-min(now, before), before)
	if now > before {
		return "+" + by
	}
	return "−" + by
}

// day is a date of the calendar.
func day(t time.Time) string { return t.Format(time.DateOnly) }

// moment is a time with its zone.
func moment(t time.Time) string { return t.Format("2006-01-02 15:04 MST") }

// String names days if the period is made of whole ones, else hours.
func (p Period) String() string {
	if midnight(p.From) && midnight(p.To) {
		last := p.To.AddDate(0, 0, -1)
		if day(last) == day(p.From) {
			return day(p.From) + " (" + p.Zone + ")"
		}
		return day(p.From) + " to " + day(last) + " (" + p.Zone + ")"
	}
	return moment(p.From) + " to " + moment(p.To)
}

// span writes a duration in hours, or minutes if it is short.
func span(d time.Duration) string {
	if d < time.Hour {
		return plural(uint64(d/time.Minute), "minute", "minutes")
	}
	if d >= 72*time.Hour {
		return fmt.Sprintf("%.1f%sdays", d.Hours()/24, space)
	}
	return strings.TrimSuffix(strconv.FormatFloat(d.Hours(), 'f', 1, 64), ".0") + space + "h"
}

// maxLabel bounds names that come from outside.
const maxLabel = 200

// clean makes a text that came from outside harmless to print: control characters, line breaks and characters that turn the direction
// of writing or cannot be seen become U+FFFD, and it is cut at maxLabel characters.
func clean(s string) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	s = strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, s)
	if utf8.RuneCountInString(s) > maxLabel {
		s = string([]rune(s)[:maxLabel-1]) + "…"
	}
	return s
}
