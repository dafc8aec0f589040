package spool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Request is what somebody asks of the process that has the spool: to do something with dead letters.
type Request struct {
	Do     string    `json:"do"` // retry or purge
	Select Selection `json:"select"`
}

// What a Request can ask for.
const (
	Retry = "retry" // hand them to their exporters again
	Purge = "purge" // forget them
)

// A request is a file in the spool's directory: request-RANDOM.json. When it has been done it is replaced by done-RANDOM.json.
const (
	requestPrefix = "request-"
	donePrefix    = "done-"
	maxRequest    = 1 << 20
)

// lookForRequests is how often the process looks.
const lookForRequests = 500 * time.Millisecond

// answer is what a done request says.
type answer struct {
	Letters int    `json:"letters"`
	Error   string `json:"error,omitempty"`
}

// Ask does what r says with the dead letters of the spool in dir, or has the process do it that has the spool open, and returns how many
// they were.
func Ask(ctx context.Context, config Config, r Request) (letters int, err error) {
	s, err := Open(config)
	if err == nil {
		letters, err = s.do(r)
		return letters, errors.Join(err, s.Close(time.Minute))
	}
	if !errors.Is(err, errLocked) {
		return 0, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return 0, err
	}
	f, err := os.CreateTemp(config.Dir, "asking-*.json")
	if err != nil {
		return 0, fmt.Errorf("asking the running sensor: %w", err)
	}
	id := strings.TrimPrefix(filepath.Base(f.Name()), "asking-")
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(config.Dir, requestPrefix+id))
	}
	if err != nil {
		return 0, fmt.Errorf("asking the running sensor: %w", err)
	}
	return await(ctx, filepath.Join(config.Dir, donePrefix+id))
}

// forgetAnswers removes the answers that nobody has waited for.
func forgetAnswers(dir string) {
	paths, _ := filepath.Glob(filepath.Join(dir, donePrefix+"*.json")) // the pattern is right
	for _, path := range paths {
		_ = os.Remove(path) // the next start tries again
	}
}

// await waits for an answer.
func await(ctx context.Context, path string) (int, error) {
	look := time.NewTicker(lookForRequests / 10)
	defer look.Stop()
	for {
		text, err := os.ReadFile(path)
		if err == nil {
			_ = os.Remove(path)
			var a answer
			if err := json.Unmarshal(text, &a); err != nil {
				return 0, fmt.Errorf("reading what the running sensor says: %w", err)
			}
			if a.Error != "" {
				return a.Letters, errors.New(a.Error)
			}
			return a.Letters, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return 0, fmt.Errorf("reading what the running sensor says: %w", err)
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return 0, fmt.Errorf("waiting for the running sensor: %w; it has been told and does it when it can", ctx.Err())
		}
	}
}

// requests does what others ask for until Close.
func (s *Spool) requests() {
	defer close(s.asked)
	look := time.NewTicker(lookForRequests)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			s.doRequests()
		case <-s.closing:
			return
		}
	}
}

func (s *Spool) doRequests() {
	paths, _ := filepath.Glob(filepath.Join(s.config.Dir, requestPrefix+"*.json")) // the pattern is right
	for _, path := range paths {
		var a answer
		r, err := readRequest(path)
		if err == nil {
			a.Letters, err = s.do(r)
		}
		if err != nil {
			a.Error = err.Error()
		}
		s.config.Log.Info("asked to do something with dead letters", "what", r.Do, "letters", a.Letters, "error", a.Error)
		text, _ := json.Marshal(a) // a number and a text
		done := filepath.Join(s.config.Dir, donePrefix+strings.TrimPrefix(filepath.Base(path), requestPrefix))
		if err := errors.Join(os.WriteFile(path+".tmp", text, 0o600), os.Rename(path+".tmp", done), os.Remove(path)); err != nil {
			s.config.Log.Error("answering a request for dead letters", "error", err)
			return
		}
	}
}

func readRequest(path string) (r Request, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return r, err
	}
	if info.Size() > maxRequest {
		return r, fmt.Errorf("reading a request: %d bytes are too many", info.Size())
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, fmt.Errorf("reading a request: %w", err)
	}
	return r, nil
}

// do does what a request says.
func (s *Spool) do(r Request) (letters int, err error) {
	switch r.Do {
	case Retry:
		return s.dead.take(r.Select, s.again)
	case Purge:
		return s.dead.take(r.Select, func([]Letter) error { return nil })
	}
	return 0, fmt.Errorf("doing %q with dead letters: it is neither %s nor %s", r.Do, Retry, Purge)
}

// again puts dead letters back into the spool, each for the exporter that refused it.
func (s *Spool) again(letters []Letter) error {
	by := map[string][][]byte{}
	for i := range letters {
		l := &letters[i]
		by[l.Exporter] = append(by[l.Exporter], s.codec.Append(nil, &l.Event))
	}
	for exporter := range by {
		if !slices.Contains(s.config.Exporters, exporter) {
			return fmt.Errorf("handing dead letters to %s again: it is not configured any more; choose those of another with --exporter, or purge them", exporter)
		}
	}
	for exporter, payloads := range by {
		if err := s.journal.AppendFor(exporter, payloads); err != nil {
			return err
		}
	}
	return nil
}
