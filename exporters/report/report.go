package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// Audience says for whom a report is.
type Audience string

// The audiences.
const (
	// Management sees adoption: services, departments, trend. No person, no address, no pseudonym, and no group so small that its figures
	// would be those of single people.
	Management Audience = "management"
	// DLP sees unapproved use by service, department and user with evidence.
	DLP Audience = "dlp"
)

// Paper is the size of a PDF's pages.
type Paper string

// The sizes.
const (
	A4     Paper = "A4"
	Letter Paper = "Letter"
)

// Service is what the catalogue says of a service.
type Service struct {
	Vendor   string
	Category string
}

// Catalogue knows services by their identifiers. It is called from several goroutines at once.
type Catalogue interface {
	Service(id string) (Service, bool)
}

// Defaults of a Request.
const (
	DefaultMinDepartment  = 5
	DefaultTopManagement  = 10
	DefaultTopDLP         = 50
	maxTop                = query.MaxRows
	minDaysForDepartments = 7
)

// Request says what a report is about. Only the times are required.
type Request struct {
	Audience Audience // "" is Management
	// From belongs to the period, To does not. Sums are kept by the hour: both are moved back to a whole hour (UTC).
	From, To time.Time
	// Now is when the report is made: it is printed, dates the PDF, and bounds what can have been seen of a period that has not ended.
	Now time.Time
	// Location sets where days and weeks begin and in which zone times are printed; nil is UTC.
	Location *time.Location
	// Site keeps to one site; "" is all of them.
	Site string
	// MinDepartment is the smallest number of users of whom management sees figures of their own; 0 is DefaultMinDepartment.
	MinDepartment int
	// TopN bounds the rows of each table, of users for the table of users; what is left out is summed up below it. 0 is DefaultTopManagement or DefaultTopDLP.
	// Management's tables never have more than DefaultTopManagement rows, so that they fit two pages.
	TopN int
	// Organisation stands in the title; "" leaves it out.
	Organisation string
	// Paper is the size of a PDF's pages; "" is A4.
	Paper Paper
	// Catalogue names vendors and categories; nil leaves them out.
	Catalogue Catalogue
}

// Build asks q for everything that the report says. An empty period is no error: the report then says so.
func Build(ctx context.Context, q query.Query, r Request) (*Report, error) {
	if err := r.complete(); err != nil {
		return nil, err
	}
	b := builder{q: q, req: r, where: query.Filter{}}
	if r.Site != "" {
		b.where.Sites = []string{r.Site}
	}
	b.rep = &Report{
		Schema: 1, Audience: r.Audience, Organisation: clean(r.Organisation), Site: clean(r.Site), Made: r.Now.In(r.Location),
		Period: Period{From: r.From.In(r.Location), To: r.To.In(r.Location), Zone: r.Location.String()},
		Below:  uint64(r.MinDepartment), paper: r.Paper,
	}
	if err := b.gather(ctx); err != nil {
		return nil, fmt.Errorf("building the %s report: %w", r.Audience, err)
	}
	b.rep.Notes = notes(b.rep)
	return b.rep, nil
}

// complete checks the request and fills its defaults in.
func (r *Request) complete() error {
	if r.Location == nil {
		r.Location = time.UTC
	}
	r.From, r.To = r.From.Truncate(time.Hour), r.To.Truncate(time.Hour)
	if r.Audience == "" {
		r.Audience = Management
	}
	if r.Paper == "" {
		r.Paper = A4
	}
	if r.MinDepartment == 0 {
		r.MinDepartment = DefaultMinDepartment
	}
	if r.TopN == 0 {
		r.TopN = map[Audience]int{Management: DefaultTopManagement, DLP: DefaultTopDLP}[r.Audience]
	}
	if r.Audience == Management {
		r.TopN = min(r.TopN, DefaultTopManagement)
	}
	return r.validate()
}

func (r *Request) validate() error {
	switch {
	case r.From.IsZero() || r.Now.IsZero():
		return errors.New("reading the report's period: give From, To and Now")
	case !r.From.Before(r.To):
		return fmt.Errorf("reading the report's period: %s does not lie a whole hour or more after %s",
			r.To.Format(time.RFC3339), r.From.Format(time.RFC3339))
	case !slices.Contains([]Audience{Management, DLP}, r.Audience):
		return fmt.Errorf("reading the report's audience: %q is not one; give %s or %s", r.Audience, Management, DLP)
	case !slices.Contains([]Paper{A4, Letter}, r.Paper):
		return fmt.Errorf("reading the report's paper: %q is not known; give %s or %s", r.Paper, A4, Letter)
	case r.MinDepartment < 2:
		return fmt.Errorf("reading the smallest department: %d would show single people; give 2 or more", r.MinDepartment)
	case r.TopN < 1 || r.TopN > maxTop:
		return fmt.Errorf("reading the rows of a table: %d is not between 1 and %d", r.TopN, maxTop)
	}
	return nil
}
