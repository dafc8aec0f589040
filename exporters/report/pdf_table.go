package report

import "strings"

// Measures of tables.
const (
	tablePoints = 8.0
	notePoints  = 6.8
	tableRow    = 4.7 // height of a line
	noteRow     = 3.1
	columnGap   = 2.5
	barWidth    = 14.0
)

// table draws head and rows; the head is repeated on every page.
func (p *pdfPages) table(t *table) {
	at, widths := p.columns(t)
	p.need(3 * tableRow * p.scale)
	p.tableHead(t, at, widths)
	for i, r := range t.Rows {
		notes := p.notes(r)
		height := p.rowHeight(notes)
		need := height
		if r.Kind == group && i+1 < len(t.Rows) {
			need += p.rowHeight(p.notes(t.Rows[i+1]))
		}
		if p.y+need > p.bottom {
			p.newPage()
			p.tableHead(t, at, widths)
		}
		p.tableRow(t, r, at, widths)
		p.drawNotes(r, notes)
		p.y += (tableRow-tableRow*0.78)*p.scale - 0.4*p.scale
		if i+1 == len(t.Rows) || t.Rows[i+1].Kind != inner || r.Kind != group {
			p.line(p.y, 0.1, rule)
		}
	}
	p.y += 0.8 * p.scale
}

// columns shares the width out: where each column begins and how wide it is.
func (p *pdfPages) columns(t *table) (at, widths []float64) {
	sum := 0.0
	for _, c := range t.Columns {
		sum += c.Width
	}
	x := pdfMargin
	room := p.width - columnGap*float64(len(t.Columns)-1)
	for _, c := range t.Columns {
		w := room * c.Width / sum
		at, widths = append(at, x), append(widths, w)
		x += w + columnGap
	}
	return at, widths
}

func (p *pdfPages) tableHead(t *table, at, widths []float64) {
	p.font("", 7.5)
	p.color(softInk)
	base := p.y + tableRow*0.72*p.scale
	for i, c := range t.Columns {
		p.cellText(c, p.clip(c.Title, widths[i]), at[i], widths[i], base)
	}
	p.y += tableRow * p.scale
	p.line(p.y, 0.3, softInk)
}

// cellText puts a text that fits into its column.
func (p *pdfPages) cellText(c column, s string, x, width, base float64) {
	if c.Right {
		x += width - p.f.GetStringWidth(s)
	}
	p.f.Text(x, base, s)
}

// tableRow draws the cells and leaves y at the base line.
func (p *pdfPages) tableRow(t *table, r row, at, widths []float64) {
	base := p.y + tableRow*0.78*p.scale
	style := ""
	if r.Kind == group {
		style = "B"
	}
	for i, c := range r.Cells {
		x, width := at[i], widths[i]
		switch {
		case r.Kind == group:
			width = p.width
		case i == 0 && r.Kind == inner:
			x, width = x+3, width-3
		}
		p.font(style, tablePoints)
		p.color(ink)
		if r.Kind == rest {
			p.color(softInk)
		}
		if c.Status != "" {
			color := statusColor(c.Status)
			p.fill(x, base-2.1*p.scale, 2.2*p.scale, 2.2*p.scale, color)
			p.color(color)
			x, width = x+3.2*p.scale, width-3.2*p.scale
		}
		if c.Bar > 0 {
			p.fill(x, base-2.3*p.scale, c.Bar*barWidth, 2.6*p.scale, allBar)
		}
		text := p.told(c)
		if t.Columns[i].Right {
			p.narrow(style, text, width)
		}
		p.cellText(t.Columns[i], p.clip(text, width), x, width, base)
	}
	p.y = base
}

// narrow sets smaller letters for a figure that is wider than its column: a figure without its end would be another one.
func (p *pdfPages) narrow(style, text string, width float64) {
	if wide := p.f.GetStringWidth(text); wide > width {
		p.font(style, tablePoints*max(width/wide*0.99, 0.5))
	}
}

// told is the cell's text, with its key where letters are lacking: users must not look alike.
func (p *pdfPages) told(c cell) string {
	s, replaced := p.glyphs.drawable(c.Text)
	if replaced && c.Key != "" && !strings.Contains(s, c.Key) {
		return "[" + p.clean(c.Key) + "] " + s
	}
	return s
}

// notes are the lines below a row.
func (p *pdfPages) notes(r row) []string {
	if r.Note == "" {
		return nil
	}
	p.font("", notePoints)
	return p.wrapLines(r.Note, p.width-noteIndent(r))
}

func noteIndent(r row) float64 {
	if r.Kind == inner {
		return 3
	}
	return 0
}

func (p *pdfPages) rowHeight(notes []string) float64 {
	return (tableRow + noteRow*float64(len(notes))) * p.scale
}

// drawNotes leaves y at the base line of the last.
func (p *pdfPages) drawNotes(r row, notes []string) {
	p.font("", notePoints)
	p.color(softInk)
	for _, n := range notes {
		p.y += noteRow * p.scale
		p.f.Text(pdfMargin+noteIndent(r), p.y, n)
	}
}
