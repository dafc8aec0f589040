package policy

import (
	"fmt"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Date is a day of the calendar; when it begins depends on the time zone. The zero Date is none.
type Date struct {
	year  int
	month time.Month
	day   int
}

// UnmarshalText reads 2026-12-31, written as a date of TOML or as text.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 { // as in a file that shows every key
		*d = Date{}
		return nil
	}
	s, _, _ := strings.Cut(string(text), "T00:00:00") // how a date of TOML arrives
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1971 || t.Year() > 2260 { // nanoseconds since 1970 reach 2262
		return fmt.Errorf("%q is no day; write for example 2026-12-31", text)
	}
	*d = Date{t.Year(), t.Month(), t.Day()}
	return nil
}

// String writes the day as 2026-12-31, none as nothing.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.year, d.month, d.day)
}

// IsZero says that there is no date.
func (d Date) IsZero() bool { return d == Date{} }

// begin is the first moment of the day.
func (d Date) begin(loc *time.Location) event.Time {
	return event.At(time.Date(d.year, d.month, d.day, 0, 0, 0, 0, loc))
}

// end is the first moment of the next day.
func (d Date) end(loc *time.Location) event.Time {
	return event.At(time.Date(d.year, d.month, d.day+1, 0, 0, 0, 0, loc))
}

// dayOf is the day that a moment belongs to. Days have 23 to 25 hours where clocks are changed.
func dayOf(at event.Time, loc *time.Location) Date {
	year, month, day := at.Time().In(loc).Date()
	return Date{year, month, day}
}
