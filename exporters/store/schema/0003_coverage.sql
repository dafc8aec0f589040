-- Coverage of all sensors per hour (UTC), kept as long as sums; its minutes are records.
CREATE TABLE coverage (
  hour    INTEGER PRIMARY KEY, -- seconds
  minutes INTEGER NOT NULL,    -- bit i: minute i has a record
  data    TEXT    NOT NULL
);
