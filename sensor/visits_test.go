package sensor

import "testing"

// Lines of a log come late: each belongs to the visit of its own time.
func TestLateContacts(t *testing.T) {
	const minute = int64(60e9)
	at := func(m int64) int64 { return 1e18 + m*minute }
	v := NewVisits()
	ids := map[string]string{}
	for _, c := range []struct {
		name        string
		start, last int64
		same        string // the contact whose visit it belongs to; empty: one of its own
	}{
		{"first", 0, 10, ""},
		{"goes on", 39, 41, "first"},
		{"after a pause", 200, 210, ""},
		{"late, of the first visit", 20, 21, "first"},
		{"late, between the two", 120, 121, ""},
		{"late, before all", -100, -90, ""},
		{"of the one between", 140, 141, "late, between the two"},
		{"a tunnel that ends in the last", 150, 230, "after a pause"},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := v.Use("o", "10.0.0.1", "chat", at(c.start), at(c.last))
			if c.same != "" && id != ids[c.same] {
				t.Errorf("not of the visit of %q", c.same)
			}
			for name, other := range ids {
				if c.same == "" && id == other {
					t.Errorf("of the visit of %q", name)
				}
			}
			ids[c.name] = id
		})
	}
	if id, ok := v.Join("10.0.0.1", "chat", at(25), at(26)); !ok || id != ids["first"] {
		t.Error("what lies beside the first visit is not found there")
	}
	if _, ok := v.Join("10.0.0.1", "chat", at(300), at(301)); ok {
		t.Error("something joins a visit that is long over")
	}
	if other := v.Use("o", "10.0.0.2", "chat", at(0), at(1)); other == ids["first"] {
		t.Error("two clients share a visit")
	}
}

// How many visits are remembered behind the latest is bounded.
func TestVisitsBefore(t *testing.T) {
	const hour = int64(3600e9)
	v := NewVisits()
	for i := range int64(100) {
		v.Use("o", "10.0.0.1", "chat", i*hour, i*hour)
		v.Use("o", "10.0.0.1", "chat", -i*hour, -i*hour)
	}
	n := 0
	for now := v.open[visitor{"10.0.0.1", "chat"}]; now != nil; now = now.before {
		if n++; now.before != nil && now.before.first >= now.first {
			t.Error("visits are not in the order of their time")
		}
	}
	if n > 1+maxBefore {
		t.Errorf("%d visits are remembered, want at most %d", n, 1+maxBefore)
	}
}
