package search

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
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
	asked   []string
}

func (s *said) Do(_ context.Context, _, path string, body []byte) (int, []byte, error) {
	s.asked = append(s.asked, path+" "+string(body))
	answer := `{"_shards":{"failed":0},"hits":{"hits":[]}}`
	if len(s.answers) > 0 {
		answer, s.answers = s.answers[0], s.answers[1:]
	}
	return max(s.status, http.StatusOK), []byte(answer), nil
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
		{"too late", `{"timed_out":true,"_shards":{"failed":0}}`, 200, "too low"},
		{"refused", `{"error":{"type":"x_exception","reason":"y"}}`, 400, "it answers 400 x_exception: y"},
		{"no JSON", `<html>`, 200, "reading the answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(&said{answers: []string{c.answer}, status: c.status}, "default", elasticsearch.LayoutDaily).Sums(context.Background(), query.Request{})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Pages of groups are asked for until one is not full, each from where the one before ended.
func TestPagesOfGroups(t *testing.T) {
	var buckets []string
	for range lightPage {
		buckets = append(buckets, `{"key":{"d0":"u"},"doc_count":1,"flows":{"doc_count":2},"used":{"doc_count":1},"up":{"value":3.0}}`)
	}
	page := `{"_shards":{"failed":0},"aggregations":{"rows":{"after_key":{"d0":"u"},"buckets":[` + strings.Join(buckets, ",") + `]}}}`
	s := &said{answers: []string{page, `{"_shards":{"failed":0},"aggregations":{"rows":{"buckets":[{"key":{"d0":"v"},"doc_count":1}]}}}`}}
	rows, err := New(s, "default", elasticsearch.LayoutStream).Sums(context.Background(), query.Request{By: []query.Dimension{query.ByUser}})
	if err != nil || len(rows) != query.MaxRows || len(s.asked) < 2 || rows[0].Flows != 2 || rows[0].BytesUp != 3 || rows[0].Users != 1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if !strings.Contains(s.asked[1], `"after":{"d0":"u"}`) {
		t.Errorf("the second page: %s", s.asked[1])
	}
}

// A server that lacks the memory for a page is asked for smaller ones, and for no end of them.
func TestSmallerPages(t *testing.T) {
	s := &breaking{}
	_, err := New(s, "default", elasticsearch.LayoutStream).Sums(context.Background(), query.Request{By: []query.Dimension{query.ByUser}})
	if err == nil || !strings.Contains(err.Error(), "circuit_breaking_exception") {
		t.Errorf("got %v", err)
	}
	if want := []string{"30000", "7500", "1875", "468", "117", "50"}; !slices.Equal(s.sizes, want) {
		t.Errorf("the pages were of %q, want %q", s.sizes, want)
	}
}

// breaking is a server without memory.
type breaking struct{ sizes []string }

func (s *breaking) Do(_ context.Context, _, _ string, body []byte) (int, []byte, error) {
	_, size, _ := strings.Cut(string(body), `"composite":{"size":`)
	size, _, _ = strings.Cut(size, ",")
	s.sizes = append(s.sizes, size)
	return http.StatusTooManyRequests, []byte(`{"error":{"type":"circuit_breaking_exception","reason":"[request] Data too large"}}`), nil
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
