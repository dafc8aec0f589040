package search

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// People are counted in requests of their own, those of background traffic only in the groups that have some.
func TestCensus(t *testing.T) {
	from := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	figures := `{"groups":{"buckets":[
		{"key":"chat","at":{"count":5,"min":1000,"max":9000},"upload":{"count":2,"sum":10,"min":1,"max":9},"up":{"value":11},"later":{"doc_count":1,"known":{"value":1}},"visits":{"doc_count":3},"background":{"doc_count":1},"calm":{"doc_count":2,"woken":{"doc_count":1}}},
		{"key":"early","at":{"count":1,"min":2000,"max":2000},"up":{"value":1}},
		{"key":"late","at":{"count":1,"min":7000,"max":7000},"upload":{"count":1,"sum":3,"min":3,"max":3}}]}}`
	var mu sync.Mutex
	var quiet []string
	s := server(func(_, body string) (int, string, error) {
		mu.Lock()
		defer mu.Unlock()
		found := "{}"
		switch {
		case !strings.Contains(body, `"groups"`): // how many people there are
		case strings.Contains(body, `"up"`):
			found = figures
		case strings.Contains(body, `"cardinality":{"field":"user.id"`) && strings.Contains(body, `"must_not":[{"term":{"gnomon.use":"background"}}`):
			found = `{"groups":{"buckets":[{"key":"chat","n":{"value":4}},{"key":"early","n":{"value":1}},{"key":"late","n":{"value":1}}]}}`
		case strings.Contains(body, `"cardinality":{"field":"user.id"`):
			quiet = append(quiet, body)
			found = `{"groups":{"buckets":[{"key":"chat","n":{"value":6}}]}}`
		}
		return http.StatusOK, `{"_shards":{"failed":0},"aggregations":` + found + `}`, nil
	})
	rows, err := reading(s, elasticsearch.LayoutStream).Sums(context.Background(), query.Request{From: from, To: from.AddDate(0, 0, 10), By: []query.Dimension{query.ByService}})
	if err != nil || len(rows) != 3 || rows[0].Key[0] != "chat" || rows[1].Key[0] != "early" || rows[2].Key[0] != "late" {
		t.Fatalf("%+v, %v", rows, err)
	}
	chat, late := rows[0], rows[2]
	if chat.BytesUp != 11 || chat.Flows != 4 || chat.Unknown != 3 || chat.Visits != 3 || chat.Upload.Bytes != 10 || chat.First.Unix() != 1 || chat.Last.Unix() != 9 {
		t.Errorf("%+v", chat)
	}
	if chat.Users != 4 || chat.Background != (query.Background{Users: 2, Visits: 1}) || late.Users != 1 || late.Background.Users != 0 || late.Upload.Bytes != 3 {
		t.Errorf("%+v, %+v", chat, late)
	}
	if len(quiet) != 1 || !strings.Contains(quiet[0], `{"terms":{"gnomon.service.id":["chat"]}}`) {
		t.Errorf("those of background traffic were counted by %q", quiet)
	}
}

// Questions that begin at once count once how many people there are; one that is given up meanwhile does not wait for it.
func TestCrowdOnce(t *testing.T) {
	var asked atomic.Int32
	busy, proceed := make(chan struct{}), make(chan struct{})
	r := reading(server(func(string, string) (int, string, error) {
		if asked.Add(1) == 1 {
			close(busy)
			<-proceed
		}
		return http.StatusOK, `{"_shards":{"failed":0},"aggregations":{"users":{"value":700},"addresses":{"value":9}}}`, nil
	}), elasticsearch.LayoutStream)
	var wait sync.WaitGroup
	ask := func() {
		if people, err := r.crowd(context.Background()); people != 700+175+100 || err != nil {
			t.Error(people, err)
		}
	}
	wait.Go(ask)
	<-busy
	given, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := r.crowd(given); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for range 5 {
		wait.Go(ask)
	}
	close(proceed)
	wait.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("people were counted %d times", n)
	}
}
