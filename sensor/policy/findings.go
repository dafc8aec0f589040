package policy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// History is what the store remembers from before this start. It is asked once.
type History interface {
	// First is the time of the oldest activity record, 0 if there is none.
	First(ctx context.Context) (event.Time, error)
	// Uses are the services that were ever used at a site (Department empty), and in its departments.
	Uses(ctx context.Context) ([]Use, error)
	// Uploads are the sums of counted records since a time, by site, user, service and day.
	Uploads(ctx context.Context, since event.Time) ([]Upload, error)
}

// Use says that a service is known at a site, or in a department of it.
type Use struct{ Site, Department, Service string }

// Upload is what a user sent to a service within a day.
type Upload struct {
	Site, User, Service string // User is user.id, or the client's address where no user was known
	At                  event.Time
	Bytes, Low, High    uint64
}

// Findings raises findings. Give it every record once, after policy and privacy. The same records give the same findings with the same
// ids, whatever was restarted in between, so that a store keeps each once. It may be used from several goroutines at once.
type Findings struct {
	config   FindingsConfig
	location *time.Location
	captures bool
	silence  map[string]time.Duration // where it is not what holds for all
	limits   []limit

	mu         sync.Mutex
	learnUntil event.Time // 0 until the first record
	uses       map[Use]bool
	sums       map[sumKey]*sum
	newest     event.Time // day of the sums
	raised     map[string]event.Time
	sensors    map[string]*watch
	forgotten  uint64
}

// FindingsOptions are what Findings needs to know from other rooms.
type FindingsOptions struct {
	// Location is where days begin; nil is UTC.
	Location *time.Location
	// Captures says that the sensor reads packets, so that none is a bad sign.
	Captures bool
	// Silence is for how long some sources of logs may be silent, by name; for the others FindingsConfig.SourceSilent holds.
	Silence map[string]time.Duration
}

// Bounds of what is remembered. What does not find room is counted, and not found.
const (
	maxUses    = 1 << 18
	maxSums    = 1 << 17
	maxRaised  = 1 << 16
	maxSensors = 1 << 10
)

// NewFindings returns a Findings that knows nothing yet.
func NewFindings(c FindingsConfig, o FindingsOptions) (*Findings, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	f := &Findings{config: c, location: o.Location, captures: o.Captures, silence: o.Silence, uses: map[Use]bool{}, sums: map[sumKey]*sum{},
		raised: map[string]event.Time{}, sensors: map[string]*watch{}}
	if f.location == nil {
		f.location = time.UTC
	}
	if !c.LearnUntil.IsZero() {
		f.learnUntil = c.LearnUntil.end(f.location)
	}
	f.limits = newLimits(&c)
	return f, nil
}

// Restore takes over what was before. now is the time of the start: sums of its day and the day before are asked for.
func (f *Findings) Restore(ctx context.Context, h History, now time.Time) error {
	first, err := h.First(ctx)
	if err != nil {
		return fmt.Errorf("asking the store for its first record: %w", err)
	}
	uses, err := h.Uses(ctx)
	if err != nil {
		return fmt.Errorf("asking the store which services are known: %w", err)
	}
	today := dayOf(event.At(now), f.location)
	uploads, err := h.Uploads(ctx, Date{today.year, today.month, today.day - 1}.begin(f.location))
	if err != nil {
		return fmt.Errorf("asking the store for the uploads of today: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if first != 0 {
		f.learn(first)
	}
	for _, u := range uses {
		f.know(u)
	}
	for i := range uploads {
		u := &uploads[i]
		for _, l := range f.sumsOf(u.Site, u.User, u.Service, u.At) {
			l.sum.add(u.Bytes, u.Low, u.High)
		}
	}
	return nil
}

// Forgotten counts services, users and sensors for which there was no room.
func (f *Findings) Forgotten() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.forgotten
}

