/**
 * Where in the database's file an event lies, to the byte at which its row begins: what an operator needs to look at the disk.
 * It walks the b-tree of the table `events` by itself, because SQLite has no way to ask. It is for messages only: what it
 * cannot follow, because pages are damaged or still in the write-ahead log, it names by the page where it stopped.
 *
 * Format: https://www.sqlite.org/fileformat2.html#b_tree_pages
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

const interiorTable = 0x05;
const leafTable = 0x0d;
const deepest = 20;

/** The byte of the file where the row of this position begins. */
export function byteOfEvent(database: DatabaseSync, position: number): number {
  const path = database.location();
  if (path === null) return 0;
  return byteOfRow({ path, pageBytes: pageBytesOf(database), root: rootOf(database, 'events') }, position);
}

/** The byte of the file where the root page of a table or index begins. */
export function byteOfRoot(database: DatabaseSync, name: string): number {
  return (rootOf(database, name) - 1) * pageBytesOf(database);
}

function byteOfRow(
  { path, pageBytes, root }: { path: string; pageBytes: number; root: number },
  rowid: number,
): number {
  const file = openSync(path, 'r');
  try {
    let number = root;
    for (let depth = 0; depth < deepest; depth += 1) {
      const page = Buffer.alloc(pageBytes);
      readSync(file, page, 0, pageBytes, (number - 1) * pageBytes);
      const found = search(page, rowid);
      if (found === undefined) break;
      if (found.kind === 'cell') return (number - 1) * pageBytes + found.offset;
      number = found.page;
    }
    return (number - 1) * pageBytes;
  } finally {
    closeSync(file);
  }
}

type Found = { readonly kind: 'cell'; readonly offset: number } | { readonly kind: 'child'; readonly page: number };

/** One step down. Undefined when the page is none of a table, or the row is not there. */
function search(page: Buffer, rowid: number): Found | undefined {
  const kind = page[0];
  const cells = page.readUInt16BE(3);
  if (kind === leafTable) {
    for (let cell = 0; cell < cells; cell += 1) {
      const offset = pointer(page, 8 + 2 * cell);
      const [, afterLength] = varint(page, offset);
      if (varint(page, afterLength)[0] === rowid) return { kind: 'cell', offset };
    }
    return undefined;
  }
  if (kind !== interiorTable) return undefined;
  for (let cell = 0; cell < cells; cell += 1) {
    const offset = pointer(page, 12 + 2 * cell);
    if (rowid <= varint(page, offset + 4)[0]) return { kind: 'child', page: page.readUInt32BE(offset) };
  }
  return { kind: 'child', page: page.readUInt32BE(8) };
}

function pointer(page: Buffer, at: number): number {
  return Math.min(at + 2 > page.byteLength ? 0 : page.readUInt16BE(at), page.byteLength - 24);
}

/** SQLite's big-endian varint: the value, and where the next byte is. */
function varint(page: Buffer, at: number): readonly [value: number, next: number] {
  let value = 0;
  for (let count = 0; count < 8; count += 1) {
    const byte = page[at + count] ?? 0;
    value = value * 0x80 + (byte & 0x7f);
    if (byte < 0x80) return [value, at + count + 1];
  }
  return [value * 0x100 + (page[at + 8] ?? 0), at + 9];
}

function pageBytesOf(database: DatabaseSync): number {
  return Number(Object.values(database.prepare('PRAGMA page_size').get() ?? {})[0] ?? 4096);
}

function rootOf(database: DatabaseSync, name: string): number {
  return Number(database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(name)?.['rootpage'] ?? 1);
}
