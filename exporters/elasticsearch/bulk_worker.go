package elasticsearch

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/klauspost/compress/gzip"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// worker sends one request at a time. Its buffers stay from one to the next.
type worker struct {
	e          *Exporter
	body       []byte
	at         []int // of the records in body: their places in the part
	ends       []int // where each ends in body
	compressed bytes.Buffer
	gzip       *gzip.Writer
	answer     []byte
	items      []item
}

func newWorker(e *Exporter) *worker {
	w := &worker{e: e}
	w.gzip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is one
	return w
}

// export sends a part of a batch, in as many requests as its size asks for. After one that failed as a whole the rest is left for later.
func (w *worker) export(ctx context.Context, part []event.Event, out []exporters.Outcome) {
	reason := ""
	for next := 0; next < len(part); {
		next = w.fill(part, out, next)
		if reason == "" {
			reason = w.deliver(ctx, part, out)
			continue
		}
		w.leave(out, 0, len(w.at), reason)
	}
}

// fill writes the next request, and returns where the one after it begins.
func (w *worker) fill(part []event.Event, out []exporters.Outcome, next int) int {
	w.body, w.at, w.ends = w.body[:0], w.at[:0], w.ends[:0]
	for bound := w.e.size.bound(); next < len(part) && len(w.at) < perRequest; next++ {
		ev := &part[next]
		if !w.e.sent[ev.Event.Dataset] {
			out[next] = exporters.Outcome{State: exporters.Stored}
			continue
		}
		before := len(w.body)
		if err := w.add(ev); err != nil {
			w.body = w.body[:before]
			out[next] = exporters.Outcome{State: exporters.Never, Reason: err.Error()}
			continue
		}
		if len(w.body) > bound && len(w.at) > 0 {
			w.body = w.body[:before] // it begins the next request
			return next
		}
		w.at, w.ends = append(w.at, next), append(w.ends, len(w.body))
	}
	return next
}

// add writes a record: a line that says where to, and the record's own.
func (w *worker) add(ev *event.Event) error {
	if !isID(ev.Event.ID) {
		return errNoID
	}
	b := append(w.body, `{"create":{"_index":"`...)
	b = w.e.config.appendIndex(b, ev.Event.Dataset, ev.Timestamp)
	b = append(b, `","_id":"`...)
	b = append(b, ev.Event.ID...)
	b = append(b, "\"}}\n"...)
	b, err := ev.AppendJSON(b)
	if err != nil {
		return fmt.Errorf("writing a record as JSON: %w", err)
	}
	w.body = append(b, '\n')
	return nil
}

// text is the lines of some of the records.
func (w *worker) text(from, to int) []byte {
	begin := 0
	if from > 0 {
		begin = w.ends[from-1]
	}
	return w.body[begin:w.ends[to-1]]
}

// deliver sends the records that fill has written, but those that are there already. It returns why they could not be sent as a whole.
func (w *worker) deliver(ctx context.Context, part []event.Event, out []exporters.Outcome) (reason string) {
	if w.inDoubt(part) {
		there, err := w.find(ctx, part)
		if err != nil {
			w.leave(out, 0, len(w.at), err.Error())
			return err.Error()
		}
		w.leaveOut(part, out, there)
	}
	if len(w.at) == 0 {
		return ""
	}
	return w.send(ctx, out, 0, len(w.at))
}

// leave leaves some of the records for later.
func (w *worker) leave(out []exporters.Outcome, from, to int, reason string) {
	for _, i := range w.at[from:to] {
		out[i] = exporters.Outcome{State: exporters.Again, Reason: reason}
	}
}

// send sends some of the records, and says what became of them.
func (w *worker) send(ctx context.Context, out []exporters.Outcome, from, to int) (reason string) {
	text := w.text(from, to)
	status, header, err := w.post(ctx, text)
	v := judge(status, header, w.answer, err)
	if v.whole == wholeAnswered {
		if w.items, err = parseItems(w.answer, to-from, w.items); err != nil {
			v = wholeVerdict{whole: wholeUnknown, reason: err.Error()}
		}
	}
	switch v.whole {
	case wholeAnswered:
		w.e.size.answered()
		for k := range w.items {
			out[w.at[from+k]] = w.items[k].outcome()
		}
		return ""
	case wholeTooLarge, wholeMalformed:
		return w.split(ctx, out, from, to, v)
	case wholeUnknown:
		if v.silent {
			w.e.size.unanswered(len(text))
		}
		w.e.doubt.raise()
	case wholeRefused:
	}
	w.leave(out, from, to, v.reason)
	return v.reason
}

// split sends the halves of what was refused as a whole for what is in it. A single record that is, is refused for good.
func (w *worker) split(ctx context.Context, out []exporters.Outcome, from, to int, v wholeVerdict) (reason string) {
	if v.whole == wholeTooLarge {
		w.e.size.tooLarge(len(w.text(from, to)))
	}
	if to-from == 1 {
		out[w.at[from]] = exporters.Outcome{State: exporters.Never, Reason: v.reason}
		return ""
	}
	middle := (from + to) / 2
	if reason = w.send(ctx, out, from, middle); reason == "" {
		return w.send(ctx, out, middle, to)
	}
	w.leave(out, middle, to, reason)
	return reason
}

// answerParts is what is asked for of an answer: with nothing else in it, it is a tenth as long.
var answerParts = []string{"errors", "items.*.status", "items.*.error.type", "items.*.error.reason", "items.*.error.caused_by.reason",
	"items.*.failure_store", "error"}

// post sends lines, and reads the answer into w.answer.
func (w *worker) post(ctx context.Context, lines []byte) (status int, header http.Header, err error) {
	ctx, cancel := context.WithTimeout(ctx, w.e.config.Timeout)
	defer cancel()
	r := esapi.BulkRequest{FilterPath: answerParts, Header: http.Header{"Content-Type": {"application/x-ndjson"}}}
	if w.e.config.Compress {
		w.compressed.Reset()
		w.gzip.Reset(&w.compressed)
		_, _ = w.gzip.Write(lines) // to a buffer
		_ = w.gzip.Close()
		lines = w.compressed.Bytes()
		r.Header.Set("Content-Encoding", "gzip")
	}
	r.Body = bytes.NewReader(lines)
	w.answer = w.answer[:0]
	response, err := r.Do(ctx, w.e.client)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	w.answer, err = readBounded(response.Body, maxAnswer, w.answer)
	return response.StatusCode, response.Header, err
}
