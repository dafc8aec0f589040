package event

// Source counts the lines of one log source. Each line is read, and then of one kind: used, not of an AI service, other, or rejected.
type Source struct {
	Read     uint64 `json:"read"`
	Used     uint64 `json:"used"`             // of AI services
	NotAI    uint64 `json:"not_ai,omitempty"` // of anything else
	Other    uint64 `json:"other,omitempty"`  // headers, comments, lines that tell of no traffic
	Rejected uint64 `json:"rejected"`
	// RejectedBy says why lines were rejected.
	RejectedBy map[string]uint64 `json:"rejected_by,omitempty"`
	NoTime     uint64            `json:"no_time,omitempty"` // records without a time
	Old        uint64            `json:"old,omitempty"`     // records of a time before anything is kept
	Ahead      uint64            `json:"ahead,omitempty"`   // records of a time that has not come
	Lost       uint64            `json:"lost,omitempty"`    // datagrams that there was no room for, files that went before they were read
	// Format is what the lines are of.
	Format string `json:"format,omitempty"`
	// NoUpload counts records that do not say how much went up; Advice is what to configure instead.
	NoUpload uint64 `json:"no_upload,omitempty"`
	Advice   string `json:"advice,omitempty"`
	// Problem is what keeps lines from being read, the last that there was.
	Problem string `json:"problem,omitempty"`
}

// figures are the counters of a source.
func (s *Source) figures() [10]*uint64 {
	return [...]*uint64{&s.Read, &s.Used, &s.NotAI, &s.Other, &s.Rejected, &s.NoTime, &s.Old, &s.Ahead, &s.Lost, &s.NoUpload}
}

// Plus adds what was counted later.
func (s Source) Plus(o Source) Source {
	sum := s
	from := o.figures()
	for i, to := range sum.figures() {
		*to += *from[i]
	}
	sum.RejectedBy = addReasons(s.RejectedBy, o.RejectedBy)
	if o.Format != "" {
		sum.Format, sum.Advice = o.Format, o.Advice
	}
	sum.Problem = o.Problem
	return sum
}

// Minus takes away what was counted before.
func (s Source) Minus(before Source) Source {
	rest := s
	from := before.figures()
	for i, to := range rest.figures() {
		*to -= min(*to, *from[i])
	}
	rest.RejectedBy = nil
	for reason, n := range s.RejectedBy {
		if n -= min(n, before.RejectedBy[reason]); n > 0 {
			rest.RejectedBy = addReasons(rest.RejectedBy, map[string]uint64{reason: n})
		}
	}
	return rest
}

// addReasons returns a map of its own.
func addReasons(a, b map[string]uint64) map[string]uint64 {
	if len(a)+len(b) == 0 {
		return nil
	}
	sum := make(map[string]uint64, len(a)+len(b))
	for _, m := range []map[string]uint64{a, b} {
		for reason, n := range m {
			sum[reason] += n
		}
	}
	return sum
}
