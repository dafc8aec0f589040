package report

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// poisoned names every person and address so that it is found wherever it leaks.
func poisoned(users int) *fake {
	s := usual()
	s.users, s.poison = users, true
	s.name = func(kind string, i int) string {
		if kind == "user" {
			return fmt.Sprintf("POISON Name %d", i)
		}
		return ordinary(kind, i)
	}
	f := newFake(s)
	f.logName = "POISON-10.66.6.9:514"
	return f
}

// utf16Text is how the PDF spells s.
func utf16Text(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return b
}

// write is a form of the report in which text can be searched.
func searchable(t *testing.T, r *Report, form string) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, f := range forms() {
		if f.name != form {
			continue
		}
		write := f.write
		if form == "pdf" {
			write = nil
			if err := r.writePDF(&b, false); err != nil {
				t.Fatal(err)
			}
		}
		if write != nil {
			if err := write(r, &b); err != nil {
				t.Fatal(err)
			}
		}
	}
	if b.Len() == 0 {
		t.Fatalf("the form %s is empty", form)
	}
	return b.Bytes()
}

// In management's report no name, pseudonym or address of a person is found, in any form; in the other they are, or the test would prove nothing.
func TestManagementNamesNobody(t *testing.T) {
	for _, users := range []int{1, 4, 5, 30, 300} {
		for _, a := range []Audience{Management, DLP} {
			req := september(t, a)
			rep := build(t, poisoned(users), req)
			for _, f := range forms() {
				t.Run(fmt.Sprintf("%d users, %s, %s", users, a, f.name), func(t *testing.T) {
					b := searchable(t, rep, f.name)
					found := bytes.Contains(b, []byte("POISON")) || bytes.Contains(b, utf16Text("POISON"))
					if found != (a == DLP) {
						t.Errorf("found = %t", found)
					}
				})
			}
		}
	}
}

// A report on too few people has no figure of theirs.
func TestTooFewUsers(t *testing.T) {
	for _, tt := range []struct {
		name     string
		users    int
		site     string
		withheld bool
	}{
		{"one", 1, "", true}, {"four", 4, "", true}, {"five", 5, "", false},
		{"a site of four", 8, "berlin", true},
		{"a site of five among ten", 10, "berlin", false},
		{"a site of five, four elsewhere", 9, "berlin", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := usual()
			s.users = tt.users
			req := september(t, Management)
			req.Site = tt.site
			rep := build(t, newFake(s), req)
			if (rep.Withheld != "") != tt.withheld {
				t.Fatalf("withheld: %q", rep.Withheld)
			}
			if tt.withheld && (!rep.All.Hidden || !rep.Unapproved.Hidden || !rep.Before.All.Hidden || len(rep.Trend)+len(rep.Services)+len(rep.New.Rows)+len(rep.Departments.Rows) > 0) {
				t.Errorf("figures are left: %+v", rep)
			}
		})
	}
}

// However users are spread over departments, no row is about fewer than five, and none can be had by subtraction.
func TestDepartmentsHideFew(t *testing.T) {
	for departments := 1; departments <= 40; departments += 3 {
		for users := 5; users <= 120; users += 23 {
			t.Run(fmt.Sprintf("%d departments, %d users", departments, users), func(t *testing.T) {
				s := usual()
				s.departments, s.users, s.perWeek = departments, users, 1
				f := newFake(s)
				req := september(t, Management)
				rep := build(t, f, req)
				if rep.Withheld != "" {
					return
				}
				checkDepartments(t, f, rep)
			})
		}
	}
}

func checkDepartments(t *testing.T, f *fake, rep *Report) {
	t.Helper()
	if len(rep.Departments.Rows) == 0 || len(rep.Departments.Rows) > maxDepartments {
		t.Fatalf("%d rows", len(rep.Departments.Rows))
	}
	visits, together := uint64(0), 0
	named := map[string]bool{}
	for _, d := range rep.Departments.Rows {
		if d.All.Users < rep.Below {
			t.Errorf("%s has %d users", d.Name, d.All.Users)
		}
		if u := d.Unapproved; !u.Hidden && u.Users > 0 && u.Users < rep.Below {
			t.Errorf("%s shows unapproved use by %d users", d.Name, u.Users)
		}
		visits += d.All.Visits
		together += d.Together
		if d.Together == 1 {
			named[d.Name] = true
		}
	}
	if visits != rep.All.Visits {
		t.Errorf("the rows have %d visits, the total %d", visits, rep.All.Visits)
	}
	hidden := hiddenUsers(f, rep, named)
	if some := hidden > 0 && hidden < int(rep.Below); some && !allHidden(rep) {
		t.Errorf("unapproved use by %d users follows by subtraction", hidden)
	}
}

