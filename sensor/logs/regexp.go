package logs

// splitRegexp reads the named groups of a pattern, wherever in the line it fits.
func (r *reader) splitRegexp(l *layout, line []byte, f *fields) error {
	spans := l.pattern.FindSubmatchIndex(line)
	if spans == nil {
		return ErrShape
	}
	for i, slot := range l.groups {
		if slot >= 0 && spans[2*i] >= 0 {
			f.set(slot, line[spans[2*i]:spans[2*i+1]], plain)
		}
	}
	return nil
}
