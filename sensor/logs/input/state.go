package input

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/logs"
)

// state is a source's state file.
type state struct {
	Version    int          `json:"version"`
	Source     string       `json:"source"`
	Format     string       `json:"format,omitempty"` // that was found
	Account    logs.Account `json:"account"`
	Lost       uint64       `json:"lost,omitempty"`
	Last       time.Time    `json:"last,omitzero"`
	Newest     int64        `json:"newest,omitempty"`
	Heard      int64        `json:"heard,omitempty"`
	Doubted    int64        `json:"doubted,omitempty"`
	Behind     int64        `json:"behind,omitempty"`
	Problems   []string     `json:"problems,omitempty"`
	Activities logs.State   `json:"activities"`
	Files      []place      `json:"files,omitempty"`
	Bodies     []string     `json:"bodies,omitempty"`
}

// stateVersion is raised when an older program must not read the file.
const stateVersion = 1

// statePath is where a source's state lies.
func (s *source) statePath() string { return statePath(s.o.Dir, s.config.Name) }

func statePath(dir, name string) string { return filepath.Join(dir, name+".json") }

// snapshot is the state as of a moment between two lines, and between two bodies; nil if nothing has moved since the last one, or if it
// would have to wait and shall not.
func (s *source) snapshot(wait bool) ([]byte, error) {
	if !wait && !s.whole.TryLock() {
		return nil, nil
	}
	if wait {
		s.whole.Lock()
	}
	defer s.whole.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.moved || s.spoiled {
		return nil, nil
	}
	st := state{Version: stateVersion, Source: s.config.Name, Format: s.detected, Account: s.account, Lost: s.lost, Last: s.last, Newest: s.newest,
		Problems: s.problem.list(), Activities: s.use.State(), Bodies: s.bodies.list()}
	if s.eye != nil {
		st.Heard, st.Doubted = s.eye.Heard()
	}
	if s.files != nil {
		st.Files, st.Behind = s.files.places(), s.files.behind()
	}
	text, err := json.Marshal(&st)
	if err != nil {
		return nil, fmt.Errorf("writing down how far the log source %q has been read: %w", s.config.Name, err)
	}
	s.moved = false
	return text, nil
}

// restore goes on from the state file, if there is one. One that is damaged is set aside: what it knew is read again.
func (s *source) restore() error {
	st, err := readState(s.statePath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, errDamaged):
		s.o.Log.Error("how far a log was read is not known any more: its files are read again from the beginning", "source", s.config.Name, "error", err)
		if err := os.Rename(s.statePath(), s.statePath()+".damaged"); err != nil {
			return fmt.Errorf("setting a damaged state of the log source %q aside: %w", s.config.Name, err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("reading how far the log source %q was read: %w", s.config.Name, err)
	}
	s.detected, s.account, s.lost, s.last, s.newest = st.Format, st.Account, st.Lost, st.Last, st.Newest
	s.heard, s.doubted = st.Heard, st.Doubted
	s.use.Restore(st.Activities)
	s.bodies.restore(st.Bodies)
	if s.files != nil {
		s.files.restore(st.Files)
	}
	return nil
}

// errDamaged is a state file that holds no state.
var errDamaged = errors.New("the file is damaged")

func readState(path string) (*state, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var st state
	if err := json.Unmarshal(text, &st); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, errDamaged, err)
	}
	if st.Version > stateVersion {
		return nil, fmt.Errorf("%s was written by a newer version of the program; use that one, or move the file aside to read the log anew", path)
	}
	return &st, nil
}

// Read returns how the named source was when its state was kept last, by whatever process; the error is fs.ErrNotExist if it never was.
// Rejected lines are masked there, and what the format has to say of uploads is asked of library.
func Read(dir, name string, library *logs.Library) (Status, error) {
	st, err := readState(statePath(dir, name))
	if err != nil {
		return Status{}, fmt.Errorf("reading how far the log source %q was read: %w", name, err)
	}
	s := source{config: Config{Name: name, Format: Auto}, o: &Options{Library: library}, account: st.Account, detected: st.Format, lost: st.Lost,
		last: st.Last, newest: st.Newest}
	out := s.status()
	out.Problems, out.Behind = st.Problems, st.Behind
	return out, nil
}

// writeWhole replaces a file so that it is there whole, or as it was before, whatever happens.
func writeWhole(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
