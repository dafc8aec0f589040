package sensor

// note adds a record to what is known of the visit.
func (v *seen) note(r *record) {
	v.first, v.last = min(v.first, r.start), max(v.last, r.end)
	if r.eye == packetEye {
		v.packets = max(v.packets, r.end)
	} else if v.log == "" || v.owner == r.eye {
		v.log = r.eye
	}
}

// owner chooses whose records of a new visit count: the preferred eye's, if it is expected to see the visit too, else those of the eye that
// saw it first.
func (e *Eyes) owner(r *record) string {
	preferred := r.eye != packetEye && r.uploads && !e.config.PreferPackets || r.eye == packetEye && e.config.PreferPackets
	switch {
	case preferred:
		return r.eye
	case r.onward && e.before(r) == r.eye: // what the flow carried before was counted here: the other eye will tell of all of it at once
		return r.eye
	case r.eye == packetEye:
		return e.covering(r)
	}
	return e.packetsOr(r)
}

// before is the owner of the visit before.
func (e *Eyes) before(r *record) string {
	for _, key := range r.keys {
		list := e.seen[key]
		for i := len(list) - 1; i >= 0; i-- {
			if list[i].last <= r.start {
				return list[i].owner
			}
		}
	}
	return anyLog
}

// packetsOr is packets if they were seen of this client and service before, else the log.
func (e *Eyes) packetsOr(r *record) string {
	if e.config.Whole {
		return r.eye
	}
	for _, key := range r.keys {
		list := e.seen[key]
		for i := len(list) - 1; i >= 0 && r.start-list[i].last <= coverFor; i-- {
			if list[i].packets != 0 && list[i].last <= r.start {
				return packetEye
			}
		}
	}
	return r.eye
}

// covering is the log that is expected to tell of a visit which packets showed, packets if none is.
func (e *Eyes) covering(r *record) string {
	log := packetEye
	if e.covered(r) {
		log = anyLog
	} else if len(r.keys) > 0 {
		log = e.learned(r.keys[0], r)
	}
	if log == packetEye || !e.speaks(log, r.end) {
		return packetEye
	}
	return log
}

// covered says whether the configuration says that logs tell of the client.
func (e *Eyes) covered(r *record) bool {
	for _, p := range e.config.Covered {
		if p.Contains(r.client) {
			return true
		}
	}
	return false
}

// learned is the log that told of the client's visits to the service, latest first; packets if none did. A visit that was left to a log
// which has gone on since and never told of it is a reason to leave it no more: the client has another way out now.
func (e *Eyes) learned(key eyeKey, r *record) (log string) {
	list := e.seen[key]
	for i := len(list) - 1; i >= 0 && r.start-list[i].last <= coverFor; i-- {
		v := list[i]
		switch {
		case v.last > r.start:
			continue
		case v.log != "":
			if e.config.Whole || !e.tells(v.log) {
				return packetEye
			}
			return v.log
		case v.owner != packetEye && v.from == 0:
			e.passedBy(v)
		}
		if v.from != 0 {
			break
		}
	}
	return packetEye
}

// passedBy notes that a log has gone on since a visit that was left to it and never told of it.
func (e *Eyes) passedBy(v *seen) {
	if e.speaks(v.owner, v.last+2*e.config.Patience) {
		e.counts.untold.Add(1)
		v.from = v.last
		e.passed = append(e.passed, v)
	}
}

// tells says whether a log tells how much was uploaded. One that does not leaves the count to packets.
func (e *Eyes) tells(log string) bool {
	for _, l := range e.logs {
		if l.name == log {
			return l.uploads && l.told
		}
	}
	return false
}

// speaks says whether a log has read lines of about a time, or later.
func (e *Eyes) speaks(log string, at int64) bool {
	for _, l := range e.logs {
		if (l.name == log || log == anyLog && l.uploads) && l.newest.Load() >= at-e.config.Patience {
			return true
		}
	}
	return false
}

// count says whether a record of a visit counts.
func (e *Eyes) count(r *record, v *seen) bool {
	if r.eye == packetEye {
		return v.owner == packetEye || e.packetsCount(r, v)
	}
	if v.owner == anyLog || v.owner == packetEye && r.start-max(v.packets, v.first) > visitPause { // packets see it no more
		v.owner = r.eye
	}
	if v.from != 0 && (r.start+r.end)/2 >= v.from { // most of it lies behind the time from which packets count
		return false
	}
	return r.eye == v.owner
}

// packetsCount says whether packets count in a visit that belongs to a log: from when the log falls silent.
func (e *Eyes) packetsCount(r *record, v *seen) bool {
	if v.from == 0 && !e.speaks(v.owner, r.end) {
		v.from = r.start
		e.counts.silent.Add(1)
	}
	return v.from != 0
}
