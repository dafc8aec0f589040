package elasticsearch

import (
	"strings"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Stream is the name of the data stream of a dataset, as in logs-gnomon.activity-default.
func Stream(dataset, namespace string) string {
	return string(appendStream(nil, dataset, namespace))
}

func appendStream(b []byte, dataset, namespace string) []byte {
	b = append(append(b, streamType(dataset)...), '-')
	b = append(append(b, dataset...), '-')
	return append(b, namespace...)
}

// streamType begins a data stream's name.
func streamType(dataset string) string {
	if dataset == event.DatasetCoverage {
		return "metrics"
	}
	return "logs"
}

// dailyPrefix begins the names of daily indices. It is not that of data streams, whose templates would take the indices for theirs.
const dailyPrefix = "gnomon-"

// Daily begins the names of the daily indices of a dataset, as in gnomon-activity-default-; the day follows, as in 2026.11.21 (UTC).
func Daily(dataset, namespace string) string {
	return string(appendDaily(nil, dataset, namespace))
}

func appendDaily(b []byte, dataset, namespace string) []byte {
	b = append(append(b, dailyPrefix...), strings.TrimPrefix(dataset, "gnomon.")...)
	b = append(append(b, '-'), namespace...)
	return append(b, '-')
}

// dayForm is how the day stands in a daily index's name.
const dayForm = "2006.01.02"

// Targets is the pattern of what a reader of a dataset asks, in either layout.
func Targets(dataset, namespace, layout string) string {
	if layout == LayoutDaily {
		return Daily(dataset, namespace) + "*"
	}
	return Stream(dataset, namespace)
}

// appendIndex appends the name of the stream or index that a record goes to. A daily index follows the record's own time, so that the same
// record always goes to the same index.
func (c *Config) appendIndex(b []byte, dataset string, at event.Time) []byte {
	if c.Layout == LayoutDaily {
		b = appendDaily(b, dataset, c.Namespace)
		return at.Time().AppendFormat(b, dayForm)
	}
	return appendStream(b, dataset, c.Namespace)
}
