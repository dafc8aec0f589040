package candidates

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Candidate is a name that looks like an AI service.
type Candidate struct {
	Name
	Score    int
	Evidence []string // for people, the strongest first
}

// What each piece of evidence weighs, and what makes a candidate. One strong piece is enough, or two weak ones. The figures are chosen so
// that a stream of words alone needs a second answer: progress bars and tickers look like one now and then.
const (
	enough = 3

	weightTop, weightAI, weightStrong, weightWeak = 3, 2, 3, 1
	weightAlias, weightPath                       = 4, 5
	weightAnswer, weightAnswers, weightMany       = 2, 3, 4
	// lessOther is taken off for a host that visitors of a site reach without having come for it.
	lessOther = 3
	// many answers are beyond doubt as far as the pace goes.
	many = 5
)

// Judge returns the names of a day that look like AI services, the most telling first. A name that was only looked up is none, nor is one
// that nothing came back from. Logs may not tell either figure: the path of a request is contact without them, and many a proxy's tells
// only what came down.
func Judge(d *Day) []Candidate {
	var out []Candidate
	for i := range d.Names {
		if c, ok := judge(&d.Names[i]); ok {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Candidate) int {
		return cmp.Or(b.Score-a.Score, cmp.Compare(b.Flows, a.Flows), strings.Compare(a.Name.Name, b.Name.Name))
	})
	return out
}

// piece is one piece of evidence.
type piece struct {
	weight int
	text   string
}

func judge(n *Name) (Candidate, bool) {
	if n.Flows == 0 || n.Down == 0 && n.Paths == 0 {
		return Candidate{}, false
	}
	pieces := append(behaviour(n), spelling(n.Name)...)
	slices.SortStableFunc(pieces, func(a, b piece) int { return b.weight - a.weight })
	c := Candidate{Name: *n}
	for _, p := range pieces {
		c.Score += p.weight
		c.Evidence = append(c.Evidence, p.text)
	}
	return c, c.Score >= enough
}

// behaviour is what the name's flows, look-ups and log lines show.
func behaviour(n *Name) []piece {
	var all []piece
	if n.Paths > 0 {
		all = append(all, piece{weightPath, fmt.Sprintf("path of a model API in %d log lines", n.Paths)})
	}
	if n.Alias != "" {
		all = append(all, piece{weightAlias, "CNAME leads to " + n.Alias})
	}
	switch {
	case n.Answers >= many:
		all = append(all, piece{weightMany, paceText(n)})
	case n.Answers > 1:
		all = append(all, piece{weightAnswers, paceText(n)})
	case n.Answers == 1:
		all = append(all, piece{weightAnswer, paceText(n)})
	}
	return all
}

func paceText(n *Name) string {
	if n.Answers == 1 {
		return "1 answer streamed at a token's pace"
	}
	return fmt.Sprintf("%d answers streamed at a token's pace, in %d flows", n.Answers, n.Paced)
}

// spelling is what the name itself shows.
func spelling(name string) []piece {
	t := tell(name)
	var all []piece
	if t.top {
		all = append(all, piece{weightTop, "below .ai"})
	}
	if t.strong != "" {
		all = append(all, piece{weightStrong, "label " + t.strong})
	}
	if t.ai != "" {
		all = append(all, piece{weightAI, "label ai"})
	}
	if t.weak != "" {
		all = append(all, piece{weightWeak, "label " + t.weak})
	}
	if t.other != "" {
		all = append(all, piece{-lessOther, "label " + t.other + " speaks against it"})
	}
	return all
}
