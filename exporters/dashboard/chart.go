package dashboard

import (
	"math"
	"time"
)

// chart is stacked columns over time. It is drawn twice, wide and narrow, because text in a picture shrinks with it; the same figures
// stand in a table below.
type chart struct {
	ID, Title, Desc string
	Series          []series
	Steps           []chartStep
	Gaps            []chartGap
	Table           *table
	Choices         []choice // which measure is drawn
	write           func(uint64) string
	top             uint64 // of the axis; 0: what the columns need
}

type series struct{ Label, Class string }

// chartStep is one column; its values go with the series.
type chartStep struct {
	short, long string
	values      []uint64
	note        string
}

// chartGap is a time without coverage, as shares of the axis.
type chartGap struct{ from, to float64 }

// choice is a link to the same page with one setting changed.
type choice struct {
	Label, Href string
	Current     bool
}

// Layout of a drawing, in its own units: they are pixels where the page is as wide as the drawing.
const (
	marginLeft, marginRight  = 58, 6
	marginTop, marginBottom  = 10, 28
	widestColumn, columnPart = 44, 0.72
)

// drawing is a chart laid out in one size.
type drawing struct {
	ID, Class, Title, Desc string
	W, H                   int
	Left, Right, Base, Top float64
	Grid                   []gridLine
	Columns                []drawnColumn
	Labels                 []drawnLabel
	Gaps                   []drawnGap
}

// Height is that of the area in which columns stand, AxisX where the figures beside it end, LabelY the line of the labels below it.
func (d drawing) Height() float64 { return d.Base - d.Top }
func (d drawing) AxisX() float64  { return d.Left - 8 }
func (d drawing) LabelY() int     { return d.H - 8 }

type gridLine struct {
	Y    float64
	Text string
}

type drawnColumn struct {
	X, W, HitX, HitW float64
	Title            string
	Parts            []drawnPart
}

type drawnPart struct {
	Y, H  float64
	Class string
}

type drawnLabel struct {
	X    float64
	Text string
}

type drawnGap struct{ X, W float64 }

// Wide is the drawing for a desk, Narrow for a phone.
func (c *chart) Wide() drawing   { return c.draw("wide", 960, 260, 10) }
func (c *chart) Narrow() drawing { return c.draw("narrow", 360, 230, 4) }

func (c *chart) draw(class string, w, h, labels int) drawing {
	d := drawing{ID: c.ID + "-" + class, Class: class, Title: c.Title, Desc: c.Desc, W: w, H: h,
		Left: marginLeft, Right: float64(w - marginRight), Base: float64(h - marginBottom), Top: marginTop}
	top := c.top
	for i := range c.Steps {
		if c.top == 0 {
			top = max(top, c.Steps[i].total())
		}
	}
	top = min(top, 1<<60) // far beyond any network, and sums of it still fit
	tick := niceTick(top)
	top = max((top+tick-1)/tick*tick, tick)
	y := func(n uint64) float64 { return round2(d.Base - (d.Base-d.Top)*float64(n)/float64(top)) }
	for n := uint64(0); n <= top; n += tick {
		d.Grid = append(d.Grid, gridLine{y(n), c.write(n)})
	}
	span := d.Right - d.Left
	for _, g := range c.Gaps {
		d.Gaps = append(d.Gaps, drawnGap{round2(d.Left + g.from*span), round2((g.to - g.from) * span)})
	}
	slot := span / float64(max(len(c.Steps), 1))
	width := min(slot*columnPart, widestColumn)
	every := (len(c.Steps) + labels - 1) / labels
	for i := range c.Steps {
		step := &c.Steps[i]
		middle := d.Left + slot*(float64(i)+0.5)
		column := drawnColumn{X: round2(middle - width/2), W: round2(width), HitX: round2(middle - slot/2), HitW: round2(slot), Title: c.tip(step)}
		sum := uint64(0)
		for k, n := range step.values {
			if n > 0 {
				column.Parts = append(column.Parts, drawnPart{y(sum + n), round2(max(y(sum)-y(sum+n), 0.5)), c.Series[k].Class})
			}
			sum += n
		}
		d.Columns = append(d.Columns, column)
		if i%every == 0 {
			d.Labels = append(d.Labels, drawnLabel{round2(middle), step.short})
		}
	}
	return d
}

func (s *chartStep) total() uint64 {
	sum := uint64(0)
	for _, n := range s.values {
		sum += n
	}
	return sum
}

// tip is what a pointer resting on a column shows.
func (c *chart) tip(s *chartStep) string {
	text := s.long + ": "
	if len(c.Series) > 1 {
		text += c.write(s.total())
	}
	for i, n := range s.values {
		if n > 0 || len(c.Series) == 1 {
			if len(c.Series) > 1 {
				text += "\n" + c.Series[i].Label + " "
			}
			text += c.write(n)
		}
	}
	if s.note != "" {
		text += "\n" + s.note
	}
	return text
}

// niceTick divides an axis up to top into at most five parts of 1, 2 or 5 times a power of ten.
func niceTick(top uint64) uint64 {
	const parts = 5
	for tick := uint64(1); ; tick *= 10 {
		for _, k := range []uint64{1, 2, 5} {
			if top <= tick*k*parts {
				return tick * k
			}
		}
	}
}

// chartGaps places gaps on the axis of a period; steps are equally wide, however long they last.
func chartGaps(gaps []gap, p period) []chartGap {
	starts := p.starts()
	at := func(t time.Time) float64 {
		for i, start := range starts {
			if end := p.next(start); t.Before(end) {
				return (float64(i) + max(float64(t.Sub(start))/float64(end.Sub(start)), 0)) / float64(len(starts))
			}
		}
		return 1
	}
	var out []chartGap
	for _, g := range gaps {
		if c := (chartGap{at(g.from), at(g.to)}); c.to > c.from {
			out = append(out, c)
		}
	}
	return out
}

func round2(f float64) float64 { return math.Round(f*100) / 100 }
