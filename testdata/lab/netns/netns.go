// Package netns makes and removes the network namespaces a laboratory run lives in, and the veth pairs between them.
// It knows nothing of what is sent through them: see forward for the wire in the middle and clients for the programs.
package netns

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	runDir = "/run/netns" // where ip(8) keeps named namespaces
	etcDir = "/etc/netns" // files here replace those of /etc for programs started by "ip netns exec"
	prefix = "gnomonlab"

	scratch = "scratch" // the role in the name of a scratch directory
)

// Space is one named network namespace of this process.
type Space struct {
	Name string
}

// New makes a namespace whose name holds the role and this process's id, with its loopback up. Links laid into it have
// IPv6 if asked for, then without duplicate address detection, so that addresses can be used at once.
func New(ctx context.Context, role string, ipv6 bool) (*Space, error) {
	s := &Space{Name: fmt.Sprintf("%s-%d-%s", prefix, os.Getpid(), role)}
	if err := ip(ctx, "netns", "add", s.Name); err != nil {
		return nil, err
	}
	if err := s.IP(ctx, "link", "set", "lo", "up"); err != nil {
		return nil, errors.Join(err, s.Remove())
	}
	settings := map[string]string{"accept_dad": "0", "router_solicitations": "0", "disable_ipv6": "1"}
	if ipv6 {
		settings["disable_ipv6"] = "0"
	}
	err := s.Do(func() error {
		for key, value := range settings {
			path := filepath.Join("/proc/sys/net/ipv6/conf/default", key)
			if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
				return fmt.Errorf("setting %s: %w", path, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, s.Remove())
	}
	return s, nil
}

// SetFile gives programs started in the namespace their own /etc/<name>.
func (s *Space) SetFile(name, content string) error {
	dir := filepath.Join(etcDir, s.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", dir, err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		return fmt.Errorf("writing %s for %s: %w", name, s.Name, err)
	}
	return nil
}

// IP runs ip(8) inside the namespace.
func (s *Space) IP(ctx context.Context, args ...string) error {
	return ip(ctx, append([]string{"-n", s.Name}, args...)...)
}

// Command prepares a program that will run inside the namespace, in a process group of its own.
func (s *Space) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", s.Name, name}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	return cmd
}

// Do calls f on a thread that is inside the namespace. Sockets made by f stay there; f must start no goroutine that makes more.
func (s *Space) Do(f func() error) error {
	runtime.LockOSThread()
	home, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("opening this thread's network namespace: %w", err)
	}
	defer home.Close()
	there, err := os.Open(filepath.Join(runDir, s.Name))
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("opening network namespace %s: %w", s.Name, err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("entering network namespace %s: %w; run as root", s.Name, err)
	}
	err = f()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, fmt.Errorf("leaving network namespace %s: %w", s.Name, back)) // the thread stays locked and dies with its goroutine
	}
	runtime.UnlockOSThread()
	return err
}

// Remove ends what still runs inside the namespace and deletes it and its files.
func (s *Space) Remove() error {
	return remove(s.Name)
}

// Scratch makes a directory for temporary files, which Clean knows how to find.
func Scratch() (string, error) {
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s-%d-%s", prefix, os.Getpid(), scratch))
	if err != nil {
		return "", fmt.Errorf("making a scratch directory: %w", err)
	}
	return dir, nil
}

// Clean removes the namespaces and scratch directories of runs whose process is gone, and returns their names.
func Clean() ([]string, error) {
	names := map[string]bool{}
	for _, dir := range []string{runDir, etcDir, os.TempDir()} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("listing %s: %w", dir, err)
		}
		for _, e := range entries {
			names[e.Name()] = true
		}
	}
	var removed []string
	var errs []error
	for _, name := range slices.SortedFunc(maps.Keys(names), scratchLast) {
		pid, ours := owner(name)
		if !ours || alive(pid) {
			continue
		}
		errs = append(errs, remove(name))
		removed = append(removed, name)
	}
	return removed, errors.Join(errs...)
}

// scratchLast orders scratch directories behind the namespaces whose programs may still write there.
func scratchLast(a, b string) int {
	if one, other := strings.Contains(a, scratch), strings.Contains(b, scratch); one != other {
		if one {
			return 1
		}
		return -1
	}
	return strings.Compare(a, b)
}

var namePattern = regexp.MustCompile(`^` + prefix + `-([0-9]+)-[a-z0-9]+$`)

// owner returns the process id in a namespace's name, and whether the name is one of this package's.
func owner(name string) (int, bool) {
	m := namePattern.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	pid, err := strconv.Atoi(m[1])
	return pid, err == nil && pid > 1
}

func alive(pid int) bool {
	return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

func remove(name string) error {
	var errs []error
	if _, err := os.Stat(filepath.Join(runDir, name)); err == nil {
		errs = append(errs, endPrograms(name))
		errs = append(errs, ip(context.Background(), "netns", "delete", name))
	}
	for _, dir := range []string{etcDir, os.TempDir()} {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, name)))
	}
	return errors.Join(errs...)
}

// endPrograms kills what runs inside a namespace until nothing does, for a while.
func endPrograms(name string) error {
	const tries, pause = 400, 50 * time.Millisecond
	for range tries {
		out, err := exec.Command("ip", "netns", "pids", name).Output()
		if err != nil {
			return fmt.Errorf("listing processes of %s: %w", name, err)
		}
		pids := strings.Fields(string(out))
		if len(pids) == 0 {
			return nil
		}
		for _, field := range pids {
			if pid, err := strconv.Atoi(field); err == nil && pid != os.Getpid() {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended by itself meanwhile
			}
		}
		time.Sleep(pause)
	}
	return fmt.Errorf("ending the programs in %s: some are still there; run \"lab clean\" later", name)
}

func ip(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("running ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
