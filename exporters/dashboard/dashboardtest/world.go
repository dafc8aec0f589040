// Package dashboardtest is a made-up year of a made-up organisation behind the Query interface, for tests of pages and reports and for
// looking at them: eight departments, three hundred people, forty services. The same seed gives the same year. It is no store: nothing can
// be written to it.
package dashboardtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// Days is how far back the year reaches.
const Days = 800

// Now is when the year ends: a Saturday noon in Berlin would be dull, so it is a Thursday afternoon.
func Now() time.Time { return time.Date(2026, 11, 19, 13, 20, 0, 0, time.UTC) }

// World answers queries. Set what is to be different before the first query.
type World struct {
	// Err is what every query returns.
	Err error
	// Blind makes the sensors have written nothing at all.
	Blind bool
	// Quiet makes the sensors have seen no use.
	Quiet bool
	// Hostile are names that stand for some services, users, departments and sources.
	Hostile []string
	// Wait, if set, blocks every query until it is closed or the query's context ends.
	Wait chan struct{}

	Queries atomic.Int64 // asked so far
	most    atomic.Int64 // at the same time
	running atomic.Int64

	once     sync.Once
	people   []person
	cells    []cell // by hour
	labels   map[labelKey]string
	labelsMu sync.Mutex
}

var (
	_ query.Query   = (*World)(nil)
	_ query.Spanned = (*World)(nil)
	_ query.Blind   = (*World)(nil)
)

type person struct {
	key, name, department string
	appetite              float64
	favourites            []int
}

// cell is one person's use of one service in one hour.
type cell struct {
	hour            int64 // since 1970
	person, service int
	visits, flows   uint64
	up, unknown     uint64
}

// department is a name and how many people work there.
type department struct {
	name string
	size int
}

var departments = [...]department{{"Engineering", 90}, {"Sales", 70}, {"Marketing", 46}, {"Customer support", 40}, {"Finance", 24}, {"Human resources", 14},
	{"Legal", 6}, {"Board", 3}, {"", 7}}

// Small is a department with fewer than five people, Large one with many.
const (
	Small = "Board"
	Large = "Engineering"
)

// MostAtOnce is how many queries ran at the same time.
func (w *World) MostAtOnce() int64 { return w.most.Load() }

