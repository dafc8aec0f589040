package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/spool"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/config"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// killed is a daemon's life between two kills, as far as records go: its pipeline, its spool and what lies in its directory.
type killed struct {
	t       *testing.T
	rnd     *rand.Rand
	prefer  string
	dir     string
	spool   *spool.Spool
	out     *outlet
	pipe    *pipeline
	eye     *sensor.LogEye
	visits  *sensor.Visits
	harvest *harvest
	said    bytes.Buffer
	// fatal is how many steps of keeping things are left before the next kill; 0: there is none.
	fatal int
	copy  string // of the directory, at the kill; empty: it lives
}

// harvest is what an output has, over all lives: of each identifier the first record.
type harvest struct {
	mu   sync.Mutex
	by   map[string]event.Event
	dead map[*outlet]bool
}

// outlet is the output in one life.
type outlet struct{ to *harvest }

var _ exporters.Exporter = (*outlet)(nil)

// Export implements exporters.Exporter.
func (o *outlet) Export(_ context.Context, batch []event.Event, out []exporters.Outcome) error {
	o.to.mu.Lock()
	defer o.to.mu.Unlock()
	if o.to.dead[o] {
		return errors.New("the process was killed")
	}
	for i := range batch {
		out[i].State = exporters.Stored
		if _, known := o.to.by[batch[i].Event.ID]; !known {
			o.to.by[batch[i].Event.ID] = batch[i]
		}
	}
	return nil
}

// Close implements exporters.Exporter.
func (*outlet) Close() error { return nil }

// start begins a life in a directory, and returns how to end it.
func (k *killed) start(dir string, heard [2]int64) (end func()) {
	k.t.Helper()
	k.dir, k.copy, k.visits = dir, "", sensor.NewVisits()
	c := defaultSettings()
	c.Observer.StateDir, c.Visit.Prefer, c.Visit.Patience = dir, k.prefer, 20*time.Minute
	p := &program{}
	log := slog.New(slog.NewTextHandler(&k.said, nil))
	pipe, err := p.newPipeline(&c, true, log)
	if err != nil {
		k.t.Fatal(err)
	}
	conf := spool.Default(filepath.Join(dir, "spool"))
	conf.Exporters, conf.Witness, conf.Sync, conf.Log = []string{"out"}, "visits", time.Hour, slog.New(slog.DiscardHandler)
	if k.spool, err = spool.Open(conf); err != nil {
		k.t.Fatal(err)
	}
	out := &outlet{k.harvest}
	k.out = out
	if err := k.spool.Attach("out", out); err != nil {
		k.t.Fatal(err)
	}
	pipe.eyes, pipe.next, k.pipe = newEyes(&c, pipe.key, false), k.spool, pipe
	pipe.keepVisits(filepath.Join(dir, "visits.json"), k, conf.MaxBytes)
	k.eye = pipe.eyes.Source("squid.log", "squid-upload", true)
	k.eye.Resume(heard[0], heard[1])
	return func() {
		k.harvest.kill(out)
		_ = k.spool.Close(time.Millisecond) // what it still does nobody sees
	}
}

// kill has an output get nothing any more.
func (a *harvest) kill(out *outlet) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dead[out] = true
}

// step is a moment at which a kill may come. What reaches the disk from then on reaches nobody.
func (k *killed) step() {
	if k.fatal--; k.fatal == 0 {
		k.harvest.kill(k.out)
		k.copy = k.t.TempDir()
		copyLiving(k.t, k.copy, k.dir)
	}
}

