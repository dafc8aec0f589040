package afpacket

import (
	"bytes"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

func TestLiveFrame(t *testing.T) {
	if !namespace(t) {
		return
	}
	veth(t, "gnx0", "gnx1")
	source := open(t, Config{Interfaces: []string{"gnx1"}, Promiscuous: true})[0]
	before := time.Now().UnixNano()
	sent := datagram(1000, 2000, 7)
	newSender(t, "gnx0").send(sent)
	f := collect(t, source, 1)[0]
	if !bytes.Equal(f.Data, sent) || f.WireLen != uint32(len(sent)) || f.Link != 1 || f.VLANValid {
		t.Errorf("got %+v, want %x", f.Frame, sent)
	}
	if f.Time < before || f.Time > time.Now().UnixNano() {
		t.Errorf("time %d is not between %d and now", f.Time, before)
	}
	if name := source.(capture.Named).InterfaceName(f.Interface); name != "gnx1" {
		t.Errorf("the interface is %q, want gnx1", name)
	}
	for now := source.(capture.Clocked).Now; now() < f.Time; {
		if _, err := next(t, source); err != nil {
			t.Fatal(err)
		}
	}
	if stats := source.(capture.Counted).Stats(); stats.Received == 0 || stats.Dropped != 0 {
		t.Errorf("stats are %+v", stats)
	}
	if source.Name() != "gnx1" {
		t.Errorf("the source is called %q", source.Name())
	}
}

func TestLiveSnaplen(t *testing.T) {
	if !namespace(t) {
		return
	}
	veth(t, "gnx0", "gnx1")
	source := open(t, Config{Interfaces: []string{"gnx1"}, Snaplen: 64})[0]
	sent := append(datagram(1000, 2000, 7), make([]byte, 900)...)
	newSender(t, "gnx0").send(sent)
	if f := collect(t, source, 1)[0]; len(f.Data) != 64 || f.WireLen != uint32(len(sent)) {
		t.Errorf("%d bytes of %d, want 64 of %d", len(f.Data), f.WireLen, len(sent))
	}
}

// TestLiveTag sends tagged frames over a veth, which takes the outer tag out as network cards do.
func TestLiveTag(t *testing.T) {
	if !namespace(t) {
		return
	}
	veth(t, "gnx0", "gnx1")
	source := open(t, Config{Interfaces: []string{"gnx1"}})[0]
	out := newSender(t, "gnx0")
	for _, tt := range []struct {
		name  string
		tag   []byte
		tci   uint16
		proto uint16
		inner []byte // tags that stay in the frame
	}{
		{"802.1Q", []byte{0x81, 0x00, 0x60, 0x0c}, 0x600c, 0x8100, nil},
		{"802.1Q, VLAN 0", []byte{0x81, 0x00, 0x00, 0x00}, 0, 0x8100, nil},
		{"802.1ad", []byte{0x88, 0xa8, 0x00, 0x63}, 0x63, 0x88a8, nil},
		{"two tags", []byte{0x88, 0xa8, 0x00, 0x63, 0x81, 0x00, 0x00, 0x0c}, 0x63, 0x88a8, []byte{0x81, 0x00, 0x00, 0x0c}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out.send(datagram(1000, 2000, 1, tt.tag...))
			f := collect(t, source, 1)[0]
			if !f.VLANValid || f.VLAN != tt.tci || f.VLANProto != tt.proto {
				t.Errorf("tag %v %#x of %#x, want %#x of %#x", f.VLANValid, f.VLAN, f.VLANProto, tt.tci, tt.proto)
			}
			if want := datagram(1000, 2000, 1, tt.inner...); !bytes.Equal(f.Data, want) {
				t.Errorf("frame %x, want %x", f.Data, want)
			}
		})
	}
}

// TestLiveTap sends one conversation over two interfaces, every frame on the other than the one before.
func TestLiveTap(t *testing.T) {
	if !namespace(t) {
		return
	}
	veth(t, "gnx0", "gnx1")
	veth(t, "gny0", "gny1")
	source := open(t, Config{Taps: [][]string{{"gnx1", "gny1"}}})[0]
	there, back := newSender(t, "gnx0"), newSender(t, "gny0")
	const count = 2000
	for i := range count / 2 {
		there.send(datagram(1000, 2000, 2*i))
		back.send(datagram(2000, 1000, 2*i+1))
	}
	frames := collect(t, source, count)
	inOrder(t, frames, count)
	for _, f := range frames {
		want := "gnx1"
		if f.from > f.to {
			want = "gny1"
		}
		if name := source.(capture.Named).InterfaceName(f.Interface); name != want {
			t.Fatalf("frame %d is of %q, want %q", f.number, name, want)
		}
	}
}

// TestLiveQuietSide sees that an interface without traffic holds the other up for no longer than the kernel holds a block.
func TestLiveQuietSide(t *testing.T) {
	if !namespace(t) {
		return
	}
	veth(t, "gnx0", "gnx1")
	veth(t, "gny0", "gny1")
	source := open(t, Config{Taps: [][]string{{"gnx1", "gny1"}}})[0]
	out := newSender(t, "gnx0")
	fastest := patience
	for i := range 20 { // the quickest of several: the machine may be busy
		out.send(datagram(1000, 2000, i))
		f := collect(t, source, 1)[0]
		fastest = min(fastest, time.Duration(time.Now().UnixNano()-f.Time))
	}
	if fastest > 100*time.Millisecond {
		t.Errorf("frames come %v late, want about 30ms", fastest)
	}
}

