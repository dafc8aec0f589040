package main

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// While frames come, the signatures, the users and the policy are loaded again and again, and a newer catalogue is put in use: not a packet
// is dropped, and every use is what it is without that.
func TestProcessReloadUnderLoad(t *testing.T) {
	u := newUpdates(t)
	newer := u.signed(t, "2099.1.1", "corp-one", "corp.example")
	ns := namespace(t, 1)
	d := startDaemon(t, ns, "-i", "in0", "-c", u.config, "--state-dir", u.dir+"/state")
	send := inside(context.Background(), ns, "sender", strconv.Itoa(1<<30), demo, "out0")
	var says bytes.Buffer
	send.Stderr = &says
	if err := send.Start(); err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() { sent <- send.Wait() }()
	again := time.NewTicker(15 * time.Millisecond)
	defer again.Stop()
	hups := 0
	for ending := false; !ending; {
		select {
		case err := <-sent:
			if err != nil {
				t.Fatalf("sending: %v: %s", err, says.String())
			}
			ending = true
		case <-again.C:
			if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			hups++
		}
	}
	d.waitFor(t, 1, isSNI("chatgpt.com"))
	status, _, stderr := u.gnomon(t, "catalogue", "update", newer)
	if status != 0 {
		t.Fatal(stderr)
	}
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.heard(t, "catalogue=2099.1.1")
	d.mu.Lock()
	reloads := strings.Count(d.errs.String(), "reloaded the signatures")
	d.mu.Unlock()
	got, want := d.stop(t), offline(t, 1<<30)
	seen := sums(got)
	for key, w := range want {
		if g := seen[key]; g != w {
			t.Errorf("%s: under load %+v, from the file %+v", key, g, w)
		}
	}
	received, dropped := uint64(0), uint64(0)
	for i := range got {
		if ev := &got[i].Event; ev.Event.Dataset == event.DatasetCoverage {
			received, dropped = received+ev.Gnomon.Coverage.Received, dropped+ev.Gnomon.Coverage.Dropped
		}
	}
	if dropped != 0 || received < 1000 {
		t.Errorf("%d frames were dropped, %d received", dropped, received)
	}
	if hups < 5 || reloads < 3 {
		t.Errorf("%d signals, %d reloads: that is no load", hups, reloads)
	}
}
