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
	lines := [][]string{csvHead(t.Columns)}
	for _, row := range t.Rows {
		lines = append(lines, csvLine(row))
	}
	if t.More != "" { // never a silent end
		lines = append(lines, []string{t.More})
	}
	if err := out.WriteAll(lines); err != nil {
		return fmt.Errorf("sending a table: %w", err)
	}
	return nil
}

func csvHead(columns []column) []string {
	var line []string
	for _, c := range columns {
		if c.CSV == nil {
			line = append(line, strings.ToLower(c.Title))
		}
		line = append(line, c.CSV...)
	}
	return line
}

func csvLine(row []cell) []string {
	var line []string
	for i := range row {
		values := row[i].CSV
		if values == nil {
			values = []string{row[i].Text}
		}
		for _, s := range values {
			line = append(line, csvCell(s))
		}
	}
	return line
}
