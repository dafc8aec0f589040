package pdns

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

// A table of one worker, which puts an answer in its places later, says at any time what one of several workers does, and keeps nothing that it
// was given.
func TestLate(t *testing.T) {
	for _, most := range []int{1, 4, batch, 3*batch + 1} {
		t.Run(fmt.Sprintf("%d addresses", most), func(t *testing.T) {
			small := Config{Entries: 1 << 12, NameBytes: 1 << 14}
			shared := small
			shared.Workers = 2
			shared.Entries *= sharedShards
			shared.NameBytes *= sharedShards
			one, several := newTable(t, small, 3), newTable(t, shared, 3)
			random := rand.New(rand.NewPCG(uint64(most), 5))
			clients := []decode.Address{addr("10.0.0.1"), addr("10.0.0.2"), addr("2001:db8::5")}
			name, told := make([]byte, 0, maxName), make([]Told, 0, most)
			found := 0
			for i := range 4000 {
				at := int64(i) * second
				client := clients[random.IntN(len(clients))]
				name = fmt.Appendf(name[:0], "host%d.example", random.IntN(40))
				told = told[:0]
				for range random.IntN(most + 1) {
					told = append(told, Told{decode.Address{Lo: uint64(random.IntN(300)) | 0xffff<<32}, uint32(random.IntN(400))})
				}
				one.Learn(client, name, at, told)
				several.Learn(client, name, at, told)
				clear(name)
				clear(told)
				for range random.IntN(3) {
					asked, server := clients[random.IntN(len(clients))], decode.Address{Lo: uint64(random.IntN(300)) | 0xffff<<32}
					got, ok := one.Lookup(asked, server, at, nil)
					want, known := several.Lookup(asked, server, at, nil)
					if ok != known || string(got.Name) != string(want.Name) || got.Others != want.Others || got.Own != want.Own {
						t.Fatalf("after %d answers: %q, %d others, own %v, %v; want %q, %d, %v, %v", i+1, got.Name, got.Others, got.Own, ok, want.Name, want.Others, want.Own, known)
					}
					if ok {
						found++
					}
				}
			}
			if found < 500 {
				t.Errorf("only %d addresses were known", found)
			}
		})
	}
}

// BenchmarkLearnAnywhere is answers whose places fall all over a table of the default size.
func BenchmarkLearnAnywhere(b *testing.B) {
	table := newTable(b, Default(), 42)
	client := addr("10.0.0.1")
	name := []byte("edge-star-shv-01-fra3.example.com")
	b.ReportAllocs()
	told := make([]Told, 2)
	for i := 0; b.Loop(); i++ {
		for j := range told {
			told[j] = Told{decode.Address{Lo: uint64(i*2+j)*0x9e3779b1&0xffff_ffff | 0xffff<<32}, 300}
		}
		table.Learn(client, name, int64(i), told)
	}
}
