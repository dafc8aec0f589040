package bundle

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Compare orders versions by their numbers: below zero if a is older than b. What is no version is older than any.
func Compare(a, b string) int {
	x, y := numbers(a), numbers(b)
	if x == nil || y == nil {
		return cmp.Compare(len(x), len(y))
	}
	return slices.Compare(x, y)
}

// numbers reads a version: one to four numbers with dots between them, which is a safe name for a directory too. Nil: it is none.
func numbers(version string) []uint32 {
	var out []uint32
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil || len(out) == 4 || part != strconv.FormatUint(n, 10) {
			return nil
		}
		out = append(out, uint32(n))
	}
	return out
}
