package search

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// said is a server that gives one answer after the other.
type said struct {
	answers []string
	status  int

	mu    sync.Mutex
	asked []string
}

func (s *said) Do(_ context.Context, _, path string, body []byte) (int, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, path+" "+string(body))
	answer := `{"_shards":{"failed":0},"hits":{"hits":[]}}`
	if len(s.answers) > 0 {
		answer, s.answers = s.answers[0], s.answers[1:]
	}
	return max(s.status, http.StatusOK), []byte(answer), nil
}

// server is one that answers as a function does.
type server func(path, body string) (status int, answer string, err error)

func (s server) Do(_ context.Context, _, path string, body []byte) (int, []byte, error) {
	status, answer, err := s(path, string(body))
	return status, []byte(answer), err
}

// reading is a reader of a server that does not wait.
func reading(s Server, layout string) *Reader {
	r := New(s, "default", layout)
	r.pause = func(context.Context, time.Duration) error { return nil }
	return r
}

// What cannot be asked is refused before anything is.
func TestRefusedQuestions(t *testing.T) {
	whole := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		q    query.Request
		says string
	}{
		{"three dimensions", query.Request{By: []query.Dimension{query.ByUser, query.ByService, query.BySite}}, "at most two"},
		{"two times", query.Request{By: []query.Dimension{query.ByDay, query.ByHour}}, "at once"},
		{"one twice", query.Request{By: []query.Dimension{query.ByUser, query.ByUser}}, "twice"},
		{"none that is known", query.Request{By: []query.Dimension{"shoe size"}}, `by "shoe size"`},
		{"order", query.Request{OrderBy: "shoe size"}, "cannot be ordered"},
		{"offset", query.Request{Offset: -1}, "below zero"},
		{"part of an hour", query.Request{From: whole.Add(time.Minute)}, "whole hours"},
		{"backwards", query.Request{From: whole, To: whole.Add(-time.Hour)}, "before it begins"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &said{}
			_, err := New(s, "default", elasticsearch.LayoutStream).Sums(context.Background(), c.q)
			if err == nil || !strings.Contains(err.Error(), c.says) || len(s.asked) > 0 {
				t.Errorf("got %v after %q", err, s.asked)
			}
		})
	}
}

// An answer that leaves something out is an error, never a figure that is too low.
func TestPartialAnswers(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		status       int
		says         string
	}{
		{"a shard failed", `{"_shards":{"failed":1},"hits":{"hits":[]}}`, 200, "too low"},
		{"a shard is not there", `{"_shards":{"total":2,"successful":1,"failed":0},"hits":{"hits":[]}}`, 200, "too low"},
		{"too late", `{"timed_out":true,"_shards":{"failed":0}}`, 200, "too low"},
		{"refused", `{"error":{"type":"x_exception","reason":"y"}}`, 400, "it answers 400 x_exception: y"},
		{"no JSON", `<html>`, 200, "reading the answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := server(func(string, string) (int, string, error) { return c.status, c.answer, nil })
			_, err := reading(s, elasticsearch.LayoutDaily).Sums(context.Background(), query.Request{})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// nothing is the answer of a server that has found nothing.
const nothing = `{"_shards":{"total":1,"successful":1,"failed":0},"hits":{"hits":[]},"aggregations":{}}`

// Pages of groups are asked for until one is not full, each from where the one before ended.
func TestPagesOfGroups(t *testing.T) {
	var buckets []string
	for i := range lightPage {
		buckets = append(buckets, fmt.Sprintf(`{"key":{"d0":"u%d","d1":"s"},"doc_count":3,"at":{"count":3,"min":1e12,"max":2e12},"later":{"doc_count":1,"known":{"value":1}},"upload":{"count":2},"up":{"value":3.0}}`, i))
	}
	full := `{"_shards":{"failed":0},"aggregations":{"groups":{"after_key":{"d0":"u"},"buckets":[` + strings.Join(buckets, ",") + `]}}}`
	var pages []string
	var mu sync.Mutex
	s := server(func(_, body string) (int, string, error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case !strings.Contains(body, `"composite"`) || !strings.Contains(body, `"terms":{"field":"user.id"`):
			return http.StatusOK, nothing, nil
		case strings.Contains(body, `"after":{"d0":"u"}`):
			pages = append(pages, "second")
			return http.StatusOK, `{"_shards":{"failed":0},"aggregations":{"groups":{"buckets":[{"key":{"d0":"v","d1":"s"}}]}}}`, nil
		}
		pages = append(pages, "first")
		return http.StatusOK, full, nil
	})
	rows, err := reading(s, elasticsearch.LayoutStream).Sums(context.Background(), query.Request{By: []query.Dimension{query.ByUser, query.ByService}})
	if err != nil || len(rows) != query.MaxRows || rows[0].Flows != 2 || rows[0].Unknown != 1 || rows[0].BytesUp != 3 || rows[0].Users != 1 {
		t.Fatalf("%d rows, %v: %+v", len(rows), err, rows[:min(1, len(rows))])
	}
	if !slices.Equal(pages, []string{"first", "second"}) {
		t.Errorf("pages %q", pages)
	}
}

// Groups are asked for all at once; where that is too much, page by page.
func TestAllAtOnce(t *testing.T) {
	const figures = `"at":{"count":2,"min":1e12,"max":1e12},"later":{"doc_count":0,"known":{"value":0}},"background":{"doc_count":1},"up":{"value":5}`
	for _, c := range []struct {
		name, atOnce string
		status       int
		pages        int
	}{
		{"all at once", `{"_shards":{"failed":0},"aggregations":{"groups":{"buckets":[{"key":"chat",` + figures + `,"n":{"value":4}},{"key":"",` + figures + `}]}}}`, 200, 0},
		{"others left out", `{"_shards":{"failed":0},"aggregations":{"groups":{"sum_other_doc_count":1,"buckets":[]}}}`, 200, 4},
		{"too many", `{"error":{"type":"search_phase_execution_exception","reason":"","root_cause":[],"failed_shards":[],"caused_by":{"type":"too_many_buckets_exception","reason":"x"}}}`, 503, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			pages := 0
			s := server(func(_, body string) (int, string, error) {
				mu.Lock()
				defer mu.Unlock()
				switch {
				case strings.Contains(body, `"composite"`):
					pages++
					return http.StatusOK, `{"_shards":{"failed":0},"aggregations":{"groups":{"buckets":[{"key":{"d0":"chat"},` + figures + `,"n":{"value":4}},{"key":{"d0":null},` + figures + `}]}}}`, nil
				case strings.Contains(body, `"groups"`):
					return c.status, c.atOnce, nil
				}
				return http.StatusOK, nothing, nil
			})
			rows, err := reading(s, elasticsearch.LayoutStream).Sums(context.Background(), query.Request{By: []query.Dimension{query.ByService}})
			if err != nil || len(rows) != 2 || rows[0].Key[0] != "" || rows[1].Key[0] != "chat" || rows[1].BytesUp != 5 || rows[1].Users == 0 {
				t.Errorf("%+v, %v", rows, err)
			}
			if (pages > 0) != (c.pages > 0) {
				t.Errorf("%d pages", pages)
			}
		})
	}
}

