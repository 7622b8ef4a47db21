/**
 * The SQLite file of the embedded identity provider: people, secrets and what oidc-provider has to remember. It knows
 * the tables and nothing of OpenID Connect.
 *
 * Invariant: the folder is 0700 and the file 0600 before the first secret is written, whatever the umask says.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const schemaVersion = 1;

const schema = `
  CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS people (
    username TEXT PRIMARY KEY, subject TEXT NOT NULL UNIQUE, profile TEXT NOT NULL,
    salt BLOB NOT NULL, password_hash BLOB NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS artifacts (
    model TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL,
    grant_id TEXT, user_code TEXT, uid TEXT, expires_at_seconds INTEGER NOT NULL,
    PRIMARY KEY (model, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS artifacts_by_expiry ON artifacts (model, expires_at_seconds);
  CREATE INDEX IF NOT EXISTS artifacts_by_grant ON artifacts (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX IF NOT EXISTS artifacts_by_user_code ON artifacts (user_code) WHERE user_code IS NOT NULL;
  CREATE INDEX IF NOT EXISTS artifacts_by_uid ON artifacts (uid) WHERE uid IS NOT NULL;
`;

/** Opens (and at first creates) `identity-provider.sqlite` in the folder. Throws when a newer version wrote it. */
export function openStore(dataFolder: string): DatabaseSync {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  chmodSync(dataFolder, 0o700);
  const file = join(dataFolder, 'identity-provider.sqlite');
  // SQLite gives its -wal and -shm files the mode of the main file, so that one is made first.
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000;');
  const found = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (found > schemaVersion) {
    database.close();
    throw new Error(
      `${file} was written by a newer version (format ${found}); start that version or move the file away.`,
    );
  }
  database.exec(schema);
  database.exec(`PRAGMA user_version = ${schemaVersion}`);
  return database;
}
