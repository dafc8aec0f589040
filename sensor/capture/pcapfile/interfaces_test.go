package pcapfile

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// captureOn writes a capture with a frame of each interface, a second after the other.
func captureOn(t *testing.T, dir, file string, second uint64, names ...string) string {
	t.Helper()
	n := &ngFile{}
	n.section(binary.LittleEndian)
	for _, name := range names {
		if name == "" {
			n.iface(1, 0)
			continue
		}
		n.iface(1, 0, option{2, []byte(name)})
	}
	for i := range names {
		n.enhanced(uint32(i), (second+uint64(i))*1e6, 5, []byte("frame"))
	}
	path := filepath.Join(dir, file)
	if err := os.WriteFile(path, n.b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Each capture numbers its interfaces from 0. What a frame's number means stays so in the captures behind it and after the end: flows are
// written then.
func TestSeriesInterfaces(t *testing.T) {
	dir := t.TempDir()
	s, err := NewSeries([]string{
		captureOn(t, dir, "a", 10, "eth0", "eth1"),
		captureOn(t, dir, "b", 20, "eth1", "", "eth2"),
		captureOf(t, dir, "c", 30),
		captureOn(t, dir, "d", 40, "eth0"),
	}, Open, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	var numbers []uint16
	var batch [2]capture.Frame
	for {
		n, err := s.Next(batch[:])
		for _, f := range batch[:n] {
			numbers = append(numbers, f.Interface)
		}
		if err != nil {
			break
		}
	}
	var names []string
	for _, i := range numbers {
		names = append(names, s.InterfaceName(i))
	}
	if want := []string{"eth0", "eth1", "eth1", "", "eth2", "", "eth0"}; !slices.Equal(names, want) {
		t.Errorf("the frames came from %q, want %q", names, want)
	}
	if numbers[1] != numbers[2] || numbers[0] != numbers[6] {
		t.Errorf("an interface has two numbers: %d", numbers)
	}
}

func TestTooManyInterfaces(t *testing.T) {
	var n interfaces
	for i := range 1<<16 - 1 {
		if got := n.numberOf(fmt.Sprint("if", i)); n.name(got) != fmt.Sprint("if", i) {
			t.Fatalf("interface %d is called %q", i, n.name(got))
		}
	}
	if got := n.numberOf("one more"); got != 0 || n.name(got) != "" {
		t.Errorf("one more has number %d, named %q", got, n.name(got))
	}
	if got := n.numberOf("if7"); n.name(got) != "if7" {
		t.Errorf("if7 is called %q now", n.name(got))
	}
}
