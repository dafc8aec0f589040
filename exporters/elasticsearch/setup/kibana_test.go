package setup

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
)

// The import is a form with a file, as Kibana wants it, and its answer is understood.
func TestFillKibana(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		status       int
		overwrite    bool
		want         Filled
		says         string
	}{
		{"all made", `{"success":true,"successCount":6}`, 200, false, Filled{Made: 6}, ""},
		{"overwritten", `{"success":true,"successCount":6}`, 200, true, Filled{Made: 6}, ""},
		{"there already", `{"success":false,"successCount":4,"errors":[{"id":"a","type":"dashboard","error":{"type":"conflict"}},{"id":"b","type":"dashboard","error":{"type":"conflict"}}]}`,
			200, false, Filled{Made: 4, There: 2}, ""},
		{"refused", `{"success":false,"successCount":5,"errors":[{"id":"gnomon-adoption","type":"dashboard","error":{"type":"unsupported_type"}}]}`, 200, false,
			Filled{Made: 5}, "dashboard gnomon-adoption is refused: unsupported_type"},
		{"no privilege", `{"statusCode":403,"error":"Forbidden","message":"Unable to bulk_create"}`, 403, false, Filled{}, "it answers 403"},
		{"another server", `<html>`, 200, false, Filled{}, "not Kibana"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got struct {
				path, xsrf string
				file       []byte
			}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got.path, got.xsrf = r.URL.String(), r.Header.Get("kbn-xsrf")
				if f, _, err := r.FormFile("file"); err == nil {
					got.file, _ = io.ReadAll(f)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer)
			}))
			defer server.Close()
			conf := elasticsearch.Default()
			conf.Addresses, conf.Proxy = []string{server.URL + "/base"}, "direct"
			client, err := elasticsearch.NewClient(&conf, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			filled, err := FillKibana(context.Background(), client, elasticsearch.LayoutStream, c.overwrite)
			if filled != c.want || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %+v, %v", filled, err)
			}
			want := "/base/api/saved_objects/_import"
			if c.overwrite {
				want += "?overwrite=true"
			}
			if got.path != want || got.xsrf == "" || bytes.Count(got.file, []byte("\n")) != 6 {
				t.Errorf("it was sent to %s (%q) with %d lines", got.path, got.xsrf, bytes.Count(got.file, []byte("\n")))
			}
		})
	}
}
