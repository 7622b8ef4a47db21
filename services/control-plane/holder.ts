/**
 * Who holds the lease: an id in the data folder, under a lock that a second process cannot take (D18). The lock is
 * SQLite's own on the file that keeps the id, so the system drops it with the process, however that ends.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A process that is just ending is waited for this long. */
const lockWaitMs = 2_000;
const sqliteBusy = 5;

export type Holder = { readonly id: string; release(): void };

/**
 * Takes the lock of the folder, which is created with mode 0700. Throws one sentence for the operator when it is taken.
 */
export function claimHolder(folder: string): Holder {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(folder, 'holder.sqlite'), { timeout: lockWaitMs });
  try {
    return { id: lockedId(database), release: () => database.close() };
  } catch (cause) {
    database.close();
    if ((cause as { errcode?: unknown }).errcode !== sqliteBusy) throw cause;
    throw new Error(
      `Another control plane runs on the data folder ${folder}. Stop it first, or give this one a CLUSTRAL_DATA of its own.`,
      { cause },
    );
  }
}

function lockedId(database: DatabaseSync): string {
  // With this mode the lock of the first write is kept until the file is closed.
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL');
  database.exec('BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS holder (id TEXT NOT NULL); COMMIT');
  const known = database.prepare('SELECT id FROM holder').get() as { id: string } | undefined;
  if (known) return known.id;
  const id = randomUUID();
  database.prepare('INSERT INTO holder (id) VALUES (?)').run(id);
  return id;
}
