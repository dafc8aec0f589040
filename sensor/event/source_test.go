package event

import (
	"reflect"
	"testing"
)

func TestSource(t *testing.T) {
	a := Source{Read: 10, Used: 1, NotAI: 2, Other: 3, Rejected: 4, RejectedBy: map[string]uint64{"short": 3, "long": 1}, NoTime: 1, Old: 1, Ahead: 1, Lost: 1,
		NoUpload: 2, Format: "w3c", Advice: "do"}
	b := Source{Read: 5, Used: 5, RejectedBy: map[string]uint64{"short": 1}, Problem: "no permission"}
	sum := a.Plus(b)
	if sum.Read != 15 || sum.Used != 6 || sum.RejectedBy["short"] != 4 || sum.Format != "w3c" || sum.Problem != "no permission" {
		t.Errorf("the sum is %+v", sum)
	}
	if a.RejectedBy["short"] != 3 {
		t.Error("adding changed what was added to")
	}
	back := sum.Minus(b)
	back.Problem = ""
	if !reflect.DeepEqual(back, a) {
		t.Errorf("the difference is %+v, not %+v", back, a)
	}
	if over := b.Minus(a); over.Read != 0 || over.RejectedBy != nil {
		t.Errorf("less than nothing is %+v", over)
	}
}

// Every figure of a source is added up: one that is new must not be left out.
func TestSourceFigures(t *testing.T) {
	var s Source
	v := reflect.ValueOf(&s).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Uint64 {
			f.SetUint(7)
		}
	}
	sum, gone := reflect.ValueOf(s.Plus(s)), reflect.ValueOf(s.Minus(s))
	for i := range v.NumField() {
		if v.Field(i).Kind() != reflect.Uint64 {
			continue
		}
		if name := v.Type().Field(i).Name; sum.Field(i).Uint() != 14 || gone.Field(i).Uint() != 0 {
			t.Errorf("%s: twice 7 is %d, 7 less 7 is %d", name, sum.Field(i).Uint(), gone.Field(i).Uint())
		}
	}
}
