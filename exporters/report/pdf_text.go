package report

import "strings"

// An rgb is a colour.
type rgb [3]int

// The colours of print.
var (
	ink     = rgb{28, 35, 48}
	softInk = rgb{86, 96, 114}
	rule    = rgb{207, 213, 222}
	shade   = rgb{243, 245, 248}
	allBar  = rgb{169, 193, 221}
	partBar = rgb{31, 78, 134}
	white   = rgb{255, 255, 255}
)

// statusColor is a status' colour; its word always stands beside it.
func statusColor(class string) rgb {
	switch class {
	case "approved":
		return rgb{26, 127, 75}
	case "tolerated":
		return rgb{102, 112, 15}
	case "in-review":
		return rgb{42, 102, 171}
	case "unreviewed":
		return rgb{154, 91, 0}
	case "prohibited":
		return rgb{179, 38, 30}
	}
	return rgb{95, 103, 116}
}

// font sets style and size, in points before scaling.
func (p *pdfPages) font(style string, points float64) {
	p.f.SetFont(fontFamily, style, points*p.scale)
}

func (p *pdfPages) color(c rgb) { p.f.SetTextColor(c[0], c[1], c[2]) }

func (p *pdfPages) fill(x, y, w, h float64, c rgb) {
	p.f.SetFillColor(c[0], c[1], c[2])
	p.f.Rect(x, y, w, h, "F")
}

// line is drawn from margin to margin.
func (p *pdfPages) line(y, width float64, c rgb) {
	p.f.SetDrawColor(c[0], c[1], c[2])
	p.f.SetLineWidth(width)
	p.f.Line(pdfMargin, y, pdfMargin+p.width, y)
}

// clean makes s drawable.
func (p *pdfPages) clean(s string) string {
	s, _ = p.glyphs.drawable(s)
	return s
}

// text stands on the base line y.
func (p *pdfPages) text(x, y float64, s string) { p.f.Text(x, y, p.clean(s)) }

func (p *pdfPages) textRight(x, y float64, s string) {
	s = p.clean(s)
	p.f.Text(x-p.f.GetStringWidth(s), y, s)
}

func (p *pdfPages) textMiddle(x, y float64, s string) {
	s = p.clean(s)
	p.f.Text(x-p.f.GetStringWidth(s)/2, y, s)
}

// clip cuts s to the width, with an ellipsis.
func (p *pdfPages) clip(s string, width float64) string {
	s = p.clean(s)
	if p.f.GetStringWidth(s) <= width {
		return s
	}
	runes := []rune(s)
	low, high := 0, len(runes)
	for low < high { // the longest head that fits
		middle := (low + high + 1) / 2
		if p.f.GetStringWidth(string(runes[:middle])+"…") <= width {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return strings.TrimRight(string(runes[:low]), " ") + "…"
}

// wrapLines breaks s at spaces into lines of the width, in the font that is set; a word that is longer is cut where it must be.
func (p *pdfPages) wrapLines(s string, width float64) []string {
	s = p.clean(s)
	var lines []string
	line := ""
	for word := range strings.SplitSeq(s, " ") {
		if try := line + " " + word; line != "" && p.f.GetStringWidth(try) <= width {
			line = try
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for p.f.GetStringWidth(word) > width {
			n := p.head(word, width)
			lines = append(lines, word[:n])
			word = word[n:]
		}
		line = word
	}
	return append(lines, line)
}

// head is how many bytes of the word fit; never none.
func (p *pdfPages) head(word string, width float64) int {
	runes := []rune(word)
	n := len(runes) - 1
	for n > 1 && p.f.GetStringWidth(string(runes[:n])) > width {
		n--
	}
	return len(string(runes[:max(n, 1)]))
}

// paragraph wraps s between the margins.
func (p *pdfPages) paragraph(s, style string, points float64, c rgb) {
	p.font(style, points)
	height := points * p.scale * millimetre * 1.32
	lines := p.wrapLines(s, p.width)
	for _, l := range lines {
		p.need(height)
		p.font(style, points)
		p.color(c)
		p.f.Text(pdfMargin, p.y+height*0.78, l)
		p.y += height
	}
}

// item is a paragraph behind a dot, its first sentence in bold.
func (p *pdfPages) item(s string) {
	const points, indent = 8, 4.0
	topic, body, _ := strings.Cut(s, ". ")
	height := points * p.scale * millimetre * 1.3
	p.font("B", points)
	topic = p.clean(topic) + ": "
	offset := p.f.GetStringWidth(topic)
	p.font("", points)
	lines := p.wrapLines(strings.Repeat("\u00a0", int(offset/p.f.GetStringWidth("\u00a0"))+1)+body, p.width-indent)
	p.need(height * float64(len(lines)))
	p.color(ink)
	for i, l := range lines {
		base := p.y + height*0.78
		if i == 0 {
			p.font("B", points)
			p.f.Text(pdfMargin, base, "•")
			p.f.Text(pdfMargin+indent, base, topic)
		}
		p.font("", points)
		p.f.Text(pdfMargin+indent, base, l)
		p.y += height
	}
}