// hiddenUsers counts who is behind all rows whose unapproved use is withheld.
func hiddenUsers(f *fake, rep *Report, named map[string]bool) int {
	withheld := map[string]bool{}
	rest := false
	for _, d := range rep.Departments.Rows {
		if d.Unapproved.Hidden && d.Together == 1 {
			withheld[d.Name] = true
		} else if d.Unapproved.Hidden {
			rest = true
		}
	}
	users := map[string]bool{}
	for _, x := range f.uses {
		if x.at.Before(rep.Period.From) || !x.at.Before(rep.Period.To) || !in(unapprovedStatuses(), x.state) {
			continue
		}
		if name := department(x.dept); withheld[name] || rest && !named[name] {
			users[x.user] = true
		}
	}
	return len(users)
}

func allHidden(rep *Report) bool {
	for _, d := range rep.Departments.Rows {
		if !d.Unapproved.Hidden {
			return false
		}
	}
	return true
}

func TestProtectUnapproved(t *testing.T) {
	for _, tt := range []struct {
		name  string
		users []uint64
		want  string // x is withheld
	}{
		{"nothing", []uint64{0, 0}, ".."},
		{"all large", []uint64{9, 5, 0}, "..."},
		{"one small takes the smallest other", []uint64{9, 3, 7}, ".xx"},
		{"two small are enough", []uint64{9, 3, 4}, ".xx"},
		{"two small are not enough", []uint64{9, 1, 2}, "xxx"},
		{"only one", []uint64{0, 2, 0}, "xxx"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows := make([]DepartmentRow, len(tt.users))
			for i, n := range tt.users {
				rows[i].Unapproved.Users = n
			}
			protectUnapproved(rows, 5)
			var got strings.Builder
			for _, r := range rows {
				got.WriteString(map[bool]string{true: "x", false: "."}[r.Unapproved.Hidden])
			}
			if got.String() != tt.want {
				t.Errorf("%s, want %s", got.String(), tt.want)
			}
		})
	}
}

// A report about less than a week has no departments: two that differ by a day would show that day.
func TestShortPeriodHasNoDepartments(t *testing.T) {
	req := september(t, Management)
	req.From = req.To.AddDate(0, 0, -6)
	if rep := build(t, newFake(usual()), req); rep.Departments.Why == "" || len(rep.Departments.Rows) > 0 {
		t.Errorf("departments: %+v", rep.Departments)
	}
}

// Traffic in the background is about people, too.
func TestFewInTheBackground(t *testing.T) {
	tests := []struct {
		name             string
		f                Figures
		small            bool
		users            uint64
		few, fewQuiet    bool
		background, left uint64
	}{
		{"enough of both", Figures{Users: 9, Background: query.Background{Users: 6, Visits: 8}}, false, 9, false, false, 6, 8},
		{"few in the background", Figures{Users: 9, Background: query.Background{Users: 2, Visits: 8}}, false, 9, false, true, 0, 0},
		{"few users beside many", Figures{Users: 2, Background: query.Background{Users: 6, Visits: 8}}, true, 0, true, false, 6, 8},
		{"nobody but few in the background", Figures{Background: query.Background{Users: 2}}, true, 0, false, true, 0, 0},
		{"nobody but many in the background", Figures{Background: query.Background{Users: 7, Visits: 7}}, false, 0, false, false, 7, 7},
		{"nobody", Figures{}, false, 0, false, false, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.f.small(5); got != tt.small {
				t.Errorf("small: %v", got)
			}
			tt.f.fewer(5)
			if tt.f.Users != tt.users || tt.f.Few != tt.few || tt.f.FewQuiet != tt.fewQuiet || tt.f.Background != (query.Background{Users: tt.background, Visits: tt.left}) {
				t.Errorf("%+v", tt.f)
			}
			out, err := tt.f.MarshalJSON()
			if err != nil || bytes.Contains(out, []byte("background_users")) == tt.fewQuiet {
				t.Errorf("%s, %v", out, err)
			}
		})
	}
}
