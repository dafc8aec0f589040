-- Sums that have just been written, per hour; the rows of one blob are of one day. Sixteen of a tier become one of the next.
CREATE TABLE fresh (
  id    INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: it names what the blob says
  day   INTEGER NOT NULL, until INTEGER NOT NULL, -- seconds
  month INTEGER NOT NULL,
  tier  INTEGER NOT NULL,
  rows  INTEGER NOT NULL,
  data  BLOB    NOT NULL
);
CREATE INDEX fresh_day ON fresh (day, tier);

-- Sums of days that are over, of 1024 users each: per hour (level 0), of the day (1), of its month (2). Every level holds the same.
CREATE TABLE block (
  id      INTEGER PRIMARY KEY AUTOINCREMENT, -- a new one with each writing
  month   INTEGER NOT NULL,
  level   INTEGER NOT NULL,
  start   INTEGER NOT NULL, -- of the day, or of the month; seconds
  people  INTEGER NOT NULL, -- user / 1024
  until   INTEGER NOT NULL,
  touched INTEGER NOT NULL, -- when something was last added, seconds
  rows    INTEGER NOT NULL,
  data    BLOB    NOT NULL,
  UNIQUE (month, level, start, people)
);
