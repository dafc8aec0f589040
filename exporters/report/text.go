package report

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"
)

// textColumns is how wide the text form gets.
const textColumns = 100

// chartColumns is how long the longest bar is drawn.
const chartColumns = 50

// WriteText writes the report for a terminal or a plain mail, 100 columns wide.
func (r *Report) WriteText(w io.Writer) error {
	t := textWriter{out: bufio.NewWriter(w)}
	d := layout(r)
	t.wrap(d.Title, "")
	t.line(strings.Repeat("=", min(cells(d.Title), textColumns)))
	t.wrap(strings.Join(d.Meta, " · "), "")
	for _, s := range d.Sections {
		t.line("")
		t.wrap(s.Title, "")
		t.line(strings.Repeat("-", min(cells(s.Title), textColumns)))
		for i, b := range s.Blocks {
			if i > 0 && (b.Table != nil || b.Chart != nil || s.Blocks[i-1].Table != nil || s.Blocks[i-1].Tiles != nil) {
				t.line("")
			}
			t.block(b)
		}
	}
	return t.out.Flush()
}

// A textWriter remembers its first error for Flush.
type textWriter struct {
	out *bufio.Writer
}

func (t textWriter) line(s string) {
	t.out.WriteString(strings.TrimRight(s, " "))
	t.out.WriteByte('\n')
}

func (t textWriter) block(b block) {
	if b.Text != "" {
		t.wrap(b.Text, "")
	}
	for _, s := range b.List {
		t.wrap("- "+s, "  ")
	}
	if b.Tiles != nil {
		t.tiles(b.Tiles)
	}
	if b.Chart != nil {
		t.chart(b.Chart)
	}
	if b.Stack != nil {
		var parts []string
		for _, p := range b.Stack.Parts {
			parts = append(parts, p.Label+" "+p.Text)
		}
		t.wrap(b.Stack.Title+": "+strings.Join(parts, ", ")+".", "")
	}
	if b.Table != nil {
		t.table(b.Table)
	}
}

func (t textWriter) tiles(tiles []tile) {
	label, value := 0, 0
	for _, f := range tiles {
		label, value = max(label, cells(f.Label)), max(value, cells(f.Value))
	}
	for _, f := range tiles {
		t.line(pad(f.Label, label, false) + "  " + pad(f.Value, value, true) + "  " + f.Sub)
	}
}

// chart draws a bar for each week: what is unapproved of it is solid.
func (t textWriter) chart(c *chart) {
	top := c.Ticks[len(c.Ticks)-1]
	t.line(c.Title + ": █ " + c.Series[1] + ", ░ " + c.Series[0])
	for _, p := range c.Points {
		all := int(bar(p.Value[0], top) * chartColumns)
		part := min(int(bar(p.Value[1], top)*chartColumns), all)
		drawn := strings.Repeat("█", part) + strings.Repeat("░", all-part)
		text := p.Text[0] + " (" + p.Text[1] + ")"
		if p.Note != "" {
			text += " " + p.Note
		}
		t.line(pad(p.Label, 7, true) + " |" + drawn + " " + text)
	}
}

// table writes a head, a rule and the rows.
func (t textWriter) table(tb *table) {
	widths := textWidths(tb)
	head, rule := row{}, row{}
	for i, c := range tb.Columns {
		head.Cells = append(head.Cells, cell{Text: c.Title})
		rule.Cells = append(rule.Cells, cell{Text: strings.Repeat("-", widths[i])})
	}
	t.row(tb, head, widths)
	t.row(tb, rule, widths)
	for _, r := range tb.Rows {
		if r.Kind == group {
			t.wrap(r.Cells[0].Text, "  ")
			continue
		}
		t.row(tb, r, widths)
		if r.Note != "" {
			t.wrap("    "+r.Note, "    ")
		}
	}
}

func (t textWriter) row(tb *table, r row, widths []int) {
	var b strings.Builder
	for i, c := range r.Cells {
		if i > 0 {
			b.WriteString("  ")
		}
		text, width := c.Text, widths[i]
		if i == 0 && r.Kind == inner {
			text = "  " + text
		}
		b.WriteString(pad(fit(text, width), width, tb.Columns[i].Right))
	}
	t.line(b.String())
}

// textWidths gives every column what its cells need; if that is too wide, the widest column of words gives way.
func textWidths(tb *table) []int {
	widths := make([]int, len(tb.Columns))
	sum := 2 * (len(widths) - 1)
	for i, c := range tb.Columns {
		widths[i] = cells(c.Title)
		for _, r := range tb.Rows {
			if i < len(r.Cells) && r.Kind != group {
				widths[i] = max(widths[i], cells(r.Cells[i].Text)+2*one(i == 0 && r.Kind == inner))
			}
		}
		sum += widths[i]
	}
	for ; sum > textColumns; sum-- {
		widest := 0
		for i, c := range tb.Columns {
			if !c.Right && widths[i] > widths[widest] {
				widest = i
			}
		}
		widths[widest]--
	}
	return widths
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// wrap breaks a paragraph at spaces; lines after the first begin with indent.
func (t textWriter) wrap(s, indent string) {
	start := s[:len(s)-len(strings.TrimLeft(s, " "))]
	line, empty := start, true
	for word := range strings.SplitSeq(s[len(start):], " ") {
		for !empty && cells(line)+1+cells(word) > textColumns {
			t.line(line)
			line, empty = indent, true
		}
		for cells(line)+cells(word) > textColumns { // a word longer than a line
			head := fitWithout(word, textColumns-cells(line))
			t.line(line + head)
			word, line = word[len(head):], indent
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	t.line(line)
}

// pad fills s up to the width.
func pad(s string, width int, right bool) string {
	fill := strings.Repeat(" ", max(width-cells(s), 0))
	if right {
		return fill + s
	}
	return s + fill
}

// fit cuts s to the width, with an ellipsis.
func fit(s string, width int) string {
	if cells(s) <= width {
		return s
	}
	return fitWithout(s, width-1) + "…"
}

// fitWithout is the longest head of s that is no wider than width, but never empty.
func fitWithout(s string, width int) string {
	n := 0
	for i, r := range s {
		if n += runeCells(r); n > width && i > 0 {
			return s[:i]
		}
	}
	return s
}

// cells is how many columns of a terminal s takes.
func cells(s string) int {
	n := 0
	for _, r := range s {
		n += runeCells(r)
	}
	return n
}

// runeCells is 2 for what East Asian writing and emoji draw wide, 0 for marks that stand on the letter before, else 1.
func runeCells(r rune) int {
	switch {
	case r < utf8.RuneSelf:
		return 1
	case isMark(r):
		return 0
	case isWide(r):
		return 2
	}
	return 1
}
