package report

import (
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Report is everything a document says, before it has a form. Its JSON is a contract: names carry units, an unknown or withheld value is
// absent. Texts that came from outside (names of users, departments, sites, services) are cleaned of control characters.
type Report struct {
	Schema       int       `json:"schema"` // 1
	Audience     Audience  `json:"audience"`
	Organisation string    `json:"organisation,omitempty"`
	Site         string    `json:"site,omitempty"`
	Made         time.Time `json:"made"`
	Period       Period    `json:"period"`
	// Below is the number of users below which management sees no figures of a group.
	Below uint64 `json:"group_minimum"`
	// Withheld says why the figures of the whole report are withheld; "" if they are not.
	Withheld string `json:"withheld,omitempty"`

	All        Figures     `json:"all_use"`
	Unapproved Figures     `json:"unapproved_use"` // prohibited, unreviewed and in review
	Statuses   []StatusRow `json:"statuses"`
	Before     Comparison  `json:"period_before"`
	Trend      []Week      `json:"trend"`

	// Services are those most used; for DLP only the approved and tolerated ones, as the others have tables of their own.
	Services      []ServiceRow `json:"services"`
	ServicesTotal int          `json:"services_total"`
	New           NewServices  `json:"new_services"`
	Departments   *Departments `json:"departments,omitempty"` // management only

	ByService    *Table   `json:"unapproved_by_service,omitempty"`    // DLP only, as are those below
	ByDepartment *Table   `json:"unapproved_by_department,omitempty"` //
	ByUser       *Table   `json:"unapproved_by_user,omitempty"`       //
	Findings     *Finding `json:"findings,omitempty"`                 //

	Coverage Coverage `json:"coverage"`
	Notes    []Note   `json:"notes"`

	paper Paper
}

// Period is what a report is about: From belongs to it, To does not.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Zone string    `json:"zone"`
}

// StatusRow is the use under one status of the policy, as of then.
type StatusRow struct {
	Status string  `json:"status"`
	Use    Figures `json:"use"`
}

// Comparison sets the period beside the one before it.
type Comparison struct {
	Period     Period  `json:"period"`
	Why        string  `json:"not_compared,omitempty"` // why there are no figures; "" if there are
	All        Figures `json:"all_use"`
	Unapproved Figures `json:"unapproved_use"`
}

// Week is seven days from a Monday.
type Week struct {
	Start      time.Time `json:"start"`
	Watched    bool      `json:"watched"` // nine tenths of it or more, as far as it had passed
	Partial    bool      `json:"partial"` // the period or the time of writing ends within it
	All        Figures   `json:"all_use"`
	Unapproved Figures   `json:"unapproved_use"`
}

// ServiceRow is the use of one service under one status of the policy.
type ServiceRow struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Vendor   string  `json:"vendor,omitempty"`
	Category string  `json:"category,omitempty"`
	Status   string  `json:"status"`
	Use      Figures `json:"use"`
}

// NewServices lists services that were used in the period and not before it.
type NewServices struct {
	Why   string       `json:"not_known,omitempty"` // why it cannot be said; "" if it can
	Since time.Time    `json:"since,omitzero"`      // "before" begins here, with the records
	Total int          `json:"total"`
	Rows  []NewService `json:"rows"`
}

// NewService is one of them. Day is when it was first used.
type NewService struct {
	ServiceRow
	Day string `json:"first_day"`
}

// Departments are those with enough users, and one row for all others together.
type Departments struct {
	Why  string          `json:"not_shown,omitempty"` // why there are none; "" if there are
	Rows []DepartmentRow `json:"rows"`
}

// DepartmentRow is one department, or several together.
type DepartmentRow struct {
	Name       string  `json:"name"`
	Together   int     `json:"departments"` // 1, or how many the row stands for
	All        Figures `json:"all_use"`
	Unapproved Figures `json:"unapproved_use"`
}

// Table is unapproved use in rows, largest upload first, and the sum of what the rows leave out.
type Table struct {
	Rows  []UseRow `json:"rows"`
	Total int      `json:"total"` // of rows or, in the table of users, of users; left out or not
	Shown int      `json:"shown"` // of the same
	// Rest is what the rows leave out; its users are not counted, as they may be among those of the rows.
	Rest *Rest `json:"rest,omitempty"`
}

// Rest sums up what a table leaves out.
type Rest struct {
	Visits uint64 `json:"visits"`
	Flows  uint64 `json:"flows"`
	Upload Upload `json:"upload"`
}

