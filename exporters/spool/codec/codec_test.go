package codec

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// full is an event with every field set, each to another value; odd chooses which pointers and lists stay empty.
func full(seed uint64, odd bool) *event.Event {
	ev := &event.Event{}
	set(reflect.ValueOf(ev).Elem(), rand.New(rand.NewPCG(seed, 1)), odd)
	return ev
}

func set(v reflect.Value, rnd *rand.Rand, odd bool) {
	if odd && rnd.IntN(3) == 0 {
		return
	}
	switch v.Kind() {
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rnd.Uint64() >> rnd.IntN(64) & (1<<v.Type().Bits() - 1))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(rnd.Uint64()) >> rnd.IntN(64))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(rnd.NormFloat64())
	case reflect.String:
		v.SetString(fmt.Sprintf("%d\xff %s", rnd.Uint64(), strings.Repeat("x", rnd.IntN(200))))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		set(v.Elem(), rnd, odd)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+rnd.IntN(4), 4))
		for i := range v.Len() {
			set(v.Index(i), rnd, odd)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range 1 + rnd.IntN(4) {
			e := reflect.New(v.Type().Elem()).Elem()
			set(e, rnd, odd)
			v.SetMapIndex(reflect.ValueOf(fmt.Sprint("key", i)), e)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			set(v.Field(i), rnd, odd)
		}
	default:
		panic(v.Kind())
	}
}

// plain is a record as a sensor writes it, about 1.5 KB as JSON.
func plain() *event.Event {
	port, to, up, down, yes, age := uint16(51514), uint16(443), uint64(18234), uint64(90211), true, int64(7200)
	at := event.Time(1_760_000_000_123_456_789)
	return &event.Event{
		Timestamp: at, ECS: &event.ECS{Version: event.ECSVersion},
		Event: event.Meta{ID: event.KeyID(int64(at), event.DatasetActivity, "x"), Start: at - 1, End: at, Ingested: at + 1, Dataset: event.DatasetActivity, Kind: "event",
			Category: []string{"network"}},
		Observer:    &event.Observer{ID: "0b6ad1b5-5d6a-4c77-9d3e-0c5d0f6f2b11", Name: "berlin-1", Type: "sensor", Version: "1.0.0", Ingress: &event.Ingress{Interface: event.Interface{Name: "eth1"}}},
		Source:      &event.Endpoint{IP: "10.1.2.3", Port: &port, MAC: "02-00-00-00-00-01", Bytes: &up, Packets: &up},
		Destination: &event.Endpoint{IP: "203.0.113.9", Port: &to, Domain: "assistant.example", Bytes: &down, Packets: &down},
		Network:     &event.Network{Transport: "tcp", Protocol: "tls", Type: "ipv4", Application: "assistant-chat", CommunityID: "1:d/FP5EW3wiY1vCndhwleRRKHowQ=", VLAN: &event.VLAN{ID: "12"}},
		TLS:         &event.TLS{Client: &event.TLSClient{ServerName: "assistant.example", JA4: "t13d1516h2_8daaf6152771_b186095e22b6"}, NextProtocol: "h2", Version: "1.3"},
		User:        &event.User{ID: "u-6c1f0b7e9d3a5b2f4c8e1d7a9b3c5e2f", Group: &event.Group{Name: "Research"}},
		Rule:        &event.Rule{ID: "assistant-chat", Name: "Assistant", Category: "chat-assistant", Ruleset: "catalogue 2026.11.1"},
		Gnomon: &event.Gnomon{Schema: event.SchemaVersion, Site: "berlin", Flow: &event.Flow{ID: event.KeyID(1, "flow", "x"), Slice: 3, End: "fin"},
			Visit: &event.Visit{ID: event.KeyID(2, "visit", "x")}, Counted: &yes, Use: "interactive",
			Service:     &event.Service{ID: "assistant-chat", Vendor: "Example", Category: "chat-assistant", Kind: "web"},
			Evidence:    &event.Evidence{Class: "sni", Confidence: "high", Also: []string{"dns"}},
			Upload:      &event.Upload{Bytes: 15820, Low: 15500, High: 16400, Method: "tls-records", Bursts: 3, LargestBurst: 9100},
			Attribution: &event.Attribution{Source: "dhcp", Confidence: "high", AgeS: &age},
			Policy:      &event.Policy{Status: "approved", Owner: "it-platform", Rule: "own"}},
	}
}

