package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// onReload calls all functions at each SIGHUP until stop is called.
func onReload(all ...func()) (stop func()) {
	hups := make(chan os.Signal, 1)
	signal.Notify(hups, syscall.SIGHUP)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range hups {
			for _, reload := range all {
				reload()
			}
		}
	}()
	return func() {
		signal.Stop(hups)
		close(hups)
		<-ended
	}
}

// catalogueKeeper puts newer signatures in the place of those that a daemon works with.
type catalogueKeeper struct {
	program *program
	config  *settings
	daemon  *daemonParts
	outputs *outputs
	now     func() time.Time

	mu      sync.Mutex
	seen    time.Time // when the bundle that was loaded was put in use
	updated time.Time // when the place of updates was last looked at
}

func (p *program) keepCatalogue(c *settings, d *daemonParts, o *outputs) *catalogueKeeper {
	return &catalogueKeeper{program: p, config: c, daemon: d, outputs: o, now: time.Now, seen: c.bundles(p.environ).Changed()}
}

// reload loads the signatures again. Broken ones are said, and the old ones stay.
func (k *catalogueKeeper) reload() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.load()
}

func (k *catalogueKeeper) load() {
	k.seen = k.config.bundles(k.program.environ).Changed()
	b, err := k.program.installed(k.config)
	var catalogue *signatures.Catalogue
	if err == nil {
		catalogue, err = loadOver(k.config, b)
	}
	if err != nil {
		k.daemon.log.Error("the signatures were not reloaded: the old ones stay", "error", err)
		return
	}
	old := k.daemon.catalogue.Swap(catalogue)
	k.daemon.log.Info("reloaded the signatures", "catalogue", catalogue.Version(), "services", len(catalogue.Services()))
	if old.Version() != catalogue.Version() {
		k.daemon.audit(k.outputs, &dashboard.Act{What: "catalogue-change", On: old.Version() + " to " + catalogue.Version(), Succeeded: true}, k.now())
	}
}

// lookEvery is how often a daemon looks whether another catalogue was put in use.
const lookEvery = time.Minute

// start looks now and then whether there is something newer, until stop is called or ctx ends.
func (k *catalogueKeeper) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		k.watch(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

func (k *catalogueKeeper) watch(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			k.look(ctx)
		}
	}
}

// look fetches an update if that is due, and loads what was put in use, by this process or another.
func (k *catalogueKeeper) look(ctx context.Context) {
	k.mu.Lock()
	defer k.mu.Unlock()
	from, now := k.config.Catalogue.Update, k.now()
	if from != "" && now.Sub(k.updated) >= k.config.Catalogue.UpdateEvery {
		k.updated = now
		version, err := k.program.update(ctx, k.config, from, now)
		switch {
		case err == nil:
			k.daemon.log.Info("took in a newer catalogue", "catalogue", version, "from", from)
		case !errors.Is(err, errNothingNew):
			k.daemon.log.Error("the catalogue was not updated: the one in use stays", "error", err)
		}
	}
	if changed := k.config.bundles(k.program.environ).Changed(); !changed.Equal(k.seen) {
		k.load()
	}
}
