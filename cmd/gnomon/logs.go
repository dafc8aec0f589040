package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/logs"
)

func (p *program) logsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "logs", Short: "look at log formats: which there are, and what is understood of a log"}
	cmd.AddCommand(p.logsFormats(), p.logsTest())
	return cmd
}

func (p *program) logsFormats() *cobra.Command {
	return &cobra.Command{
		Use:   "formats [NAME]",
		Short: "list the log formats, or show one: where its fields are described, what tells the upload, a line of it",
		Args:  wants(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			library, err := p.formats()
			if err != nil {
				return err
			}
			out := p.out()
			if len(args) == 1 {
				info, ok := library.Info(args[0])
				if !ok {
					return usage("logs formats %s: there is no such format; `gnomon logs formats` lists them", args[0])
				}
				showFormat(out, &info)
				return out.Flush()
			}
			t := newTable("FORMAT", "UPLOAD", "WHOSE LOG")
			for _, f := range library.Formats() {
				upload := "told"
				if f.Upload != "" {
					upload = "not told"
				}
				t.row(f.Name, upload, f.Title)
			}
			t.write(out)
			return out.Flush()
		},
	}
}

// formats loads the log formats that the configuration names.
func (p *program) formats() (*logs.Library, error) {
	c, err := p.load()
	if err != nil {
		return nil, err
	}
	return logs.Load(c.Logs.Formats)
}

func showFormat(w io.Writer, f *logs.Info) {
	fmt.Fprintf(w, "%s: %s\n", f.Name, f.Title)
	for _, page := range f.Source {
		fmt.Fprintf(w, "  described at  %s\n", page)
	}
	if f.Upload != "" {
		fmt.Fprintf(w, "  for uploads   %s\n", f.Upload)
	}
	for _, line := range f.Samples {
		fmt.Fprintf(w, "  a line        %s\n", line)
	}
}

func (p *program) logsTest() *cobra.Command {
	var timezone string
	cmd := &cobra.Command{
		Use:   "test FORMAT FILE|-",
		Short: "show line by line what a log format understands, and what it rejects and why",
		Long: `Test prints each line of a log with what was understood of it. FORMAT is a name, auto, or the path of a format's file (*.toml) that is
being written. The exit status is 1 if a line was rejected.`,
		Example: "  gnomon logs test squid-native access.log\n  gnomon logs test ./our-proxy.toml sample.log",
		Args:    wants(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error {
			return p.testFormat(args[0], args[1], timezone)
		},
	}
	cmd.Flags().StringVar(&timezone, "timezone", "", "zone of times that carry none, as in Europe/Berlin (logs.timezone)")
	return cmd
}

func (p *program) testFormat(name, path, timezone string) error {
	c, err := p.load()
	if err != nil {
		return err
	}
	var text []byte
	if strings.HasSuffix(name, ".toml") {
		if text, err = os.ReadFile(name); err != nil {
			return fmt.Errorf("reading the log format: %w", err)
		}
		library, err := logs.New(name, text)
		if err != nil {
			return err
		}
		return p.testLibrary(&c, library, path, &logOptions{library.Formats()[0].Name, timezone})
	}
	library, err := logs.Load(c.Logs.Formats)
	if err != nil {
		return err
	}
	return p.testLibrary(&c, library, path, &logOptions{name, timezone})
}

func (p *program) testLibrary(c *settings, library *logs.Library, path string, o *logOptions) error {
	in, err := p.inputsOf(c, func() (*logs.Library, error) { return library, nil }, []string{path}, o)
	if err != nil {
		return err
	}
	if len(in.logs) != 1 {
		return usage("logs test: %s is no log; give one file", path)
	}
	log := in.logs[0]
	raw, err := in.open(log)
	if err != nil {
		return fmt.Errorf("reading a log: %w", err)
	}
	defer raw.Close()
	r, err := unpack(raw, raw)
	if err != nil {
		return fmt.Errorf("reading the log %s: %w", path, err)
	}
	format, err := library.Open(log.format, logs.Options{Location: in.location, Now: func() int64 { return log.written }})
	if err != nil {
		return err
	}
	out := p.out()
	err = logs.Read(logs.NewLines(r), format, &log.account, func(line []byte, r *logs.Record, err error) error {
		showLine(out, log.account.Read, line, r, err)
		return nil
	})
	if err = errors.Join(err, out.Flush()); err != nil {
		return fmt.Errorf("testing a log format: %w", err)
	}
	in.tell()
	if log.account.Rejected() > 0 {
		return errReported
	}
	return nil
}

// showLine prints a line and what was understood of it.
func showLine(w io.Writer, n uint64, line []byte, r *logs.Record, err error) {
	const width = 160
	short := string(line[:min(len(line), width)])
	if len(line) > width {
		short += "..."
	}
	fmt.Fprintf(w, "%d: %s\n", n, printable(strings.ToValidUTF8(short, "\uFFFD")))
	switch {
	case errors.Is(err, logs.ErrHeader), errors.Is(err, logs.ErrOther):
		fmt.Fprintf(w, "   - %v\n", err)
		return
	case err != nil:
		fmt.Fprintf(w, "   REJECTED: %v\n", err)
		return
	}
	fmt.Fprint(w, "  ")
	for _, field := range []struct {
		name  string
		known bool
		value any
	}{
		{"time", r.Time != 0, event.Time(r.Time)}, {"client", r.Client.IsValid(), r.Client}, {"user", len(r.User) > 0, string(r.User)},
		{"host", len(r.Host) > 0, string(r.Host)}, {"server", r.Server.IsValid(), r.Server}, {"up", r.HasUp, r.Up},
		{"down", r.HasDown, r.Down}, {"method", len(r.Method) > 0, string(r.Method)}, {"action", r.Action != 0, r.Action},
		{"session", len(r.Session) > 0, string(r.Session)}, {"phase", r.Phase != 0, r.Phase},
		{"columns", r.Misfit, "not as many as the header names"},
	} {
		if field.known {
			fmt.Fprintf(w, " %s=%s", field.name, printable(strings.ToValidUTF8(fmt.Sprint(field.value), "\uFFFD")))
		}
	}
	fmt.Fprintln(w)
}
