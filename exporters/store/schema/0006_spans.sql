-- Which days and months there are, and where they end, without looking at the blocks themselves: every question begins with it.
CREATE INDEX block_span ON block (level, month, start, until);
