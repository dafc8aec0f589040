package input

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
)

// maxProblems bounds what is remembered of what keeps a source from being read.
const maxProblems = 64

// problems are what keeps lines from being read now, by what it is about. Each is logged when it comes and when it goes.
type problems struct {
	log *slog.Logger
	mu  sync.Mutex
	now map[string]string
}

// note says that there is a problem.
func (p *problems) note(about, what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now[about] == what || p.now[about] == "" && len(p.now) >= maxProblems {
		return
	}
	if p.now == nil {
		p.now = map[string]string{}
	}
	p.now[about] = what
	p.log.Warn("a log cannot be read", "reason", what)
}

// solved says that there is none, or no longer.
func (p *problems) solved(about string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if what, ok := p.now[about]; ok {
		delete(p.now, about)
		p.log.Info("a log can be read again", "reason", what)
	}
}

// prune forgets the problems that are about something which is not there any more.
func (p *problems) prune(there func(about string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.now, func(about, _ string) bool { return !there(about) })
}

// list returns those that there are.
func (p *problems) list() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, about := range slices.Sorted(maps.Keys(p.now)) {
		out = append(out, p.now[about])
	}
	return out
}

// worst is one of them, empty if there is none.
func (p *problems) worst() string {
	if all := p.list(); len(all) > 0 {
		return all[0]
	}
	return ""
}
