package search

import (
	"encoding/json"
	"math"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// figures are what is added up in each group. What most records are is counted by those that are not: a filter that few records pass is
// cheap, one that most pass, or that says what a record is not, takes as long as everything else together.
func figures() object {
	sum := func(field string) object { return object{"sum": object{"field": field}} }
	stats := func(field string) object { return object{"stats": object{"field": field}} }
	return object{
		"up": sum("source.bytes"), "down": sum("destination.bytes"), "low": sum("gnomon.upload.low"), "high": sum("gnomon.upload.high"),
		"upload": stats(uploadField), "at": stats(atField),
		"later": object{"filter": object{"range": object{sliceField: object{"gte": 1}}},
			"aggs": object{"known": object{"value_count": object{"field": uploadField}}}},
		"visits":     object{"filter": term(firstField, true)},
		"calm":       object{"filter": term(calmField, true), "aggs": object{"woken": object{"filter": term(firstField, true)}}},
		"background": object{"filter": isBackground()},
	}
}

// figures is what is asked of each group: nothing where keys alone are wanted.
func (a *ask) figures() object {
	if a.q.Keys && len(a.q.By) > 0 {
		return nil
	}
	all := figures()
	if a.q.Spare&query.SpareBytes != 0 {
		delete(all, "up")
		delete(all, "down")
	}
	if a.q.Spare&query.SpareTimes != 0 && a.order != query.Last {
		delete(all, "at")
		if len(a.q.By) == 0 { // a bucket has its number of records, the top has none
			all["at"] = object{"value_count": object{"field": atField}}
		}
	}
	return all
}

// ordering is what of it rows are put in order by.
func (a *ask) ordering() object {
	name := map[query.Measure]string{query.Users: "background", query.Visits: "visits", query.Upload: "upload", query.Last: "at"}[a.order]
	if name == "" {
		return nil
	}
	return object{name: figures()[name]}
}

// isBackground matches traffic that nobody has asked for, and inUse all other.
func isBackground() object { return term(useField, query.UseBackground) }
func inUse() object        { return all(nil, isBackground()) }

func distinct(field string, exact int) object {
	return object{"cardinality": object{"field": field, "precision_threshold": exact}}
}

// number is a figure of an answer; there is none where nothing was added up.
type number struct {
	Value *float64 `json:"value"`
}

// count is the figure as it was added up.
func (n number) count() uint64 {
	if n.Value == nil || *n.Value <= 0 {
		return 0
	}
	return uint64(math.Round(*n.Value))
}

// moment is a time in milliseconds, to the second; none is the zero time.
func moment(ms *float64, loc *time.Location) time.Time {
	if ms == nil {
		return time.Time{}
	}
	return time.Unix(int64(math.Floor(*ms/1000)), 0).In(loc)
}

// extent is the figures of a field.
type extent struct {
	Value uint64   `json:"value"` // where nothing but their number is asked for
	Count uint64   `json:"count"`
	Min   *float64 `json:"min"`
	Max   *float64 `json:"max"`
	Sum   float64  `json:"sum"`
}

type documents struct {
	Count uint64 `json:"doc_count"`
}

// bucket is a group of an answer, or what holds groups.
type bucket struct {
	documents
	Key                 json.RawMessage `json:"key"`
	Up, Down, Low, High number
	Upload, At          extent
	Visits, Background  documents
	Later               struct {
		documents
		Known struct{ Value uint64 }
	}
	Calm struct {
		documents
		Woken documents
	}
	// N and Sites are people: users, and addresses at sites.
	N     number
	Sites struct {
		Others  uint64               `json:"sum_other_doc_count"`
		Buckets []struct{ N number } `json:"buckets"`
	}
	// Groups are those within.
	Groups *groupList

	at keys
}

// crowd is how many are behind the records.
func (b *bucket) crowd() uint64 {
	n := b.N.count()
	for _, site := range b.Sites.Buckets {
		n += site.N.count()
	}
	return n
}

// row is a row of the figures of those who are of one kind.
func (b *bucket) row(a *ask, who kind) query.Row {
	row := query.Row{Key: b.keys(a, who), Labels: make([]string, len(a.q.By))}
	// Each record has one @timestamp: as many are there as were counted on the top, where a server says none.
	records := max(b.Count, b.At.Count, b.At.Value)
	if records == 0 {
		return row
	}
	row.Flows = less(records, b.Later.Count)
	row.Unknown = less(row.Flows, less(b.Upload.Count, b.Later.Known.Value))
	row.Visits, row.Background.Visits = b.Visits.Count, less(b.Calm.Count, b.Calm.Woken.Count)
	row.BytesUp, row.BytesDown = b.Up.count(), b.Down.count()
	row.Upload = query.Bounds{Bytes: number{&b.Upload.Sum}.count(), Low: b.Low.count(), High: b.High.count()}
	row.First, row.Last = moment(b.At.Min, a.loc), moment(b.At.Max, a.loc)
	if who == known || who == addresses {
		row.Users = min(less(records, b.Background.Count), 1)
		row.Background.Users = 1 - row.Users
	}
	return row
}

// less is a without b, which is a part of it.
func less(a, b uint64) uint64 { return max(a, b) - b }

// keys are those of the row.
func (b *bucket) keys(a *ask, who kind) []string {
	keys := make([]string, len(a.q.By))
	for i, d := range a.q.By {
		raw := b.at.First
		if i == 1 {
			raw = b.at.Second
		}
		switch {
		case byTime[d] != "":
			var ms int64
			if json.Unmarshal(raw, &ms) == nil {
				keys[i] = a.key(d, time.UnixMilli(ms))
			}
		case d != query.ByUser:
			keys[i] = word(raw)
		case who == known:
			keys[i] = query.KeyOfID(word(raw))
		case who == addresses:
			keys[i] = query.KeyOfAddress(word(b.at.Address), word(b.at.Site))
		case who == shared:
			keys[i] = query.SharedUser
		}
	}
	return keys
}

// word reads a word; null is the empty one.
func word(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s) // null, or a text by the field's type
	return s
}
