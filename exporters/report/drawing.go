package report

// A drawing is a chart as shapes, measured from the upper left corner of a page Width wide: HTML and PDF draw the same ones.
type drawing struct {
	Width, Height float64
	Left, Base    float64 // where the axes cross
	Ticks         []mark
	Bars          []rect
	Labels        []mark
}

// A rect is a bar. Part says that it is the unapproved part.
type rect struct {
	X, Y, W, H float64
	Part       bool
}

// A mark is a text, centred at X on the base line Y; a tick's ends at X.
type mark struct {
	X, Y float64
	Text string
	Kind string // tick, axis, value, part or note
}

// Measures of a chart, in the drawing's own units.
const (
	chartWidth, chartHeight = 720, 230
	chartLeft, chartTop     = 46, 22
	chartBase               = 198
)

// draw places the chart's shapes.
func (c *chart) draw() drawing {
	d := drawing{Width: chartWidth, Height: chartHeight, Left: chartLeft, Base: chartBase}
	top := c.Ticks[len(c.Ticks)-1]
	height := func(n uint64) float64 { return bar(n, top) * (chartBase - chartTop) }
	for _, n := range c.Ticks {
		d.Ticks = append(d.Ticks, mark{X: chartLeft - 6, Y: chartBase - height(n), Text: number(n), Kind: "tick"})
	}
	if len(c.Points) == 0 {
		return d
	}
	step := float64(chartWidth-chartLeft) / float64(len(c.Points))
	width := step * 0.62
	for i, p := range c.Points {
		middle := chartLeft + step*(float64(i)+0.5)
		all, part := height(p.Value[0]), height(min(p.Value[1], p.Value[0]))
		d.Bars = append(d.Bars, rect{X: middle - width/2, Y: chartBase - all, W: width, H: all})
		if part > 0 {
			d.Bars = append(d.Bars, rect{X: middle - width/2, Y: chartBase - part, W: width, H: part, Part: true})
		}
		d.Labels = append(d.Labels, mark{X: middle, Y: chartBase - all - 5, Text: p.Text[0], Kind: "value"})
		if part > 16 {
			d.Labels = append(d.Labels, mark{X: middle, Y: chartBase - part + 13, Text: p.Text[1], Kind: "part"})
		}
		d.Labels = append(d.Labels, mark{X: middle, Y: chartBase + 15, Text: p.Label, Kind: "axis"})
		if p.Note != "" {
			d.Labels = append(d.Labels, mark{X: middle, Y: chartBase + 28, Text: p.Note, Kind: "note"})
		}
	}
	return d
}