// Every field of a record comes back as it was, and what JSON tells apart stays apart.
func TestRoundTrip(t *testing.T) {
	c := New()
	d, err := c.Decoder(c.Schema())
	if err != nil {
		t.Fatal(err)
	}
	zero, no := uint64(0), false
	cases := map[string]*event.Event{"empty": {}, "plain": plain(), "zeros that are known": {Source: &event.Endpoint{Bytes: &zero}, Gnomon: &event.Gnomon{Counted: &no}},
		"structs without content": {Source: &event.Endpoint{}, TLS: &event.TLS{Client: &event.TLSClient{}}}}
	for seed := range uint64(300) {
		cases[fmt.Sprintf("every field %d", seed)] = full(seed, false)
		cases[fmt.Sprintf("some fields %d", seed)] = full(seed, true)
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			var got event.Event
			if err := d.Decode(c.Append(nil, want), &got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(&got, want) {
				a, _ := json.Marshal(&got)
				b, _ := json.Marshal(want)
				if string(a) != string(b) || len(b) == 0 {
					t.Errorf("got\n%s\nwant\n%s", a, b)
				}
			}
		})
	}
}

// A record that is cut anywhere is no record.
func TestTruncated(t *testing.T) {
	c := New()
	d, err := c.Decoder(c.Schema())
	if err != nil {
		t.Fatal(err)
	}
	whole := c.Append(nil, full(1, false))
	var ev event.Event
	for n := range whole {
		if err := d.Decode(whole[:n], &ev); !errors.Is(err, ErrRecord) {
			t.Fatalf("cut at %d of %d: %v", n, len(whole), err)
		}
	}
	if err := d.Decode(append(whole, 0), &ev); !errors.Is(err, ErrRecord) {
		t.Fatalf("a byte too many: %v", err)
	}
}

// Records of another version are read as far as this one has their fields.
func TestOtherSchema(t *testing.T) {
	c := New()
	own := string(c.Schema())
	for _, tt := range []struct {
		name   string
		schema string
		record string
		want   event.Event
		bad    bool
	}{
		{name: "other order", schema: "Message=s Timestamp=i\n", record: "\x01\x02hi\x02\x0a\x00", want: event.Event{Timestamp: 5, Message: "hi"}},
		{name: "fields that are gone", schema: "Old=[(1 Count=u Fewer={f Message=s\nA=*s B=i\n",
			record: "\x01\x02\x01\x01x\x00\x02\x07\x00\x02\xff\x01\x03\x01\x01k12345678\x04\x02hi\x00", want: event.Event{Message: "hi"}},
		{name: "a field of another type", schema: "Timestamp=s Message=s\n", record: "\x01\x01x\x02\x02hi\x00", want: event.Event{Message: "hi"}},
		{name: "below a pointer", schema: "User=*(1\nName=s Shoe=u\n", record: "\x01\x02\x2a\x01\x02ab\x00\x00", want: event.Event{User: &event.User{Name: "ab"}}},
		{name: "a struct in itself", schema: "Old=*(0 Message=s\n", record: "\x01\x01\x02\x01x\x00\x00\x02\x02hi\x00", want: event.Event{Message: "hi"}},
		{name: "deeper than anything is", schema: "Old=*(0 Message=s\n", record: strings.Repeat("\x01", 50) + strings.Repeat("\x00", 51), bad: true},
		{name: "a field beyond the last", schema: "Message=s\n", record: "\x02\x00", bad: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := c.Decoder([]byte(tt.schema))
			if err != nil {
				t.Fatal(err)
			}
			var got event.Event
			if err := d.Decode([]byte(tt.record), &got); (err != nil) != tt.bad {
				t.Fatal(err)
			}
			if !tt.bad && !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	for _, bad := range []string{"", "x", "A=\n", "A=q\n", "A=(7\n", "A=ss\n", "A=(x\n", "A=" + strings.Repeat("*", 100) + "s\n",
		strings.Repeat("A=s\n", 1000), strings.Repeat("A=s ", 1000) + "\n", own[:len(own)-1]} {
		if _, err := c.Decoder([]byte(bad)); err == nil {
			t.Errorf("the schema %.40q was taken", bad)
		}
	}
}

func TestAllocs(t *testing.T) {
	c, ev := New(), plain()
	buf := make([]byte, 0, 8<<10)
	if n := testing.AllocsPerRun(100, func() { buf = c.Append(buf[:0], ev) }); n != 0 {
		t.Errorf("writing a record allocates %v times", n)
	}
	j, err := json.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	if len(buf)*2 > len(j) {
		t.Errorf("a record takes %d bytes, its JSON %d", len(buf), len(j))
	}
}

func BenchmarkAppend(b *testing.B) {
	c, ev := New(), plain()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = c.Append(buf[:0], ev)
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkDecode(b *testing.B) {
	c := New()
	d, err := c.Decoder(c.Schema())
	if err != nil {
		b.Fatal(err)
	}
	buf := c.Append(nil, plain())
	var ev event.Event
	b.ReportAllocs()
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		if err := d.Decode(buf, &ev); err != nil {
			b.Fatal(err)
		}
	}
}

// The same with encoding/json, for comparison.
func BenchmarkJSON(b *testing.B) {
	ev := plain()
	text, err := json.Marshal(ev)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("marshal", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := json.Marshal(ev); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unmarshal", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			var got event.Event
			if err := json.Unmarshal(text, &got); err != nil {
				b.Fatal(err)
			}
		}
	})
}