// TestLiveFanout sees that both directions of a flow, on both interfaces of a tap, come from the same worker.
func TestLiveFanout(t *testing.T) {
	if !namespace(t) {
		return
	}
	veth(t, "gnx0", "gnx1")
	veth(t, "gny0", "gny1")
	sources := open(t, Config{Taps: [][]string{{"gnx1", "gny1"}}, Workers: 2})
	there, back := newSender(t, "gnx0"), newSender(t, "gny0")
	sendConversations(there, back)
	oneWorkerEach(t, sources)

	ip(t, "link set gnx1 down") // the order of the workers has to survive this on one of the two
	up(t, "gnx1", "gnx0")
	sendConversations(there, back)
	oneWorkerEach(t, sources)
}

const conversations, rounds = 64, 4

func sendConversations(there, back *sender) {
	for range rounds {
		for c := range uint16(conversations) {
			there.send(datagram(1000+c, 2000, int(c)))
			back.send(datagram(2000, 1000+c, int(c)))
		}
	}
}

// oneWorkerEach reads all conversations from all workers.
func oneWorkerEach(t *testing.T, sources []capture.Source) {
	t.Helper()
	worker := map[int]int{} // by conversation
	counts := make([]int, len(sources))
	total := 0
	for deadline := time.Now().Add(patience); total < 2*conversations*rounds; {
		for i, source := range sources {
			frames, err := next(t, source)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range frames {
				if w, ok := worker[f.number]; ok && w != i {
					t.Fatalf("conversation %d comes from workers %d and %d", f.number, w, i)
				}
				worker[f.number] = i
				counts[i]++
				total++
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v frames came, want %d in all", counts, 2*conversations*rounds)
		}
	}
	for i, n := range counts {
		if n < total/8 {
			t.Errorf("worker %d got %d frames of %d", i, n, total)
		}
	}
}

func TestLiveLoopbackOnce(t *testing.T) {
	if !namespace(t) {
		return
	}
	enter := here(t)
	for _, name := range []string{"lo", AnyInterface} {
		t.Run(name, func(t *testing.T) {
			enter(t)
			source := open(t, Config{Interfaces: []string{name}})[0]
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			self := unix.SockaddrInet4{Port: 3456, Addr: [4]byte{127, 0, 0, 1}}
			if err := unix.Bind(fd, &self); err != nil {
				t.Fatal(err)
			}
			const count = 100
			for i := range count {
				if err := unix.Sendto(fd, append([]byte(marker), byte(i>>8), byte(i)), 0, &self); err != nil {
					t.Fatal(err)
				}
			}
			frames := finish(t, source)
			inOrder(t, frames, count)
		})
	}
}

// TestLiveAny captures Ethernet and a tunnel without link layer at once, also on an interface that was made after Open.
func TestLiveAny(t *testing.T) {
	if !namespace(t) {
		return
	}
	veth(t, "gnx0", "gnx1")
	source := open(t, Config{Interfaces: []string{AnyInterface}, Promiscuous: true})[0]
	newSender(t, "gnx0").send(datagram(1000, 2000, 0))
	ip(t, "tuntap add gnt0 mode tun")
	tun := openTun(t, "gnt0")
	ip(t, "link set gnt0 up")
	packet := datagram(1000, 2000, 1)[14:]
	if _, err := unix.Write(tun, packet); err != nil {
		t.Fatal(err)
	}
	frames := collect(t, source, 3)
	got := map[string]capture.LinkType{}
	for _, f := range frames {
		name := source.(capture.Named).InterfaceName(f.Interface)
		got[name] = f.Link
		if name == "gnt0" && !bytes.Equal(f.Data, packet) {
			t.Errorf("on the tunnel: %x, want %x", f.Data, packet)
		}
	}
	if len(got) != 3 || got["gnx0"] != 1 || got["gnx1"] != 1 || got["gnt0"] != 101 {
		t.Errorf("link types are %v, want 1 on gnx0 and gnx1 and 101 on gnt0", got)
	}
}

// openTun attaches to a tunnel interface: what is written to it is received on the interface.
func openTun(t *testing.T, name string) int {
	t.Helper()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		t.Fatal(err)
	}
	ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
		t.Fatal(err)
	}
	return fd
}

// TestLiveAnyFanout shares all interfaces between workers: no frame is missing, none comes twice.
func TestLiveAnyFanout(t *testing.T) {
	if !namespace(t) {
		return
	}
	veth(t, "gnx0", "gnx1")
	sources := open(t, Config{Interfaces: []string{AnyInterface}, Workers: 2})
	out := newSender(t, "gnx0")
	const count = 200
	for i := range count {
		out.send(datagram(uint16(1000+i), 2000, i))
	}
	times := map[int]int{}
	for _, source := range sources {
		for _, f := range finish(t, source) {
			times[f.number]++
		}
	}
	for i := range count {
		if times[i] != 2 { // once where it went out, once where it came in
			t.Errorf("frame %d came %d times, want 2", i, times[i])
		}
	}
}
