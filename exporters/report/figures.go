package report

import (
	"cmp"
	"encoding/json"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// Figures sums counted use up. A user counts once, whatever they used. Users and visits are of use, flows and upload of all traffic.
type Figures struct {
	// Hidden says that everything is withheld, because it would be about fewer users than the report's group minimum.
	Hidden bool
	// Few says that the number of users alone is withheld, being below the group minimum.
	Few bool
	// FewQuiet says the same of Background.
	FewQuiet bool
	Users    uint64
	Visits   uint64
	Flows    uint64
	Upload   Upload
	// Background is what there was besides use: users and visits of whom and in which only background traffic was seen.
	Background query.Background
}

// Upload estimates the application bytes that left. Low <= Bytes <= High hold for the flows whose upload is known.
type Upload struct {
	Bytes, Low, High uint64
	// Unknown counts the flows whose upload could not be estimated; they add nothing to the bytes.
	Unknown uint64
	// Known is false if it is known for no flow: the bytes then say nothing.
	Known bool
}

// MarshalJSON leaves out what is withheld.
func (f Figures) MarshalJSON() ([]byte, error) {
	var out struct {
		Hidden bool    `json:"withheld,omitempty"`
		Few    bool    `json:"few_users,omitempty"`
		Users  *uint64 `json:"users,omitempty"`
		Visits *uint64 `json:"visits,omitempty"`
		Flows  *uint64 `json:"flows,omitempty"`
		Upload *Upload `json:"upload,omitempty"`
		// Programs that talk by themselves.
		QuietUsers  *uint64 `json:"background_users,omitempty"`
		QuietVisits *uint64 `json:"background_visits,omitempty"`
	}
	out.Hidden, out.Few = f.Hidden, f.Few
	if !f.Hidden {
		out.Visits, out.Flows, out.Upload = &f.Visits, &f.Flows, &f.Upload
		if !f.Few {
			out.Users = &f.Users
		}
		if !f.FewQuiet {
			out.QuietUsers, out.QuietVisits = &f.Background.Users, &f.Background.Visits
		}
	}
	return json.Marshal(out)
}

// MarshalJSON leaves out bytes that are not known.
func (u Upload) MarshalJSON() ([]byte, error) {
	var out struct {
		Bytes   *uint64 `json:"bytes,omitempty"`
		Low     *uint64 `json:"low,omitempty"`
		High    *uint64 `json:"high,omitempty"`
		Unknown uint64  `json:"unknown_flows"`
	}
	out.Unknown = u.Unknown
	if u.Known {
		out.Bytes, out.Low, out.High = &u.Bytes, &u.Low, &u.High
	}
	return json.Marshal(out)
}

// figures takes a row over. Bounds that do not enclose their estimate are widened until they do.
func figures(r query.Row) Figures {
	return Figures{Users: r.Users, Visits: r.Visits, Flows: r.Flows, Upload: upload(r), Background: r.Background}
}

func upload(r query.Row) Upload {
	return Upload{
		Bytes: r.Upload.Bytes, Low: min(r.Upload.Low, r.Upload.Bytes), High: max(r.Upload.High, r.Upload.Bytes),
		Unknown: r.Unknown, Known: r.Flows > r.Unknown || r.Upload.High > 0 || r.Flows == 0,
	}
}

// withhold takes all figures out.
func (f *Figures) withhold() { *f = Figures{Hidden: true} }

// people is how many there were, at least: users, or those who were seen in the background if there were none.
func (f Figures) people() uint64 { return cmp.Or(f.Users, f.Background.Users) }

// any says whether there was anything at all.
func (f Figures) any() bool {
	return f.Visits > 0 || f.people() > 0 || f.Background.Visits > 0 || f.FewQuiet
}

// small says whether figures are about somebody, but about fewer than least.
func (f Figures) small(least uint64) bool { return f.people() > 0 && f.people() < least }

// withholdQuiet takes out what there was besides use.
func (f *Figures) withholdQuiet() { f.Background, f.FewQuiet = query.Background{}, true }

// fewer takes the number of users out if it is between one and least, and that of users in the background too.
func (f *Figures) fewer(least uint64) {
	if f.Background.Users > 0 && f.Background.Users < least {
		f.withholdQuiet()
	}
	if f.Users > 0 && f.Users < least {
		f.Users, f.Few = 0, true
	}
}

// without subtracts the sum of parts from the whole. Users are left alone: they do not add up.
func (f Figures) without(parts []Figures) Rest {
	r := Rest{Visits: f.Visits, Flows: f.Flows, Upload: f.Upload}
	for _, p := range parts {
		r.Visits = less(r.Visits, p.Visits)
		r.Flows = less(r.Flows, p.Flows)
		r.Upload.Unknown = less(r.Upload.Unknown, p.Upload.Unknown)
		r.Upload.Bytes = less(r.Upload.Bytes, p.Upload.Bytes)
		r.Upload.Low = less(r.Upload.Low, p.Upload.Low)
		r.Upload.High = less(r.Upload.High, p.Upload.High)
	}
	r.Upload.Low = min(r.Upload.Low, r.Upload.Bytes)
	r.Upload.High = max(r.Upload.High, r.Upload.Bytes)
	r.Upload.Known = r.Flows > r.Upload.Unknown || r.Flows == 0
	return r
}

func less(a, b uint64) uint64 { return a - min(a, b) }
