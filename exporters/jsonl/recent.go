package jsonl

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
)

// maxRecent bounds how much of the end of a file is read for the ids of its last records: a batch and more.
const maxRecent = 16 << 20

// recentIDs reads the ids of the last records of a file: at least those of one batch, which is what comes again after a crash. Where the
// file was begun only just before, they stand in the one before it.
func recentIDs(path string, size int64) (map[string]bool, error) {
	ids := map[string]bool{}
	if err := lastIDs(path, size, ids); err != nil {
		return nil, err
	}
	if len(ids) >= batchSize {
		return ids, nil
	}
	info, err := os.Stat(path + ".1")
	if errors.Is(err, fs.ErrNotExist) {
		return ids, nil
	}
	if err != nil {
		return nil, err
	}
	return ids, lastIDs(path+".1", info.Size(), ids)
}

// lastIDs adds the ids of the last lines of a file. What is not a record of ours has none.
func lastIDs(path string, size int64, ids map[string]bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	from := max(0, size-maxRecent)
	text, err := io.ReadAll(io.NewSectionReader(f, from, size-from))
	if err != nil {
		return err
	}
	lines := bytes.Split(text, []byte("\n"))
	if from > 0 {
		lines = lines[1:] // its beginning is missing
	}
	lines = lines[max(0, len(lines)-batchSize-1):] // the last is empty
	for _, line := range lines {
		var record struct {
			Event struct {
				ID string `json:"id"`
			} `json:"event"`
		}
		if json.Unmarshal(line, &record) == nil && record.Event.ID != "" {
			ids[record.Event.ID] = true
		}
	}
	return nil
}
