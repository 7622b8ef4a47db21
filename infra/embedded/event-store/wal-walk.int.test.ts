import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DamagedLog } from './damage.ts';
import { cutWal, walkWal, type WalVerdict } from './wal-walk.ts';

const folder = mkdtempSync(join(tmpdir(), 'wal-'));
const commits = 40;
const frameBytes = 24 + 4096;
const frameAt = (index: number) => 32 + index * frameBytes;

/** A database and its WAL as a crash leaves them: every commit is on disk, nothing was checkpointed. */
const crashed = join(folder, 'crashed.db');
/** Index of the frame that ends each commit. */
const commitFrames: number[] = [];

beforeAll(() => {
  const database = open(join(folder, 'source.db'));
  for (let n = 0; n < commits; n += 1) commit(database, n);
  copy(join(folder, 'source.db'), crashed);
  database.close();
  const wal = readFileSync(`${crashed}-wal`);
  for (let at = 32, index = 0; at < wal.byteLength; at += frameBytes, index += 1) {
    if (wal.readUInt32BE(at + 4) !== 0) commitFrames.push(index);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('walking the write-ahead log before SQLite reads it', () => {
  it('finds nothing wrong with the files of a crash', () => {
    const path = fresh();
    expect(walkWal(`${path}-wal`)).toMatchObject({ kind: 'sound', frames: (commitFrames.at(-1) ?? 0) + 1 });
    expect(rowsOf(path)).toBe(commits);
  });

  it('takes a missing and an empty file as sound', () => {
    expect(walkWal(join(folder, 'none-wal'))).toEqual({ kind: 'sound', frames: 0 });
    writeFileSync(join(folder, 'empty-wal'), '');
    expect(walkWal(join(folder, 'empty-wal'))).toEqual({ kind: 'sound', frames: 0 });
  });

  it('refuses a flipped byte in the middle, names file and offset, and changes nothing', () => {
    const path = fresh();
    const frame = commitFrames[19] ?? 0;
    flip(`${path}-wal`, frameAt(frame) + 2_000);
    const before = readFileSync(`${path}-wal`);
    expect(() => walkWal(`${path}-wal`)).toThrow(DamagedLog);
    expect(() => walkWal(`${path}-wal`)).toThrow(`${path}-wal has a bad frame at byte ${frameAt(frame)}`);
    expect(readFileSync(`${path}-wal`).equals(before)).toBe(true);
  });

  it('is needed, because SQLite drops every commit after the flipped byte and says nothing', () => {
    const path = fresh();
    flip(`${path}-wal`, frameAt(commitFrames[19] ?? 0) + 2_000);
    expect(rowsOf(path)).toBe(19);
  });

  it('never lets a flipped byte cost more than the last commit, wherever it is', () => {
    const size = statSync(`${crashed}-wal`).size;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: size - 1 }), (offset) => {
        const path = fresh();
        flip(`${path}-wal`, offset);
        try {
          walkAndCut(`${path}-wal`);
        } catch (error) {
          expect(error).toBeInstanceOf(DamagedLog);
          return;
        }
        expect(rowsOf(path)).toBeGreaterThanOrEqual(commits - 1);
      }),
      { numRuns: 150 },
    );
  });

  it('cuts a commit that was torn at any byte and keeps all before it', () => {
    const begin = frameAt((commitFrames.at(-2) ?? 0) + 1);
    const end = statSync(`${crashed}-wal`).size;
    fc.assert(
      fc.property(fc.integer({ min: begin + 1, max: end - 1 }), (length) => {
        const path = fresh();
        truncateSync(`${path}-wal`, length);
        const verdict = walkAndCut(`${path}-wal`);
        if ((length - 32) % frameBytes !== 0) expect(verdict.kind).toBe('torn');
        expect(rowsOf(path)).toBe(commits - 1);
      }),
      { numRuns: 50 },
    );
  });

  it('cuts an unfinished commit whose pages reached the disk in another order', () => {
    const path = fresh();
    const begin = (commitFrames.at(-2) ?? 0) + 1;
    expect(commitFrames.at(-1)).toBeGreaterThan(begin);
    const wal = readFileSync(`${path}-wal`);
    wal.fill(0, frameAt(begin), frameAt(begin + 1));
    // A frame of an older generation may lie there as well as zeros; `ours` decides only whether the cut is reported.
    writeFileSync(`${path}-wal`, wal);
    walkAndCut(`${path}-wal`);
    expect(rowsOf(path)).toBe(commits - 1);
  });

  it('leaves alone what an older generation left behind the end', () => {
    const source = join(folder, 'generations.db');
    const database = open(source);
    for (let n = 0; n < commits; n += 1) commit(database, n);
    database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    for (let n = 0; n < 5; n += 1) commit(database, commits + n);
    const path = join(folder, 'generations-crashed.db');
    copy(source, path);
    database.close();
    const size = statSync(`${path}-wal`).size;
    expect(walkWal(`${path}-wal`).kind).toBe('sound');
    expect(statSync(`${path}-wal`).size).toBe(size);
    expect(rowsOf(path)).toBe(commits + 5);
  });

  it('refuses a header that was changed, because SQLite would take the whole file as empty', () => {
    const path = fresh();
    flip(`${path}-wal`, 17);
    expect(() => walkWal(`${path}-wal`)).toThrow('byte 0');
  });
});

function walkAndCut(path: string): WalVerdict {
  const verdict = walkWal(path);
  if (verdict.kind === 'torn') cutWal(path, verdict);
  return verdict;
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE rows (n INTEGER, fill BLOB)');
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  return database;
}

/** More than one page, so a commit is more than one frame. */
function commit(database: DatabaseSync, n: number): void {
  database.prepare('INSERT INTO rows VALUES (?, ?)').run(n, Buffer.alloc(5_000, n));
}

function copy(from: string, to: string): void {
  for (const suffix of ['', '-wal']) cpSync(from + suffix, to + suffix);
  rmSync(`${to}-shm`, { force: true });
}

function fresh(): string {
  const path = join(folder, 'work.db');
  copy(crashed, path);
  return path;
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ 0x40, offset);
  writeFileSync(path, bytes);
}

function rowsOf(path: string): number {
  const database = new DatabaseSync(path);
  const count = database.prepare('SELECT count(*) AS count FROM rows').get()?.['count'];
  database.close();
  return Number(count);
}
