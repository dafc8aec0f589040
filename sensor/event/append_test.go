package event

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// strange are strings in which every byte needs care somewhere.
var strange = []string{"plain.example", "", "Müller & Söhne <it>", "\"quoted\" and \\", "a\tb\nc\rd\be\ff\x00\x1f\x7f", "\xff\xfe not UTF-8 \xc3",
	"\u2028 \u2029 \u202e", "日本語 🙂"}

// fill sets every field below v, or most of them where some stay empty.
func fill(v reflect.Value, rnd *rand.Rand, most bool) {
	if most && rnd.IntN(4) == 0 {
		return
	}
	switch v.Kind() {
	case reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rnd.Uint64() >> rnd.IntN(64) & (1<<v.Type().Bits() - 1))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(rnd.Uint64()) >> rnd.IntN(64))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(rnd.NormFloat64())
	case reflect.String:
		v.SetString(strange[rnd.IntN(len(strange))] + fmt.Sprint(rnd.IntN(100)))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), rnd, most)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), rnd.IntN(4), 4))
		for i := range v.Len() {
			fill(v.Index(i), rnd, most)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range rnd.IntN(4) {
			e := reflect.New(v.Type().Elem()).Elem()
			fill(e, rnd, most)
			v.SetMapIndex(reflect.ValueOf(fmt.Sprint("key", i)), e)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), rnd, most)
		}
	default:
		panic(v.Kind())
	}
}

// The bytes are those of encoding/json, for every field, filled or not.
func TestAppendJSON(t *testing.T) {
	tests := []struct {
		name  string
		count int
		most  bool
	}{{"nothing", 0, false}, {"every field", 200, false}, {"some fields", 2000, true}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range max(tt.count, 1) {
				var ev Event
				if tt.count > 0 {
					fill(reflect.ValueOf(&ev).Elem(), rand.New(rand.NewPCG(uint64(seed), 1)), tt.most)
				}
				want, err := json.Marshal(&ev)
				if err != nil {
					t.Fatal(err)
				}
				got, err := ev.AppendJSON([]byte("before "))
				if err != nil || string(got) != "before "+string(want) {
					t.Fatalf("seed %d: a field is not as encoding/json writes it (%v); give it its line in append.go\n got %s\nwant        %s", seed, err, got, want)
				}
			}
		})
	}
}

// A figure that is no number leaves nothing behind.
func TestAppendJSONFails(t *testing.T) {
	ev := Event{Gnomon: &Gnomon{Coverage: &Coverage{QueueAgeS: math.NaN()}}}
	if got, err := ev.AppendJSON([]byte("before")); err == nil || string(got) != "before" {
		t.Errorf("%q %v", got, err)
	}
}

// use is an activity record as a sensor writes it.
func use() *Event {
	var ev Event
	fill(reflect.ValueOf(&ev).Elem(), rand.New(rand.NewPCG(1, 1)), false)
	ev.DNS, ev.TLS.Server, ev.Gnomon.Coverage, ev.Gnomon.Candidate, ev.Gnomon.Finding = nil, nil, nil, nil, nil
	return &ev
}

func TestAppendJSONAllocates(t *testing.T) {
	ev, b := use(), make([]byte, 0, 8<<10)
	if n := testing.AllocsPerRun(100, func() { b, _ = ev.AppendJSON(b[:0]) }); n > 0 {
		t.Errorf("it allocates %v times", n)
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	ev := use()
	buf, _ := ev.AppendJSON(nil)
	b.SetBytes(int64(len(buf)))
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf, _ = ev.AppendJSON(buf[:0])
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = json.Marshal(ev)
		}
	})
}
