package main

import (
	"maps"
	"slices"

	"github.com/gnomon-sensor/gnomon/exporters/metrics"
	"github.com/gnomon-sensor/gnomon/sensor"
)

// sourceMetrics count the lines of log sources.
func sourceMetrics(c *sensor.Coverage) []metrics.Metric {
	lines := metrics.Metric{Name: "gnomon_log_lines_total", Kind: metrics.Counter,
		Help: "Lines of log sources: those read, and of what kind each was (used, not_ai, other, rejected)."}
	doubts := metrics.Metric{Name: "gnomon_log_doubtful_total", Kind: metrics.Counter,
		Help: "Records of log sources that tell no time, one before anything is kept or one that has not come, or no upload."}
	rejected := metrics.Metric{Name: "gnomon_log_rejected_lines_total", Kind: metrics.Counter, Help: "Rejected lines of log sources, by reason."}
	lost := metrics.Metric{Name: "gnomon_log_lost_total", Kind: metrics.Counter,
		Help: "Messages of log sources that there was no room for or that broke off, and files that went before they were read."}
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		s, source := c.Sources[name], metrics.Label{Name: "source", Value: name}
		for _, of := range [...]struct {
			to   *metrics.Metric
			what string
			n    uint64
		}{{&lines, "read", s.Read}, {&lines, "used", s.Used}, {&lines, "not_ai", s.NotAI}, {&lines, "other", s.Other}, {&lines, "rejected", s.Rejected},
			{&doubts, "no_time", s.NoTime}, {&doubts, "old", s.Old}, {&doubts, "ahead", s.Ahead}, {&doubts, "no_upload", s.NoUpload}} {
			of.to.Add(float64(of.n), source, metrics.Label{Name: "lines", Value: of.what})
		}
		for _, reason := range slices.Sorted(maps.Keys(s.RejectedBy)) {
			rejected.Add(float64(s.RejectedBy[reason]), source, metrics.Label{Name: "reason", Value: reason})
		}
		lost.Add(float64(s.Lost), source)
	}
	return []metrics.Metric{lines, doubts, rejected, lost}
}
