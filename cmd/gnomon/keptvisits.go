package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// recorder is what records are offered to, as far as it says which of them are safe. The spool is one.
type recorder interface {
	// End is the number of the next record that becomes safe, and Sync makes all safe that were offered.
	End() uint64
	Sync() error
	// Recall gives every record that is safe since Pass, oldest first, and says how many of them cannot be read.
	Recall(visit func(*event.Event)) (lost uint64, err error)
	Pass(to uint64) error
}

// keptVisits has what packets and logs both saw, and which visits were marked, outlive a restart and a crash:
//
//	file, each minute:   the state as of some record, written once all before it are safe
//	spool, since then:   each record with what it changed (event.EyesNote), kept until the file after the next
//
// Both together are what was known after the last record that is safe. One that is not has left nothing behind. Lines of logs that are read
// again, which is those of a second, are known by their records and count as they did: so the spool keeps those for a file longer.
type keptVisits struct {
	path     string
	recorder recorder
	every    uint64 // records after which the file is written, at the latest
	since    atomic.Uint64
	saving   sync.Mutex // guards passed
	passed   uint64     // what is before it is in the file that was written last
}

// visitsFile is the file.
type visitsFile struct {
	sensor.EyesState
	// Marks are those visits of the state whose records were marked, and whether with use.
	Marks map[string]bool `json:"marks,omitempty"`
}

const (
	// saveAfter is how many records there are between two files, at most.
	saveAfter = 1 << 17
	// bytesEach is more than a record takes in the spool, of which a quarter may be kept for the visits.
	bytesEach = 2 << 10
)

// keepVisits begins with what is known from before. A damaged file is said and begun anew.
func (l *pipeline) keepVisits(path string, r recorder, maxBytes int64) {
	l.kept = &keptVisits{path: path, recorder: r, every: uint64(min(max(maxBytes/4/bytesEach, 1), saveAfter))}
	if l.eyes == nil {
		return
	}
	state, err := readVisits(path)
	if err != nil {
		l.log.Error("which visits packets and logs have counted is not known from before the restart: some may count twice", "error", err)
	}
	for id, used := range state.Marks {
		l.visits.touch(hashOf(id), used)
	}
	recall := l.eyes.Restore(state.EyesState)
	lost, err := r.Recall(func(ev *event.Event) {
		recall.Add(ev)
		l.visits.recall(ev)
	})
	if err != nil || lost > 0 {
		l.log.Error("which visits packets and logs have counted is not known to the end: some may count twice", "records", lost, "error", err)
	}
}

func readVisits(path string) (state visitsFile, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return state, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	if err != nil {
		return visitsFile{}, err
	}
	return state, nil
}

// due says, after a record, whether there have been so many that the file has to be written. k may be nil.
func (k *keptVisits) due() bool { return k != nil && k.since.Add(1)%k.every == 0 }

// saveVisits writes the file, if there is one to write.
func (l *pipeline) saveVisits() {
	k := l.kept
	if k == nil {
		return
	}
	k.saving.Lock()
	defer k.saving.Unlock()
	l.mu.Lock()
	upTo := k.recorder.End() // records before it are in the state; some after it are too, and are told once more
	state := l.visitsState()
	l.mu.Unlock()
	if err := k.save(state, upTo); err != nil {
		l.log.Error("keeping which visits packets and logs have counted; until it can be, the spool keeps more", "error", err)
	}
}

// visitsState is what goes into the file; nil: nothing. mu is held.
func (l *pipeline) visitsState() *visitsFile {
	if l.eyes == nil {
		return nil
	}
	state := &visitsFile{EyesState: l.eyes.State(), Marks: map[string]bool{}}
	for i := range state.Visits {
		id := state.Visits[i].ID
		if used, known := l.visits.known(hashOf(id)); known {
			state.Marks[id] = used
		}
	}
	return state
}

// save makes records safe, then what they came to, then lets those go that were in the file before.
func (k *keptVisits) save(state *visitsFile, upTo uint64) error {
	if state != nil {
		text, err := json.Marshal(state)
		if err == nil {
			err = k.recorder.Sync()
		}
		if err == nil {
			err = writeFile(k.path, string(text)+"\n")
		}
		if err != nil {
			return err
		}
	}
	k.since.Store(0)
	before := k.passed
	k.passed = upTo
	if before == 0 { // of what an earlier process wrote, lines may be read again
		return nil
	}
	return k.recorder.Pass(before)
}
