package cases

import "testing"

func FuzzParseSquidLog(f *testing.F) {
	f.Add([]byte("10.20.1.11 40000 alice CONNECT chatgpt.com:443 200 10.20.0.128 50000 9000 160 3000 39\n"))
	f.Add([]byte("10.20.1.11 40000 bob POST http://b.example/ 200 - 0 280 180 310 300\n"))
	f.Fuzz(func(t *testing.T, log []byte) {
		legs, err := parseSquidLog(log)
		for _, l := range legs {
			if err == nil && !l.record.Client.IsValid() {
				t.Errorf("a leg without client: %+v", l.record)
			}
		}
	})
}