// Activity takes a record of use and returns what it gives rise to. Records that are not counted are use that was seen elsewhere, or
// none.
func (f *Findings) Activity(ev *event.Event) []*event.Event {
	g := ev.Gnomon
	if ev.Event.Dataset != event.DatasetActivity || g == nil || g.Service == nil || g.Counted == nil || !*g.Counted {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.learn(timeOf(ev))
	if g.Evidence != nil && g.Evidence.Role != "" { // beside a use that is found by itself
		return f.uploads(ev)
	}
	var out []*event.Event
	for _, find := range [...]func(*event.Event) *event.Event{f.firstUse, f.prohibited} {
		if found := find(ev); found != nil {
			out = append(out, found)
		}
	}
	return append(out, f.uploads(ev)...)
}

// learn begins the time of learning with the first record.
func (f *Findings) learn(first event.Time) {
	if f.learnUntil == 0 {
		f.learnUntil = first + event.Time(f.config.Learning)
	}
}

// know notes a use and says whether it is new.
func (f *Findings) know(u Use) (fresh bool) {
	if f.uses[u] {
		return false
	}
	if len(f.uses) >= maxUses {
		f.forgotten++
		return false
	}
	f.uses[u] = true
	return true
}

// firstUse finds a service that is new to the site, else to the department. What is new to the site is new to the department anyway.
func (f *Findings) firstUse(ev *event.Event) *event.Event {
	use := Use{Site: ev.Gnomon.Site, Service: ev.Gnomon.Service.ID}
	newHere := f.know(use)
	use.Department = department(ev)
	newThere := use.Department != "" && f.know(use)
	if timeOf(ev) < f.learnUntil {
		return nil
	}
	found := finding{action: FirstUse, subject: []string{use.Service, ""}, severity: firstUseSeverity(ev), about: ev, evidence: []string{ev.Event.ID}}
	switch {
	case newHere && f.config.FirstUse:
		found.reason = "first use of " + use.Service + " at the site"
	case newThere && !newHere && f.config.FirstUseDepartment:
		found.subject[1] = use.Department
		found.severity -= 10
		found.reason = "first use of " + use.Service + " in the department " + use.Department
		found.user = &event.User{Group: &event.Group{Name: use.Department}}
	default:
		return nil
	}
	found.severity = max(1, found.severity)
	return f.raise(&found)
}

// firstUseSeverity follows what the organisation thinks of the service. Weak evidence weighs half.
func firstUseSeverity(ev *event.Event) int {
	severity := map[string]int{Approved: 10, Tolerated: 20, InReview: 30, Prohibited: 60}[status(ev)]
	if severity == 0 {
		severity = 40
	}
	if confidence(ev) == "low" {
		severity /= 2
	}
	return severity
}

// prohibited finds the use of a prohibited service by a user, or by an address where no user is known.
func (f *Findings) prohibited(ev *event.Event) *event.Event {
	who := userKey(ev)
	if !f.config.ProhibitedUse || status(ev) != Prohibited || who == "" {
		return nil
	}
	severity := map[string]int{"low": 40, "medium": 60}[confidence(ev)]
	if severity == 0 {
		severity = 70
	}
	return f.raise(&finding{action: ProhibitedUse, subject: []string{who, ev.Gnomon.Service.ID}, severity: severity, day: dayOf(timeOf(ev), f.location),
		about: ev, user: ev.User, named: true, evidence: []string{ev.Event.ID}, reason: "use of " + ev.Gnomon.Service.ID + ", which is prohibited"})
}

// userKey is who a record counts for: the user, else the address.
func userKey(ev *event.Event) string {
	if ev.User != nil && ev.User.ID != "" {
		return ev.User.ID
	}
	if ev.Source != nil {
		return ev.Source.IP
	}
	return ""
}

func department(ev *event.Event) string {
	if ev.User != nil && ev.User.Group != nil {
		return ev.User.Group.Name
	}
	return ""
}

func status(ev *event.Event) string {
	if ev.Gnomon.Policy != nil {
		return ev.Gnomon.Policy.Status
	}
	return Unreviewed
}

func confidence(ev *event.Event) string {
	if ev.Gnomon.Evidence != nil {
		return ev.Gnomon.Evidence.Confidence
	}
	return ""
}

// limit is a limit of uploads that is ready.
type limit struct {
	services []string // sorted; empty for all
	bytes    uint64
}

func newLimits(c *FindingsConfig) []limit {
	var out []limit
	if c.UploadDayMiB > 0 {
		out = append(out, limit{bytes: c.UploadDayMiB << 20})
	}
	for _, u := range c.Uploads {
		services := slices.Clone(u.Services)
		slices.Sort(services)
		out = append(out, limit{services: slices.Compact(services), bytes: u.DayMiB << 20})
	}
	return out
}

// name tells the limit from others in the ids of findings.
func (l *limit) name() string { return cmp.Or(strings.Join(l.services, ","), "all") }

func (l *limit) covers(service string) bool {
	return len(l.services) == 0 || slices.Contains(l.services, service)
}
