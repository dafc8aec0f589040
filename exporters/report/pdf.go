package report

import (
	"fmt"
	"io"
	"strings"

	"codeberg.org/go-pdf/fpdf"
)

// managementPages is how long management's PDF may get.
const managementPages = 2

// Measures of a page in millimetres.
const (
	pdfMargin  = 15.0
	pdfBottom  = 16.0 // the footer stands in it
	pdfGap     = 2.2  // between blocks
	millimetre = 25.4 / 72
)

// WritePDF writes pages for printing. Management's are never more than two: what would run over is set a little smaller.
//
// The PDF has a title and a language but no tags: the accessible form is HTML. Letters that its font lacks (it has Latin, Greek and
// Cyrillic) are printed as U+FFFD, the footer then says so, and users are told apart by the head of their pseudonym.
func (r *Report) WritePDF(w io.Writer) error { return r.writePDF(w, true) }

// writePDF draws until the pages are few enough, and then what stands at their feet.
func (r *Report) writePDF(w io.Writer, compress bool) error {
	d := layout(r)
	p := &pdfPages{scale: 1}
	for {
		if err := p.draw(r, d); err != nil {
			return err
		}
		if r.Audience != Management || p.f.PageNo() <= managementPages || p.scale < 0.7 {
			break
		}
		p.scale -= 0.04
	}
	p.footers(d)
	p.f.SetCompression(compress)
	if err := p.f.Output(w); err != nil {
		return fmt.Errorf("writing the PDF: %w", err)
	}
	return nil
}

// pdfPages draws a document on pages, from the top down.
type pdfPages struct {
	f      *fpdf.Fpdf
	glyphs *glyphSet
	scale  float64 // of letters and lines
	y      float64
	width  float64 // between the margins
	bottom float64 // where the footer's space begins
}

// draw begins anew and draws everything.
func (p *pdfPages) draw(r *Report, d *document) error {
	f := fpdf.New("P", "mm", string(r.paper), "")
	f.SetCatalogSort(true)
	f.SetCreationDate(r.Made.UTC())
	f.SetModificationDate(r.Made.UTC())
	f.SetProducer("Gnomon", true)
	f.SetTitle(d.Title+", "+d.Meta[0], true)
	f.SetLang(d.Lang)
	f.SetMargins(pdfMargin, pdfMargin, pdfMargin)
	f.SetAutoPageBreak(false, 0)
	for style, file := range fonts() {
		f.AddUTF8FontFromBytes(fontFamily, style, file)
	}
	if p.glyphs == nil {
		glyphs, err := newGlyphSet()
		if err != nil {
			return err
		}
		p.glyphs = glyphs
	}
	p.f = f
	width, height := f.GetPageSize()
	p.width, p.bottom = width-2*pdfMargin, height-pdfBottom
	p.newPage()
	p.front(d)
	for _, s := range d.Sections {
		p.section(s)
	}
	if err := f.Error(); err != nil {
		return fmt.Errorf("drawing the PDF: %w", err)
	}
	return nil
}

func (p *pdfPages) newPage() {
	p.f.AddPage()
	p.y = pdfMargin
}

// need begins a page unless there is room for so much.
func (p *pdfPages) need(height float64) {
	if p.y+height > p.bottom {
		p.newPage()
	}
}

// footers goes back to every page, now that it is known how many there are and whether letters are lacking.
func (p *pdfPages) footers(d *document) {
	pages := p.f.PageNo()
	for n := range pages {
		p.f.SetPage(n + 1)
		p.font("B", 7) // what is set already, on the page before, would not be set again
		p.footer(d, n+1, pages)
	}
}

// footer says what the page belongs to.
func (p *pdfPages) footer(d *document, page, pages int) {
	p.font("", 7)
	p.color(softInk)
	_, height := p.f.GetPageSize()
	y := height - 8
	left := "Gnomon · " + d.Meta[0]
	if p.glyphs.lacking {
		left += " · \uFFFD stands for letters that this font lacks; the HTML form has them"
	}
	p.text(pdfMargin, y, left)
	p.textRight(pdfMargin+p.width, y, fmt.Sprintf("%d / %d", page, pages))
}

// front is the title and what the report is about.
func (p *pdfPages) front(d *document) {
	p.f.Bookmark(p.clean(d.Title), 0, -1)
	p.paragraph(d.Title, "B", 16, ink)
	p.paragraph(strings.Join(d.Meta, " · "), "", 9, softInk)
	p.y++
}

func (p *pdfPages) section(s section) {
	if s.Break && p.y > pdfMargin {
		p.newPage()
	}
	p.need(p.heading() + 22) // never a title alone at the foot
	if p.y > pdfMargin {
		p.y += 2.5 * p.scale
	}
	p.f.Bookmark(p.clean(s.Title), 1, p.y)
	p.line(p.y, 0.4, rule)
	p.y += 1.8 * p.scale
	p.paragraph(s.Title, "B", 11, ink)
	p.y += 0.6 * p.scale
	for _, b := range s.Blocks {
		p.block(b)
	}
}

// heading is the height of a section's title.
func (p *pdfPages) heading() float64 { return 10 * p.scale }

func (p *pdfPages) block(b block) {
	switch {
	case b.Text != "" && b.Small:
		p.paragraph(b.Text, "", 7.5, softInk)
	case b.Text != "":
		p.paragraph(b.Text, "", 9, ink)
	}
	for _, s := range b.List {
		p.item(s)
	}
	if b.Tiles != nil {
		p.tiles(b.Tiles)
	}
	if b.Stack != nil {
		p.stack(b.Stack)
	}
	if b.Chart != nil {
		p.chart(b.Chart)
	}
	if b.Table != nil {
		p.table(b.Table)
	}
	p.y += pdfGap / 2 * p.scale
}
