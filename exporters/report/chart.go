package report

// A chart shows the weeks: a column for each, its unapproved part in front.
type chart struct {
	Title, Desc string
	Series      [2]string // all, part
	Points      []point
	Ticks       []uint64 // from 0 up; the last is the top of the axis
}

// A point is one column. Note stands over it instead of a figure.
type point struct {
	Label string
	Value [2]uint64
	Text  [2]string
	Note  string
}

// A stack is one bar cut into shares.
type stack struct {
	Title, Desc string
	Parts       []part
}

// A part begins at Start and is Share wide, of 1.
type part struct {
	Label, Status, Text string
	Start, Share        float64
}

// ticks divides an axis up to n into three to five round steps, and never a fraction of a user.
func ticks(n uint64) []uint64 {
	step := uint64(1)
	for i := 0; n > step*4; i++ {
		step = step * 2
		if i%3 == 1 { // 2, 5, 10: 2*2.5
			step = step / 4 * 5
		}
	}
	out := []uint64{0}
	for at := step; ; at += step {
		out = append(out, at)
		if at >= n {
			return out
		}
	}
}

// trendChart draws the users of each week.
func trendChart(r *Report) *chart {
	c := &chart{
		Title:  "Users of AI services by week",
		Desc:   "Columns for twelve weeks: users of any AI service, and in front those of unapproved ones. The table has the same figures.",
		Series: [2]string{"all users", "users of unapproved services"},
	}
	top := uint64(0)
	for _, w := range r.Trend {
		p := point{Label: w.Start.Format("2 Jan"), Value: [2]uint64{w.All.Users, w.Unapproved.Users}}
		p.Text = [2]string{r.userCount(w.All), r.userCount(w.Unapproved)}
		switch {
		case !w.Watched && w.All.Visits == 0 && !w.All.Hidden:
			p.Note = "not seen"
			p.Text = [2]string{dash, dash}
		case !w.Watched:
			p.Note = "gaps"
		case w.Partial:
			p.Note = "part"
		}
		top = max(top, w.All.Users)
		c.Points = append(c.Points, p)
	}
	c.Ticks = ticks(max(top, 4))
	return c
}

// statusStack draws the visits' shares by status.
func statusStack(r *Report) *stack {
	s := &stack{Title: "Visits by status", Desc: "One bar, cut by what the organisation says of the use. The labels have the same figures."}
	at := 0.0
	for _, row := range r.Statuses {
		share := bar(row.Use.Visits, r.All.Visits)
		s.Parts = append(s.Parts, part{Label: statusLabel(row.Status), Status: statusClass(row.Status),
			Text: percent(row.Use.Visits, r.All.Visits), Start: at, Share: min(share, 1-at)})
		at = min(at+share, 1)
	}
	return s
}
