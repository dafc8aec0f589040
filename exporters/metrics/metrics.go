// Package metrics serves figures of the sensor itself in the text form that Prometheus reads (exposition format 0.0.4). What is measured is
// decided by who gathers it; nothing here counts.
//
// The form is written by hand: every figure is already counted somewhere, so that a client library would only keep a second copy of each, and
// its dependencies come for five lines of text.
package metrics

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Kind is what a figure does over time.
type Kind string

// The kinds.
const (
	Counter Kind = "counter" // only rises, until the sensor starts again; its name ends in _total
	Gauge   Kind = "gauge"   // rises and falls
)

// Metric is a figure, or several that differ in their labels.
type Metric struct {
	Name    string
	Help    string
	Kind    Kind
	Samples []Sample
}

// Sample is one value.
type Sample struct {
	Labels []Label
	Value  float64
}

// Label says which of several values a sample is.
type Label struct{ Name, Value string }

// One makes a metric with a single value.
func One(kind Kind, name, help string, value float64) Metric {
	return Metric{Name: name, Help: help, Kind: kind, Samples: []Sample{{Value: value}}}
}

// Add appends a value.
func (m *Metric) Add(value float64, labels ...Label) {
	m.Samples = append(m.Samples, Sample{labels, value})
}

// contentType is the form's name.
const contentType = "text/plain; version=0.0.4; charset=utf-8"

// Write writes metrics one after the other. One without a sample is left out.
func Write(w io.Writer, all []Metric) error {
	b := bufio.NewWriter(w)
	text, value := strings.NewReplacer(`\`, `\\`, "\n", `\n`), strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	for i := range all {
		m := &all[i]
		if len(m.Samples) == 0 {
			continue
		}
		fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", m.Name, text.Replace(m.Help), m.Name, m.Kind)
		for _, s := range m.Samples {
			b.WriteString(m.Name)
			for i, l := range s.Labels {
				open := ","
				if i == 0 {
					open = "{"
				}
				fmt.Fprintf(b, `%s%s="%s"`, open, l.Name, value.Replace(strings.ToValidUTF8(l.Value, "\uFFFD")))
			}
			if len(s.Labels) > 0 {
				b.WriteByte('}')
			}
			b.WriteString(" " + strconv.FormatFloat(s.Value, 'g', -1, 64) + "\n")
		}
	}
	return b.Flush()
}

// Handler serves what gather says.
func Handler(gather func() []Metric) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var b bytes.Buffer
		_ = Write(&b, gather()) // a buffer takes everything
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
		_, _ = w.Write(b.Bytes()) // whoever asked may have gone
	})
}

// Bounds of the server.
const (
	requestTimeout = 10 * time.Second
	stopTimeout    = 2 * time.Second
	maxHead        = 16 << 10
)

// Serve answers GET /metrics with h until ctx ends; it closes the listener.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", h)
	server := &http.Server{Handler: mux, ReadTimeout: requestTimeout, ReadHeaderTimeout: requestTimeout, WriteTimeout: requestTimeout,
		IdleTimeout: time.Minute, MaxHeaderBytes: maxHead, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	stop := context.AfterFunc(ctx, func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if server.Shutdown(late) != nil {
			_ = server.Close() // whoever still waits has had their time
		}
	})
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving metrics on %v: %w", l.Addr(), err)
	}
	return nil
}
