-- Clients of which most was hidden or nameless, per day, kept as long as records: they are personal data.
CREATE TABLE blind (
  day    INTEGER NOT NULL, -- its beginning, seconds
  client TEXT    NOT NULL, -- as users are keyed in sums: user.id, else the address
  label  TEXT    NOT NULL, -- the user's name if it is kept, else empty
  named  INTEGER NOT NULL, ech       INTEGER NOT NULL, dns       INTEGER NOT NULL, relay       INTEGER NOT NULL, -- flows
  sided  INTEGER NOT NULL, cut       INTEGER NOT NULL, nameless  INTEGER NOT NULL,
  named_bytes INTEGER NOT NULL, ech_bytes INTEGER NOT NULL, dns_bytes INTEGER NOT NULL, relay_bytes INTEGER NOT NULL,
  sided_bytes INTEGER NOT NULL, cut_bytes INTEGER NOT NULL, nameless_bytes INTEGER NOT NULL,
  PRIMARY KEY (day, client)
) WITHOUT ROWID;
