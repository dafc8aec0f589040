package dashboard_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard"
	"github.com/gnomon-sensor/gnomon/exporters/dashboard/dashboardtest"
)

// The sensor's own figures are for whoever may see the pages, and are nowhere if there are none.
func TestMetrics(t *testing.T) {
	figures := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "gnomon_up 1\n") })
	for _, tt := range []struct {
		name         string
		change       func(*dashboard.Config)
		figures      http.Handler
		from, header string
		status       int
	}{
		{"here", nil, figures, "127.0.0.1:1", "", 200},
		{"elsewhere", nil, figures, "10.0.0.9:1", "", 403},
		{"through an unknown proxy", nil, figures, "127.0.0.1:1", "X-Forwarded-For", 403},
		{"without a login", withUsers(t), figures, "127.0.0.1:1", "", 403},
		{"there are none", nil, nil, "127.0.0.1:1", "", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dashboard.Default()
			if tt.change != nil {
				tt.change(&c)
			}
			s, err := dashboard.New(c, dashboard.Parts{Query: &dashboardtest.World{Quiet: true}, About: dashboardtest.About, Metrics: tt.figures})
			if err != nil {
				t.Fatal(err)
			}
			r := request("GET", "/metrics", nil)
			r.RemoteAddr = tt.from
			if tt.header != "" {
				r.Header.Set(tt.header, "10.0.0.9")
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != tt.status || (w.Body.String() == "gnomon_up 1\n") != (tt.status == 200) {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
		})
	}
}
