package pcapfile

import (
	"bytes"
	"os"
	"reflect"
	"testing"
)

func FuzzRead(f *testing.F) {
	real, err := os.ReadFile("../../cases/dns-chain/input.pcap")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(real)
	f.Fuzz(func(t *testing.T, file []byte) {
		frames, err := Read(bytes.NewReader(file))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := Write(&again, frames); err != nil {
			t.Fatal(err)
		}
		back, err := Read(&again)
		if err != nil || len(back) != len(frames) {
			t.Fatalf("%d frames became %d (%v)", len(frames), len(back), err)
		}
		for i := range back {
			if !reflect.DeepEqual(back[i].Data, frames[i].Data) {
				t.Fatalf("frame %d came back changed", i+1)
			}
		}
	})
}
