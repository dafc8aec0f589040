package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// starter starts the node within the test, as run starts a process.
func starter(t *testing.T, address, file string) func() (func(), error) {
	return func() (func(), error) {
		k, err := openKeeper(file)
		if err != nil {
			return nil, err
		}
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		if err != nil {
			return nil, err
		}
		server := &http.Server{Handler: k, ReadHeaderTimeout: time.Minute}
		go func() { _ = server.Serve(listener) }()
		return func() { _ = server.Close(); _ = k.out.Close() }, nil
	}
}

func TestOutage(t *testing.T) {
	for _, tt := range []struct {
		name     string
		maxBytes int64
		lost     bool
	}{
		{"room for all", 1 << 30, false},
		{"less than an outage", 2 << 20, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			address, err := freeAddress(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			p := plan{rate: 5000, before: time.Second, away: 3 * time.Second, after: time.Second, every: time.Second, maxBytes: tt.maxBytes}
			var out bytes.Buffer
			if err := p.run(context.Background(), &out, address, dir, starter(t, address, filepath.Join(dir, "ids"))); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			if lost := !strings.Contains(out.String(), " 0 lost and counted"); lost != tt.lost {
				t.Errorf("lost %v\n%s", lost, out.String())
			}
		})
	}
}

// A record that is missing, or memory that grows, is said.
func TestJudge(t *testing.T) {
	dir := t.TempDir()
	address, err := freeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stop, err := starter(t, address, filepath.Join(dir, "ids"))()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, tt := range []struct {
		name    string
		offered int
		memory  []int64
		want    string
	}{
		{"all is there", 0, []int64{100, 120}, ""},
		{"one is missing", 1, nil, "counting"},
		{"memory grows", 0, []int64{100, 200}, "memory grew"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := measured{plan: plan{maxBytes: 1 << 20}, out: &bytes.Buffer{}, offered: tt.offered, memory: tt.memory}
			if err := m.open(address, filepath.Join(t.TempDir(), "spool")); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = m.spool.Close(time.Second) }()
			err := m.judge(t.Context(), address, time.Second)
			if got := err != nil; got != (tt.want != "") || got && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
