package main

import (
	"os"
	"os/signal"
	"syscall"
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

// reloadCatalogue returns a function that loads the signatures again. Broken ones are said, and the old ones stay.
func (d *daemonParts) reloadCatalogue(c *settings) func() {
	return func() {
		catalogue, err := loadCatalogue(c)
		if err != nil {
			d.log.Error("the signatures were not reloaded: the old ones stay", "error", err)
			return
		}
		d.catalogue.Store(catalogue)
		d.log.Info("reloaded the signatures", "catalogue", catalogue.Version(), "services", len(catalogue.Services()))
	}
}
