package dashboard

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// maxText is how many characters of a name are shown.
const maxText = 255

// maxMarks is how many combining marks may follow each other: languages need up to three, piles of them cover other lines.
const maxMarks = 4

// clean makes a name that came from the wire safe to read: what is invisible, turns the direction of writing or is no text at all is
// written out. Escaping for HTML is html/template's business, not done here.
func clean(s string) string {
	var b strings.Builder
	marks, n := 0, 0
	for i, r := range s {
		if n++; n > maxText {
			return b.String() + "…"
		}
		if unicode.Is(unicode.M, r) {
			marks++
		} else {
			marks = 0
		}
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				fmt.Fprintf(&b, `\x%02x`, s[i])
				continue
			}
		}
		if marks > maxMarks || !unicode.IsPrint(r) {
			fmt.Fprintf(&b, `\u{%04x}`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// shorten cuts a pseudonym to what tells it from others on a page.
func shorten(s string) string {
	const head = 12
	if utf8.RuneCountInString(s) <= head+8 {
		return s
	}
	return string([]rune(s)[:head]) + "…"
}

// thin is the narrow space that groups digits and stands before units; it does not break.
const thin = "\u202f"

// count writes a number with its digits in groups of three, in no country's way.
func count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	if len(s) < 5 {
		return s
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + thin + s[i:]
	}
	return s
}

var units = [...]string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}

// unitOf is the index of the largest unit that n has at least one of, once it is rounded to three digits.
func unitOf(n uint64) int {
	i, v := 0, float64(n)
	for v >= 999.5 && i < len(units)-1 {
		v /= 1000
		i++
	}
	return i
}

// inUnit writes n with two or three digits in a unit.
func inUnit(n uint64, unit int) string {
	v := float64(n) / math.Pow(1000, float64(unit))
	switch {
	case unit == 0 || v >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// size writes a number of bytes.
func size(n uint64) string {
	u := unitOf(n)
	return inUnit(n, u) + thin + units[u]
}

// between writes what an estimate lies between, in its own unit where that still says something.
func between(b query.Bounds) string {
	if b.Low == b.High {
		return "exactly"
	}
	u := unitOf(b.Bytes)
	if unitOf(b.Low) < u-1 || unitOf(b.High) > u+1 {
		return size(b.Low) + "–" + size(b.High)
	}
	low, high := inUnit(b.Low, u), inUnit(b.High, u)
	return low + "–" + high + thin + units[u]
}

// percent never says 0 or 100 where it is not so.
func percent(part, whole uint64) string {
	if whole == 0 {
		return "–"
	}
	v := 100 * float64(part) / float64(whole)
	switch {
	case part == 0 || part == whole:
		return strconv.FormatFloat(v, 'f', 0, 64) + thin + "%"
	case v < 0.1:
		return "<" + thin + "0.1" + thin + "%"
	case v > 99.9 && v < 100:
		return ">" + thin + "99.9" + thin + "%"
	case v < 10 || v > 90:
		return strconv.FormatFloat(v, 'f', 1, 64) + thin + "%"
	}
	return strconv.FormatFloat(v, 'f', 0, 64) + thin + "%"
}

// lasting writes a duration in the two largest units that matter.
func lasting(d time.Duration) string {
	d = d.Round(time.Minute)
	days, hours, minutes := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60
	switch {
	case days > 0 && hours > 0 && days < 14:
		return fmt.Sprintf("%d"+thin+"d %d"+thin+"h", days, hours)
	case days > 0:
		return fmt.Sprintf("%d"+thin+"d", days)
	case hours > 0 && minutes > 0:
		return fmt.Sprintf("%d"+thin+"h %d"+thin+"min", hours, minutes)
	case hours > 0:
		return fmt.Sprintf("%d"+thin+"h", hours)
	}
	return fmt.Sprintf("%d"+thin+"min", minutes)
}

// change says how a figure compares with the one of the period before, which has a name.
func change(now, before uint64, name string) string {
	switch {
	case before == 0:
		return "none in " + name
	case now == before:
		return "the same as in " + name
	}
	v := 100 * (float64(now) - float64(before)) / float64(before)
	arrow, a := "▲", math.Abs(v)
	if v < 0 {
		arrow = "▼"
	}
	switch {
	case a < 0.5:
		return "about the same as in " + name
	case a >= 1000:
		return fmt.Sprintf("▲%s%.0f times that of %s", thin, float64(now)/float64(before), name)
	}
	return fmt.Sprintf("%s%s%.0f%s%% on %s", arrow, thin, a, thin, name)
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// plural is for the few nouns of the pages.
func plural(n uint64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
