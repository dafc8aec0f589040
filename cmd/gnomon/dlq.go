package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/exporters/spool"
)

// dlqFlags are those of the commands below `gnomon dlq`.
type dlqFlags struct {
	stateDir string
	exporter string
	all      bool
	asJSON   bool
	limit    int
}

func (p *program) dlqCommand() *cobra.Command {
	var f dlqFlags
	cmd := &cobra.Command{
		Use:   "dlq",
		Short: "dead letters: records that an output refused for good",
		Long: `An output that will never take a record, because it says that something in it is wrong, makes it a dead letter: the record is kept with
the reason, up to the size of spool.dead_letters. These commands show dead letters, hand them to their output again once the reason is
gone, or forget them. They work beside a running sensor, which does what they ask within a second.`,
	}
	cmd.PersistentFlags().StringVar(&f.stateDir, "state-dir", "", "the state directory of the sensor (observer.state_dir)")
	cmd.PersistentFlags().StringVar(&f.exporter, "exporter", "", "only those of this `OUTPUT`: store, file, ...")
	cmd.AddCommand(p.dlqList(&f), p.dlqShow(&f), p.dlqDo(&f, spool.Retry, "hand dead letters to their output again"),
		p.dlqDo(&f, spool.Purge, "forget dead letters"))
	return cmd
}

func (p *program) dlqList(f *dlqFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list dead letters, oldest first",
		Args:  wants(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if f.limit < 1 {
				return usage("--limit %d: 1 or more", f.limit)
			}
			return p.listLetters(f)
		},
	}
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print them as NDJSON, with their records")
	cmd.Flags().IntVar(&f.limit, "limit", 1000, "at most so many")
	return cmd
}

func (p *program) dlqShow(f *dlqFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "show NUMBER ...",
		Short:   "print dead letters as JSON: record and reason",
		Example: "  gnomon dlq show 17",
		Args:    wants(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			return p.showLetters(f, args)
		},
	}
}

func (p *program) dlqDo(f *dlqFlags, do, short string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     do + " [NUMBER ...]",
		Short:   short,
		Example: "  gnomon dlq " + do + " 17 18\n  gnomon dlq " + do + " --exporter elasticsearch",
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.askForLetters(cmd.Context(), f, do, args)
		},
	}
	cmd.Flags().BoolVar(&f.all, "all", false, "all dead letters of all outputs")
	return cmd
}

// spoolOf is the configuration of the spool that the flags mean.
func (p *program) spoolOf(f *dlqFlags) (spool.Config, error) {
	c, err := p.load()
	if err != nil {
		return spool.Config{}, err
	}
	if f.stateDir != "" {
		c.Observer.StateDir = f.stateDir
	}
	conf := c.spoolConfig(p.environ, p.logger(&c))
	for _, out := range p.configured(&outputs{}, &c) {
		conf.Exporters = append(conf.Exporters, out.name)
	}
	return conf, nil
}

// letters gives visit the dead letters that the flags mean.
func (p *program) letters(f *dlqFlags, visit func(*spool.Letter) error) error {
	conf, err := p.spoolOf(f)
	if err != nil {
		return err
	}
	err = spool.Letters(conf.Dir, func(l *spool.Letter) error {
		if f.exporter != "" && f.exporter != l.Exporter {
			return nil
		}
		return visit(l)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no spool, no dead letters
	}
	return err
}

// errEnough ends a walk through dead letters.
var errEnough = errors.New("enough")

func (p *program) listLetters(f *dlqFlags) error {
	out := p.out()
	t := newTable("number", "since", "output", "dataset", "event.id", "reason")
	t.optional = []string{"event.id", "dataset", "since"}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	n, left := 0, 0
	err := p.letters(f, func(l *spool.Letter) error {
		if n++; n > f.limit {
			left++
			return nil
		}
		if f.asJSON {
			return e.Encode(l)
		}
		t.row(strconv.FormatUint(l.Number, 10), l.At.Local().Format(time.DateTime), printable(l.Exporter), printable(l.Event.Event.Dataset),
			printable(l.Event.Event.ID), printable(l.Reason))
		return nil
	})
	switch {
	case err != nil:
		return err
	case n == 0:
		p.note("There are no dead letters.")
	case !f.asJSON:
		t.write(out)
	}
	if left > 0 {
		p.note("%d more are not shown; see --limit and --exporter.", left)
	}
	return out.Flush()
}

func (p *program) showLetters(f *dlqFlags, args []string) error {
	numbers, err := letterNumbers(args)
	if err != nil {
		return err
	}
	wanted := map[uint64]bool{}
	for _, n := range numbers {
		wanted[n] = true
	}
	out := p.out()
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err = p.letters(f, func(l *spool.Letter) error {
		if len(wanted) == 0 {
			return errEnough
		}
		if !wanted[l.Number] {
			return nil
		}
		delete(wanted, l.Number)
		return e.Encode(l)
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing dead letters: %w", err)
	}
	for n := range wanted {
		return fmt.Errorf("showing dead letter %d: there is none of this number; see `gnomon dlq list`", n)
	}
	return nil
}

func letterNumbers(args []string) ([]uint64, error) {
	var numbers []uint64
	for _, arg := range args {
		n, err := strconv.ParseUint(arg, 10, 64)
		if err != nil {
			return nil, usage("%.40q is no number of a dead letter; see `gnomon dlq list`", arg)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

// askWithin bounds how long a running sensor may take to answer.
const askWithin = 30 * time.Second

func (p *program) askForLetters(ctx context.Context, f *dlqFlags, do string, args []string) error {
	numbers, err := letterNumbers(args)
	if err != nil {
		return err
	}
	if len(numbers) == 0 && f.exporter == "" && !f.all {
		return usage("which dead letters? Give their numbers, --exporter or --all")
	}
	conf, err := p.spoolOf(f)
	if err != nil {
		return err
	}
	n := 0
	if _, err = os.Stat(conf.Dir); err == nil {
		ctx, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		n, err = spool.Ask(ctx, conf, spool.Request{Do: do, Select: spool.Selection{Numbers: numbers, Exporter: f.exporter}})
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if do == spool.Retry {
		p.note("%d dead letters go to their output again: now if the sensor runs, else when it starts.", n)
	} else {
		p.note("%d dead letters are forgotten.", n)
	}
	return nil
}
