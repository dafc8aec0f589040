package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// table prints columns: text to the left, figures to the right.
type table struct {
	rows [][]string
}

func newTable(head ...string) *table { return &table{rows: [][]string{head}} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) write(w io.Writer) {
	width := make([]int, len(t.rows[0]))
	right := make([]bool, len(width))
	for i := range width {
		right[i] = len(t.rows) > 1
		for r, row := range t.rows {
			width[i] = max(width[i], utf8.RuneCountInString(row[i]))
			if r > 0 && row[i] != "" && !figure(row[i]) {
				right[i] = false
			}
		}
	}
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				line.WriteString("  ")
			}
			if right[i] {
				line.WriteString(pad + cell)
			} else {
				line.WriteString(cell + pad)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// figure says whether a cell is a number, perhaps with a unit.
func figure(s string) bool {
	return s == "-" || s == "unknown" || s == "looked up only" || (s[0] >= '0' && s[0] <= '9' && strings.Count(s, ".") < 3 && !strings.Contains(s, ":"))
}

// printable replaces what a terminal would act on: names come from the wire and from files.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}
