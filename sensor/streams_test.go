package sensor_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// The laboratory of streams: the standard library's HTTP client and server talk TLS to each other, HTTP/1.1 or HTTP/2, in a bubble of
// virtual time, and what they write becomes the frames of a tape, a second of theirs costing nothing here.

// wire records what both ends of a connection write, and when.
type wire struct {
	mu    sync.Mutex
	notes []note
}

type note struct {
	at   time.Time
	down bool
	data []byte
}

// end is one end of a connection whose writes are recorded.
type end struct {
	net.Conn
	wire *wire
	down bool
}

// Write implements net.Conn.
func (e end) Write(b []byte) (int, error) {
	e.wire.mu.Lock()
	e.wire.notes = append(e.wire.notes, note{time.Now(), e.down, bytes.Clone(b)})
	e.wire.mu.Unlock()
	return e.Conn.Write(b)
}

// pass lets virtual time go by.
func pass(d time.Duration) { <-time.After(d) }

// pipes is a listener whose connections are pipes.
type pipes chan net.Conn

// Accept implements net.Listener.
func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

// Close implements net.Listener.
func (p pipes) Close() error { return nil }

// Addr implements net.Listener.
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// site is a stand-in server and what its visitors do.
type site struct {
	kind  string
	h1    bool // HTTP/1.1 only
	ai    bool
	serve func(w http.ResponseWriter, r *http.Request, dice *mrand.Rand)
	visit func(v *visitor)
}

// visitor is a client of a site.
type visitor struct {
	client *http.Client
	base   string
	dice   *mrand.Rand
}

func (v *visitor) between(a, b int) int { return a + v.dice.IntN(b-a+1) }

func (v *visitor) wait(from, to time.Duration) {
	pass(from + time.Duration(v.dice.Int64N(int64(to-from)+1)))
}

// ask makes a request with a body of so many bytes and reads the answer to its end.
func (v *visitor) ask(path string, body int) {
	method := http.MethodGet
	if body > 0 {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(context.Background(), method, v.base+path, bytes.NewReader(make([]byte, body)))
	if err != nil {
		return
	}
	response, err := v.client.Do(request)
	if err != nil {
		return // the visitor has left
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}

// events streams so many events of about size bytes, a mean pause apart, each in a segment of its own.
func events(w http.ResponseWriter, dice *mrand.Rand, n, size int, pause time.Duration) {
	w.Header().Set("Content-Type", "text/event-stream")
	for range n {
		pass(pause/4 + time.Duration(dice.ExpFloat64()*float64(pause)*3/4))
		_, _ = w.Write(make([]byte, size/2+dice.IntN(size)))
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
	}
}

// words answers like a language model: a pause for thought, then words at the pace of this model.
func words(perSecond, size int) func(http.ResponseWriter, *http.Request, *mrand.Rand) {
	return func(w http.ResponseWriter, r *http.Request, dice *mrand.Rand) {
		_, _ = io.Copy(io.Discard, r.Body)
		pass(time.Duration(200+dice.IntN(2500)) * time.Millisecond)
		events(w, dice, 30+dice.IntN(400), size, time.Second/time.Duration(perSecond))
	}
}

func converse(v *visitor) {
	v.ask("/", 0)
	for range v.between(1, 4) {
		v.ask("/conversation", v.between(150, 6000))
		v.wait(4*time.Second, 40*time.Second)
	}
}

// plain answers with as many bytes as the path says, after a little work.
func plain(w http.ResponseWriter, r *http.Request, dice *mrand.Rand) {
	_, _ = io.Copy(io.Discard, r.Body)
	pass(time.Duration(5+dice.IntN(80)) * time.Millisecond)
	n, _ := strconv.Atoi(r.URL.Path[1:])
	_, _ = w.Write(make([]byte, max(n, 200)))
}

// slow answers in pieces with pauses, as one behind a narrow line does.
func slow(piece int, pause time.Duration) func(http.ResponseWriter, *http.Request, *mrand.Rand) {
	return func(w http.ResponseWriter, r *http.Request, dice *mrand.Rand) {
		n, _ := strconv.Atoi(r.URL.Path[1:])
		for ; n > 0; n -= piece {
			_, _ = w.Write(make([]byte, piece))
			if http.NewResponseController(w).Flush() != nil {
				return
			}
			pass(pause/2 + time.Duration(dice.Int64N(int64(pause))))
		}
	}
}

// call speaks both ways at once, as a video call does that has to go through a TLS relay: a piece of sound every 20 ms, and pictures.
func call(v *visitor, picture int) {
	body, mouth := io.Pipe()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, v.base+"/"+strconv.Itoa(picture), body)
	if err != nil {
		return
	}
	seconds, seed := v.between(10, 40), v.dice.Uint64()
	go func() {
		dice := mrand.New(mrand.NewPCG(seed, 3))
		for range seconds * 50 {
			pass(20 * time.Millisecond)
			if _, err := mouth.Write(make([]byte, sound(dice, picture))); err != nil {
				return
			}
		}
		_ = mouth.Close()
	}()
	response, err := v.client.Do(request)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}

// sound is the size of the next piece of a call.
func sound(dice *mrand.Rand, picture int) int {
	if picture > 0 && dice.IntN(2) == 0 {
		return picture/2 + dice.IntN(picture)
	}
	return 80 + dice.IntN(100)
}

// answerCall is the other side of call.
func answerCall(w http.ResponseWriter, r *http.Request, dice *mrand.Rand) {
	picture, _ := strconv.Atoi(r.URL.Path[1:])
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex()
	heard := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, r.Body)
		close(heard)
	}()
	for {
		pass(20 * time.Millisecond)
		select {
		case <-heard:
			return
		default:
		}
		if _, err := w.Write(make([]byte, sound(dice, picture))); err != nil {
			return
		}
		if control.Flush() != nil {
			return
		}
	}
}

