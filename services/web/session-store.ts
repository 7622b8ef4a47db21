/**
 * Sessions on disk, so that a restart signs nobody out. A row is found by the SHA-256 of its id and by nothing else: whoever reads the
 * file gets neither an id nor a token. Its content is opaque here. The number of rows is bounded, per person and in all.
 *
 * The file is no truth of its own: removing it signs everybody out and does nothing else.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Times in milliseconds since the epoch. */
export type SessionRow = {
  /** SHA-256 of the id, base64url. */
  readonly key: string;
  /** User id of the person. */
  readonly person: string;
  readonly lastUsedMs: number;
  readonly endsMs: number;
  readonly sealed: Uint8Array;
};

export type SessionStore = {
  /** Adds a session; gives the keys of those that had to go for it. */
  add(row: SessionRow): readonly string[];
  find(key: string): SessionRow | undefined;
  noteUse(key: string, atMs: number): void;
  /** Replaces the content; false when the session is no longer there. */
  replace(key: string, sealed: Uint8Array): boolean;
  /** Takes a session out and gives it, once. */
  take(key: string): (SessionRow & { readonly credentials: readonly string[] }) | undefined;
  /** Keys of sessions that ended before `endedMs` or were not used since `unusedSinceMs`. */
  over(endedMs: number, unusedSinceMs: number): readonly string[];
  /** Remembers a kubeconfig credential that was issued in a session, for its end. */
  noteCredential(key: string, credentialId: string): void;
  close(): void;
};

export type SessionLimits = { readonly perPerson: number; readonly inAll: number };

/** A session that issued more than this has credentials that end by themselves only. */
const mostCredentials = 200;

const schema = `
  CREATE TABLE IF NOT EXISTS sessions (
    key TEXT PRIMARY KEY, person TEXT NOT NULL, last_used_ms INTEGER NOT NULL, ends_ms INTEGER NOT NULL, sealed BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS sessions_by_person ON sessions (person, last_used_ms);
  CREATE INDEX IF NOT EXISTS sessions_by_use ON sessions (last_used_ms);
  CREATE TABLE IF NOT EXISTS credentials (
    key TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE, id TEXT NOT NULL, PRIMARY KEY (key, id)
  ) STRICT, WITHOUT ROWID;
`;

const columns = 'key, person, last_used_ms AS lastUsedMs, ends_ms AS endsMs, sealed';

/** Opens (and at first creates) `sessions.sqlite` in the folder, both for the owner alone. */
export function openSessionStore(folder: string, limits: SessionLimits): SessionStore {
  const database = open(folder);
  const insert = database.prepare('INSERT INTO sessions VALUES (?, ?, ?, ?, ?)');
  const select = database.prepare(`SELECT ${columns} FROM sessions WHERE key = ?`);
  const leastUsedOf = database.prepare(
    'DELETE FROM sessions WHERE key IN (SELECT key FROM sessions WHERE person = ? ORDER BY last_used_ms DESC LIMIT -1 OFFSET ?) RETURNING key',
  );
  const leastUsed = database.prepare(
    'DELETE FROM sessions WHERE key IN (SELECT key FROM sessions ORDER BY last_used_ms DESC LIMIT -1 OFFSET ?) RETURNING key',
  );
  const use = database.prepare('UPDATE sessions SET last_used_ms = max(last_used_ms, ?) WHERE key = ?');
  const update = database.prepare('UPDATE sessions SET sealed = ? WHERE key = ?');
  const remove = database.prepare('DELETE FROM sessions WHERE key = ?');
  const ended = database.prepare('SELECT key FROM sessions WHERE ends_ms <= ? OR last_used_ms <= ?');
  const credentialsOf = database.prepare('SELECT id FROM credentials WHERE key = ?');
  const insertCredential = database.prepare(
    'INSERT OR IGNORE INTO credentials SELECT key, ? FROM sessions WHERE key = ? AND (SELECT count(*) FROM credentials WHERE key = sessions.key) < ?',
  );
  const keys = (rows: readonly Record<string, unknown>[]): string[] => rows.map((row) => String(row['key']));
  const find = (key: string): SessionRow | undefined => select.get(key) as SessionRow | undefined;
  return {
    add({ key, person, lastUsedMs, endsMs, sealed }) {
      // Room is made first: the new one must not be the one that goes.
      const gone = [...keys(leastUsedOf.all(person, limits.perPerson - 1)), ...keys(leastUsed.all(limits.inAll - 1))];
      insert.run(key, person, lastUsedMs, endsMs, sealed);
      return gone;
    },
    find,
    noteUse: (key, atMs) => void use.run(atMs, key),
    replace: (key, sealed) => update.run(sealed, key).changes === 1,
    take(key) {
      const row = find(key);
      if (row === undefined) return undefined;
      const credentials = credentialsOf.all(key).map(({ id }) => String(id));
      return remove.run(key).changes === 1 ? { ...row, credentials } : undefined;
    },
    over: (endedMs, unusedSinceMs) => keys(ended.all(endedMs, unusedSinceMs)),
    noteCredential: (key, credentialId) => void insertCredential.run(credentialId, key, mostCredentials),
    close: () => database.close(),
  };
}

function open(folder: string): DatabaseSync {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const file = join(folder, 'sessions.sqlite');
  // SQLite gives its -wal and -shm files the mode of the main file, so that one is made first.
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000;');
    database.exec('PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;');
    database.exec(schema);
    return database;
  } catch (cause) {
    database?.close();
    throw new Error(`${file} cannot be used: remove it, then everybody has to sign in again.`, { cause });
  }
}
