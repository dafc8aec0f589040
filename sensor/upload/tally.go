package upload

// Estimate is what is known of a connection's uploads at some moment. Everything in it only grows.
type Estimate struct {
	Bytes, Low, High uint64
	// Bursts is how many times the client began to speak, at first or after an answer of the server.
	Bursts uint32
	// Turns is how many of the bursts look like a prompt: a body of the size that a person writes or pastes, and an answer.
	Turns uint32
	// Largest is the largest burst, by Bytes.
	Largest uint64
}

// Sizes of request heads. HTTP sets none (RFC 9110, section 5.4 leaves limits to servers, which commonly refuse more than 8 KiB).
const (
	// headTypical is a head of which nothing else is known: a request line, Host, User-Agent, Accept and Content-* come to 110 to 250
	// bytes in programs, and to 250 to 700 in browsers without cookies (measured on the clients of testdata/lab).
	headTypical = 400
	// headLeast is the smallest head of a request with a body: a frame's header and a dozen fields, each by its index (RFC 7541, section 6.1).
	headLeast = 20
	// headAlone is up to which size what the client says in one piece may well be a head without body.
	headAlone = 1200
	// headMost is what a head with a token may take, headCookies one of a browser with cookies.
	headMost, headCookies = 2048, 4096
)

const (
	// promptMost is the largest body that counts as a prompt; a file beyond it is no turn of a conversation.
	promptMost = 256 << 10
	// promptLeast is the smallest burst that can be a prompt at all: a head and a few words.
	promptLeast = 200
)

// tally adds up bursts.
type tally struct {
	Estimate
	burst    uint64 // Bytes of the current burst
	said     uint64 // everything the client said in it that is not certainly overhead
	down     uint64 // what the server has answered since
	open     bool   // a burst has begun
	answered bool   // the server has answered it
	turn     bool   // it was counted as a turn
	head     uint32 // what the burst began with, if it is not decided yet; 0: it is
	learned  uint32 // size of the connection's last head that stood alone; 0: none did
	rhythm   rhythm
}

// begin opens a burst at a time.
func (t *tally) begin(at int64) {
	t.end()
	t.open, t.answered, t.turn = true, false, false
	t.burst, t.said, t.down = 0, 0, 0
	t.Bursts++
	t.rhythm.began(at)
}

// end closes the current burst.
func (t *tally) end() {
	if !t.open {
		return
	}
	t.rhythm.ended(t.burst, t.said, t.down)
	t.open = false
}

// answer notes n bytes that the server said.
func (t *tally) answer(n uint64) {
	if !t.open {
		return
	}
	t.answered = true
	t.down += n
	if !t.turn && t.down >= answerLeast && t.prompt() {
		t.turn = true
		t.Turns++
	}
}

// prompt says whether the burst has the size of one.
func (t *tally) prompt() bool {
	return t.said >= promptLeast && t.burst <= promptMost && (t.burst > 0 || t.said > headAlone/2)
}

// add counts body bytes.
func (t *tally) add(bytes, low, high uint64) {
	high = max(high, bytes)
	t.Bytes += bytes
	t.Low += min(low, bytes)
	t.High += high
	t.burst += bytes
	t.said += high
	t.Largest = max(t.Largest, t.burst)
}

// doubt counts bytes that may be body but probably are none.
func (t *tally) doubt(n uint64) { t.add(0, 0, n) }

// mixed counts a head and the beginning of its body in one piece of n bytes, of which most may be head.
func (t *tally) mixed(n, most uint64) {
	head := uint64(headTypical)
	if t.learned > 0 {
		head = uint64(t.learned)
	}
	t.add(less(n, head), less(n, most), less(n, headLeast))
}

// less is a-b, and 0 where that would be negative.
func less(a, b uint64) uint64 {
	if a < b {
		return 0
	}
	return a - b
}
