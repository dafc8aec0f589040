package input

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// digests remember the bodies that were taken last: who got no answer sends a body again.
type digests struct{ all [][sha256.Size]byte }

// maxDigests bounds how many are remembered.
const maxDigests = 512

func (d *digests) has(sum [sha256.Size]byte) bool { return slices.Contains(d.all, sum) }

func (d *digests) add(sum [sha256.Size]byte) {
	if len(d.all) >= maxDigests {
		d.all = slices.Delete(d.all, 0, maxDigests/4)
	}
	d.all = append(d.all, sum)
}

func (d *digests) list() []string {
	var out []string
	for i := range d.all {
		out = append(out, hex.EncodeToString(d.all[i][:]))
	}
	return out
}

func (d *digests) restore(list []string) {
	for _, text := range list {
		if b, err := hex.DecodeString(text); err == nil && len(b) == sha256.Size {
			d.add([sha256.Size]byte(b))
		}
	}
}
