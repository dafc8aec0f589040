package main

import (
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/gnomon-sensor/gnomon/signatures"
)

func (p *program) catalogueLint() *cobra.Command {
	return &cobra.Command{
		Use:   "lint [DIR]",
		Short: "check signatures: the built-in ones, or those in a directory of your own",
		Args:  wants(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			files, base := signatures.Files(), (*signatures.Catalogue)(nil)
			if len(args) == 1 {
				if info, err := os.Stat(args[0]); err != nil || !info.IsDir() {
					return usage("%s is no directory of signatures", args[0])
				}
				embedded, err := signatures.Embedded()
				if err != nil {
					return err
				}
				files, base = os.DirFS(args[0]), embedded
			}
			return p.lint(files, base)
		},
	}
}

func (p *program) lint(files fs.FS, base *signatures.Catalogue) error {
	problems := signatures.Lint(files, base, time.Now())
	out := p.out()
	errorsFound := 0
	for _, problem := range problems {
		fmt.Fprintln(out, problem)
		if problem.Severity == signatures.SeverityError {
			errorsFound++
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing problems: %w", err)
	}
	if errorsFound > 0 {
		return fmt.Errorf("checking signatures: %d errors; see above", errorsFound)
	}
	p.note("%d problems, none of them an error", len(problems))
	return nil
}
