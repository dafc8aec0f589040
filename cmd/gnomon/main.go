// Command gnomon shows which external AI services a network uses, by whom, and how much leaves. Everything it does lives in the
// packages that it wires together; here are the commands alone, a file each.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // report.timezone works on hosts without a time zone database, as containers are
)

// version is set by the linker: git describe.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ(), version: version}
	status := p.main(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}
