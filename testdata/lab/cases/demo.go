package cases

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/clients"
	"github.com/gnomon-sensor/gnomon/testdata/lab/forward"
	"github.com/gnomon-sensor/gnomon/testdata/lab/pcapfile"
	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
)

// The demonstration's wire is as long as wireDelay, and its time runs slower by stretch: on a bare wire an answer takes a
// fraction of the time it takes on the Internet.
const (
	wireDelay = 4 * time.Millisecond
	stretch   = 5
)

// Demo makes the bundled demonstration: path is the capture, and its truth and an ABOUT go beside it. The steps are played one
// after the other, and their frames are then moved to the times the steps have in the office's day.
func (l *Lab) Demo(ctx context.Context, log io.Writer, path string) error {
	steps := officeDay()
	d, err := l.playSteps(ctx, log, steps)
	if err != nil {
		return fmt.Errorf("making the demonstration: %w", err)
	}
	moves := schedule(steps, d)
	if err := overlap(steps, moves, d.frames); err != nil {
		return fmt.Errorf("making the demonstration: %w", err)
	}
	var capture, known bytes.Buffer
	if err := pcapfile.Write(&capture, pcapfile.Spread(d.frames, moves)); err != nil {
		return err
	}
	if err := truth.Write(&known, d.records); err != nil {
		return err
	}
	base := filepath.Base(path)
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	fmt.Fprintf(log, "%s: %d bytes\n", base, capture.Len())
	return writeFiles(filepath.Dir(path), []file{
		{base, capture.Bytes()}, {stem + "." + truthFile, known.Bytes()}, {"ABOUT", aboutDemo(base, stem, steps, d.programs)},
	})
}

// played is a result, and when each step ended.
type played struct {
	result
	ends   []time.Time // of the steps; ends[0] is when the first began
	counts []int       // how many records there were at the end of each step
}

// playSteps plays all steps, in order, in one world.
func (l *Lab) playSteps(ctx context.Context, log io.Writer, steps []step) (d played, err error) {
	whole := Case{Name: "demo", Names: officeNames()}
	for _, s := range steps {
		whole.Requests = append(whole.Requests, s.requests...)
	}
	zone, err := whole.zone()
	if err != nil {
		return d, err
	}
	w, err := newWorld(ctx, setup{zone: zone, clients: desks(steps), proxy: true, rules: forward.Rules{Delay: wireDelay}}, l.authority)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	w.settle(ctx)
	d.ends = append(d.ends, time.Now().UTC()) // what the proxy asked when it started is not part of the day
	for _, s := range steps {
		fmt.Fprintf(log, "%v %s %s %s\n", s.at, s.desk, s.client, s.requests[0].URL)
		if err := l.playStep(ctx, w, s); err != nil {
			return d, err
		}
		d.counts, d.ends = append(d.counts, len(w.book.Snapshot())), append(d.ends, time.Now().UTC())
	}
	if d.frames, d.records, err = w.finish(ctx); err != nil {
		return d, err
	}
	if err := l.namePrograms(ctx, &d, steps); err != nil {
		return d, err
	}
	return d, verify(whole.Requests, d.records)
}

func (l *Lab) playStep(ctx context.Context, w *world, s step) error {
	job := clients.Job{Version: s.version, Requests: s.requests}
	if s.user != "" {
		job.Proxy = proxyURL(s.user)
	}
	return l.run(ctx, w, s.desk, s.client, job)
}

// namePrograms names the programs on all connections: those of a step by when they began, the proxy's legs as the last step's.
func (l *Lab) namePrograms(ctx context.Context, d *played, steps []step) error {
	var last string
	for i, s := range steps {
		program, err := l.version(ctx, s.client)
		if err != nil {
			return err
		}
		from := 0
		if i > 0 {
			from = d.counts[i-1]
		}
		stamp(d.records[from:d.counts[i]], program, s.desk)
		last = program
	}
	squidVersion, err := versionOf(ctx, "squid", "-v")
	if err != nil {
		return err
	}
	stamp(d.records, squidVersion, proxy)
	for i := range d.records {
		r := &d.records[i]
		if r.Kind == truth.KindProxied {
			r.Program = last
		}
		if r.Program != "" && !slices.Contains(d.programs, r.Program) {
			d.programs = append(d.programs, r.Program)
		}
	}
	slices.Sort(d.programs)
	return nil
}

