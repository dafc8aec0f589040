package elasticsearch

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// StatusError is an answer that refuses a request as a whole.
type StatusError struct {
	Status int
	Reason string
}

// Error implements error.
func (e *StatusError) Error() string {
	hint := ""
	switch {
	case e.Status == http.StatusUnauthorized:
		hint = "; the API key or password is not accepted: check elasticsearch.api_key_file or elasticsearch.password_file, and that the key has not expired"
	case e.Status == http.StatusForbidden && strings.HasPrefix(e.Reason, "security_exception"):
		hint = "; the user or API key lacks a privilege"
	}
	return strings.TrimSpace(fmt.Sprintf("it answers %d %s", e.Status, e.Reason)) + hint
}

// maxReason bounds what is kept of a reason, in bytes.
const maxReason = 512

// maxCauses bounds how deep a cause is looked for.
const maxCauses = 8

// cause is why something was refused, as a server says it.
type cause struct {
	Type   string `json:"type"`
	Reason string `json:"reason"`
	// CausedBy is what lies below it.
	CausedBy *cause `json:"caused_by"`
	// Shards are the parts that refused, each for a reason of its own.
	Shards []struct {
		Index  string `json:"index"`
		Reason *cause `json:"reason"`
	} `json:"failed_shards"`
}

// ofSearch is the type of an error that says no more than that shards have refused, or their answers could not be put together.
const ofSearch = "search_phase_execution_exception"

// Reason is what the error in an answer says, in one line. Where it says only that shards have refused, it is what the first of them says.
func Reason(answer []byte) string {
	var said struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(answer, &said) != nil {
		return "without a reason that could be read"
	}
	var c cause
	if json.Unmarshal(said.Error, &c) == nil && c.Type != "" {
		return oneLine(c.String())
	}
	var text string
	if json.Unmarshal(said.Error, &text) == nil {
		return oneLine(text)
	}
	return ""
}

// String is the cause that says most, and what lies at the bottom of it.
func (c *cause) String() string {
	top, index := c.telling()
	says := top.Type + ": " + top.Reason
	if bottom := top.bottom(); bottom.Reason != "" && !strings.Contains(says, bottom.Reason) {
		says += ": " + bottom.Reason
	}
	if index != "" && !strings.Contains(says, index) {
		says += " (in " + index + ")"
	}
	return says
}

// telling is the first cause that says more than that a search went wrong, and in which index it did, if that is said.
func (c *cause) telling() (top *cause, index string) {
	switch {
	case c.Type != ofSearch:
	case len(c.Shards) > 0 && c.Shards[0].Reason != nil:
		return c.Shards[0].Reason, c.Shards[0].Index
	case c.CausedBy != nil:
		return c.CausedBy, ""
	}
	return c, ""
}

// bottom is the cause of causes.
func (c *cause) bottom() *cause {
	for range maxCauses {
		if c.CausedBy == nil {
			break
		}
		c = c.CausedBy
	}
	return c
}

// oneLine bounds a text from outside and takes out what a terminal or a log might obey.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "?")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "") + "..."
	}
	return s
}
