package sensor_test

import (
	"bytes"
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/capture/pcapfile"
)

const (
	// capturesVariable names a directory of further captures to cut.
	capturesVariable = "GNOMON_TEST_CAPTURES"
	cuts             = 50
	// patience is how long one cut capture may take, on a machine that does other things too.
	patience = time.Minute
)

// TestTruncations cuts every capture at random places, the same in every run: whatever is missing, the rest is read, nothing panics or
// hangs, and the damage is said. All in one process, so that nothing of one capture may disturb the next.
func TestTruncations(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(casesDir, "*", "input.pcap*"))
	if err != nil || len(files) < 20 {
		t.Fatalf("only %d captures (%v)", len(files), err)
	}
	if dir := os.Getenv(capturesVariable); dir != "" {
		more, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(more) == 0 {
			t.Fatalf("no captures in %s (%v)", dir, err)
		}
		files = append(files, more...)
	}
	classify := classifier(t)
	for _, name := range files {
		t.Run(strings.TrimPrefix(name, casesDir), func(t *testing.T) {
			whole, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all, err := documents(t, classify, whole)
			if err != nil && strings.HasPrefix(name, casesDir) {
				t.Fatal(err)
			}
			seed := fnv.New64a()
			seed.Write([]byte(filepath.Base(name)))
			r := rand.New(rand.NewPCG(seed.Sum64(), 1))
			for range cuts {
				at := r.IntN(len(whole) + 1)
				n, cutErr := documents(t, classify, whole[:at])
				if cutErr != nil && !says(cutErr) {
					t.Errorf("cut at %d of %d: error %q does not say what is wrong with the file", at, len(whole), cutErr)
				}
				if at == len(whole) && (n != all || (cutErr == nil) != (err == nil)) {
					t.Errorf("not cut at all: %d documents, error %v; want %d, %v", n, cutErr, all, err)
				}
				if at < minCapture && cutErr == nil {
					t.Errorf("cut at %d: no error", at)
				}
			}
		})
	}
}

// minCapture is less than any capture's header; nothing shorter may pass for one.
const minCapture = 24

// says tells whether an error names the file and what is wrong with it.
func says(err error) bool {
	return errors.Is(err, pcapfile.ErrNotCapture) || strings.Contains(err.Error(), "cut.pcap")
}

// documents reads a capture as `inspect` does and returns how many documents there are. It fails if that takes too long.
func documents(t *testing.T, classify classifiers.Classifier, b []byte) (n int, err error) {
	t.Helper()
	file, err := pcapfile.NewReader(bytes.NewReader(b), "cut.pcap")
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	all := settings()
	all.All = true
	var r recorder
	s, err := sensor.New(all, file, classify, &r)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err = s.Run(ctx)
	if ctx.Err() != nil {
		t.Fatalf("%d bytes were not read within %s", len(b), patience)
	}
	return len(r.events), err
}
