package afpacket

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestNames(t *testing.T) {
	known := map[int32]string{4: "eth0", 7: "tun0"}
	lookups := 0
	table := newNameTable([]string{AnyInterface}, func(i int32) (string, error) {
		lookups++
		if name, ok := known[i]; ok {
			return name, nil
		}
		if i > 1000 {
			return "many", nil
		}
		return "", unix.ENODEV
	})
	for _, tt := range []struct {
		name  string
		index int32
		want  string
	}{
		{"first", 7, "tun0"},
		{"second", 4, "eth0"},
		{"first again", 7, "tun0"},
		{"gone", 5, AnyInterface},
		{"none", 0, AnyInterface},
		{"second again", 4, "eth0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := table.name(table.number(tt.index)); got != tt.want {
				t.Errorf("interface %d is %q, want %q", tt.index, got, tt.want)
			}
		})
	}
	if lookups > 4 {
		t.Errorf("the kernel was asked %d times about 4 interfaces", lookups)
	}
	for i := int32(1001); i < 1001+2*maxNames; i++ {
		table.number(i)
	}
	if n := len(*table.names.Load()); n > maxNames {
		t.Errorf("%d names are kept, at most %d should be", n, maxNames)
	}
	if got := table.name(0xffff); got != "" {
		t.Errorf("interface 65535 is %q, want none", got)
	}
}
