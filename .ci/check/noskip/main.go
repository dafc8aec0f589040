// Command noskip reads the output of `go test -json` and shows what `go test` would have shown: a line per package, and the whole
// output of what failed. It fails where a test failed or was skipped, or where none ran: a skipped test proves nothing.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// testEvent is a line of `go test -json` (see go doc test2json); lines of another kind are build output.
type testEvent struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
}

// testName is a test, or with an empty test the package itself.
type testName struct{ pkg, test string }

// tally is what a run of tests came to.
type tally struct {
	out     io.Writer
	output  map[testName]*strings.Builder // of tests that have not ended
	passed  int
	failed  []string
	skipped []string
}

func main() {
	t := tally{out: os.Stdout, output: make(map[testName]*strings.Builder)}
	if err := t.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "noskip:", err)
		os.Exit(1)
	}
}

// read takes the whole stream and returns an error unless tests ran and all passed.
func (t *tally) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			t.line(line)
		}
		if errors.Is(err, io.EOF) {
			return t.verdict()
		}
		if err != nil {
			return fmt.Errorf("reading test events: %w", err)
		}
	}
}

// line takes one line; what is not an event is shown as it is.
func (t *tally) line(line string) {
	var ev testEvent
	if json.Unmarshal([]byte(line), &ev) != nil || ev.Action == "" {
		fmt.Fprint(t.out, line)
		return
	}
	name := testName{ev.Package, ev.Test}
	switch ev.Action {
	case "output":
		t.keep(name, ev.Output)
	case "build-output":
		fmt.Fprint(t.out, ev.Output)
	case "build-fail":
		t.failed = append(t.failed, "building "+ev.ImportPath)
	case "pass", "fail", "skip":
		t.ended(name, ev.Action)
	}
}

// keep holds a test's output back until the test has ended, and shows a package's own lines at once.
func (t *tally) keep(name testName, output string) {
	if name.test == "" {
		if output != "PASS\n" && !strings.HasPrefix(output, "coverage:") {
			fmt.Fprint(t.out, output)
		}
		return
	}
	if t.output[name] == nil {
		t.output[name] = new(strings.Builder)
	}
	t.output[name].WriteString(output)
}

func (t *tally) ended(name testName, action string) {
	said := t.output[name]
	delete(t.output, name)
	full := name.pkg + " " + name.test
	switch {
	case action == "fail":
		if said != nil {
			fmt.Fprint(t.out, said)
		}
		t.failed = append(t.failed, full)
	case name.test == "": // a package that passed, or has no tests
	case action == "pass":
		t.passed++
	case action == "skip":
		if said != nil {
			fmt.Fprint(t.out, said)
		}
		t.skipped = append(t.skipped, full)
	}
}

func (t *tally) verdict() error {
	for name, said := range t.output { // their process died
		fmt.Fprint(t.out, said)
		t.failed = append(t.failed, name.pkg+" "+name.test+" (did not end)")
	}
	for _, name := range t.failed {
		fmt.Fprintln(t.out, "FAILED ", name)
	}
	for _, name := range t.skipped {
		fmt.Fprintln(t.out, "SKIPPED", name)
	}
	fmt.Fprintf(t.out, "%d tests passed, %d failed, %d skipped\n", t.passed, len(t.failed), len(t.skipped))
	switch {
	case len(t.failed) > 0:
		return fmt.Errorf("running tests: %d failed", len(t.failed))
	case len(t.skipped) > 0:
		return fmt.Errorf("running tests: %d skipped; install what they miss", len(t.skipped))
	case t.passed == 0:
		return errors.New("running tests: none ran")
	}
	return nil
}
