package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// table prints columns: text to the left, figures to the right.
type table struct {
	rows [][]string
	// optional columns are left out on a terminal that is too narrow for all, the first first.
	optional []string
}

func newTable(head ...string) *table { return &table{rows: [][]string{head}} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) write(w io.Writer) {
	columns := t.columns(columnsOf(w))
	width, right := t.shape()
	for _, row := range t.rows {
		var line strings.Builder
		for n, i := range columns {
			cell := row[i]
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if n > 0 {
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

// shape is the width of each column, and whether it holds figures.
func (t *table) shape() (width []int, right []bool) {
	width, right = make([]int, len(t.rows[0])), make([]bool, len(t.rows[0]))
	for i := range width {
		right[i] = len(t.rows) > 1
		for r, row := range t.rows {
			width[i] = max(width[i], utf8.RuneCountInString(row[i]))
			if r > 0 && row[i] != "" && !figure(row[i]) {
				right[i] = false
			}
		}
	}
	return width, right
}

// columns are those that fit a terminal of the given width; 0 is no terminal.
func (t *table) columns(terminal int) []int {
	width, _ := t.shape()
	total := -2
	keep := make([]int, len(width))
	for i := range width {
		keep[i] = i
		total += width[i] + 2
	}
	for _, name := range t.optional {
		if terminal == 0 || total <= terminal {
			break
		}
		i := slices.Index(t.rows[0], name)
		keep = slices.DeleteFunc(keep, func(k int) bool { return k == i })
		total -= width[i] + 2
	}
	return keep
}

// figure says whether a cell is a number, perhaps with a unit.
func figure(s string) bool {
	for _, roughly := range []string{"about ", "at least "} {
		s = strings.TrimPrefix(s, roughly)
	}
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
