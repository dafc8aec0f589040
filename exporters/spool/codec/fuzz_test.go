package codec

import (
	"reflect"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Whatever bytes come, reading ends; what is read is written and read again as the same.
func FuzzDecode(f *testing.F) {
	c := New()
	f.Add(c.Schema(), c.Append(nil, plain()))
	f.Add(c.Schema(), c.Append(nil, full(3, true)))
	f.Add([]byte("Message=s Old=*(0\n"), []byte("\x02\x01\x02hi\x00\x00"))
	own, err := c.Decoder(c.Schema())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, schema, record []byte) {
		d, err := c.Decoder(schema)
		if err != nil {
			return
		}
		var ev, again event.Event
		if d.Decode(record, &ev) != nil {
			return
		}
		if err := own.Decode(c.Append(nil, &ev), &again); err != nil {
			t.Fatal(err)
		}
		a, b := c.Append(nil, &ev), c.Append(nil, &again)
		if len(a) != len(b) && !reflect.DeepEqual(ev, again) {
			t.Errorf("%+v became %+v", ev, again)
		}
	})
}
