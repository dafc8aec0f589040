package report

import (
	"encoding/json"
	"io"
)

// WriteJSON writes the report's figures for programs, indented, with a line feed at the end.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}
