/**
 * How the log lies in its database. Nothing is stored twice but what an index holds: a stream's last revision and its
 * metadata are read from its newest events, so no copy of them can differ.
 *
 *   events   one row per event; `sum` tells a reader that the row is what was written, `hash` chains it to the row before
 *   gaps     runs of positions whose events were scavenged, with the hashes at both sides, so that the chain still closes
 */
export const schemaVersion = 2;

/** As SQLite keeps them, letter for letter: a start compares. */
export const schema: readonly string[] = [
  'CREATE TABLE meta (k TEXT PRIMARY KEY, v TEXT NOT NULL) STRICT, WITHOUT ROWID',
  'CREATE TABLE types (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT',
  'CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT',
  'CREATE TABLE events (pos INTEGER PRIMARY KEY, stream INTEGER NOT NULL, rev INTEGER NOT NULL, type INTEGER NOT NULL, ' +
    'json INTEGER NOT NULL, created INTEGER NOT NULL, sum INTEGER NOT NULL, id BLOB NOT NULL, hash BLOB NOT NULL, ' +
    'meta BLOB NOT NULL, data BLOB NOT NULL) STRICT',
  'CREATE UNIQUE INDEX events_by_stream ON events (stream, rev)',
  'CREATE TABLE gaps (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, before BLOB NOT NULL, after BLOB NOT NULL) STRICT',
];
