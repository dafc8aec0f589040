package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// readers is how many questions are answered at once.
const readers = 4

// Reader answers questions about a store, also while another process writes it.
type Reader struct {
	path  string
	db    *sql.DB
	unzip unzip

	mu     sync.Mutex // guards what follows
	words  words
	cache  blockCache
	facets facetCache
}

var (
	_ query.Query   = (*Reader)(nil)
	_ query.Spanned = (*Reader)(nil)
)

// OpenReader opens a store for reading alone. It takes no lock and changes nothing.
func OpenReader(path string) (*Reader, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("reading the store %s: %w", path, err)
	}
	if err := readable(abs); err != nil {
		return nil, err
	}
	r := &Reader{path: abs, cache: newBlockCache(), facets: newFacetCache()}
	const pragmas = "&_query_only=1&_dqs=0&_pragma=busy_timeout(10000)&_pragma=cache_size(-2048)&_pragma=temp_store(MEMORY)"
	err = r.open("mode=ro" + pragmas)
	if _, none := os.Stat(abs + "-wal"); err != nil && errors.Is(none, fs.ErrNotExist) {
		// Nobody has it open, and the directory is not ours to write to: SQLite may read the file as it lies there.
		err = r.open("mode=ro&immutable=1" + pragmas)
	}
	switch {
	case err == nil:
		return r, nil
	case damaged(err):
		return nil, fmt.Errorf("reading the store %s: it is damaged: %w; start gnomon run once, which moves it aside and begins a new one", abs, err)
	}
	return nil, fmt.Errorf("reading the store %s: %w; run as the user that gnomon runs as", abs, err)
}

// readable looks at the file without opening it as a database.
func readable(path string) error {
	h, err := readHeader(path)
	if err != nil {
		return err
	}
	all, err := migrations()
	switch {
	case err != nil:
		return fmt.Errorf("reading the store %s: %w", path, err)
	case !h.exists:
		return fmt.Errorf("reading the store %s: there is none; start gnomon run, or scan with --store, to have one", path)
	case !h.sqlite || h.application != applicationID:
		return fmt.Errorf("reading the store %s: it is no store of gnomon's", path)
	case h.version > len(all):
		return newer(path, h.version, len(all))
	case h.version < len(all):
		return fmt.Errorf("reading the store %s: an older gnomon wrote it (version %d, this one reads %d); start gnomon run once, which "+
			"brings it up to date", path, h.version, len(all))
	}
	return nil
}

// open opens the connections.
func (r *Reader) open(options string) error {
	db, err := sql.Open("sqlite", dsn(r.path, options))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	unzip, err := newUnzip(context.Background(), db)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	r.db, r.unzip = db, unzip
	return nil
}

// Close lets go of the file.
func (r *Reader) Close() error {
	return r.db.Close()
}

// view is the store as of one moment.
type view struct {
	tx     *sql.Tx
	parts  []part
	words  *words
	unzip  unzip
	cache  *blockCache
	facets *facetCache

	digests map[spanKey]int64 // read by the questions that follow from them
}

// view runs what on the store as of now. What is committed meanwhile is not seen.
func (r *Reader) view(ctx context.Context, what func(context.Context, *view) error) error {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	v := &view{tx: tx, unzip: r.unzip, cache: &r.cache, facets: &r.facets}
	err = v.each(ctx, "SELECT "+partColumns+" FROM part ORDER BY id", nil, func(rows *sql.Rows) error {
		var p part
		err := p.scan(rows)
		v.parts = append(v.parts, p)
		return err
	})
	if err != nil {
		return err
	}
	if v.words, err = r.readWords(ctx, v); err != nil {
		return err
	}
	if err := what(ctx, v); err != nil {
		return err
	}
	return ctx.Err()
}

// each reads rows.
func (v *view) each(ctx context.Context, text string, args []any, row func(*sql.Rows) error) error {
	rows, err := v.tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	return drain(rows, row)
}

// Span implements query.Spanned.
func (r *Reader) Span(ctx context.Context) (query.Span, error) {
	var span query.Span
	err := r.view(ctx, func(ctx context.Context, v *view) error {
		for _, p := range v.parts {
			if p.rows == 0 {
				continue
			}
			from, to := time.Unix(0, p.tsmin).UTC(), time.Unix(0, p.tsmax).UTC()
			if span.RecordsFrom.IsZero() || from.Before(span.RecordsFrom) {
				span.RecordsFrom = from
			}
			if to.After(span.To) {
				span.To = to
			}
		}
		var day sql.NullInt64
		if err := v.tx.QueryRowContext(ctx, "SELECT min(start) FROM (SELECT min(day) start FROM fresh UNION ALL SELECT min(start) FROM block WHERE level < ?)",
			levelMonth).Scan(&day); err != nil {
			return err
		}
		if day.Valid {
			span.SumsFrom = time.Unix(day.Int64, 0).UTC()
		}
		return nil
	})
	if err != nil {
		return query.Span{}, fmt.Errorf("reading the store %s: %w", r.path, err)
	}
	return span, nil
}
