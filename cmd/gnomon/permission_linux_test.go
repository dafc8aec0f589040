package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nobody is the user without rights that every Linux has.
const nobody = 65534

// unprivileged returns a command of the program that runs as a user who may not capture, and a directory of that user.
func unprivileged(t *testing.T, args ...string) (*exec.Cmd, string) {
	t.Helper()
	home, err := os.MkdirTemp("", "gnomon-nobody-*") // not t.TempDir, whose parent is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	program := filepath.Join(home, "gnomon")
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{os.WriteFile(program, text, 0o600), os.Chmod(program, 0o755), os.Chmod(home, 0o755)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "GNOMON_TEST_AS=gnomon", "HOME="+home)
	if os.Geteuid() == 0 {
		if err := os.Chown(home, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return cmd, home
}

// Who may not capture is told what to do, and that no data was lost to it: nothing was captured.
func TestProcessWithoutPermission(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   []string
		status int
		says   []string
	}{
		{"run", []string{"run", "-i", "lo", "--state-dir", "state"}, 1, []string{"lo", "operation not permitted", "CAP_NET_RAW"}},
		{"doctor", []string{"doctor"}, 1, []string{"CAP_NET_RAW"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd, _ := unprivileged(t, c.args...)
			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &said, &said
			var ended *exec.ExitError
			if err := cmd.Run(); err != nil && !errors.As(err, &ended) {
				t.Fatal(err)
			}
			if got := cmd.ProcessState.ExitCode(); got != c.status {
				t.Errorf("status %d, want %d", got, c.status)
			}
			for _, word := range c.says {
				if !strings.Contains(said.String(), word) {
					t.Errorf("it does not say %q:\n%s", word, said.String())
				}
			}
			if strings.Contains(said.String(), "panic") {
				t.Errorf("it panicked:\n%s", said.String())
			}
		})
	}
}
