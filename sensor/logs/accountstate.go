package logs

import (
	"encoding/json"
	"errors"
)

// ErrUnknown is a line that came before anybody knew of which format the lines are.
var ErrUnknown = errors.New("of no known format")

// accountState is an Account as it is kept: reasons by their words, so that it outlives a change of their order.
type accountState struct {
	Read    uint64              `json:"read"`
	Records uint64              `json:"records"`
	Used    uint64              `json:"used"`
	NoTime  uint64              `json:"no_time,omitempty"`
	Misfit  uint64              `json:"misfit,omitempty"`
	NoBytes uint64              `json:"no_bytes,omitempty"`
	Old     uint64              `json:"old,omitempty"`
	Ahead   uint64              `json:"ahead,omitempty"`
	By      map[string]uint64   `json:"by,omitempty"`
	Samples map[string][]Sample `json:"samples,omitempty"`
}

// MarshalJSON writes an account with its samples masked: they go no further than their shape.
func (a *Account) MarshalJSON() ([]byte, error) {
	s := accountState{Read: a.Read, Records: a.Records, Used: a.Used, NoTime: a.NoTime, Misfit: a.Misfit, NoBytes: a.NoBytes, Old: a.Old, Ahead: a.Ahead,
		By: map[string]uint64{}, Samples: map[string][]Sample{}}
	for i, reason := range reasons {
		if a.by[i] > 0 {
			s.By[reason.Error()] = a.by[i]
		}
		for _, sample := range a.samples[i] {
			s.Samples[reason.Error()] = append(s.Samples[reason.Error()], Sample{sample.Line, Mask(sample.Text)})
		}
	}
	return json.Marshal(&s)
}

// UnmarshalJSON reads what MarshalJSON wrote. Reasons that there are no more count as lines of another shape.
func (a *Account) UnmarshalJSON(text []byte) error {
	var s accountState
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	*a = Account{Read: s.Read, Records: s.Records, Used: s.Used, NoTime: s.NoTime, Misfit: s.Misfit, NoBytes: s.NoBytes, Old: s.Old, Ahead: s.Ahead}
	for words, n := range s.By {
		i := reasonOf(words)
		a.by[i] += n
		a.samples[i] = append(a.samples[i], s.Samples[words]...)
		a.samples[i] = a.samples[i][:min(len(a.samples[i]), maxSamples)]
	}
	return nil
}

func reasonOf(words string) (shape int) {
	for i, reason := range reasons {
		if reason.Error() == words {
			return i
		}
		if errors.Is(reason, ErrShape) {
			shape = i
		}
	}
	return shape
}

// Mask leaves of a line what its format can be told by: letters become x and digits 9, and nothing says whose line it was.
func Mask(line string) string {
	b := []byte(line)
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			b[i] = '9'
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= 0x80:
			b[i] = 'x'
		}
	}
	return string(b)
}
