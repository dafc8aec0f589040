package score

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// Borders of the figures: relative errors are of uploads of at least large bytes, false uploads of at most small ones.
const (
	large = 50 << 10
	small = 1 << 10
)

// summary is the figures of a group of rows. Shares and errors are in per cent; a figure of no rows is not a number.
type summary struct {
	n, named, known   int
	median, p90, most float64 // error of large uploads
	within            float64 // rows whose bounds hold the truth
	width             float64 // median width of the bounds, of large uploads
	falseUpload       float64 // p90 of the estimate where next to nothing was sent, in bytes
	below             float64 // p90 of the error of uploads that are not large, in bytes
}

// Write prints one line per transport and one per program and protocol, one per manner of talking, and then the worst rows.
func Write(w io.Writer, rows []Row, worst int) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "connections\tn\tnamed\testimated\tmedian error %\tp90 %\tmax %\tbounds hold %\twidth %\tfalse upload p90 B") // the writer keeps its first error for Flush
	groups := map[string][]Row{}
	for _, r := range rows {
		for _, key := range r.groups() {
			groups[key] = append(groups[key], r)
		}
	}
	keys := make([]string, 0, len(groups))
	for key := range groups {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		s := summarize(groups[key])
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%.2f\t%.2f\t%.2f\t%.1f\t%.2f\t%.0f\n", key, s.n, s.named, s.known, s.median, s.p90, s.most, s.within, s.width, s.falseUpload)
	}
	fmt.Fprintln(t, "\nworst connections\ttruth B\testimate B\tlow\thigh\tnamed")
	for _, r := range worstOf(rows, worst) {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%v\n", r.Case, r.Uploaded, r.Bytes, r.Low, r.High, r.Named)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("writing the score: %w", err)
	}
	return nil
}

// groups are the lines that a row belongs to. The name of a case whose client talks in a manner that is not its usual one begins with the
// manner and a plus sign.
func (r Row) groups() []string {
	if manner, _, ok := strings.Cut(r.Case, "+"); ok {
		return []string{"all with their manners " + r.transport(), "manner: " + manner}
	}
	return []string{"all " + r.transport(), "all with their manners " + r.transport(), r.transport() + " " + r.Program + " " + r.Protocol}
}

func (r Row) transport() string {
	if r.Protocol == "h3" {
		return "QUIC"
	}
	return "TLS"
}

// off is the error of an estimate in per cent of the truth, or of 1 KB where less was sent.
func (r Row) off() float64 {
	return 100 * math.Abs(float64(r.Bytes-r.Uploaded)) / float64(max(r.Uploaded, small))
}

func summarize(rows []Row) summary {
	s := summary{n: len(rows)}
	var errs, widths, falses, belows []float64
	hold := 0
	for _, r := range rows {
		if r.Named {
			s.named++
		}
		if !r.Known {
			if r.Uploaded >= large {
				errs = append(errs, 100)
			}
			continue
		}
		s.known++
		if r.Uploaded < large {
			belows = append(belows, math.Abs(float64(r.Bytes-r.Uploaded)))
		}
		if r.Low <= r.Uploaded && r.Uploaded <= r.High {
			hold++
		}
		switch {
		case r.Uploaded >= large:
			errs = append(errs, r.off())
			widths = append(widths, 100*float64(r.High-r.Low)/float64(r.Uploaded))
		case r.Uploaded <= small:
			falses = append(falses, float64(r.Bytes))
		}
	}
	s.median, s.p90, s.most = quantile(errs, 0.5), quantile(errs, 0.9), quantile(errs, 1)
	s.within = 100 * float64(hold) / float64(s.known)
	s.width, s.falseUpload, s.below = quantile(widths, 0.5), quantile(falses, 0.9), quantile(belows, 0.9)
	return s
}

// quantile returns the smallest value that at least a share q of the values do not exceed.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// worstOf returns rows by falling error; those without name or estimate come first.
func worstOf(rows []Row, n int) []Row {
	rank := func(r Row) float64 {
		if !r.Named || !r.Known {
			return math.Inf(1)
		}
		return r.off()
	}
	sorted := slices.Clone(rows)
	slices.SortStableFunc(sorted, func(a, b Row) int { return cmp.Compare(rank(b), rank(a)) })
	return sorted[:min(n, len(sorted))]
}