// desks returns the addresses of all steps, each once.
func desks(steps []step) []netip.Addr {
	var out []netip.Addr
	for _, s := range steps {
		if !slices.Contains(out, s.desk) {
			out = append(out, s.desk)
		}
	}
	return out
}

// schedule returns where the frames of each step go, so that its first frame is on time; what came after the last step
// stays with it.
func schedule(steps []step, d played) []pcapfile.Move {
	ends := append(slices.Clone(d.ends[:len(steps)]), d.ends[len(steps)].Add(time.Hour))
	var moves []pcapfile.Move
	for i, s := range steps {
		from := ends[i]
		if first := slices.IndexFunc(d.frames, func(f pcapfile.Frame) bool { return !f.Time.Before(from) }); first >= 0 {
			from = d.frames[first].Time
		}
		moves = append(moves, pcapfile.Move{From: from, To: ends[i+1], At: ends[0].Add(s.at), Stretch: stretch})
	}
	return moves
}

// overlap reports two steps of one desk that the move would run into each other.
func overlap(steps []step, moves []pcapfile.Move, frames []pcapfile.Frame) error {
	for i, m := range moves {
		moved := pcapfile.Spread(frames, []pcapfile.Move{m})
		if len(moved) == 0 {
			return fmt.Errorf("spreading frames: step %d has none", i+1)
		}
		end := moved[len(moved)-1].Time
		for j, other := range steps {
			if j != i && other.desk == steps[i].desk && !moves[j].At.Before(m.At) && moves[j].At.Before(end) {
				return fmt.Errorf("spreading frames: step %d of %s lasts until %v and the next starts at %v; move it", i+1, other.desk, end.Sub(m.At)+steps[i].at, other.at)
			}
		}
	}
	return nil
}

func aboutDemo(base, stem string, steps []step, programs []string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is what \"make run\" replays where there is no permission to capture: some minutes of a small office\n", base)
	b.WriteString("with eight desks (10.20.x.y), a proxy (10.20.0.128, Squid) and a resolver (10.20.0.53), in which people and programs use\n")
	b.WriteString("AI services among ordinary sites, over TLS, QUIC, WebSocket and through the proxy.\n\n")
	b.WriteString("Made by: testdata/lab (go run . demo): real clients in network namespaces against a stand-in server that played all\n")
	b.WriteString("  names; servers have addresses of 203.0.113.0/24. No packet left the machine, and no account or person is behind it.\n")
	fmt.Fprintf(&b, "Programs: %s.\n", strings.Join(programs, "; "))
	fmt.Fprintf(&b, "Times: the steps below were played one after the other; the time stamps of each step's frames were then moved to the time\n")
	fmt.Fprintf(&b, "  given there and stretched %d times; the wire delayed each frame by %v. Nothing else was changed.\n", stretch, wireDelay)
	fmt.Fprintf(&b, "Truth: %s.%s is what the servers and the proxy's log counted, one record per connection or look-up.\n", stem, truthFile)
	b.WriteString("Licence: the project's own.\n\nSteps (time, desk, client, version, then method, body bytes and URL of each request):\n")
	for _, s := range steps {
		fmt.Fprintf(&b, "  %4v %s %s %s", s.at, s.desk, s.client, s.version)
		if s.user != "" {
			fmt.Fprintf(&b, " through the proxy as %s", s.user)
		}
		b.WriteByte('\n')
		for _, r := range s.requests {
			fmt.Fprintf(&b, "       %s %d %s\n", r.Method, r.Upload, r.URL)
		}
	}
	return []byte(b.String())
}
