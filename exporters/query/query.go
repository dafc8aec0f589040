// Package query is the small interface through which pages and reports read what was recorded, whatever keeps it: the embedded store or
// Elasticsearch. It holds no implementation and draws nothing.
package query

import (
	"context"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Dimension is something that sums can be grouped by.
type Dimension string

// The dimensions. Times are written in the request's location: hours as 2006-01-02T15:00:00Z07:00, days and the first days of weeks
// (Monday) and months as 2006-01-02.
const (
	ByHour       Dimension = "hour"
	ByDay        Dimension = "day"
	ByWeek       Dimension = "week"
	ByMonth      Dimension = "month"
	ByService    Dimension = "service"
	ByCategory   Dimension = "category"
	ByVendor     Dimension = "vendor"
	ByKind       Dimension = "kind"
	ByStatus     Dimension = "status"
	ByDepartment Dimension = "department"
	ByUser       Dimension = "user"
	BySite       Dimension = "site"
)

// Measure is a figure that rows can be ordered by.
type Measure string

// The measures.
const (
	Users  Measure = "users"
	Visits Measure = "visits"
	Upload Measure = "upload"
	Last   Measure = "last"
	Key    Measure = "key" // ascending, as for times
)

// Filter keeps records that match every list that is not empty.
type Filter struct {
	Sites       []string
	Services    []string // ids
	Categories  []string
	Statuses    []string
	Departments []string // "" is: none known
	Users       []string // keys, as in Row.Key of ByUser
}

// Request asks for sums of counted records.
type Request struct {
	// From and To are whole hours; From belongs to the period, To does not.
	From, To time.Time
	Where    Filter
	// By has at most two dimensions; none gives one row of totals.
	By []Dimension
	// Location sets where days begin; nil is UTC.
	Location *time.Location
	// OrderBy sorts the rows, largest first (Key: ascending); "" is Key.
	OrderBy Measure
	// Keys says that only keys and labels are wanted: figures may be left out, and rows stand in the order of their keys. It is for what there
	// was at all, over long periods.
	Keys bool
	// Spare is which figures are not wanted.
	Spare Spare
	// Limit bounds the rows; 0 is MaxRows. Offset skips rows before that.
	Limit, Offset int
}

// Spare names figures of rows that are not wanted and may be left out: what is not added up costs nothing.
type Spare uint8

// What can be spared.
const (
	SpareBytes Spare = 1 << iota // BytesUp and BytesDown
	SpareTimes                   // First and Last
)

// MaxRows bounds every answer.
const MaxRows = 10_000

// Row is one group. A user counts once in it, whatever they used; a visit counts where its use began. Users and visits are of use:
// gnomon.use is not background. Flows and bytes are of all traffic.
type Row struct {
	Key    []string // one for each dimension asked for
	Labels []string // the same for people: a service's name, a user's name if it is kept; else equal to Key
	Users  uint64
	Visits uint64
	Flows  uint64
	// BytesUp and BytesDown are transport payload bytes.
	BytesUp, BytesDown uint64
	// Upload estimates the application bytes that left, over the flows for which it is known; Unknown counts the others.
	Upload      Bounds
	Unknown     uint64
	First, Last time.Time
	Background  Background
}

// Background is what there was besides use: telemetry, keep-alive, connections made ahead of need.
type Background struct {
	// Users are those of whom nothing else was seen, Visits those in which nothing else was.
	Users, Visits uint64
}

// UseBackground is the gnomon.use of such traffic.
const UseBackground = "background"

// Bounds is an estimate in bytes and what the true value lies between.
type Bounds struct{ Bytes, Low, High uint64 }

// RecordRequest asks for raw records, newest first.
type RecordRequest struct {
	Dataset  string // event.Dataset…
	From, To time.Time
	Where    Filter
	Action   string   // event.action of findings and audit records; "" is any
	IDs      []string // exactly these, whatever the rest says
	Limit    int      // at most 1000; 0 is 100
	After    string   // Page.Next of the page before
	// Each bounds how many records of one status and one value of EachOf (ByService or ByDepartment) are given, for each user where Where
	// names users; 0 is no bound. It is for samples of many groups at once: a store may look at only so many of the newest records, and there is no next page.
	Each   int
	EachOf Dimension
	// Brief says that of each record only who, which service, status and department, what it rests on and its event.id are wanted: event.id,
	// user.id, user.group.name, source.ip and, of gnomon, site, counted, use, service.id, evidence.class and .confidence, attribution.shared
	// and policy.status. All else may be left out.
	Brief bool
}

// Page is a part of an answer.
type Page struct {
	Records []event.Event
	Next    string // "" if this is the last
}

// CoverageRow is what the sensors saw in one step of time, added up.
type CoverageRow struct {
	Start time.Time
	event.Coverage
	// Minutes is how many minutes of the step have coverage records of at least one sensor; a step without any was not watched.
	Minutes int
}

// Span is what is kept.
type Span struct {
	// RecordsFrom is the oldest raw record's time, SumsFrom the oldest rollup's; zero if there are none.
	RecordsFrom, SumsFrom time.Time
	// To is the newest record's time.
	To time.Time
}

// Query reads what was recorded. Its methods may be called from several goroutines at once; they give up when ctx ends. An answer never
// holds a record that was not acknowledged, and a record that was acknowledged a second ago is in it.
type Query interface {
	// Sums adds counted records up.
	Sums(ctx context.Context, r Request) ([]Row, error)
	// Records pages through raw records.
	Records(ctx context.Context, r RecordRequest) (Page, error)
	// Coverage adds coverage up in steps (at least a minute) from from to to; steps without records are there, with Minutes 0.
	Coverage(ctx context.Context, from, to time.Time, step time.Duration) ([]CoverageRow, error)
}

// BlindRow is one client of whose traffic much was hidden or nameless.
type BlindRow struct {
	Key, Label string // as in Row of ByUser
	Sight      event.Sight
}

// Blind is implemented by queries that know whose names could not be read. It is personal data: nothing for a viewer's eyes.
type Blind interface {
	// BlindClients adds up the days that begin from from to to, as far back as records are kept: clients with most bytes that were hidden
	// or nameless first, at most limit (MaxRows if that is 0).
	BlindClients(ctx context.Context, from, to time.Time, limit int) ([]BlindRow, error)
}

// Spanned is implemented by queries that know what they keep.
type Spanned interface {
	Span(ctx context.Context) (Span, error)
}
