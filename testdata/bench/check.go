package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"

	"github.com/gnomon-sensor/gnomon/testdata/bench/traffic"
)

// document is what is read of a line of `gnomon inspect`.
type document struct {
	Source      struct{ Bytes uint64 }
	Destination struct{ Bytes uint64 }
	TLS         struct {
		Client struct {
			ServerName string `json:"server_name"`
		}
	}
	DNS struct {
		Question struct{ Name string }
	}
}

// check holds what the program reads in a capture against the truth: a speed counts only if the answers are right.
func check(ctx context.Context, gnomon, path string, want traffic.Truth) error {
	cmd := exec.CommandContext(ctx, gnomon, "inspect", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("running %s: %w", gnomon, err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("running %s: %w", gnomon, err)
	}
	got, err := read(out)
	if err = errors.Join(err, cmd.Wait()); err != nil {
		return fmt.Errorf("reading what %s says of %s: %w", gnomon, path, err)
	}
	if !maps.Equal(got.Names, want.Names) || got.Up != want.Up || got.Down != want.Down {
		return fmt.Errorf("checking %s: the program reads %d names, %d bytes up and %d down; there are %d names, %d bytes up and %d down",
			path, sum(got.Names), got.Up, got.Down, sum(want.Names), want.Up, want.Down)
	}
	return nil
}

// read adds up the documents of a capture.
func read(r io.Reader) (traffic.Truth, error) {
	got := traffic.Truth{Names: map[string]int{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var d document
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			return got, err
		}
		if name := d.TLS.Client.ServerName; name != "" {
			got.Names[name]++
		}
		if name := d.DNS.Question.Name; name != "" {
			got.Names["?"+name]++
		}
		got.Up += d.Source.Bytes
		got.Down += d.Destination.Bytes
	}
	return got, lines.Err()
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}