// A server that lacks the memory for a page, or does not give so many groups, is asked for smaller ones, and for no end of them.
func TestSmallerPages(t *testing.T) {
	for _, answer := range []string{
		`{"error":{"type":"circuit_breaking_exception","reason":"[request] Data too large"}}`,
		`{"error":{"type":"search_phase_execution_exception","reason":"all shards failed","failed_shards":[{"index":"i","reason":{"type":"circuit_breaking_exception","reason":"x"}}]}}`,
		`{"error":{"type":"search_phase_execution_exception","reason":"","caused_by":{"type":"too_many_buckets_exception","reason":"x"}}}`,
	} {
		var sizes []string
		s := server(func(_, body string) (int, string, error) {
			_, size, _ := strings.Cut(body, `"composite":{"size":`)
			size, _, _ = strings.Cut(size, ",")
			sizes = append(sizes, size)
			return http.StatusTooManyRequests, answer, nil
		})
		r := reading(s, elasticsearch.LayoutStream)
		_, err := r.paged(context.Background(), &ask{}, &part{page: lightPage, aggs: figures()}, nil)
		if err == nil || !strings.Contains(err.Error(), "ask for a shorter period") {
			t.Errorf("got %v", err)
		}
		if want := []string{"50000", "12500", "3125", "781", "195", "50"}; !slices.Equal(sizes, want) {
			t.Errorf("the pages were of %q, want %q", sizes, want)
		}
	}
}

func TestCursor(t *testing.T) {
	good, err := writeCursor([]json.RawMessage{[]byte("1795288192144"), []byte(`"0abc"`)})
	if err != nil {
		t.Fatal(err)
	}
	if at, err := parseCursor(good); err != nil || !slices.Equal(at, []any{int64(1795288192144), "0abc"}) {
		t.Errorf("got %v, %v", at, err)
	}
	for _, bad := range []string{"x", "!", good + "A", good[:len(good)/2], strings.Repeat("A", maxCursor+1)} {
		s := &said{}
		_, err := New(s, "default", elasticsearch.LayoutStream).Records(context.Background(), query.RecordRequest{Dataset: event.DatasetFinding, After: bad})
		if err == nil || len(s.asked) > 0 {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

// The host's own zone gets a name that shows the same times, or else its offset.
func TestZoneOf(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	to := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		loc  *time.Location
		want string
	}{
		{"named", berlin, "Europe/Berlin"}, {"utc", time.UTC, "UTC"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := zoneOf(c.loc, to.AddDate(-1, 0, 0), to); got != c.want {
				t.Errorf("got %s", got)
			}
		})
	}
	local := zoneOf(time.Local, to, to)
	if loc, err := time.LoadLocation(local); err == nil && !agree(loc, time.Local, to, to) || err != nil && local != to.In(time.Local).Format("-07:00") {
		t.Errorf("the host's zone is called %s", local)
	}
}

// When clocks go back an hour is there twice; the later one comes later.
func TestCompareHours(t *testing.T) {
	a, b := "2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"
	if compareHours(a, b) >= 0 || compareHours(b, a) <= 0 || compareHours(a, a) != 0 || compareHours("x", "y") >= 0 {
		t.Error("hours stand in another order than time")
	}
}
