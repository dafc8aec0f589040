//go:build !amd64

package quic

// powers stand for nothing where no instruction for it is used here.
type powers struct{}

func multiplies() bool { return false }

func (*powers) of(element) {}

func (*powers) blocks(*element, []byte) {}
