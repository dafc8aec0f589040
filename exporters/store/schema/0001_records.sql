-- What is known about the store itself.
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- Whoever sums are counted for. Two are nobody: shared addresses, and records that name neither user nor address.
CREATE TABLE user (
  id   INTEGER PRIMARY KEY AUTOINCREMENT,
  key  TEXT    NOT NULL UNIQUE,
  name TEXT    NOT NULL DEFAULT '',
  seen INTEGER NOT NULL -- the day of the last record, counted from 1970-01-01
);
INSERT INTO user (id, key, seen) VALUES (1, 'shared', 1 << 40), (2, '', 1 << 40);

-- What a record says besides who and when, as of then.
CREATE TABLE facet (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  site TEXT NOT NULL, service TEXT NOT NULL, vendor TEXT NOT NULL, category TEXT NOT NULL, kind TEXT NOT NULL,
  status TEXT NOT NULL, department TEXT NOT NULL, use TEXT NOT NULL,
  UNIQUE (service, department, status, use, site, category, vendor, kind)
);

-- What services are called, the latest name.
CREATE TABLE service (id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;

-- What records are compressed against; one row for each version there was.
CREATE TABLE dictionary (id INTEGER PRIMARY KEY, data BLOB NOT NULL);

-- Parts of the records, begun each day they are taken in, each in tables of its own (record_N, visit_N): expiry drops whole tables.
CREATE TABLE part (
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  class INTEGER NOT NULL,           -- 0: records with a short life, 1: those kept as long as sums
  begun INTEGER NOT NULL,           -- the first and the last time a record was taken in, seconds
  ended INTEGER NOT NULL,
  rows  INTEGER NOT NULL DEFAULT 0,
  idmin INTEGER NOT NULL, idmax INTEGER NOT NULL, -- times within the identifiers, milliseconds
  tsmin INTEGER NOT NULL, tsmax INTEGER NOT NULL  -- @timestamp, nanoseconds
);
-- Which services a part has records of, so that a rare one is not looked for where it is not.
CREATE TABLE part_service (part INTEGER NOT NULL REFERENCES part (id) ON DELETE CASCADE, service TEXT NOT NULL,
  PRIMARY KEY (part, service)) WITHOUT ROWID;
