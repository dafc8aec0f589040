package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"slices"
)

// steps holds the schema as steps from one version to the next. A step that has been released is never changed.
//
//go:embed schema/*.sql
var steps embed.FS

// migrations returns the steps in order: a store of version n has the first n.
func migrations() ([]string, error) {
	names, err := fs.Glob(steps, "schema/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var out []string
	for _, name := range names {
		b, err := steps.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out = append(out, string(b))
	}
	return out, nil
}

// migrate brings a store to the newest version, each step in a transaction of its own.
func migrate(ctx context.Context, db *sql.DB, path string, to []string) error {
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("reading the version of the store %s: %w", path, err)
	}
	if version > len(to) {
		return newer(path, version, len(to))
	}
	if version == len(to) {
		return nil
	}
	for ; version < len(to); version++ {
		if err := step(ctx, db, to[version], version+1); err != nil {
			return fmt.Errorf("bringing the store %s to version %d: %w", path, version+1, err)
		}
	}
	// Into the file's header, where an older gnomon sees the version before it opens the file as a database.
	if _, err := db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return fmt.Errorf("bringing the store %s to version %d: %w", path, version, err)
	}
	return nil
}

// step makes one step.
func step(ctx context.Context, db *sql.DB, text string, version int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, q := range []string{text, fmt.Sprintf("PRAGMA application_id = %d", applicationID), fmt.Sprintf("PRAGMA user_version = %d", version)} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// newer is the refusal of a store from the future.
func newer(path string, version, known int) error {
	return fmt.Errorf("opening the store %s: a newer gnomon wrote it (version %d, this one knows %d); use that one, or choose another store. "+
		"Nothing was changed", path, version, known)
}
