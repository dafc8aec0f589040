package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"github.com/gnomon-sensor/gnomon/sensor"
)

// keepEyes has what packets and logs both saw outlive a restart, in a file that saveEyes writes. A damaged one is said and begun anew.
func (l *pipeline) keepEyes(path string) {
	l.eyesFile = path
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var state sensor.EyesState
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	if err != nil {
		l.log.Error("which visits packets and logs have counted is not known from before the restart: some may count twice", "error", err)
		return
	}
	l.eyes.Restore(state)
}

// saveEyes writes the file, if there is one to write.
func (l *pipeline) saveEyes() {
	if l.eyes == nil || l.eyesFile == "" {
		return
	}
	text, err := json.Marshal(l.eyes.State())
	if err == nil {
		err = writeFile(l.eyesFile, string(text)+"\n")
	}
	if err != nil {
		l.log.Error("keeping which visits packets and logs have counted: after a restart some may count twice", "error", err)
	}
}
