package main

import (
	"context"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/exportertest"
	"github.com/gnomon-sensor/gnomon/exporters/metrics"
	"github.com/gnomon-sensor/gnomon/exporters/spool"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// scrape reads metrics as Prometheus would: value by name and labels. It fails on a line of another form.
func scrape(t *testing.T, text string) map[string]float64 {
	t.Helper()
	values := map[string]float64{}
	sample := regexp.MustCompile(`^([a-z_]+(?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})?) (\S+)$`)
	comment := regexp.MustCompile(`^# (HELP [a-z_]+ [A-Z1].*\.|TYPE [a-z_]+ (counter|gauge))$`)
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		m := sample.FindStringSubmatch(line)
		if m == nil {
			if !comment.MatchString(line) {
				t.Fatalf("this is no line of metrics: %q", line)
			}
			continue
		}
		value, err := strconv.ParseFloat(m[2], 64)
		if _, twice := values[m[1]]; err != nil || twice {
			t.Fatalf("%q: twice, or %v", line, err)
		}
		values[m[1]] = value
	}
	return values
}

// count sets every number below v to another value, and returns them.
func count(v reflect.Value, next *uint64) {
	switch v.Kind() {
	case reflect.Uint64:
		*next += 7
		v.SetUint(*next)
	case reflect.Struct:
		for i := range v.NumField() {
			count(v.Field(i), next)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		e := reflect.New(v.Type().Elem()).Elem()
		count(e, next)
		v.SetMapIndex(reflect.ValueOf("x"), e)
	}
}

// No counter of coverage is missing among the metrics, and each is there once.
func TestMetricsOfCoverage(t *testing.T) {
	var c sensor.Coverage
	numbers := uint64(0)
	count(reflect.ValueOf(&c).Elem(), &numbers)
	var text strings.Builder
	if err := metrics.Write(&text, coverageMetrics(&c)); err != nil {
		t.Fatal(err)
	}
	values := scrape(t, text.String())
	seen := map[float64]string{}
	for name, v := range values {
		seen[v] = name
	}
	for n := uint64(7); n <= numbers; n += 7 {
		if seen[float64(n)] == "" {
			t.Errorf("the counter that stands at %d is in no metric: add it to coverageMetrics", n)
		}
	}
	if len(values) != int(numbers/7) {
		t.Errorf("%d metrics of %d counters", len(values), numbers/7)
	}
}

// The metrics of a daemon say what its spool and exporters do.
func TestMetrics(t *testing.T) {
	conf := spool.Default(t.TempDir())
	conf.Exporters = []string{storeOutput}
	records, err := spool.Open(conf)
	if err != nil {
		t.Fatal(err)
	}
	if err := records.Attach(storeOutput, refusing{}); err != nil {
		t.Fatal(err)
	}
	p := &program{version: "1.2.3"}
	c := defaultSettings()
	parts, err := p.assemble(&c)
	if err != nil {
		t.Fatal(err)
	}
	d := &daemonParts{parts: parts}
	seen := func() sensor.Coverage {
		return sensor.Coverage{Received: 42, Web: event.Sight{Named: event.Part{Flows: 3}}}
	}
	d.coverage.Store(&seen)
	for n := range 3 {
		ev := exportertest.Full(n)
		records.Offer(&ev)
	}
	if err := records.Drain(context.Background(), storeOutput); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	d.metrics(&outputs{spool: records}, time.Now).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	values := scrape(t, w.Body.String())
	for name, want := range map[string]float64{
		"gnomon_packets_received_total":                                 42,
		`gnomon_sight_flows_total{ports="web",seen="named"}`:            3,
		"gnomon_spool_written_records_total":                            3,
		"gnomon_spool_dead_letters":                                     3,
		`gnomon_exporter_dead_lettered_records_total{exporter="store"}`: 3,
		`gnomon_exporter_sent_records_total{exporter="store"}`:          0,
		`gnomon_exporter_waiting_records{exporter="store"}`:             0,
		`gnomon_exporter_failing{exporter="store"}`:                     0,
	} {
		if got, ok := values[name]; !ok || got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if !strings.Contains(w.Body.String(), `gnomon_build_info{version="1.2.3",catalogue="`) {
		t.Errorf("no version: %s", w.Body)
	}
	if err := records.Close(patience); err != nil {
		t.Fatal(err)
	}
}
