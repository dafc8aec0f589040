package main

import (
	"context"
	"log/slog"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"
)

// serviceManager tells systemd how the daemon is; without systemd it does nothing.
type serviceManager struct{ log *slog.Logger }

func (m serviceManager) say(state string) {
	if _, err := sd.SdNotify(false, state); err != nil {
		m.log.Warn("the service manager could not be told", "state", state, "error", err)
	}
}

// watch says that the daemon is alive, as often as the service manager wants, until ctx ends. alive is asked each time: a worker that
// hangs must not look alive.
func (m serviceManager) watch(ctx context.Context, alive func() bool) {
	every, err := sd.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return
	}
	tick := time.NewTicker(every / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if alive() {
				m.say(sd.SdNotifyWatchdog)
			}
		}
	}
}
