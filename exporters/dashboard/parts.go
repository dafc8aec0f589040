package dashboard

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// Parts are what the pages are made of. Query and About are needed; the rest may be left out.
type Parts struct {
	// Query answers all questions. If it is query.Spanned too, a period is compared with the one before where both are kept.
	Query query.Query
	// About says what is stored, as of now.
	About func() About
	// Services explains services by id; nil explains none.
	Services Services
	// Location is report.timezone: where days begin. Nil is UTC.
	Location *time.Location
	// Audit is told who logged in and who looked a person up. It must not block. Nil: nobody is told.
	Audit func(context.Context, Act)
	// Metrics answers GET /metrics for whoever may see the pages; nil: there are none.
	Metrics http.Handler
	// Log gets what goes wrong; nil drops it.
	Log *slog.Logger
	// Now is the time; nil is time.Now.
	Now func() time.Time
}

// What someone did, in Act.What.
const (
	ActLogin  = "login"
	ActLogout = "logout"
	ActUser   = "view-user"    // a user's page, or their records
	ActExport = "export-users" // a table with users as CSV
)

// Act is something that belongs into the audit log.
type Act struct {
	Who, What string
	// On is the key of the user that was looked up.
	On   string
	From netip.Addr
	// Succeeded is false for a login that was refused.
	Succeeded bool
}

// Services explains services; see package signatures, whose catalogue is given to the pages in this form.
type Services interface {
	// Service returns what is known of the service with an id.
	Service(id string) (Service, bool)
}

// Service is what the catalogue says of one service.
type Service struct {
	ID, Name, Vendor, Country, Category, Kind string
	// Verified is the day the entry was last held against its sources.
	Verified time.Time
	Names    []ServiceName
	Risk     []Fact
}

// ServiceName is a network name of a service and the proof that it is one.
type ServiceName struct {
	Name, Role, Match, Confidence string
	Sources                       []Source
}

// Fact is something publicly known of how a vendor treats what it is sent.
type Fact struct {
	Attribute, Value, Confidence string
	Date                         time.Time
	Sources                      []Source
}

// Source is where a fact comes from.
type Source struct{ Title, URL, Date string }

// About is what the sensor stores and who may see it.
type About struct {
	Version string
	Sensor  string
	// Store says where records are kept, as in "the embedded store" or "Elasticsearch".
	Store string
	// KeepNames is whether names of users are kept beside their pseudonyms.
	KeepNames bool
	// Records, Sums and Findings are how long each is kept; 0 is without end.
	Records, Sums, Findings time.Duration
	// Exclusions is how many users, networks and services are not recorded at all.
	Exclusions int
	// Unlisted is how long contacts with names that are in no catalogue are counted, without users; 0: they are not.
	Unlisted time.Duration
	// Catalogue is its version, Services how many it names.
	Catalogue string
	Services  int
	// Policy is the file that says what is approved; "" if there is none. Rules is how many it has.
	Policy string
	Rules  int
	// Exports are the other systems that get the records.
	Exports []string
}
