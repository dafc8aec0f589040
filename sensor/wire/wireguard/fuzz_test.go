package wireguard

import "testing"

func FuzzParse(f *testing.F) {
	f.Add(message(Initiation, 148, 7))
	f.Add(message(Response, 92, 9, 7))
	f.Add(message(Cookie, 64, 7))
	f.Add(message(Data, 48, 9, 1, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		if m.Type < Initiation || m.Type > Data || len(b) < dataLen || b[0] != byte(m.Type) {
			t.Errorf("%d bytes are taken for %+v", len(b), m)
		}
	})
}
