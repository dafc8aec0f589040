package logs

import (
	"errors"
	"io"
	"strings"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// reasons are the errors of Parse, in the order in which they are told.
var reasons = [...]error{ErrHeader, ErrOther, ErrShape, ErrColumns, ErrNoHeader, ErrNothing, ErrTooLong, ErrUnknown}

// faults is where in reasons those begin that reject a line.
const faults = 2

const (
	// maxSamples bounds how many rejected lines are kept for each reason.
	maxSamples = 3
	// maxSample bounds how much of each is kept, in octets.
	maxSample = 200
)

// Account says what became of every line of one source.
type Account struct {
	Read    uint64 // lines
	Records uint64 // lines that gave a record
	Used    uint64 // records of AI services
	NoTime  uint64 // records without a time
	Misfit  uint64 // records whose columns are not those of the header
	NoBytes uint64 // records that do not say how much went up
	Old     uint64 // records of a time before anything is kept
	Ahead   uint64 // records of a time that has not come: a clock is wrong, or a zone

	by      [len(reasons)]uint64
	samples [len(reasons)][]Sample
}

// Sample is a rejected line, or the beginning of it.
type Sample struct {
	Line uint64 // its number in the source
	Text string
}

// Rejection is how many lines were rejected for one reason.
type Rejection struct {
	Reason  string
	Lines   uint64
	Samples []Sample
}

// Add accounts for a line and what Parse said of it.
func (a *Account) Add(line []byte, r *Record, err error) {
	a.Read++
	if err == nil {
		a.Records++
		if r.Time == 0 {
			a.NoTime++
		}
		if r.Misfit {
			a.Misfit++
		}
		if !r.HasUp && r.Kind != KindLookup {
			a.NoBytes++
		}
		return
	}
	for i, reason := range reasons {
		if !errors.Is(err, reason) {
			continue
		}
		a.by[i]++
		if i >= faults && len(a.samples[i]) < maxSamples {
			a.samples[i] = append(a.samples[i], Sample{a.Read, strings.ToValidUTF8(string(line[:min(len(line), maxSample)]), "\uFFFD")})
		}
		return
	}
}

// aheadBy is how far ahead of the clock a record's time may be without being counted.
const aheadBy = 300 * second

// Age counts a record whose time is one that has not come, or so long before now that nothing of it is kept; kept 0: everything is. Times are
// nanoseconds.
func (a *Account) Age(r *Record, now, kept int64) {
	switch {
	case r.Time > now+aheadBy:
		a.Ahead++
	case kept > 0 && r.Time != 0 && r.Time < now-kept:
		a.Old++
	}
}

// NotAI is how many records were of no AI service.
func (a *Account) NotAI() uint64 { return a.Records - a.Used }

// Other is how many lines are no records and no faults: headers, comments, lines that tell of no traffic.
func (a *Account) Other() uint64 { return a.by[0] + a.by[1] }

// Rejected is how many lines could not be used.
func (a *Account) Rejected() (n uint64) {
	for _, lines := range a.by[faults:] {
		n += lines
	}
	return n
}

// Rejections lists the reasons that there were.
func (a *Account) Rejections() []Rejection {
	var out []Rejection
	for i, reason := range reasons {
		if i >= faults && a.by[i] > 0 {
			out = append(out, Rejection{Reason: reason.Error(), Lines: a.by[i], Samples: a.samples[i]})
		}
	}
	return out
}

// Counts is the account as coverage tells it; format is what the lines are of, and upload what to configure to have uploads, if they are not
// told.
func (a *Account) Counts(format, upload string) event.Source {
	s := event.Source{Read: a.Read, Used: a.Used, NotAI: a.NotAI(), Other: a.Other(), Rejected: a.Rejected(), NoTime: a.NoTime, Old: a.Old, Ahead: a.Ahead,
		NoUpload: a.NoBytes, Format: format}
	if a.NoBytes > 0 {
		s.Advice = upload
	}
	for _, r := range a.Rejections() {
		if s.RejectedBy == nil {
			s.RejectedBy = map[string]uint64{}
		}
		s.RejectedBy[r.Reason] = r.Lines
	}
	return s
}

// Read hands every line of a stream to f, and what it says to use, which may keep nothing of either. It returns at the end of the
// stream, at the first error of use, and at any error of the reader but lines that are too long.
func Read(lines *Lines, f Format, a *Account, use func(line []byte, r *Record, err error) error) error {
	var r Record
	for {
		line, err := lines.Next()
		switch {
		case errors.Is(err, ErrTooLong):
			r.reset()
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		default:
			err = f.Parse(line, &r)
		}
		a.Add(line, &r, err)
		if err := use(line, &r, err); err != nil {
			return err
		}
	}
}
