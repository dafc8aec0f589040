package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/sensor/config"
)

// Exit statuses.
const (
	statusDone   = 0
	statusFailed = 1 // also: a damaged capture, after all that could be read
	statusUsage  = 2
)

// program is everything that a run of gnomon takes from outside, so that a test can run it too.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	version        string

	configPath string
	logLevel   string
	started    bool // past the command line: what fails now is not its fault
}

// errReported says that a command has said on stderr what went wrong.
var errReported = errors.New("reported")

// usageError is the command line's fault.
type usageError struct{ error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// main runs the command line and returns the exit status.
func (p *program) main(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var wrong usageError
	switch {
	case err == nil:
		return statusDone
	case errors.Is(err, errReported):
		return statusFailed
	case !p.started || errors.As(err, &wrong):
		fmt.Fprintf(p.stderr, "gnomon: %v\nSee `gnomon help`.\n", err)
		return statusUsage
	}
	fmt.Fprintf(p.stderr, "gnomon: %v\n", err)
	return statusFailed
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "gnomon",
		Short: "see which external AI services a network uses, by whom, and how much leaves",
		Long: `Gnomon reads packets (a tap, a SPAN port, capture files) and logs (of proxies, firewalls, resolvers) and says which external AI services are used, by whom, and how much is
uploaded. It decrypts nothing, needs no agent and does not stand in the path.

Data goes to stdout, everything else to stderr. Exit status: 0 done, 1 failed (a damaged capture too, after all that could be read),
2 wrong usage.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
		PersistentPreRun:  func(*cobra.Command, []string) { p.started = true },
	}
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetIn(p.stdin)
	root.PersistentFlags().StringVarP(&p.configPath, "config", "c", "", "configuration `FILE` (default: none, built-in defaults)")
	root.PersistentFlags().StringVar(&p.logLevel, "log-level", "", "debug, info, warn or error (log.level)")
	root.AddCommand(p.runCommand(), p.scanCommand(), p.inspectCommand(), p.catalogueCommand(), p.logsCommand(), p.configCommand(),
		p.doctorCommand(), p.reportCommand(), p.findingsCommand(), p.dashboardCommand(), p.setupCommand(), p.dlqCommand(), p.versionCommand(), p.manCommand())
	return root
}

// load reads the configuration that the command line names.
func (p *program) load() (settings, error) {
	c := defaultSettings()
	if err := config.Load(p.configPath, p.environ, &c); err != nil {
		return c, err
	}
	if p.logLevel != "" {
		c.Log.Level = p.logLevel
		if err := c.Validate(); err != nil {
			return c, usageError{err}
		}
	}
	return c, nil
}

// logger writes to stderr as the configuration says.
func (p *program) logger(c *settings) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Log.Level)) // checked by Validate
	options := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(p.stderr, options))
	}
	return slog.New(slog.NewTextHandler(p.stderr, options))
}

// complain writes one line about something that went wrong while the rest goes on.
func (p *program) complain(err error) { fmt.Fprintf(p.stderr, "gnomon: %v\n", err) }

// out buffers stdout; flush it before the command ends.
func (p *program) out() *page { return &page{bufio.NewWriterSize(p.stdout, 64<<10), widthOf(p.stdout)} }

// page is buffered output that knows how wide the terminal behind it is.
type page struct {
	*bufio.Writer
	columns int // 0: no terminal
}

// columnsOf is the width of the terminal behind w; 0 if there is none.
func columnsOf(w io.Writer) int {
	switch w := w.(type) {
	case *page:
		return w.columns
	case *lockedWriter:
		return w.columns
	}
	return 0
}

// terminal says whether w is one.
func terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && widthOf(f) > 0
}
