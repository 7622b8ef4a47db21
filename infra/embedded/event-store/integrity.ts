/**
 * Is the database what was written? Asked before a start changes anything, on a connection that cannot write. A log that is
 * small is checked as a whole; of a great one, what would let a fact vanish in silence: the shape of the tables, the names,
 * the newest events and where they end. The rest is checked behind the running server, and each event once more whenever it
 * is read.
 *
 * Everything that is found is `DamagedLog`, with the file and the byte.
 */
import type { DatabaseSync } from 'node:sqlite';
import { ChainCheck, chainTail, type ChainCursor } from './chain-check.ts';
import { DamagedLog } from './damage.ts';
import type { FoundHead } from './head-file.ts';
import { genesis } from './hash-chain.ts';
import { byteOfRoot } from './page-locator.ts';
import type { StoredEvent } from './records.ts';
import { schema, schemaVersion } from './schema.ts';
import { StreamIndex } from './stream-index.ts';

const rowsCheckedAtStart = 10_000;
const pagesCheckedAtStart = 8_192;
const smallTables = ['meta', 'types', 'streams', 'gaps'];
const rowsPerSlice = 1_000;
/** Byte of the file's header in which `user_version` lies. */
const versionByte = 60;

export type Inspection = {
  /** The hash that the first event is chained to. */
  readonly origin: Buffer;
  readonly end: ChainCursor;
  /** Up to ten thousand of the newest events, oldest first. */
  readonly newest: readonly StoredEvent[];
  /** True when nothing is left to check. */
  readonly complete: boolean;
};

/** True for a database in which nothing was ever created. */
export function isEmptyDatabase(database: DatabaseSync): boolean {
  return database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] === 0;
}

/** The quick check of a start. `acknowledged` is where the log must reach at least. */
export function inspectDatabase(database: DatabaseSync, acknowledged: FoundHead): Inspection {
  checkSchema(database);
  const isSmall = numberOf(database, 'PRAGMA page_count') <= pagesCheckedAtStart;
  if (isSmall) checkPages(database, 'PRAGMA integrity_check');
  else for (const table of smallTables) checkPages(database, `PRAGMA integrity_check(${table})`);
  const origin = originOf(database);
  const names = new StreamIndex(database);
  const from = chainTail(database, origin, rowsCheckedAtStart);
  const { events } = new ChainCheck(database, names).slice(from, rowsCheckedAtStart);
  const end = chainTail(database, origin, 0);
  checkEnd(database, end, acknowledged);
  return { origin, end, newest: events, complete: isSmall && from.position === 0 };
}

/** The whole check, for `verify` and for the thread behind a server. `progress` hears of each slice. Resolves with the events seen. */
export async function checkEverything(
  database: DatabaseSync,
  progress: (position: number) => Promise<void>,
): Promise<number> {
  checkSchema(database);
  checkPages(database, 'PRAGMA integrity_check');
  const check = new ChainCheck(database, new StreamIndex(database));
  let cursor: ChainCursor | undefined = { position: 0, hash: originOf(database) };
  let seen = 0;
  while (cursor !== undefined) {
    const { next, events } = check.slice(cursor, rowsPerSlice);
    seen += events.length;
    cursor = next;
    await progress(next?.position ?? events.at(-1)?.position ?? 0);
  }
  return seen;
}

function originOf(database: DatabaseSync): Buffer {
  const storeId = database.prepare("SELECT v FROM meta WHERE k = 'store id'").get()?.['v'];
  if (typeof storeId === 'string') return genesis(storeId);
  throw new DamagedLog(`the store's id is missing at byte ${byteOfRoot(database, 'meta')} of ${database.location()}.`);
}

function checkSchema(database: DatabaseSync): void {
  const found = database.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid').all();
  const isOurs = found.length === schema.length && found.every(({ sql }, index) => sql === schema[index]);
  const version = numberOf(database, 'PRAGMA user_version');
  const path = database.location() ?? 'the database';
  if (isOurs && version === schemaVersion) return;
  if (isOurs)
    throw new DamagedLog(
      `byte ${versionByte} of ${path} says version ${version}, and its tables say ${schemaVersion}.`,
    );
  if (version === schemaVersion)
    throw new DamagedLog(`the names of the tables from byte 100 of ${path} on are not what was written.`);
  throw new Error(
    `${path} was written by another version of the event store (schema ${version}, not ${schemaVersion}). ` +
      'Start that version, or move the folder away to begin with an empty log.',
  );
}

/** SQLite's own check of its pages and indexes. Its sentences name a page, or a row and its index. */
function checkPages(database: DatabaseSync, check: string): void {
  const [found] = database.prepare(check).all();
  const sentence = String(Object.values(found ?? {})[0]);
  if (sentence === 'ok') return;
  const [, page] = /\bpage (\d+)/i.exec(sentence) ?? [];
  const [, index] = /\bindex (\w+)/.exec(sentence) ?? [];
  const pageBytes = numberOf(database, 'PRAGMA page_size');
  const byte = page === undefined ? byteOfRoot(database, index ?? 'events') : (Number(page) - 1) * pageBytes;
  throw new DamagedLog(
    `the page at byte ${byte} of ${database.location()} is not what was written (${sentence.trim()}).`,
  );
}

function checkEnd(database: DatabaseSync, end: ChainCursor, acknowledged: FoundHead): void {
  if (typeof acknowledged === 'string' || acknowledged.position === 0) return;
  const path = database.location() ?? 'the database';
  const { position } = acknowledged;
  if (end.position < position) {
    throw new DamagedLog(
      `${path} ends with position ${end.position}, its last page begins at byte ` +
        `${lastPage(database)}, and position ${position} was acknowledged.`,
    );
  }
  const row = database.prepare('SELECT hash FROM events WHERE pos = ?').get(position);
  // Scavenged since: then the gap, which the chain goes through, vouches for it.
  if (row === undefined || Buffer.compare(row['hash'] as Uint8Array, acknowledged.hash) === 0) return;
  throw new DamagedLog(
    `the event at position ${position} of ${path} is another than the one acknowledged, from byte 0 on.`,
  );
}

function lastPage(database: DatabaseSync): number {
  return (numberOf(database, 'PRAGMA page_count') - 1) * numberOf(database, 'PRAGMA page_size');
}

function numberOf(database: DatabaseSync, pragma: string): number {
  return Number(Object.values(database.prepare(pragma).get() ?? {})[0]);
}
