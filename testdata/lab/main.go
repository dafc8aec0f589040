// Command lab makes captures of real client programs in network namespaces, against stand-in servers that know what was
// sent. See README.md for what it needs and writes.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/gnomon-sensor/gnomon/testdata/lab/cases"
	"github.com/gnomon-sensor/gnomon/testdata/lab/gohttp"
	"github.com/gnomon-sensor/gnomon/testdata/lab/netns"
)

const usage = `usage: lab make [-again] OUTDIR [CASE...]   make captures that are not there yet; named ones anew
       lab matrix [-again] OUTDIR [CASE...] the same for the upload measurements, which are not committed
       lab demo FILE                         make the bundled demonstration
       lab list                              list the cases of make and matrix
       lab clean                             remove what runs that were killed left behind
       lab deps                              print the Debian packages the clients come from
`

// deps lists Debian packages, one per line.
//
//go:embed deps.txt
var deps string

var errUsage = errors.New("reading arguments: unknown command or wrong number of arguments")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprint(os.Stderr, err, "\n", usage)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	switch command, rest := args[0], args[1:]; {
	case command == "make":
		return makeCases(ctx, cases.Table(), rest)
	case command == "matrix":
		return makeCases(ctx, cases.Matrix(), rest)
	case command == "demo" && len(rest) == 1:
		lab, err := newLab()
		if err != nil {
			return err
		}
		return lab.Demo(ctx, os.Stderr, rest[0])
	case command == "list" && len(rest) == 0:
		for _, c := range append(cases.Table(), cases.Matrix()...) {
			fmt.Printf("%-28s %s\n", c.Name, c.Why)
		}
		return nil
	case command == "clean" && len(rest) == 0:
		removed, err := netns.Clean()
		for _, name := range removed {
			fmt.Println("removed", name)
		}
		return err
	case command == "deps" && len(rest) == 0:
		fmt.Print(deps)
		return nil
	case command == "client": // the laboratory starts itself this way inside a namespace
		return gohttp.Main(ctx, rest)
	}
	return errUsage
}

func makeCases(ctx context.Context, table []cases.Case, args []string) error {
	again := len(args) > 0 && args[0] == "-again"
	if again {
		args = args[1:]
	}
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return errUsage
	}
	lab, err := newLab()
	if err != nil {
		return err
	}
	if failed := lab.Make(ctx, os.Stderr, cases.Order{Dir: args[0], Table: table, Names: args[1:], Again: again}); failed > 0 {
		return fmt.Errorf("making captures: %d of the cases could not be made; each has its reason above", failed)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("making captures: %w", ctx.Err())
	}
	return nil
}

func newLab() (*cases.Lab, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	return cases.NewLab(self)
}
