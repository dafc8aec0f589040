package metrics

import (
	"context"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	labelled := Metric{Name: "b", Help: "two\nlines \\ and \"quotes\"", Kind: Gauge}
	labelled.Add(1, Label{"from", "a"}, Label{"to", "\"x\"\\\ny\xff"})
	labelled.Add(math.Inf(1))
	for _, c := range []struct {
		name string
		all  []Metric
		want string
	}{
		{"nothing", nil, ""},
		{"one", []Metric{One(Counter, "a_total", "How many.", 12345678)}, "# HELP a_total How many.\n# TYPE a_total counter\na_total 1.2345678e+07\n"},
		{"without a sample", []Metric{{Name: "c", Kind: Gauge}}, ""},
		{"labels and escapes", []Metric{labelled},
			"# HELP b two\\nlines \\\\ and \"quotes\"\n# TYPE b gauge\nb{from=\"a\",to=\"\\\"x\\\"\\\\\\ny\uFFFD\"} 1\nb +Inf\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			if err := Write(&b, c.all); err != nil {
				t.Fatal(err)
			}
			if b.String() != c.want {
				t.Errorf("got\n%s\nwant\n%s", b.String(), c.want)
			}
		})
	}
}

// A server of its own answers /metrics and nothing else, and ends with its context.
func TestServe(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	n := 0.0
	go func() {
		ended <- Serve(ctx, l, Handler(func() []Metric { n++; return []Metric{One(Gauge, "asked", "How often.", n)} }), slog.New(slog.DiscardHandler))
	}()
	for path, want := range map[string]int{"/metrics": http.StatusOK, "/": http.StatusNotFound, "/debug/pprof/": http.StatusNotFound} {
		answer, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != want {
			t.Errorf("%s: status %d, %v", path, answer.StatusCode, err)
		}
		if want == http.StatusOK && (!strings.HasSuffix(string(text), "\nasked 1\n") || answer.Header.Get("Content-Type") != contentType) {
			t.Errorf("%v %s", answer.Header, text)
		}
		answer.Body.Close()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
