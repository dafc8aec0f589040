package elastictest

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ask sends the requests to a node, and fills in what it answers.
func ask(t *testing.T, address string, exchanges []Exchange) {
	t.Helper()
	for i := range exchanges {
		e := &exchanges[i]
		r, err := http.NewRequestWithContext(t.Context(), e.Method, address+e.Path, strings.NewReader(e.Body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		e.Status, e.Answer = answer.StatusCode, string(text)
	}
}

// same says where answers differ from recorded ones in what a sender makes of them.
func same(t *testing.T, got, recorded []Exchange) {
	t.Helper()
	for i := range got {
		g, w := &got[i], &recorded[i]
		if g.Name != w.Name {
			t.Fatalf("exchange %d is %q, recorded is %q: record anew", i, g.Name, w.Name)
		}
		if Shape(g) != Shape(w) {
			t.Errorf("%s:\n     got %s\nrecorded %s\n     got %s\nrecorded %s", g.Name, Shape(g), Shape(w), g.Answer, w.Answer)
		}
	}
}

// recordings are the files with recorded answers, by node.
func recordings(t *testing.T) map[string][]Exchange {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no recorded answers: %v", err)
	}
	all := map[string][]Exchange{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var exchanges []Exchange
		if err := json.Unmarshal(text, &exchanges); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".json")] = exchanges
	}
	return all
}

// The fake answers as real nodes have answered.
func TestFake(t *testing.T) {
	for name, recorded := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			_, address := New(t)
			got := Requests("logs-recorded-x")
			ask(t, address, got)
			same(t, got, recorded)
		})
	}
}
