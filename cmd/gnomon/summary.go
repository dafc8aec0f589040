package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// summary adds activities up: what `scan` prints, and `run` now and then. It is a sensor.Sink.
type summary struct {
	mu       sync.Mutex
	services map[string]*serviceSum
	sets     distincts // of users, which all services share the bound of
	users    *distinct // of all services
	people   crowd
	first    event.Time
	last     event.Time

	candidates []candidates.Candidate // names that are in no catalogue
}

// serviceSum is the use of one service. Sums take only counted records; a look-up alone shows the name and nothing more.
type serviceSum struct {
	id, name, category string
	number             int       // in the order in which services appeared
	users              *distinct // user, else address
	visits             uint64    // as their records are marked; see visitMarks
	used               uint64    // of visits: those with more than traffic in the background
	flows              uint64
	lookups            uint64 // records that do not count: look-ups, and the attempts below
	denied             uint64 // attempts that a proxy or firewall refused
	up, down           uint64
	upload             event.Upload
	uploadKnown        bool
	status             string
	statusAt           event.Time
}

func newSummary() *summary {
	s := &summary{services: map[string]*serviceSum{}, sets: newDistincts(), people: newCrowd()}
	s.users = s.sets.set()
	return s
}

// Offer implements sensor.Sink.
func (s *summary) Offer(ev *event.Event) {
	if ev.Event.Dataset != event.DatasetActivity || ev.Gnomon == nil || ev.Gnomon.Service == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.between(ev)
	sum := s.services[ev.Rule.ID]
	if sum == nil {
		sum = &serviceSum{id: ev.Rule.ID, name: ev.Rule.Name, category: ev.Rule.Category, status: "unreviewed", number: len(s.services), users: s.sets.set()}
		s.services[sum.id] = sum
	}
	if ev.Gnomon.Counted == nil || !*ev.Gnomon.Counted {
		if ev.Gnomon.Evidence.Role == "" { // a name that other products share is no look-up
			sum.lookups++
		}
		if ev.Event.Outcome == "failure" {
			sum.denied++
		}
		return
	}
	sum.add(ev)
	s.addUser(ev, sum)
}

func (s *summary) between(ev *event.Event) {
	if s.first == 0 || ev.Event.Start < s.first {
		s.first = ev.Event.Start
	}
	s.last = max(s.last, ev.Event.End)
}

func (sum *serviceSum) add(ev *event.Event) {
	if v := ev.Gnomon.Visit; v != nil {
		if v.First {
			sum.used++
		}
		if v.First != v.Background { // use that begins in a visit of background traffic is marked with both
			sum.visits++
		}
	}
	if ev.Gnomon.Flow.Slice == 0 {
		sum.flows++
	}
	sum.up += known(ev.Source.Bytes)
	sum.down += known(ev.Destination.Bytes)
	if u := ev.Gnomon.Upload; u != nil {
		sum.uploadKnown = true
		sum.upload.Bytes += u.Bytes
		sum.upload.Low += u.Low
		sum.upload.High += u.High
	}
	sum.judged(ev)
}

// judged takes the status of the latest record, in whatever order they come.
func (sum *serviceSum) judged(ev *event.Event) {
	p := ev.Gnomon.Policy
	if p == nil || ev.Timestamp < sum.statusAt || ev.Timestamp == sum.statusAt && p.Status < sum.status {
		return
	}
	sum.status, sum.statusAt = p.Status, ev.Timestamp
}

// known is a figure that a log line may leave out.
func known(n *uint64) uint64 {
	if n == nil {
		return 0
	}
	return *n
}

// addUser adds a counted record to those of its user.
func (s *summary) addUser(ev *event.Event, sum *serviceSum) {
	if shared(ev) {
		return
	}
	who := whoOf(ev)
	hash, more := hashOf(who), ev.Gnomon.Use != query.UseBackground
	s.sets.add(sum.users, hash, more)
	s.sets.add(s.users, hash, more)
	u := s.people.of(who)
	u.services.add(sum.number)
	if ev.Gnomon.Flow.Slice == 0 {
		u.flows++
	}
	if ev.Gnomon.Upload != nil {
		u.up += ev.Gnomon.Upload.Bytes
		u.uploadKnown = true
	}
}

// shared says whether a record is of an address that stands for several people or none, as a proxy's or a resolver's does.
func shared(ev *event.Event) bool {
	return ev.Gnomon.Attribution != nil && ev.Gnomon.Attribution.Shared && ev.User == nil
}

// whoOf is the user behind a record, else the client's address.
func whoOf(ev *event.Event) string {
	switch u := ev.User; {
	case u != nil && u.Name != "":
		return u.Name
	case u != nil && u.ID != "":
		return u.ID
	}
	return ev.Source.IP
}

// sorted lists the services, most users first, then most upload.
func (s *summary) sorted() []*serviceSum {
	return slices.SortedFunc(maps.Values(s.services), func(a, b *serviceSum) int {
		return cmp.Or(cmp.Compare(b.users.active().n, a.users.active().n), cmp.Compare(b.upload.Bytes, a.upload.Bytes), cmp.Compare(b.flows, a.flows),
			cmp.Compare(a.name, b.name))
	})
}