// UseRow is unapproved use of one group. Empty fields are not part of what it is grouped by.
type UseRow struct {
	User         string    `json:"user,omitempty"`    // name if it is kept, else pseudonym
	UserKey      string    `json:"user_id,omitempty"` // what to ask the records for
	Department   string    `json:"department,omitempty"`
	NoDepartment bool      `json:"no_department,omitempty"`
	Service      string    `json:"service,omitempty"`
	ServiceID    string    `json:"service_id,omitempty"`
	Vendor       string    `json:"vendor,omitempty"`
	Category     string    `json:"category,omitempty"`
	Status       string    `json:"status,omitempty"`
	First        time.Time `json:"first"`
	Last         time.Time `json:"last"`
	Evidence     *Evidence `json:"evidence,omitempty"`
	Use          Figures   `json:"use"`

	key string // what the row is grouped by, as the query has it
}

// Evidence is a sample of the records that figures rest on: the newest ones.
type Evidence struct {
	IDs     []string `json:"event_ids"`
	Sampled int      `json:"records_read"` // of which Classes and Confidence speak
	More    bool     `json:"more"`         // there are further records
	// Gone says that the records themselves are no longer kept; the sums are.
	Gone       bool    `json:"records_gone,omitempty"`
	Classes    []Tally `json:"classes,omitempty"`
	Confidence []Tally `json:"confidence,omitempty"`
}

// Tally counts records by a word.
type Tally struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Finding lists the findings of the period, gravest first.
type Finding struct {
	Actions []Tally      `json:"actions"`
	Total   int          `json:"total"`
	More    bool         `json:"more"` // there were more than were counted
	Rows    []FindingRow `json:"rows"`
}

// FindingRow is one finding.
type FindingRow struct {
	ID         string    `json:"id"`
	Time       time.Time `json:"time"`
	Action     string    `json:"action"`
	Severity   int       `json:"severity"`
	Service    string    `json:"service,omitempty"`
	User       string    `json:"user,omitempty"`
	UserKey    string    `json:"user_id,omitempty"`
	Department string    `json:"department,omitempty"`
	Owner      string    `json:"owner,omitempty"`
	Status     string    `json:"status,omitempty"`
	Message    string    `json:"message,omitempty"`
	Period     string    `json:"period,omitempty"`
	Limit      uint64    `json:"limit,omitempty"`
	Value      uint64    `json:"value,omitempty"`
	// Evidence names the first records that it rests on, of EvidenceTotal.
	Evidence      []string `json:"event_ids,omitempty"`
	EvidenceTotal int      `json:"event_ids_total"`
}

// Coverage is what the figures rest on, and what they lack.
type Coverage struct {
	// Minutes of the period had passed when the report was made; Watched of them have coverage records.
	Minutes int   `json:"minutes"`
	Watched int   `json:"minutes_watched"`
	Gaps    []Gap `json:"gaps,omitempty"` // the longest ones, in order of time
	GapsAll int   `json:"gaps_total"`

	Received    uint64   `json:"packets_received"`
	Dropped     uint64   `json:"packets_dropped"`
	Undecodable []Reason `json:"packets_undecodable,omitempty"`
	Flows       uint64   `json:"flows"`
	// Readable are the flows that should have a name (port 443, TLS, QUIC, HTTP), Named those whose name was read.
	Readable     uint64 `json:"flows_readable"`
	Named        uint64 `json:"flows_named"`
	ECH          uint64 `json:"flows_ech"`
	EncryptedDNS uint64 `json:"flows_encrypted_dns"`
	Relay        uint64 `json:"flows_relay"`
	OneSided     uint64 `json:"flows_one_sided"`
	Cut          uint64 `json:"flows_cut"`
	// Web divides the traffic to port 443, OtherPorts what hides names on other ports; HiddenBy says by what.
	Web           event.Sight           `json:"web"`
	OtherPorts    event.Sight           `json:"other_ports"`
	HiddenBy      map[string]event.Part `json:"hidden_by,omitempty"`
	Evicted       uint64                `json:"flows_evicted"`
	BytesWithUser uint64                `json:"bytes_with_user"`
	// LogSources is how many there were; for management, Sources is their sum.
	LogSources int         `json:"log_sources_total"`
	Sources    []LogSource `json:"log_sources,omitempty"`
	// RecordsFrom and SumsFrom are since when records and sums are kept, if that is known.
	RecordsFrom time.Time `json:"records_kept_from,omitzero"`
	SumsFrom    time.Time `json:"sums_kept_from,omitzero"`
}

// Gap is a time in which no sensor watched.
type Gap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Reason counts packets by why they could not be read.
type Reason struct {
	Name    string `json:"name"`
	Packets uint64 `json:"packets"`
}

// LogSource counts the lines of one log source.
type LogSource struct {
	Name     string `json:"name"`
	Read     uint64 `json:"lines_read"`
	Used     uint64 `json:"lines_used"`
	Rejected uint64 `json:"lines_rejected"`
}

// Note is a sentence or two on how to read the figures.
type Note struct {
	Topic string `json:"topic"`
	Text  string `json:"text"`
}