// copyLiving copies what a process that goes on has in a directory. Nothing is flushed meanwhile; a cursor may move on, and then its file is there
// as it was or as it is.
func copyLiving(t *testing.T, to, from string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".tmp") {
			if err == nil && d.IsDir() {
				err = os.MkdirAll(target, 0o700)
			}
			return gone(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return gone(err)
		}
		return os.WriteFile(target, text, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// gone makes a file that has just gone none of our concern.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

var _ recorder = (*killed)(nil)

// End implements recorder.
func (k *killed) End() uint64 { return k.spool.End() }

// Sync implements recorder.
func (k *killed) Sync() error {
	k.step()
	err := k.spool.Sync()
	k.step()
	return err
}

// Recall implements recorder.
func (k *killed) Recall(visit func(*event.Event)) (uint64, error) { return k.spool.Recall(visit) }

// Pass implements recorder.
func (k *killed) Pass(to uint64) error {
	k.step()
	err := k.spool.Pass(to)
	k.step()
	return err
}

// seenUse is one record that packets or the log tell of.
type seenUse struct {
	log           bool
	client        int
	service       string
	start, end    int64
	slice         uint32
	up            uint64
	id            string
	told          int64 // when it comes
	identityKnown bool
}

// uses are hours of some people's use as both eyes tell of it: the log later, and not of all.
func uses(rnd *rand.Rand) []seenUse {
	const minute = int64(60e9)
	var all []seenUse
	for client := range 6 {
		at := int64(1.79e18) + rnd.Int64N(60)*minute
		for visit := range 12 {
			at += rnd.Int64N(200) * minute
			service := []string{"chat", "code"}[rnd.IntN(2)]
			begun := at
			for slice := range 1 + rnd.IntN(4) {
				end := at + (1+rnd.Int64N(12))*minute
				all = append(all, seenUse{client: client, service: service, start: at, end: end, slice: uint32(slice), up: 1000 + rnd.Uint64N(9000),
					id: fmt.Sprintf("p%d-%d-%d", client, visit, slice), told: end, identityKnown: client%2 == 0})
				at = end
			}
			if rnd.IntN(4) > 0 {
				all = append(all, seenUse{log: true, client: client, service: service, start: begun, end: at, up: 1000 + rnd.Uint64N(9000),
					id: fmt.Sprintf("l%d-%d", client, visit), told: at + rnd.Int64N(10)*minute, identityKnown: true})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b seenUse) int { return int((a.told - b.told) / 1e9) })
	return all
}

// offer hands a record to the pipeline.
func (k *killed) offer(u *seenUse) {
	counted := true
	client := fmt.Sprintf("10.0.0.%d", u.client+1)
	ev := &event.Event{Timestamp: event.Time(u.end), Source: &event.Endpoint{IP: client, Bytes: &u.up}, Destination: &event.Endpoint{},
		Event: event.Meta{ID: u.id, Dataset: event.DatasetActivity, Start: event.Time(u.start), End: event.Time(u.end)},
		Rule:  &event.Rule{ID: u.service, Name: u.service}}
	ev.Gnomon = &event.Gnomon{Counted: &counted, Service: &event.Service{ID: u.service}, Evidence: &event.Evidence{Class: "sni"}, Flow: &event.Flow{Slice: u.slice},
		Visit: &event.Visit{ID: k.visits.Use("o", client, u.service, u.start, u.end)}}
	if u.identityKnown {
		ev.User = &event.User{Name: fmt.Sprint("user", u.client)}
	}
	if u.log {
		ev.Log = &event.Log{File: &event.LogFile{Path: "squid.log"}}
		k.eye.Beat(u.end)
	}
	k.pipe.Offer(ev)
}

// sums are bytes, flows and visits by client and service.
func (a *harvest) sums() map[string][3]uint64 {
	out := map[string][3]uint64{}
	for _, ev := range a.by {
		if ev.Gnomon.Counted == nil || !*ev.Gnomon.Counted {
			continue
		}
		key := ev.Source.IP + " " + ev.Gnomon.Service.ID
		sum := out[key]
		sum[0] += *ev.Source.Bytes
		if ev.Gnomon.Flow.Slice == 0 {
			sum[1]++
		}
		if ev.Gnomon.Visit.First {
			sum[2]++
		}
		out[key] = sum
	}
	return out
}

// live takes all uses through, being killed so many times on the way: lines of the log are read again from the place that was kept last, and
// packets come again that never reached the disk.
func (k *killed) live(all []seenUse, kills int) map[string][3]uint64 {
	k.t.Helper()
	k.harvest = &harvest{by: map[string]event.Event{}, dead: map[*outlet]bool{}}
	place, heard := 0, [2]int64{} // up to which the log was read, kept safely, and what it had told
	k.fatal = 0
	end := k.start(k.t.TempDir(), heard)
	plan := func() {
		if kills > 0 {
			kills--
			k.fatal = 1 + k.rnd.IntN(len(all)/2)
		}
	}
	plan()
	for i := 0; i < len(all); i++ {
		if !all[i].log || i >= place {
			if !all[i].log && k.has(all[i].id) { // it was safe when the kill came
				continue
			}
			k.offer(&all[i])
		}
		k.step()
		if k.keep(k.rnd.IntN(12)) {
			place = i + 1
			heard[0], heard[1] = k.eye.Heard()
		}
		if k.copy == "" {
			continue
		}
		end()
		end = k.start(k.copy, heard)
		k.drain()
		i = -1
		plan()
	}
	k.drain()
	end()
	return k.harvest.sums()
}

// keep makes safe what by chance is made safe now: records, the places of logs, which are kept far more often than visits, and visits. It says
// whether places were.
func (k *killed) keep(chance int) (places bool) {
	if chance > 3 {
		return false
	}
	if err := k.Sync(); err != nil {
		k.t.Fatal(err)
	}
	places = k.copy == "" && chance > 0
	if k.copy == "" && chance == 1 {
		k.pipe.saveVisits()
	}
	return places
}

// has says whether a record has arrived; after a drain that is whether it reached the disk.
func (k *killed) has(id string) bool {
	k.harvest.mu.Lock()
	defer k.harvest.mu.Unlock()
	_, ok := k.harvest.by[id]
	return ok
}

func (k *killed) drain() {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := k.spool.Drain(ctx, "out"); err != nil {
		k.t.Fatal(err)
	}
}

// Whenever the process is killed, and however often, sums by client and service are those of a run that nobody disturbed, whichever eye is
// preferred: nothing that packets and logs both saw counts twice, and nothing is missing.
func TestKilledCountsOnce(t *testing.T) {
	seeds := uint64(6)
	if testing.Short() {
		seeds = 3
	}
	for _, prefer := range []string{config.PreferLogs, config.PreferPackets} {
		for seed := range seeds {
			t.Run(fmt.Sprint(prefer, " ", seed), func(t *testing.T) {
				all := uses(rand.New(rand.NewPCG(seed, 1)))
				calm := &killed{t: t, rnd: rand.New(rand.NewPCG(seed, 2)), prefer: prefer}
				want := calm.live(all, 0)
				k := &killed{t: t, rnd: rand.New(rand.NewPCG(seed, 3)), prefer: prefer}
				got := k.live(all, 8)
				for _, key := range slices.Sorted(maps.Keys(want)) {
					if got[key] != want[key] {
						t.Errorf("%s: bytes, flows and visits are %d, want %d", key, got[key], want[key])
					}
				}
				if len(got) != len(want) || len(want) == 0 || k.said.Len() > 0 {
					t.Errorf("%d sums, want %d; %s", len(got), len(want), k.said.String())
				}
			})
		}
	}
}

// A file of visits that is damaged is said, and begun anew.
func TestVisitsDamaged(t *testing.T) {
	k := &killed{t: t, prefer: config.PreferLogs, harvest: &harvest{by: map[string]event.Event{}, dead: map[*outlet]bool{}}}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "visits.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	end := k.start(dir, [2]int64{})
	k.pipe.saveVisits()
	end()
	if !strings.Contains(k.said.String(), "some may count twice") {
		t.Errorf("nothing is said of a damaged file: %s", k.said.String())
	}
	k.said.Reset()
	k.start(dir, [2]int64{})()
	if k.said.Len() > 0 {
		t.Errorf("the file is still damaged: %s", k.said.String())
	}
}