func size(v *visitor, from, to int) string { return fmt.Sprint("/", v.between(from, to)) }

// sites are what the laboratory knows: AI services, and what else a network does all day.
func sites() []site {
	return []site{
		{kind: "words, slowly", ai: true, serve: words(8, 160), visit: converse},
		{kind: "words", ai: true, serve: words(30, 180), visit: converse},
		{kind: "words, much around them", ai: true, serve: words(40, 340), visit: converse},
		{kind: "words, fast", ai: true, serve: words(90, 150), visit: converse},
		{kind: "words over HTTP/1.1", h1: true, ai: true, serve: words(25, 120), visit: converse},
		{kind: "pages", serve: plain, visit: func(v *visitor) {
			for range v.between(1, 4) {
				v.ask(size(v, 8000, 90_000), 0)
				var parts sync.WaitGroup
				for range v.between(5, 30) {
					path := size(v, 300, 60_000)
					parts.Go(func() { v.ask(path, 0) })
				}
				parts.Wait()
				v.wait(3*time.Second, 30*time.Second)
			}
		}},
		{kind: "pages over HTTP/1.1", h1: true, serve: plain, visit: func(v *visitor) {
			for range v.between(3, 25) {
				v.ask(size(v, 300, 40_000), 0)
			}
		}},
		{kind: "a mail box", serve: plain, visit: func(v *visitor) {
			for range v.between(5, 40) {
				v.ask(size(v, 300, 9000), v.between(80, 900))
				v.wait(500*time.Millisecond, 20*time.Second)
			}
		}},
		{kind: "search as one types", serve: plain, visit: func(v *visitor) {
			for range v.between(10, 60) {
				v.ask(size(v, 300, 1100), 0)
				v.wait(60*time.Millisecond, 300*time.Millisecond)
			}
		}},
		{kind: "a download", serve: slow(64_000, 20*time.Millisecond), visit: func(v *visitor) { v.ask(size(v, 500_000, 4_000_000), 0) }},
		{kind: "a slow download", serve: slow(3000, 30*time.Millisecond), visit: func(v *visitor) { v.ask(size(v, 200_000, 900_000), 0) }},
		{kind: "a video", serve: plain, visit: func(v *visitor) {
			for range v.between(5, 30) {
				v.ask(size(v, 150_000, 600_000), 0)
				v.wait(2*time.Second, 6*time.Second)
			}
		}},
		{kind: "an upload", serve: plain, visit: func(v *visitor) { v.ask("/300", v.between(200_000, 3_000_000)) }},
		{kind: "a chat among people", serve: func(w http.ResponseWriter, r *http.Request, dice *mrand.Rand) {
			_, _ = io.Copy(io.Discard, r.Body)
			if r.Method == http.MethodGet {
				pass(time.Duration(dice.Int64N(int64(20 * time.Second))))
			}
			_, _ = w.Write(make([]byte, 100+dice.IntN(700)))
		}, visit: func(v *visitor) {
			for range v.between(10, 60) {
				v.ask("/poll", 0)
				if v.dice.IntN(3) == 0 {
					v.ask("/say", v.between(40, 400))
				}
			}
		}},
		{kind: "a video call", serve: answerCall, visit: func(v *visitor) { call(v, 900) }},
		{kind: "a call without pictures", serve: answerCall, visit: func(v *visitor) { call(v, 0) }},
		{kind: "notices", serve: func(w http.ResponseWriter, _ *http.Request, dice *mrand.Rand) {
			events(w, dice, 5+dice.IntN(60), 250, 6*time.Second)
		},
			visit: func(v *visitor) { v.ask("/events", 0) }},
	}
}

