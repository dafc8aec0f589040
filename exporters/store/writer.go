package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/klauspost/compress/s2"
)

// writer is what the one writing connection knows: prepared statements, and caches of what stands in tables. After a transaction that was
// rolled back the caches are read anew.
type writer struct {
	config   *Config
	calendar calendar
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
	dict     *s2.Dict

	users   map[string]userEntry
	facets  map[facet]uint32
	names   map[string]string // of services
	visits  map[string]visitEntry
	parts   []part // the oldest first
	pending map[tierKey]int
	classes classes

	undigested []blockKey // spans without a digest, as of the last look
	digested   bool       // there are none any more

	entries []entry // memory of the last batch
	rows    []row
}

// newWriter reads what it needs to know from the store.
func newWriter(ctx context.Context, conn *sql.Conn, config *Config) (*writer, error) {
	w := &writer{config: config, calendar: calendar{config.Location}, conn: conn, prepared: map[string]*sql.Stmt{}}
	var err error
	if w.dict, err = w.dictionary(ctx); err != nil {
		return nil, fmt.Errorf("reading the store %s: %w", config.Path, err)
	}
	if err := w.forget(ctx); err != nil {
		return nil, fmt.Errorf("reading the store %s: %w", config.Path, err)
	}
	return w, nil
}

// forget throws the caches away and reads those that have to be whole.
func (w *writer) forget(ctx context.Context) error {
	w.users, w.facets, w.names, w.visits = map[string]userEntry{}, map[facet]uint32{}, map[string]string{}, map[string]visitEntry{}
	w.classes = classes{}
	if err := w.readParts(ctx); err != nil {
		return err
	}
	return w.readPending(ctx)
}

// statement returns the prepared statement of a text.
func (w *writer) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if st := w.prepared[text]; st != nil {
		return st, nil
	}
	if len(w.prepared) > 512 { // those of parts that are gone
		if err := w.closeStatements(); err != nil {
			return nil, err
		}
	}
	st, err := w.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	w.prepared[text] = st
	return st, nil
}

// exec runs a statement and returns how many rows it changed and the last row's number.
func (w *writer) exec(ctx context.Context, text string, args ...any) (changed, id int64, err error) {
	st, err := w.statement(ctx, text) //nolint:sqlclosecheck // it is kept for the next time
	if err != nil {
		return 0, 0, err
	}
	result, err := st.ExecContext(ctx, args...)
	if err != nil {
		return 0, 0, err
	}
	if changed, err = result.RowsAffected(); err != nil {
		return 0, 0, err
	}
	id, err = result.LastInsertId()
	return changed, id, err
}

// get reads one row; found is false if there is none.
func (w *writer) get(ctx context.Context, text string, args, to []any) (found bool, err error) {
	st, err := w.statement(ctx, text) //nolint:sqlclosecheck // it is kept for the next time
	if err != nil {
		return false, err
	}
	err = st.QueryRowContext(ctx, args...).Scan(to...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// each reads rows.
func (w *writer) each(ctx context.Context, text string, args []any, row func(*sql.Rows) error) error {
	st, err := w.statement(ctx, text) //nolint:sqlclosecheck // it is kept for the next time
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	return drain(rows, row)
}

// drain reads rows to their end.
func drain(rows *sql.Rows, row func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// transact runs what as one transaction: all of it or, after an error, nothing, and then the caches are read anew.
func (w *writer) transact(ctx context.Context, what func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// Statements do not watch ctx: each would need a goroutine, and a batch is short.
	quiet := context.WithoutCancel(ctx)
	_, _, err := w.exec(quiet, "BEGIN IMMEDIATE")
	if err != nil {
		return err
	}
	if err = what(quiet); err == nil {
		err = ctx.Err()
	}
	if err == nil {
		_, _, err = w.exec(quiet, "COMMIT")
	}
	if err == nil {
		return nil
	}
	// SQLite has rolled back by itself after some errors; this says so then.
	_, _, _ = w.exec(quiet, "ROLLBACK")
	return errors.Join(err, w.forget(quiet))
}

// numbered puts the number of a part into the text of a statement.
func numbered(text string, n int64) string {
	return strings.ReplaceAll(text, "{n}", strconv.FormatInt(n, 10))
}

func (w *writer) closeStatements() error {
	var errs []error
	for _, st := range w.prepared {
		errs = append(errs, st.Close())
	}
	clear(w.prepared)
	return errors.Join(errs...)
}
