package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// applicationID marks the file as ours ("GNOM"), for file(1) and against mistakes.
const applicationID = 0x474e4f4d

const (
	headerSize = 100 // https://www.sqlite.org/fileformat2.html, section 1.3
	magic      = "SQLite format 3\x00"
)

// errDamaged is a store that cannot be read any more.
var errDamaged = errors.New("the store is damaged")

// header is what the first bytes of a file say, without opening it as a database: nothing is changed by looking.
type header struct {
	exists      bool // and is not empty
	sqlite      bool
	pages       uint32
	version     int
	application uint32
}

func readHeader(path string) (header, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return header{}, nil
	}
	if err != nil {
		return header{}, fmt.Errorf("opening the store: %w", err)
	}
	defer f.Close()
	var b [headerSize]byte
	n, err := io.ReadFull(f, b[:])
	if err != nil && n == 0 {
		return header{}, nil
	}
	return header{exists: true, sqlite: n == headerSize && string(b[:16]) == magic,
		pages: binary.BigEndian.Uint32(b[28:]), version: int(binary.BigEndian.Uint32(b[60:])), application: binary.BigEndian.Uint32(b[68:])}, nil
}

// dsn names the file for the driver.
func dsn(path, query string) string {
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query}).String()
}

// openWriter opens the file for writing, after it has made sure that it is a store, of a version it knows, and whole. A damaged one is
// moved aside, once.
func openWriter(ctx context.Context, c *Config, unclean bool) (*sql.DB, error) {
	all, err := migrations()
	if err != nil {
		return nil, fmt.Errorf("opening the store %s: %w", c.Path, err)
	}
	h, err := readHeader(c.Path)
	if err == nil {
		err = h.refuse(c.Path, len(all))
	}
	if err != nil {
		return nil, err
	}
	damage := fmt.Errorf("opening the store %s: %w: it does not begin like a database", c.Path, errDamaged)
	if h.sqlite || !h.exists {
		var db *sql.DB
		if db, damage = tryWriter(ctx, c, unclean, all); damage == nil || !damaged(damage) {
			return db, damage
		}
	}
	if err := moveAside(c, damage); err != nil {
		return nil, err
	}
	return tryWriter(ctx, c, false, all)
}

// refuse says why a file is not ours to write, by its header.
func (h *header) refuse(path string, known int) error {
	switch {
	case !h.sqlite:
		return nil
	// A store of ours whose first transaction is still in the log has one page and no name yet.
	case h.application != applicationID && (h.application != 0 || h.pages > 1):
		return fmt.Errorf("opening the store %s: it is another program's database; choose another path. Nothing was changed", path)
	case h.application == applicationID && h.version > known:
		return newer(path, h.version, known)
	}
	return nil
}

// tryWriter opens the file, looks at it closely after an unclean stop, and brings it to the newest version.
func tryWriter(ctx context.Context, c *Config, unclean bool, all []string) (*sql.DB, error) {
	if err := createFile(c.Path); err != nil {
		return nil, err
	}
	// FULL: a commit is on the disk when it returns.
	db, err := sql.Open("sqlite", dsn(c.Path, "_txlock=immediate&_dqs=0&_pragma=busy_timeout(10000)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"+
		"&_pragma=journal_size_limit(67108864)&_pragma=cache_size(-8192)&_pragma=temp_store(MEMORY)"))
	if err != nil {
		return nil, fmt.Errorf("opening the store %s: %w", c.Path, err)
	}
	db.SetMaxOpenConns(1)
	err = firstLook(ctx, db, c, unclean)
	if err == nil {
		err = migrate(ctx, db, c.Path, all)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// createFile makes the file if it is not there, closed to others: SQLite gives its own files the same rights.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return fmt.Errorf("opening the store %s: %w; give a directory that this user may write to", path, err)
	}
	return f.Close()
}

// firstLook makes the first access and, after an unclean stop, checks every page.
func firstLook(ctx context.Context, db *sql.DB, c *Config, unclean bool) error {
	pragmas := []string{"PRAGMA journal_mode = WAL"}
	if h, err := readHeader(c.Path); err == nil && !h.exists {
		// In this order, or the first write fixes the others. The page size suits blobs of 100 KB; vacuum gives back what expiry frees.
		pragmas = []string{"PRAGMA page_size = 8192", "PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA journal_mode = WAL"}
	}
	for _, p := range pragmas {
		if _, err := db.ExecContext(ctx, p); err != nil {
			return fmt.Errorf("opening the store %s: %w; the directory has to be there and this user has to own it", c.Path, err)
		}
	}
	if !unclean {
		return nil
	}
	begun := time.Now()
	c.Log.Warn("the store was not closed last time; checking it", "path", c.Path)
	var says string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&says); err != nil {
		return fmt.Errorf("checking the store %s: %w", c.Path, err)
	}
	if says != "ok" {
		return fmt.Errorf("checking the store %s: %w: %s", c.Path, errDamaged, says)
	}
	c.Log.Info("the store is whole", "path", c.Path, "took", time.Since(begun).Round(time.Millisecond).String())
	return nil
}

// damaged says whether an error means that the file cannot be trusted.
func damaged(err error) bool {
	if errors.Is(err, errDamaged) {
		return true
	}
	code := sqliteCode(err)
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}

// sqliteCode is SQLite's primary result code, 0 for other errors.
func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// moveAside renames a damaged store with its log, so that it can be looked at, and makes room for a new one.
func moveAside(c *Config, damage error) error {
	bad := c.Path + ".bad-" + strings.ReplaceAll(c.Now().UTC().Format("20060102T150405.000Z"), ".", "")
	for _, end := range []string{"", "-wal"} {
		if err := os.Rename(c.Path+end, bad+end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("moving the damaged store aside: %w", err)
		}
	}
	if err := os.Remove(c.Path + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("moving the damaged store aside: %w", err)
	}
	c.Log.Error("the store was damaged and has been moved aside; a new one is begun, and pages and reports begin anew with it",
		"path", c.Path, "moved", bad, "error", damage)
	return nil
}
