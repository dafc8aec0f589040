package main

import (
	"bytes"
	"os/exec"
	"strconv"
	"strings"
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
	d.hangUpWhile(t, inside(t.Context(), ns, "sender", strconv.Itoa(1<<30), demo, "out0"))
	d.waitFor(t, 1, isSNI("chatgpt.com"))
	status, _, stderr := u.gnomon(t, "catalogue", "update", newer)
	if status != 0 {
		t.Fatal(stderr)
	}
	d.hangup(t)
	d.heard(t, "catalogue=2099.1.1")
	reloads := d.reloads()
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
	if reloads < 5 {
		t.Errorf("%d reloads: that is no load", reloads)
	}
}

// reloads is how often the signatures were loaded again.
func (d *daemonProcess) reloads() int { return strings.Count(d.says(), "reloaded the signatures") }

// hangUpWhile runs a sender and sends signals as long as it does. The sender goes on when what it sent before has met another reload, however
// long that takes.
func (d *daemonProcess) hangUpWhile(t *testing.T, sender *exec.Cmd) {
	t.Helper()
	var says bytes.Buffer
	sender.Stderr = &says
	turn, err := sender.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Start(); err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() { sent <- sender.Wait() }()
	again := time.NewTicker(15 * time.Millisecond)
	defer again.Stop()
	for before := 0; ; {
		select {
		case err := <-sent:
			if err != nil {
				t.Fatalf("sending: %v: %s", err, says.String())
			}
			return
		case <-again.C:
			d.hangup(t)
			if now := d.reloads(); now > before {
				before = now
				_, _ = turn.Write([]byte("\n")) // it may have ended by now
			}
		}
	}
}
