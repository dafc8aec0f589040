-- What the blocks of a day (level 1) or a month (2) add up to by site, status and use, with the users of each: questions about no more than
-- that need not look at rows. One that is missing is made when the store is tidied up; until then blocks answer.
CREATE TABLE digest (
  id    INTEGER PRIMARY KEY AUTOINCREMENT, -- a new one with each writing
  month INTEGER NOT NULL, level INTEGER NOT NULL, start INTEGER NOT NULL, -- as in block
  data  BLOB    NOT NULL,
  UNIQUE (month, level, start)
);
