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
	"slices"
	"strings"
	"syscall"

	"github.com/gnomon-sensor/gnomon/testdata/lab/cases"
	"github.com/gnomon-sensor/gnomon/testdata/lab/gohttp"
	"github.com/gnomon-sensor/gnomon/testdata/lab/netns"
	"github.com/gnomon-sensor/gnomon/testdata/lab/score"
	"github.com/gnomon-sensor/gnomon/testdata/lab/synthetic"
	"github.com/gnomon-sensor/gnomon/testdata/lab/vary"
)

const usage = `usage: lab make [-again] OUTDIR [CASE...]   make captures that are not there yet; named ones anew
       lab matrix [-again] OUTDIR [CASE...] the same for the upload measurements, which are not committed
       lab derivation [-again] OUTDIR [CASE...]  those that the estimate's constants were derived from
       lab demo FILE                         make the bundled demonstration
       lab logs OUTDIR                       run proxies and resolvers and keep what they log, with what was really sent
       lab synthetic OUTDIR                  write the captures that no client makes
       lab score DIR CMD [ARG...]            run a sensor on every case below DIR ({} is the capture) and compare
       lab variants DIR CMD [ARG...]         the same on worse captures of the same connections, made from the clean ones
       lab list                              list the cases of make, matrix and derivation
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

// command is one thing this program does; most is the largest number of arguments, or -1.
type command struct {
	name        string
	least, most int
	do          func(ctx context.Context, args []string) error
}

func commands() []command {
	return []command{
		{"make", 1, -1, func(ctx context.Context, args []string) error { return makeCases(ctx, cases.Table(), args) }},
		{"matrix", 1, -1, func(ctx context.Context, args []string) error { return makeCases(ctx, cases.Matrix(), args) }},
		{"derivation", 1, -1, func(ctx context.Context, args []string) error { return makeCases(ctx, cases.Derivation(), args) }},
		{"demo", 1, 1, makeDemo},
		{"logs", 1, 1, captureLogs},
		{"synthetic", 1, 1, writeSynthetic},
		{"score", 2, -1, scoreCases},
		{"variants", 2, -1, scoreVariants},
		{"list", 0, 0, listCases},
		{"clean", 0, 0, clean},
		{"deps", 0, 0, func(context.Context, []string) error { fmt.Print(deps); return nil }},
		{"client", 1, -1, gohttp.Main}, // the laboratory starts itself this way inside a namespace
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == args[0] })
	if i < 0 || len(args)-1 < all[i].least || all[i].most >= 0 && len(args)-1 > all[i].most {
		return errUsage
	}
	return all[i].do(ctx, args[1:])
}

func makeDemo(ctx context.Context, args []string) error {
	lab, err := newLab()
	if err != nil {
		return err
	}
	return lab.Demo(ctx, os.Stderr, args[0])
}

func captureLogs(ctx context.Context, args []string) error {
	lab, err := newLab()
	if err != nil {
		return err
	}
	if failed := lab.Logs(ctx, os.Stderr, args[0]); failed > 0 {
		return fmt.Errorf("capturing logs: %d of the servers did not work; each has its reason above", failed)
	}
	return nil
}

func writeSynthetic(_ context.Context, args []string) error {
	for _, c := range synthetic.Cases() {
		if err := c.Write(args[0]); err != nil {
			return err
		}
	}
	return nil
}

func listCases(context.Context, []string) error {
	for _, c := range slices.Concat(cases.Table(), cases.Matrix(), cases.Derivation()) {
		fmt.Printf("%-28s %s\n", c.Name, c.Why)
	}
	return nil
}

func clean(context.Context, []string) error {
	removed, err := netns.Clean()
	for _, name := range removed {
		fmt.Println("removed", name)
	}
	return err
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

func scoreCases(ctx context.Context, args []string) error {
	rows, problems := score.Run(ctx, args[0], args[1:])
	for _, problem := range problems {
		fmt.Fprintln(os.Stderr, problem)
	}
	const worst = 15
	if err := score.Write(os.Stdout, rows, worst); err != nil {
		return err
	}
	if len(problems) > 0 {
		return fmt.Errorf("scoring cases: %d could not be read; each has its reason above", len(problems))
	}
	return nil
}

func scoreVariants(ctx context.Context, args []string) error {
	variants := vary.Variants()
	rows, problems := score.RunVariants(ctx, args[0], args[1:], variants)
	for _, problem := range problems {
		fmt.Fprintln(os.Stderr, problem)
	}
	if err := score.WriteVariants(os.Stdout, rows, variants); err != nil {
		return err
	}
	if len(problems) > 0 {
		return fmt.Errorf("scoring variants: %d cases could not be read; each has its reason above", len(problems))
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
