package report

// tiles stand side by side.
func (p *pdfPages) tiles(tiles []tile) {
	const gap = 3.0
	height := 19 * p.scale
	p.need(height)
	width := (p.width - gap*float64(len(tiles)-1)) / float64(len(tiles))
	for i, t := range tiles {
		x := pdfMargin + float64(i)*(width+gap)
		p.fill(x, p.y, width, height, shade)
		inner := width - 5
		p.font("", 7.5)
		p.color(softInk)
		p.f.Text(x+2.5, p.y+4.8*p.scale, p.clip(t.Label, inner))
		p.f.Text(x+2.5, p.y+16.2*p.scale, p.clip(t.Sub, inner))
		p.font("B", 14)
		p.color(ink)
		p.f.Text(x+2.5, p.y+11.6*p.scale, p.clip(t.Value, inner))
	}
	p.y += height + 2*p.scale
}

// stack is one bar with its labels below.
func (p *pdfPages) stack(s *stack) {
	height := 4.5 * p.scale
	p.need(height + 8*p.scale)
	p.y += 0.5 * p.scale
	for _, part := range s.Parts {
		p.fill(pdfMargin+part.Start*p.width, p.y, max(part.Share*p.width-0.3, 0.1), height, statusColor(part.Status))
	}
	p.y += height + 4*p.scale
	x := pdfMargin
	p.font("", 8)
	p.color(ink)
	p.text(x, p.y, s.Title+":")
	x += p.f.GetStringWidth(s.Title+":") + 3
	for _, part := range s.Parts {
		label := p.clean(part.Label + " " + part.Text)
		width := p.f.GetStringWidth(label)
		if x+width+4 > pdfMargin+p.width {
			x = pdfMargin
			p.y += 4 * p.scale
		}
		p.fill(x, p.y-2.2*p.scale, 2.4*p.scale, 2.4*p.scale, statusColor(part.Status))
		p.f.Text(x+3.4*p.scale, p.y, label)
		x += width + 8
	}
	p.y += 1.5 * p.scale
}

// chart draws the shapes to the width of the page.
func (p *pdfPages) chart(c *chart) {
	d := c.draw()
	k := p.width / d.Width
	squeeze := k * p.scale // only the height gives way
	height := d.Height*squeeze + 6*p.scale
	p.need(height)
	top := p.y
	x := func(v float64) float64 { return pdfMargin + v*k }
	y := func(v float64) float64 { return top + v*squeeze }
	p.font("", 7.5)
	p.color(softInk)
	p.f.SetDrawColor(rule[0], rule[1], rule[2])
	p.f.SetLineWidth(0.2)
	for _, t := range d.Ticks {
		p.f.Line(x(d.Left), y(t.Y), x(d.Width), y(t.Y))
		p.textRight(x(t.X), y(t.Y)+1, t.Text)
	}
	for _, b := range d.Bars {
		color := allBar
		if b.Part {
			color = partBar
		}
		p.fill(x(b.X), y(b.Y), b.W*k, b.H*squeeze, color)
	}
	for _, l := range d.Labels {
		p.color(map[string]rgb{"value": ink, "part": white}[l.Kind])
		if l.Kind == "axis" || l.Kind == "note" {
			p.color(softInk)
		}
		p.textMiddle(x(l.X), y(l.Y), l.Text)
	}
	p.y = top + d.Height*squeeze + 3.5*p.scale
	p.legend(c)
	p.y += 1.5 * p.scale
}

// legend says what the bars are.
func (p *pdfPages) legend(c *chart) {
	p.font("", 8)
	p.color(ink)
	x := pdfMargin
	for i, s := range c.Series {
		p.fill(x, p.y-2.2*p.scale, 2.4*p.scale, 2.4*p.scale, [2]rgb{allBar, partBar}[i])
		p.text(x+3.4*p.scale, p.y, s)
		x += p.f.GetStringWidth(s) + 9
	}
	p.color(softInk)
	p.text(x, p.y, c.Title+"; weeks begin on Monday")
}
