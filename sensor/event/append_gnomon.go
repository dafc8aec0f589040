package event

import "strconv"

// append appends gnomon.*; see AppendJSON.
func (g *Gnomon) append(b []byte) ([]byte, error) {
	if g == nil {
		return b, nil
	}
	b = append(b, `"gnomon":{"schema":`...)
	b = append(strconv.AppendInt(b, int64(g.Schema), 10), ',')
	b = text(b, `"site":`, g.Site)
	b = g.Flow.append(b)
	if g.Visit != nil {
		b = must(append(b, `"visit":{`...), `"id":`, g.Visit.ID)
		if g.Visit.First {
			b = fact(b, `"first":`, true)
		}
		if g.Visit.Background {
			b = fact(b, `"background":`, true)
		}
		b = end(b, '}')
	}
	b = perhaps(b, `"counted":`, g.Counted)
	b = text(b, `"use":`, g.Use)
	b = g.Service.append(b)
	b = g.Evidence.append(b)
	b = g.Upload.append(b)
	b = g.Attribution.append(b)
	b = g.Policy.append(b)
	b = perhaps(b, `"ech":`, g.ECH)
	b = texts(b, `"tunnel":`, g.Tunnel)
	b = g.Finding.append(b)
	var err error
	if g.Coverage != nil {
		if b, err = rare(b, `"coverage":`, g.Coverage); err != nil {
			return b, err
		}
	}
	if g.Candidate != nil {
		if b, err = rare(b, `"candidate":`, g.Candidate); err != nil {
			return b, err
		}
	}
	return end(b, '}'), nil
}

func (f *Flow) append(b []byte) []byte {
	if f == nil {
		return b
	}
	b = must(append(b, `"flow":{`...), `"id":`, f.ID)
	b = number(b, `"slice":`, uint64(f.Slice))
	b = text(b, `"end":`, f.End)
	if f.Multiplexed {
		b = fact(b, `"multiplexed":`, true)
	}
	return end(b, '}')
}

func (s *Service) append(b []byte) []byte {
	if s == nil {
		return b
	}
	b = must(append(b, `"service":{`...), `"id":`, s.ID)
	b = text(b, `"vendor":`, s.Vendor)
	b = text(b, `"category":`, s.Category)
	b = text(b, `"kind":`, s.Kind)
	return end(b, '}')
}

func (e *Evidence) append(b []byte) []byte {
	if e == nil {
		return b
	}
	b = text(append(b, `"evidence":{`...), `"class":`, e.Class)
	b = text(b, `"confidence":`, e.Confidence)
	b = texts(b, `"also":`, e.Also)
	b = text(b, `"role":`, e.Role)
	return end(b, '}')
}

func (u *Upload) append(b []byte) []byte {
	if u == nil {
		return b
	}
	b = number(append(b, `"upload":{`...), `"bytes":`, u.Bytes)
	b = number(b, `"low":`, u.Low)
	b = number(b, `"high":`, u.High)
	b = text(b, `"method":`, u.Method)
	b = count(b, `"bursts":`, uint64(u.Bursts))
	b = count(b, `"turns":`, uint64(u.Turns))
	b = count(b, `"largest_burst":`, u.LargestBurst)
	return end(b, '}')
}

func (a *Attribution) append(b []byte) []byte {
	if a == nil {
		return b
	}
	b = text(append(b, `"attribution":{`...), `"source":`, a.Source)
	b = text(b, `"confidence":`, a.Confidence)
	if a.AgeS != nil {
		b = append(strconv.AppendInt(append(b, `"age_s":`...), *a.AgeS, 10), ',')
	}
	b = fact(b, `"shared":`, a.Shared)
	return end(b, '}')
}

func (p *Policy) append(b []byte) []byte {
	if p == nil {
		return b
	}
	b = must(append(b, `"policy":{`...), `"status":`, p.Status)
	b = text(b, `"owner":`, p.Owner)
	b = text(b, `"rule":`, p.Rule)
	return end(b, '}')
}

func (f *Finding) append(b []byte) []byte {
	if f == nil {
		return b
	}
	b = text(append(b, `"finding":{`...), `"period":`, f.Period)
	b = count(b, `"limit":`, f.Limit)
	b = count(b, `"value":`, f.Value)
	b = texts(b, `"evidence":`, f.Evidence)
	return end(b, '}')
}
