package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v8/esutil"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/exportertest"
	"github.com/gnomon-sensor/gnomon/exporters/spool"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// stream is where records go.
const stream = "logs-gnomon.activity-default"

// sample is what is sent again and again: records as a sensor writes them, 1.5 KB as JSON.
func sample() []event.Event {
	all := make([]event.Event, 4000)
	for i := range all {
		all[i] = exportertest.Full(i)
		all[i].Timestamp = event.At(time.Now().Add(2 * time.Minute)) // of after the start: what a sensor sends all day
		all[i].Event.Ingested = all[i].Timestamp
	}
	return all
}

// sendIndexer is the plain loop.
func sendIndexer(ctx context.Context, address string, records int) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	transport, err := elastictransport.New(elastictransport.Config{URLs: []*url.URL{u}, CompressRequestBody: true, PoolCompressor: true, CompressRequestBodyLevel: 1})
	if err != nil {
		return err
	}
	indexer, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{Client: transport, NumWorkers: 2, FlushBytes: 4 << 20, Index: stream})
	if err != nil {
		return err
	}
	batch := sample()
	for n := range records {
		ev := &batch[n%len(batch)]
		text, err := json.Marshal(ev)
		if err != nil {
			return err
		}
		if err := indexer.Add(ctx, esutil.BulkIndexerItem{Action: "create", DocumentID: ev.Event.ID, Body: bytes.NewReader(text)}); err != nil {
			return err
		}
	}
	if err := indexer.Close(ctx); err != nil {
		return err
	}
	if s := indexer.Stats(); s.NumCreated != uint64(records) {
		return fmt.Errorf("sending by the indexer: %d of %d records are there", s.NumCreated, records)
	}
	return nil
}

func openExporter(address string) (*elasticsearch.Exporter, error) {
	c := elasticsearch.Default()
	c.Addresses, c.Proxy = []string{address}, "direct"
	return elasticsearch.Open(c, nil, slog.New(slog.DiscardHandler))
}

// sendExporter hands batches to the exporter.
func sendExporter(ctx context.Context, address string, records int) error {
	e, err := openExporter(address)
	if err != nil {
		return err
	}
	batch := sample()[:e.BatchSize()]
	out := make([]exporters.Outcome, len(batch))
	stored := 0
	for sent := 0; sent < records; sent += len(batch) {
		batch = batch[:min(len(batch), records-sent)]
		clear(out)
		if err := e.Export(ctx, batch, out[:len(batch)]); err != nil {
			return err
		}
		for i := range batch {
			if out[i].State == exporters.Stored {
				stored++
			}
		}
	}
	if stored != records {
		return fmt.Errorf("sending by the exporter: %d of %d records are there", stored, records)
	}
	return e.Close()
}

// sendSpool hands records to the spool, as the sensor does.
func sendSpool(_ context.Context, address string, records int) error {
	e, err := openExporter(address)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bulk")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	c := spool.Default(dir)
	c.Exporters, c.Wait = []string{"elasticsearch"}, true
	s, err := spool.Open(c)
	if err != nil {
		return err
	}
	if err := s.Attach("elasticsearch", e); err != nil {
		return err
	}
	batch := sample()
	for n := range records {
		s.Offer(&batch[n%len(batch)])
	}
	if err := s.Close(5 * time.Minute); err != nil {
		return err
	}
	if st := s.Stats().Exporters[0]; st.Stored != uint64(records) {
		return fmt.Errorf("sending behind the spool: %d of %d records are there", st.Stored, records)
	}
	return nil
}
