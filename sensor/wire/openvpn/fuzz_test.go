package openvpn

import "testing"

func FuzzParse(f *testing.F) {
	for _, b := range [][]byte{plainClient(), plainServer(), authClient(), authServer(), cryptClient(), cryptServer(), cryptV3()} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = Stream(b)
		r, err := Parse(b)
		if err != nil {
			return
		}
		if !Opens(b[0]) {
			t.Errorf("no reset opens with %#x, and here is one", b[0])
		}
		if r.Session == 0 || len(b) < plainLen || r.Client() && r.Peer != 0 {
			t.Errorf("%d bytes are taken for %+v", len(b), r)
		}
	})
}
