package cases

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/netns"
)

// daemon is a server that runs until it is stopped.
type daemon struct {
	name   string
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr bytes.Buffer
	ended  chan struct{}
}

// startDaemon starts a program in a namespace and waits until it listens on every one of the addresses (TCP).
func startDaemon(ctx context.Context, space *netns.Space, listens []netip.AddrPort, argv ...string) (*daemon, error) {
	d := &daemon{name: argv[0], ended: make(chan struct{})}
	d.cmd = space.Command(context.WithoutCancel(ctx), argv[0], argv[1:]...)
	d.cmd.Env = append(os.Environ(), "TZ=UTC")
	d.cmd.Stdout, d.cmd.Stderr = &d.stdout, &d.stderr
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w; install what \"lab deps\" lists", d.name, err)
	}
	go func() {
		_ = d.cmd.Wait() // how it ended shows in what it said
		close(d.ended)
	}()
	for _, address := range listens {
		if err := d.await(ctx, space, address); err != nil {
			d.kill()
			return nil, err
		}
	}
	return d, nil
}

// await waits until a server listens.
func (d *daemon) await(ctx context.Context, space *netns.Space, address netip.AddrPort) error {
	const patience = time.Minute // a busy machine starts slowly
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for tick := time.Tick(50 * time.Millisecond); ; {
		err := space.Do(func() error {
			c, err := net.DialTimeout("tcp", address.String(), time.Second)
			if err != nil {
				return err
			}
			return c.Close()
		})
		if err == nil {
			return nil
		}
		select {
		case <-tick:
		case <-d.ended:
			return fmt.Errorf("starting %s: it ended: %s", d.name, lastLine([]byte(d.stderr.String()+d.stdout.String())))
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s to listen on %s: %w: %s", d.name, address, ctx.Err(), strings.TrimSpace(d.stderr.String()))
		}
	}
}

// stop asks a server to end, so that its log is whole, and waits for that.
func (d *daemon) stop(ctx context.Context) error {
	_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGTERM) // it may have ended by itself
	const patience = time.Minute
	select {
	case <-d.ended:
		return nil
	case <-ctx.Done():
	case <-time.After(patience):
	}
	d.kill()
	return fmt.Errorf("stopping %s: it did not end by itself", d.name)
}

func (d *daemon) kill() {
	select {
	case <-d.ended:
	default:
		_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
		<-d.ended
	}
}
