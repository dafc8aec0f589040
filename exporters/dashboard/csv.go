package dashboard

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

// csvCell keeps a spreadsheet from taking text for a formula: what begins like one gets an apostrophe in front. Spaces before it do not
// help, and the full-width forms count in some places.
func csvCell(s string) string {
	if start := strings.TrimLeft(s, " \u00a0\u3000"); start != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(start)[0]) {
		return "'" + s
	}
	return s
}

// writeCSV sends a table as a file (RFC 4180).
func writeCSV(w http.ResponseWriter, t *table) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="gnomon-%s.csv"`, t.ID))
	out := csv.NewWriter(w)
	out.UseCRLF = true
	var line []string
	for _, c := range t.Columns {
		if c.CSV == nil {
			line = append(line, strings.ToLower(c.Title))
		}
		line = append(line, c.CSV...)
	}
	if err := out.Write(line); err != nil {
		return fmt.Errorf("sending a table: %w", err)
	}
	for _, row := range t.Rows {
		line = line[:0]
		for i := range row {
			values := row[i].CSV
			if values == nil {
				values = []string{row[i].Text}
			}
			for _, s := range values {
				line = append(line, csvCell(s))
			}
		}
		if err := out.Write(line); err != nil {
			return fmt.Errorf("sending a table: %w", err)
		}
	}
	if t.More != "" { // never a silent end
		if err := out.Write([]string{t.More}); err != nil {
			return fmt.Errorf("sending a table: %w", err)
		}
	}
	out.Flush()
	return out.Error()
}
