package store

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// childVariable makes the test program a process that writes a store until it is killed.
const childVariable = "STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		panic(child(path, os.Stdout))
	}
	m.Run()
}

// child stores records of an endless list, from the number on stdin on, and writes to stdout how far it is stored after each batch.
func child(path string, out io.Writer) error {
	config := Default(path)
	config.Every = time.Millisecond // tidying up is killed too
	config.Now = newClock(noon.AddDate(0, 0, 2)).now
	s, err := Open(config)
	if err != nil {
		return err
	}
	var n int
	if _, err := fmt.Fscan(os.Stdin, &n); err != nil {
		return err
	}
	for size := 1; ; size = size%31 + 3 {
		batch := make([]event.Event, size)
		for i := range batch {
			batch[i] = numberedEvent(n + i)
		}
		outcomes := make([]exporters.Outcome, size)
		if err := s.Export(context.Background(), batch, outcomes); err != nil {
			return err
		}
		for i := range outcomes {
			if outcomes[i].State != exporters.Stored {
				return fmt.Errorf("record %d: %+v", n+i, outcomes[i])
			}
		}
		n += size
		if _, err := fmt.Fprintln(out, n); err != nil {
			return err
		}
	}
}

// numberedEvent is record n of the endless list: several days of a few users.
func numberedEvent(n int) event.Event {
	return activity(noon.Add(time.Duration(n*n%5000)*time.Minute), fmt.Sprint("user ", n%11), fmt.Sprint("service ", n%5), n)
}

// start runs the child.
func start(t *testing.T, path string, from int) (cmd *exec.Cmd, out *bufio.Reader) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+path)
	cmd.Stdin = strings.NewReader(strconv.Itoa(from))
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewReader(pipe)
}

// Whatever a process is doing when it is killed: what it has called stored is there, once, and sums are those of the records that are there.
func TestKill(t *testing.T) {
	config := testConfig(t)
	config.Now = newClock(noon.AddDate(0, 0, 2)).now
	acknowledged := 0
	for kill := range 20 {
		// The list goes back a little, as a queue does that has not heard the last answer.
		cmd, out := start(t, config.Path, max(0, acknowledged-20))
		for range 2 + kill {
			acknowledged = max(acknowledged, number(t, out))
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(out) // said before it was killed
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(rest)) {
			if n, err := strconv.Atoi(strings.TrimSuffix(line, "\n")); err == nil && strings.HasSuffix(line, "\n") {
				acknowledged = max(acknowledged, n)
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the process was not killed")
		}
	}
	s := open(t, config) // checks every page, too
	records := pages(t, s, query.RecordRequest{Dataset: event.DatasetActivity, Limit: 1000})
	got := map[string]int{}
	for i := range records {
		got[records[i].Event.ID]++
		if got[records[i].Event.ID] > 1 {
			t.Fatalf("record %s is there twice", records[i].Event.ID)
		}
	}
	for n := range acknowledged {
		ev := numberedEvent(n)
		if got[ev.Event.ID] != 1 {
			t.Fatalf("record %d of %d that were acknowledged is there %d times", n, acknowledged, got[ev.Event.ID])
		}
	}
	m := &model{records: records, store: time.UTC}
	for i, by := range [][]query.Dimension{nil, {query.ByWeek, query.ByStatus}, {query.ByDay, query.ByService}, {query.ByUser, query.ByMonth}, {query.ByHour}} {
		checkSums(t, i, s, m, query.Request{From: noon.AddDate(0, 0, -1), To: noon.AddDate(0, 0, 10), By: by})
	}
	if there, missing := checkDigests(t, s); there == 0 || missing > 0 {
		t.Errorf("there are %d digests, and %d are missing", there, missing)
	}
	t.Logf("%d records acknowledged, %d there", acknowledged, len(records))
}

func number(t *testing.T, out *bufio.Reader) int {
	t.Helper()
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A second process is refused and told who has the store; reading goes on beside it; when the first has ended, the second may.
func TestSecondProcess(t *testing.T) {
	config := testConfig(t)
	cmd, out := start(t, config.Path, 0)
	number(t, out)
	_, err := Open(config)
	if want := fmt.Sprintf("process %d has it open", cmd.Process.Pid); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want: %s", err, want)
	}
	if len(ids(t, config.Path)) == 0 {
		t.Error("there is nothing to read while another process writes")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the process was not killed")
	}
	s := open(t, config)
	export(t, s, []event.Event{activity(noon, "u", "chat", 1)})
	if _, err := Open(config); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d has it open", os.Getpid())) {
		t.Errorf("opening it twice: %v", err)
	}
}
