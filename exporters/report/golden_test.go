package report

import (
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// update rewrites the golden files: go test ./exporters/report -run TestGolden -update
var update = flag.Bool("update", false, "rewrite testdata")

// catalogue is a small one.
type catalogue struct{}

func (catalogue) Service(id string) (Service, bool) {
	return Service{Vendor: "Vendor of " + id, Category: "chat-assistant"}, id != ""
}

func berlin(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// september asks for a month that the usual fake has whole.
func september(t testing.TB, a Audience) Request {
	loc := berlin(t)
	return Request{Audience: a, From: time.Date(2026, 9, 1, 0, 0, 0, 0, loc), To: time.Date(2026, 10, 1, 0, 0, 0, 0, loc),
		Now: time.Date(2026, 10, 2, 8, 30, 0, 0, loc), Location: loc, Organisation: "Example GmbH", Catalogue: catalogue{}}
}

func build(t testing.TB, q query.Query, r Request) *Report {
	t.Helper()
	rep, err := Build(context.Background(), q, r)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// forms are all that a report can be written as.
func forms() []struct {
	name  string
	write func(*Report, io.Writer) error
} {
	return []struct {
		name  string
		write func(*Report, io.Writer) error
	}{
		{"text", (*Report).WriteText}, {"json", (*Report).WriteJSON}, {"csv", (*Report).WriteCSV}, {"html", (*Report).WriteHTML}, {"pdf", (*Report).WritePDF},
	}
}

func TestGolden(t *testing.T) {
	for _, a := range []Audience{Management, DLP} {
		req := september(t, a)
		req.TopN = 6
		rep := build(t, newFake(usual()), req)
		for _, f := range forms()[:3] {
			t.Run(string(a)+" "+f.name, func(t *testing.T) {
				var got bytes.Buffer
				if err := f.write(rep, &got); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join("testdata", string(a)+"."+f.name)
				if *update {
					if err := os.WriteFile(path, got.Bytes(), 0o640); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.Bytes(), want) {
					t.Errorf("%s differs; if that is meant, run with -update and review the difference", path)
				}
			})
		}
	}
}
