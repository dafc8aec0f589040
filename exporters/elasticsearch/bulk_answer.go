package elasticsearch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/gnomon-sensor/gnomon/exporters"
)

// errNoID is for a record that could not be told from itself.
var errNoID = errors.New("it has no event.id that can be an _id: 1 to 512 printable characters")

// isID says whether an event.id can be an _id: of no more than 512 bytes, as Elasticsearch has it, and without what JSON would escape.
func isID(id string) bool {
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return len(id) > 0 && len(id) <= 512
}

// whole is what became of a request as a whole.
type whole uint8

const (
	wholeAnswered  whole = iota // each record has an answer of its own
	wholeRefused                // nothing was done; try again
	wholeUnknown                // something may have been done; try again
	wholeTooLarge               // it is too large; try its halves
	wholeMalformed              // something in it spoils the rest; try its halves
)

// wholeVerdict is that, and why.
type wholeVerdict struct {
	whole  whole
	silent bool // there was no answer
	reason string
}

// judge tells the fate of a request by its answer.
func judge(status int, header http.Header, answer []byte, err error) wholeVerdict {
	if err != nil {
		return wholeVerdict{whole: wholeUnknown, silent: true, reason: err.Error()}
	}
	v := wholeVerdict{whole: wholeRefused, reason: (&StatusError{Status: status, Reason: Reason(answer)}).Error()}
	switch {
	case status == http.StatusOK:
		return wholeVerdict{}
	case status == http.StatusRequestEntityTooLarge:
		v.whole = wholeTooLarge
	case status == http.StatusBadRequest && spoiled(answer):
		v.whole = wholeMalformed
	case status >= http.StatusInternalServerError: // perhaps of somebody before the nodes, who has lost sight of the request
		v.whole, v.silent = wholeUnknown, status == http.StatusGatewayTimeout
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		v.reason = fmt.Sprintf("it answers %d and sends elsewhere (%s); check elasticsearch.addresses", status, oneLine(header.Get("Location")))
	}
	return v
}

// spoiled says whether the answer 400 is Elasticsearch's word on what is in the request. Somebody else who does not understand it, as a web
// server that wants TLS, says nothing about records.
func spoiled(answer []byte) bool {
	var said struct {
		Error struct {
			Type string `json:"type"`
		} `json:"error"`
	}
	if json.Unmarshal(answer, &said) != nil {
		return false
	}
	switch said.Error.Type {
	case "", "security_exception", "media_type_header_exception", "content_too_long_exception", clusterFull:
		return false
	}
	return true
}

// item is the answer to one record.
type item struct {
	Status       int       `json:"status"`
	FailureStore string    `json:"failure_store"`
	Error        itemError `json:"error"`
}

type itemError struct {
	Type     string `json:"type"`
	Reason   string `json:"reason"`
	CausedBy struct {
		Reason string `json:"reason"`
	} `json:"caused_by"`
}

// created is the answer to a record that is new, and before and after are what stands around such answers: as long as nothing else happens,
// an answer is that and nothing more.
const (
	before  = `{"errors":false,"items":[`
	created = `{"create":{"status":201}}`
	after   = `]}`
)

// errItems is for an answer that does not say what became of each record.
var errItems = errors.New("the answer does not say what became of each record; it may come from something else than Elasticsearch")

// parseItems reads the answers to want records, in their order.
func parseItems(answer []byte, want int, items []item) ([]item, error) {
	items = items[:0]
	if allCreated(answer, want) {
		for range want {
			items = append(items, item{Status: http.StatusCreated})
		}
		return items, nil
	}
	var said struct {
		Items []map[string]item `json:"items"`
	}
	if err := json.Unmarshal(answer, &said); err != nil || len(said.Items) != want {
		return items, errItems
	}
	for _, one := range said.Items {
		for _, it := range one { // there is one: {"create": ...}
			items = append(items, it)
		}
	}
	if len(items) != want {
		return items[:0], errItems
	}
	return items, nil
}

// allCreated says whether an answer says of all records that they are new. Decoding the same as JSON takes 200 times as long.
func allCreated(answer []byte, want int) bool {
	rest, ok := bytes.CutPrefix(answer, []byte(before))
	if !ok || len(rest) != want*(len(created)+1)-1+len(after) {
		return false
	}
	for i := range want {
		if i > 0 {
			if rest[0] != ',' {
				return false
			}
			rest = rest[1:]
		}
		if rest, ok = bytes.CutPrefix(rest, []byte(created)); !ok {
			return false
		}
	}
	return string(rest) == after
}

// Types of errors that decide what is done.
const (
	versionConflict = "version_conflict_engine_exception" // the id is there
	clusterFull     = "validation_exception"              // an index cannot be made now: there are as many shards as may be
)

// outcome is what becomes of a record. Only what is wrong with the record itself is refused for good: a missing index, a missing privilege, a
// full disk and a full cluster are for somebody to put right, and meanwhile the spool keeps the records.
func (i *item) outcome() exporters.Outcome {
	switch {
	case i.FailureStore == "used":
		return exporters.Outcome{State: exporters.Never, Reason: "it is in the failure store of the data stream: " + i.reason()}
	case i.Status == http.StatusCreated || i.Status == http.StatusOK:
		return exporters.Outcome{State: exporters.Stored}
	case i.Status == http.StatusConflict && i.Error.Type == versionConflict:
		return exporters.Outcome{State: exporters.Stored, Duplicate: true}
	case i.Status == http.StatusBadRequest && i.Error.Type != clusterFull, i.Status == http.StatusRequestEntityTooLarge:
		return exporters.Outcome{State: exporters.Never, Reason: i.reason()}
	}
	return exporters.Outcome{State: exporters.Again, Reason: i.reason()}
}

// reason is what an operator reads.
func (i *item) reason() string {
	s := fmt.Sprintf("%d %s: %s", i.Status, i.Error.Type, i.Error.Reason)
	if i.Error.CausedBy.Reason != "" {
		s += ": " + i.Error.CausedBy.Reason
	}
	return oneLine(s)
}
