package input

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// Whatever comes, messages are bounded, memory too, and nothing is made up.
func FuzzFrames(f *testing.F) {
	for _, seed := range []string{"7 <13>one<13>two\n", "<134>Nov 21 08:07:01 gw squid[7]: " + squid(0, 1), "999999999 <1>x", "12 <14>1 - hell\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fr := newFrames(bytes.NewReader(b))
		total := 0
		for {
			message, err := fr.next()
			if err != nil && !errors.Is(err, errLong) && !errors.Is(err, errHalf) {
				break
			}
			if total += len(message); len(message) > maxMessage || total > len(b) {
				t.Fatalf("%d octets of messages out of %d", total, len(b))
			}
		}
		if cap(fr.Rest()) > 4*maxMessage {
			t.Fatalf("%d octets are held", cap(fr.Rest()))
		}
	})
}

// A list of objects becomes a line for each, and what is in them stays.
func FuzzList(f *testing.F) {
	for _, seed := range []string{`[{"a":1},{"a":[1,2],"b":"x],[{"}]`, "[\n {\"a\": \"\\\"\"} ,\n{}\n]", "[{", `[{"a":"` + strings.Repeat("\\", 9)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := io.ReadAll(&list{r: bufio.NewReader(bytes.NewReader(b))})
		if err != nil || len(got) != len(b) {
			t.Fatalf("%d octets of %d, %v", len(got), len(b), err)
		}
		var want []json.RawMessage
		if json.Unmarshal(b, &want) != nil || !bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
			return
		}
		n := 0
		for line := range bytes.Lines(got) {
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			var one, other any
			if err := json.Unmarshal(line, &one); err != nil || n >= len(want) || json.Unmarshal(want[n], &other) != nil {
				t.Fatalf("line %d, %q, is not what was in %q: %v", n, line, b, err)
			}
			n++
		}
		if n != len(want) {
			t.Fatalf("%d lines of %d objects", n, len(want))
		}
	})
}

// A state file that somebody has damaged is told, not believed, and not a reason to stop.
func FuzzState(f *testing.F) {
	f.Add([]byte(`{"version":1,"source":"proxy","account":{"read":3},"activities":{"repeats":"AAAA"},"files":[{"path":"x","dev":1,"ino":2,"offset":-5}],"bodies":["00"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		w := newWorld(t, Config{Files: []string{"access.log"}, Format: "squid-native"})
		if err := os.WriteFile(statePath(w.state, "proxy"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		c := w.conf
		c.Files = []string{w.path("access.log")}
		set, err := Open([]Config{c}, w.options())
		if err != nil {
			return // written by a newer version
		}
		w.append("access.log", squid(0, 3))
		rounds(set)
		if _, err := set.sources[0].snapshot(true); err != nil {
			t.Fatal(err)
		}
		_ = set.close()
	})
}
