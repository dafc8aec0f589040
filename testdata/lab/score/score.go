// Package score holds what a sensor reads from captures against the truth beside them: names, and the upload estimate with its
// bounds. It starts the sensor as a program and reads NDJSON of ECS documents; it knows nothing else about it.
package score

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
)

// document is what the score needs of one line of the sensor's output.
type document struct {
	Source, Destination struct {
		IP   string `json:"ip"`
		Port uint16 `json:"port"`
	}
	Network struct {
		Transport string `json:"transport"`
	}
	TLS struct {
		Client struct {
			ServerName string `json:"server_name"`
		} `json:"client"`
	} `json:"tls"`
	Gnomon struct {
		Upload *estimate `json:"upload"`
	} `json:"gnomon"`
}

type estimate struct {
	Bytes int64 `json:"bytes"`
	Low   int64 `json:"low"`
	High  int64 `json:"high"`
}

// flow names a conversation in truth and in documents.
type flow struct {
	transport      string
	client, server netip.AddrPort
}

// Row is one connection: what was true and what the sensor said.
type Row struct {
	Case     string
	Program  string
	Protocol string
	Uploaded int64  // truth
	Named    bool   // the sensor gave the right name, and no wrong one
	Known    bool   // the sensor gave an estimate
	Variant  string // of the capture
	estimate
}

// Run starts the command for each case below dir, with {} in its arguments replaced by the capture's path, and returns a row
// per encrypted connection that carried requests. Problems name the cases whose run failed.
func Run(ctx context.Context, dir string, command []string) (rows []Row, problems []error) {
	return each(dir, "input.pcap*", func(c recording) ([]Row, error) {
		return c.run(ctx, c.file, command, c.records)
	})
}

// recording is a case: a capture and the truth beside it.
type recording struct {
	name, file string
	records    []truth.Record
}

// each does the same with every case below dir whose capture's name matches the pattern.
func each(dir, pattern string, do func(recording) ([]Row, error)) (rows []Row, problems []error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", pattern))
	if err != nil || len(files) == 0 {
		return nil, []error{fmt.Errorf("looking for cases in %s: there are none; make them first", dir)}
	}
	for _, file := range files {
		c := recording{name: filepath.Base(filepath.Dir(file)), file: file}
		c.records, err = readTruth(filepath.Join(filepath.Dir(file), "truth.ndjson"))
		var got []Row
		if err == nil {
			got, err = do(c)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", c.name, err))
		}
		rows = append(rows, got...)
	}
	return rows, problems
}

// run starts the command on a capture and compares what it says with the records.
func (c recording) run(ctx context.Context, file string, command []string, records []truth.Record) ([]Row, error) {
	argv := slices.Clone(command)
	for i := range argv {
		argv[i] = strings.ReplaceAll(argv[i], "{}", file)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("running %s: %w: %s", argv[0], err, strings.TrimSpace(said.String()))
	}
	return compare(c.name, records, &out)
}

func readTruth(path string) ([]truth.Record, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading truth: %w", err)
	}
	defer file.Close()
	var records []truth.Record
	for dec := json.NewDecoder(file); ; {
		var r truth.Record
		switch err := dec.Decode(&r); {
		case errors.Is(err, io.EOF):
			return records, nil
		case err != nil:
			return nil, fmt.Errorf("reading truth: %w", err)
		}
		records = append(records, r)
	}
}

// reading is what a sensor's documents say of one conversation: all names, and the sum of its slices' estimates.
type reading struct {
	names  []string
	known  bool
	upload estimate
}

// gather reads a sensor's output.
func gather(out io.Reader) (map[flow]*reading, error) {
	readings := map[flow]*reading{}
	for dec := json.NewDecoder(out); ; {
		var d document
		if err := dec.Decode(&d); errors.Is(err, io.EOF) {
			return readings, nil
		} else if err != nil {
			return nil, fmt.Errorf("reading the sensor's output: %w", err)
		}
		key, ok := d.flow()
		if !ok {
			continue
		}
		r := readings[key]
		if r == nil {
			r = &reading{}
			readings[key] = r
		}
		r.add(d)
	}
}

func (r *reading) add(d document) {
	if sni := d.TLS.Client.ServerName; sni != "" {
		r.names = append(r.names, sni)
	}
	if up := d.Gnomon.Upload; up != nil {
		r.known = true
		r.upload.Bytes += up.Bytes
		r.upload.Low += up.Low
		r.upload.High += up.High
	}
}

// compare matches the sensor's documents with the records of encrypted connections by five-tuple.
func compare(name string, records []truth.Record, out io.Reader) ([]Row, error) {
	readings, err := gather(out)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, r := range records {
		if r.Kind != truth.KindConnection || r.Name == "" || r.Requests == 0 {
			continue
		}
		row := Row{Case: name, Program: r.Program, Protocol: r.Protocol, Uploaded: r.Uploaded}
		if got := readings[flow{r.Transport, r.Client, r.Server}]; got != nil {
			want := cmp.Or(r.OuterName, r.Name)
			row.Named = len(got.names) > 0 && !slices.ContainsFunc(got.names, func(n string) bool { return n != want })
			row.Known, row.estimate = got.known, got.upload
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (d document) flow() (flow, bool) {
	src, err1 := netip.ParseAddr(d.Source.IP)
	dst, err2 := netip.ParseAddr(d.Destination.IP)
	return flow{d.Network.Transport, netip.AddrPortFrom(src, d.Source.Port), netip.AddrPortFrom(dst, d.Destination.Port)}, err1 == nil && err2 == nil
}
