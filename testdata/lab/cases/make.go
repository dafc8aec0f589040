// Package cases holds the table of captures the laboratory makes, and makes them: it builds a world of namespaces around a
// switch with a tap, lets a client do its requests there, and writes what the tap and the servers saw. It does not know how a
// client is started (see clients), what a server answers (see standin) or how frames are treated (see forward).
package cases

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gnomon-sensor/gnomon/testdata/lab/pcapfile"
	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
)

// Order says which cases Make makes, and where.
type Order struct {
	Dir   string
	Table []Case
	Names []string // of the table's cases; all, if empty
	Again bool     // also cases that are there
}

// Make makes the cases of an order and says on log what it did. A case that is there is left alone unless it was named or
// Again is set: its bytes are what other tests are held to. A case that cannot be made does not stop the others; failed is
// the number of those.
func (l *Lab) Make(ctx context.Context, log io.Writer, o Order) (failed int) {
	for _, name := range o.Names {
		if !slices.ContainsFunc(o.Table, func(c Case) bool { return c.Name == name }) {
			fmt.Fprintf(log, "%s: there is no such case; see \"lab list\"\n", name)
			failed++
		}
	}
	for _, c := range o.Table {
		if ctx.Err() != nil {
			return failed
		}
		wanted, there := o.wants(c.Name)
		if there {
			fmt.Fprintf(log, "%s: is there\n", c.Name)
		}
		if !wanted || there {
			continue
		}
		size, err := l.makeCase(ctx, c, filepath.Join(o.Dir, c.Name))
		if err != nil {
			fmt.Fprintf(log, "%s: %v\n", c.Name, err)
			failed++
			continue
		}
		fmt.Fprintf(log, "%s: made, %d bytes\n", c.Name, size)
	}
	return failed
}

// wants reports whether a case belongs to the order, and whether it is there already and may stay.
func (o Order) wants(name string) (wanted, there bool) {
	if len(o.Names) > 0 {
		return slices.Contains(o.Names, name), false
	}
	_, err := os.Stat(filepath.Join(o.Dir, name, truthFile))
	return true, err == nil && !o.Again
}

const truthFile = "truth.ndjson"

func (l *Lab) makeCase(ctx context.Context, c Case, dir string) (int, error) {
	res, err := l.capture(ctx, c)
	if err != nil {
		return 0, err
	}
	if c.Shape != nil {
		if err := c.Shape(packets(res.frames)); err != nil {
			return 0, err
		}
	}
	var capture, known bytes.Buffer
	name := "input.pcap"
	frames := res.frames
	if c.Rewrite.do != nil {
		name, frames = c.Rewrite.file, c.Rewrite.do(frames)
	}
	if strings.HasSuffix(name, "ng") {
		err = pcapfile.WriteNG(&capture, []string{"tap-out", "tap-in"}, frames)
	} else {
		err = pcapfile.Write(&capture, frames)
	}
	if err != nil {
		return 0, err
	}
	if err := truth.Write(&known, res.records); err != nil {
		return 0, err
	}
	return capture.Len(), writeFiles(dir, []file{{name, capture.Bytes()}, {truthFile, known.Bytes()}, {"ABOUT", c.about(res.programs)}})
}

type file struct {
	name    string
	content []byte
}

// writeFiles makes the directory and replaces the files in it one by one, the last first being whole.
func writeFiles(dir string, files []file) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making a case's directory: %w", err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := os.WriteFile(path+".new", f.content, 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", f.name, err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			return fmt.Errorf("putting %s in place: %w", f.name, err)
		}
	}
	return nil
}

// about says why a case exists and where its bytes come from.
func (c Case) about(programs []string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "Why: %s.\n", c.Why)
	fmt.Fprintf(&b, "Made by: testdata/lab (go run . make), case %s: a real client in a network namespace against a stand-in\n", c.Name)
	b.WriteString("  server that played the named hosts; no packet left the machine, and no account or person is behind it.\n")
	fmt.Fprintf(&b, "Programs: %s.\n", strings.Join(programs, "; "))
	b.WriteString("Requests, in order (method, body bytes, URL):\n")
	for _, r := range c.Requests {
		fmt.Fprintf(&b, "  %s %d %s\n", r.Method, r.Upload, r.URL)
	}
	if c.User != "" {
		fmt.Fprintf(&b, "Proxy: Squid at %s:%d with basic authentication; the user is %q.\n", proxy, squidPort, c.User)
	}
	if c.ECHName != "" {
		fmt.Fprintf(&b, "Outer name of the encrypted hello: %s.\n", c.ECHName)
	}
	if note := c.wireNote(); note != "" {
		fmt.Fprintf(&b, "Wire: %s.\n", note)
	}
	if c.Rewrite.note != "" {
		fmt.Fprintf(&b, "Rewritten: %s\n", c.Rewrite.note)
	}
	b.WriteString("Truth: truth.ndjson is what the servers (and the proxy's log) counted, one record per connection or look-up.\n")
	b.WriteString("Licence: the project's own.\n")
	return []byte(b.String())
}

func (c Case) wireNote() string {
	var parts []string
	percent := func(share float64, what string) {
		if share > 0 {
			parts = append(parts, fmt.Sprintf("%g %% of the frames %s", share*100, what))
		}
	}
	percent(c.Rules.LossBeforeTap, "lost before the tap")
	percent(c.Rules.LossBehindTap, "lost behind the tap")
	percent(c.Rules.Duplicate, "doubled")
	percent(c.Rules.Reorder, "overtaken by the next ones")
	if c.Rules.Delay > 0 {
		parts = append(parts, fmt.Sprintf("%v delay each way", c.Rules.Delay))
	}
	if c.Rules.SwapHello {
		parts = append(parts, "the hello's first segment or datagram arrives behind its second")
	}
	return strings.Join(parts, ", ")
}
