-- Contacts with names that are in no catalogue: those of one day as a run of the program counted them, or, under the empty part, of a day
-- that is over, all of them. What the bytes say is not the store's business; no user stands in them.
CREATE TABLE names (
  day  INTEGER NOT NULL, -- where it begins, seconds
  part TEXT    NOT NULL,
  data BLOB    NOT NULL, -- compressed with S2
  PRIMARY KEY (day, part)
);