// certificate is one for every name.
func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"*.example"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// play plays one visit and returns what each of its connections wrote.
func (s *site) play(t *testing.T, cert tls.Certificate, name string, seed uint64) (wires []*wire) {
	synctest.Test(t, func(*testing.T) {
		listener := make(pipes)
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.serve(w, r, mrand.New(mrand.NewPCG(seed, uint64(time.Now().UnixNano()))))
		}), ReadHeaderTimeout: time.Hour}
		conf := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}
		if s.h1 {
			conf.NextProtos = conf.NextProtos[1:]
		}
		server.TLSConfig = conf
		var served sync.WaitGroup
		served.Go(func() { _ = server.ServeTLS(listener, "", "") })
		transport := &http.Transport{ForceAttemptHTTP2: !s.h1, MaxConnsPerHost: 6,
			TLSClientConfig: &tls.Config{ServerName: name, InsecureSkipVerify: true},
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				w := &wire{}
				wires = append(wires, w)
				near, far := net.Pipe()
				listener <- end{far, w, true}
				return end{near, w, false}, nil
			}}
		s.visit(&visitor{&http.Client{Transport: transport}, "https://" + name, mrand.New(mrand.NewPCG(seed, 1))})
		transport.CloseIdleConnections()
		close(listener)
		_ = server.Close()
		served.Wait()
	})
	return wires
}

// put lays the segments of a connection on the tape: of at most 1400 bytes, each with its acknowledgement.
func (w *wire) put(p *tape, from, to netip.AddrPort, start time.Time) {
	begun := w.notes[0].at
	at := func(n time.Time) int64 { return start.Add(n.Sub(begun)).UnixNano() - 1e6 }
	p.now = at(begun)
	c := p.dial(from, to, uint32(from.Port())<<8)
	for _, n := range w.notes {
		p.now = max(p.now, at(n.at))
		for chunk := range slices.Chunk(n.data, 1400) {
			p.now -= 999e3 // a microsecond after the one before: the tape moves on by itself
			if n.down {
				c.hear(chunk)
			} else {
				c.say(chunk)
			}
		}
	}
	p.tcp(from, to, fin|ack, c.up, c.down, nil)
	p.tcp(to, from, fin|ack, c.down, c.up+1, nil)
}

// office makes a day of so many hosts. Each visits some of the ordinary sites; every AI service has a few visitors.
func office(t *testing.T, hosts, perKind int, seed uint64) (p *tape, ai []string) {
	t.Helper()
	p = newTape()
	cert := certificate(t)
	dice := mrand.New(mrand.NewPCG(seed, 2))
	port := uint16(1024)
	visit := func(s *site, name string, number, host int) {
		for _, w := range s.play(t, cert, name, dice.Uint64()) {
			if port++; len(w.notes) == 0 {
				continue
			}
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(host >> 8), byte(host)}), max(1024, port))
			to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(number)}), 443)
			w.put(p, from, to, time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC).Add(time.Duration(dice.Int64N(int64(8*time.Hour)))))
		}
	}
	all := sites()
	var plainOnes []int
	for k := range all {
		if !all[k].ai {
			plainOnes = append(plainOnes, k)
			continue
		}
		for i := range perKind {
			name := fmt.Sprintf("www.thing-%d-%d.example", k, i)
			ai = append(ai, name)
			for range 1 + dice.IntN(3) {
				visit(&all[k], name, k*10+i, dice.IntN(hosts))
			}
		}
	}
	for host := range hosts {
		for range 3 {
			k := plainOnes[dice.IntN(len(plainOnes))]
			i := dice.IntN(5)
			visit(&all[k], fmt.Sprintf("www.site-%d-%d.example", k, i), k*10+i, host)
		}
	}
	slices.SortStableFunc(p.frames, func(a, b capture.Frame) int { return cmp.Compare(a.Time, b.Time) })
	return p, ai
}

// Made-up AI services that stream their answers are found by their pace alone, among the sites, videos, downloads, uploads and chats of an
// office, none of which is taken for one.
func TestStreams(t *testing.T) {
	const hosts, perKind = 60, 2
	p, ai := office(t, hosts, perKind, 1)
	table := candidates.New(candidates.Default())
	conf := settings()
	conf.Unlisted = table
	s, err := sensor.New(conf, p, classifier(t), &recorder{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	days := table.Open()
	if len(days) != 1 {
		t.Fatalf("%d days", len(days))
	}
	found := map[string]candidates.Candidate{}
	for _, c := range candidates.Judge(days[0]) {
		found[c.Name.Name] = c
	}
	hits := 0
	for _, name := range ai {
		if _, ok := found[name]; ok {
			hits++
			delete(found, name)
		}
	}
	t.Logf("%d hosts, %d frames, %d names: %d of %d AI services found, %d others taken for one", hosts, len(p.frames), len(days[0].Names), hits, len(ai), len(found))
	if hits*10 < len(ai)*8 {
		t.Errorf("%d of %d AI services were found; want 80 %%", hits, len(ai))
	}
	for name, c := range found {
		t.Errorf("%s was taken for an AI service: %q", name, c.Evidence)
	}
}