// write prints the summary for a person; b is nil where blind spots are told elsewhere.
func (s *summary) write(w io.Writer, c *sensor.Coverage, b *blindSpots) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.services) == 0 {
		fmt.Fprintln(w, "No use of an AI service was seen.")
	} else {
		fmt.Fprintf(w, "AI services used, %s to %s UTC\n\n", s.first.Time().Format("2006-01-02 15:04:05"), s.last.Time().Format("2006-01-02 15:04:05"))
		s.writeServices(w)
		s.people.write(w, s.users.all())
		s.writeEstimated(w)
	}
	if len(s.candidates) > 0 {
		const most = 20
		fmt.Fprintf(w, "\nNot in the catalogue, and like an AI service (%d)\n\n", len(s.candidates))
		writeCandidates(w, s.candidates[:min(most, len(s.candidates))])
	}
	writeCoverage(w, c)
	if b != nil {
		b.write(w)
	}
}

func (s *summary) writeServices(w io.Writer) {
	t := newTable("SERVICE", "CATEGORY", "STATUS", "USERS", "VISITS", "FLOWS", "UPLOAD", "AT LEAST", "AT MOST", "DOWN")
	t.optional = []string{"CATEGORY", "DOWN", "VISITS", "FLOWS", "STATUS"}
	for _, sum := range s.sorted() {
		if sum.flows == 0 {
			only := "looked up only"
			if sum.denied > 0 {
				only = "refused only"
			}
			t.row(printable(sum.name), sum.category, sum.status, "-", "-", only, "", "", "", "")
			continue
		}
		upload, low, high := "unknown", "", ""
		if sum.uploadKnown {
			upload, low, high = size(sum.upload.Bytes), size(sum.upload.Low), size(sum.upload.High)
		}
		t.row(printable(sum.name), sum.category, sum.status, sum.users.active().String(), fmt.Sprint(sum.used), fmt.Sprint(sum.flows),
			upload, low, high, size(sum.down))
	}
	t.write(w)
	s.writeQuiet(w)
}

// writeQuiet shows adoption apart from programs that talk by themselves.
func (s *summary) writeQuiet(w io.Writer) {
	var parts []string
	for _, sum := range s.sorted() {
		if quiet := sum.users.quiet(); quiet.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", printable(sum.name), quiet))
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(w, "\nNot counted as use, users with traffic in the background only (a timer's, connections that carried no request): %s\n", strings.Join(parts, ", "))
	}
}

// writeEstimated says which numbers of users are no exact ones.
func (s *summary) writeEstimated(w io.Writer) {
	if sets, worst := s.sets.estimated(); sets > 0 {
		fmt.Fprintf(w, "\nAbout: more than %d users of one service, or %d of all together, are estimated from a sample of them (standard error %.1f %%).\n",
			s.sets.each, s.sets.together, 100*worst)
	}
}

// writeCoverage says what the figures rest on: an empty list means nothing without it.
func writeCoverage(w io.Writer, c *sensor.Coverage) {
	if c.VisitsCut > 0 {
		fmt.Fprintf(w, "\nVisits are at most as many: %d were closed early for want of memory, and count again if they went on.\n", c.VisitsCut)
	}
	if len(c.Sources) > 0 {
		writeSources(w, c)
		if c.Received == 0 {
			return
		}
	}
	fmt.Fprintf(w, "\nCoverage: %d frames read", c.Received)
	if c.Dropped > 0 {
		fmt.Fprintf(w, ", %d DROPPED by the kernel (%s)", c.Dropped, percent(c.Dropped, c.Received+c.Dropped))
	}
	var lost []string
	for _, reason := range slices.Sorted(maps.Keys(c.Undecodable)) {
		lost = append(lost, fmt.Sprintf("%d %s", c.Undecodable[reason], strings.ReplaceAll(reason, "_", " ")))
	}
	if len(lost) > 0 {
		fmt.Fprintf(w, " (%s)", strings.Join(lost, ", "))
	}
	fmt.Fprintf(w, "; %d flows, %d DNS messages.\n", c.Flows, c.DNS)
	if c.Readable > 0 {
		fmt.Fprintf(w, "A name could be read in %s of the %d flows that should have one (port 443, TLS, QUIC, HTTP).\n",
			percent(c.Named, c.Readable), c.Readable)
	}
	for _, x := range []struct {
		n    uint64
		says string
	}{
		{c.ECHOffered, "hellos carry an encrypted one or, mostly, a dummy of it (ECH)"},
		{c.Copies, "frames had been captured before and were counted once: the mirror port sends them twice"},
		{c.OneSided, "TCP flows were seen in one direction only: check that the tap delivers both"},
		{c.Cut, "flows were cut by the capture's snaplen"},
		{c.Evicted, "flows were evicted from the full table; raise flow.max_flows"},
		{c.GivenUp, "beginnings of connections were given up for want of memory"},
	} {
		if x.n > 0 {
			fmt.Fprintf(w, "%d %s.\n", x.n, x.says)
		}
	}
}

func percent(part, whole uint64) string {
	if whole == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}

// size writes bytes for people.
func size(n uint64) string {
	const unit = 1000
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, i := float64(n)/unit, 0
	for value >= 999.5 && i < 4 {
		value /= unit
		i++
	}
	return fmt.Sprintf("%.*f %cB", map[bool]int{true: 1, false: 0}[value < 99.95], value, "kMGTP"[i])
}
