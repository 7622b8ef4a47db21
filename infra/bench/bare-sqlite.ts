/** The same rows in bare SQLite, with the same durability and nothing around it: what the event store is measured by. */
import { rmSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

export class BareTable {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  #position = 0;

  constructor(path: string) {
    this.#path = path;
    this.#database = new DatabaseSync(path);
    this.#database.exec(`
      PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
      CREATE TABLE events (pos INTEGER PRIMARY KEY, stream INTEGER, rev INTEGER, id BLOB, type INTEGER, json INTEGER, created INTEGER, data BLOB, meta BLOB) STRICT;
      CREATE UNIQUE INDEX by_stream ON events (stream, rev)
    `);
    this.#insert = this.#database.prepare('INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?)');
  }

  /** Commits of so many rows, one after the other. */
  eventsPerSecond(batch: number, milliseconds: number): number {
    const [id, data, metadata] = [Buffer.alloc(16, 1), Buffer.alloc(420, 'x'), Buffer.alloc(160, 'y')];
    const begunAt = performance.now();
    const first = this.#position;
    while (performance.now() - begunAt < milliseconds) {
      this.#database.exec('BEGIN IMMEDIATE');
      for (let n = 0; n < batch; n += 1) {
        this.#position += 1;
        this.#insert.run(this.#position, 1, this.#position, id, 1, 1, Date.now(), data, metadata);
      }
      this.#database.exec('COMMIT');
    }
    return (this.#position - first) / ((performance.now() - begunAt) / 1_000);
  }

  remove(): void {
    this.#database.close();
    rmSync(this.#path);
  }
}