// Names are all names of people: a viewer's pages hold none of them.
func (w *World) Names() []string {
	w.once.Do(w.make)
	var out []string
	for i := range w.people {
		out = append(out, w.people[i].name)
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// Keys are the keys of all people.
func (w *World) Keys() []string {
	w.once.Do(w.make)
	var out []string
	for i := range w.people {
		out = append(out, w.people[i].key)
	}
	return out
}

func (w *World) hostile(i int, name string) string {
	if len(w.Hostile) == 0 || i%3 != 0 {
		return name
	}
	return w.Hostile[i/3%len(w.Hostile)]
}

var (
	given  = [...]string{"Amara", "Ben", "Chiara", "Deniz", "Elif", "Finn", "Greta", "Hakan", "Ines", "Jonas", "Katya", "Lukas", "Mina", "Noor", "Oskar", "Priya", "Quentin", "Rosa", "Sami", "Tilda"}
	family = [...]string{"Adeyemi", "Brandt", "Castellani", "Demir", "Eriksen", "Fontaine", "Gruber", "Haddad", "Ivanova", "Jansen", "Kowalski", "Lindqvist", "Marchetti", "Novak", "Okafor"}
)

// make invents people and what they did.
func (w *World) make() {
	r := rand.New(rand.NewPCG(8686, 5)) //nolint:gosec // the same year each time
	w.labels = map[labelKey]string{}
	for at, d := range departments {
		for range d.size {
			i := len(w.people)
			p := person{key: fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()), department: w.hostile(at, d.name), appetite: 0.05 + 0.5*r.Float64()*r.Float64()}
			switch {
			case d.name == "":
				p.key = fmt.Sprintf("ip:10.20.7.%d@berlin", 10+i%200)
			case i%4 != 3:
				p.name = w.hostile(i, fmt.Sprintf("%s.%s", given[i%len(given)], family[(i/len(given)+i)%len(family)]))
			}
			for range 2 + r.IntN(4) {
				p.favourites = append(p.favourites, pick(r, at))
			}
			w.people = append(w.people, p)
		}
	}
	if !w.Quiet && !w.Blind {
		for day := Days; day >= 0; day-- {
			w.makeDay(r, day)
		}
	}
	slices.SortStableFunc(w.cells, func(a, b cell) int { return int(a.hour - b.hour) })
}

// pick prefers the services that stand first, and coding assistants in the department that stands first.
func pick(r *rand.Rand, department int) int {
	n := int(float64(len(offers)) * r.Float64() * r.Float64() * r.Float64())
	if department != 0 && offers[n].category == "coding-assistant" {
		n = 0
	}
	return n
}

func (w *World) makeDay(r *rand.Rand, ago int) {
	midnight := Now().Truncate(24*time.Hour).AddDate(0, 0, -ago)
	growth := 0.15 + 0.85*float64(Days-ago)/Days
	if d := midnight.Weekday(); d == time.Saturday || d == time.Sunday {
		growth *= 0.12
	}
	for i := range w.people {
		p := &w.people[i]
		for _, s := range p.favourites {
			if r.Float64() > p.appetite*growth || ago > offers[s].since {
				continue
			}
			at := midnight.Add(time.Duration(7+r.IntN(6)+r.IntN(5)) * time.Hour)
			if at.Before(Now().Truncate(time.Hour)) && !outage(at) {
				w.cells = append(w.cells, makeCell(r, at, i, s))
			}
		}
	}
}

// makeCell invents an hour's use: most of it is small, some uploads are large, some cannot be estimated.
func makeCell(r *rand.Rand, at time.Time, person, service int) cell {
	c := cell{hour: at.Unix() / 3600, person: person, service: service, visits: 1 + uint64(r.IntN(3))}
	c.flows = c.visits * uint64(2+r.IntN(5))
	c.up = uint64(2000 * (1 + r.ExpFloat64()*r.ExpFloat64()*40) * float64(c.visits))
	if r.IntN(60) == 0 {
		c.up *= 200
	}
	if r.IntN(12) == 0 {
		c.unknown = 1
	}
	return c
}

// outage says whether the sensor was down: half a day last week, two days in summer.
func outage(t time.Time) bool {
	for _, o := range [...][2]time.Time{
		{time.Date(2026, 11, 11, 7, 0, 0, 0, time.UTC), time.Date(2026, 11, 11, 19, 0, 0, 0, time.UTC)},
		{time.Date(2026, 7, 7, 0, 0, 0, 0, time.UTC), time.Date(2026, 7, 9, 10, 0, 0, 0, time.UTC)},
	} {
		if !t.Before(o[0]) && t.Before(o[1]) {
			return true
		}
	}
	return false
}

// begin counts a query and waits where it is to wait.
func (w *World) begin(ctx context.Context) error {
	w.once.Do(w.make)
	w.Queries.Add(1)
	n := w.running.Add(1)
	defer w.running.Add(-1)
	for most := w.most.Load(); n > most && !w.most.CompareAndSwap(most, n); most = w.most.Load() {
		continue
	}
	if w.Wait != nil {
		select {
		case <-w.Wait:
		case <-ctx.Done():
			return fmt.Errorf("asking the made-up year: %w", ctx.Err())
		}
	}
	return w.Err
}

// Span implements query.Spanned.
func (w *World) Span(context.Context) (query.Span, error) {
	w.once.Do(w.make)
	if w.Blind {
		return query.Span{}, w.Err
	}
	return query.Span{RecordsFrom: Now().AddDate(0, 0, -90), SumsFrom: Now().AddDate(0, 0, -Days).Truncate(time.Hour), To: Now()}, w.Err
}
