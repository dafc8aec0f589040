package input

import (
	"log/slog"
	"os"
)

// Probe says what would keep the files of a source from being read now, by whoever asks. What listens is not asked: its port is taken while
// the sensor runs.
func Probe(c Config) []string {
	if c.Protocol != "" {
		return nil
	}
	s := &source{config: c, problem: problems{log: slog.New(slog.DiscardHandler)}}
	f := newFiles(s)
	for _, is := range f.find() {
		file, err := os.Open(is.path)
		if err == nil {
			err = file.Close()
		}
		f.cannot("read "+is.path, err)
	}
	return s.problem.list()
}
