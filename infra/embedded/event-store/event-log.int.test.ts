import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEventLog, type EventLog } from './event-log.ts';
import type { Note } from './records.ts';
import { append, everything } from './testing/changes.ts';
import { run } from './testing/processes.ts';

let folder: string;
const opened: EventLog[] = [];
const notes: Note[] = [];
const fatal: Error[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-'));
});
afterEach(async () => {
  for (const log of opened.splice(0)) await log.close();
  rmSync(folder, { recursive: true });
  notes.length = 0;
  fatal.length = 0;
});

describe('the files of the log', () => {
  it('lie in a folder that nobody else may enter, also when it was there before', () => {
    chmodSync(folder, 0o755);
    open();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('are refused to a second process with one sentence that names the real server', async () => {
    open();
    const second = await run(['--data', folder, '--socket', join(folder, 'second.sock')]);
    expect(second.code).toBe(1);
    expect(second.errors.trim().split('\n')).toHaveLength(1);
    expect(second.errors).toMatch(
      /^Another process has the log in .* open.*EVENTSTORE_CONNECTION_STRING to an EventStoreDB/,
    );
  });

  it('are refused to a second opener in the same process, and free again after a close', async () => {
    const first = open();
    expect(() => open()).toThrow('Another process has the log');
    await first.close();
    expect(open().head).toBe(0);
  });

  it('are refused when another version wrote them', async () => {
    await open().close();
    change((database) => database.exec('PRAGMA user_version = 99; CREATE TABLE news (n INTEGER)'));
    expect(() => open()).toThrow('written by another version of the event store (schema 99, not 2)');
  });

  it('hold every acknowledged append after a crash, and the torn rest of the last write is cut with one line', async () => {
    const crashed = await crash(20);
    // What a crash leaves of a commit that was still being written: nobody had heard of it.
    const wal = readFileSync(`${crashed}/log.db-wal`);
    writeFileSync(`${crashed}/log.db-wal`, Buffer.concat([wal, wal.subarray(32, 32 + 4_000)]));
    const log = open(crashed);
    expect(log.head).toBe(20);
    expect(everything(log)).toHaveLength(20);
    expect(notes.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^cut 4000 bytes of an unfinished commit/),
    ]);
  });

  it('are refused after a byte of the WAL was flipped, so no acknowledged append is lost in silence', async () => {
    const crashed = await crash(20);
    flip(`${crashed}/log.db-wal`, 10_000);
    expect(() => open(crashed)).toThrow(/The log is damaged: .*log\.db-wal has a bad frame at byte \d+/);
  });

  it.each([
    ['cut off', (path: string) => truncateSync(path, statSync(path).size - 100)],
    ['flipped in one byte', (path: string) => flip(path, statSync(path).size - 100)],
  ])('are refused when the commit acknowledged last was %s, with the byte to look at', async (_, damage) => {
    const crashed = await crash(20);
    damage(`${crashed}/log.db-wal`);
    const before = readFileSync(`${crashed}/log.db-wal`);
    expect(() => open(crashed)).toThrow(
      /log\.db-wal breaks off at byte \d+; .* ends with position 19.* position 20 was acknowledged/,
    );
    expect(readFileSync(`${crashed}/log.db-wal`).equals(before)).toBe(true);
  });

  it('are refused when the database is gone and something was acknowledged', async () => {
    const log = open();
    await append(log, 'cluster-1');
    await log.close();
    rmSync(join(folder, 'log.db'));
    expect(() => open()).toThrow(/log\.db is empty from byte 0 on, and position 1 was acknowledged/);
  });

  it('go on without what was acknowledged last when only that file is damaged, and say so', async () => {
    const log = open();
    await append(log, 'cluster-1');
    await log.close();
    flip(join(folder, 'log.head'), 20);
    expect(everything(open())).toEqual(['cluster-1@0 {}']);
    expect(notes).toEqual([{ level: 'warn', message: expect.stringMatching(/log\.head is not what was written/) }]);
  });

  it('are refused when an event was changed, and the sentence names it and its byte', async () => {
    const log = open();
    for (let n = 0; n < 5; n += 1) await append(log, 'cluster-1', { data: [`{"n":${n}}`] });
    await log.close();
    change((database) => database.exec(`UPDATE events SET data = CAST('{"n":9}' AS BLOB) WHERE pos = 3`));
    const [, byte] = /the event at position 3 \(stream cluster-1, revision 2\) at byte (\d+) of /.exec(refusal()) ?? [];
    expect(
      readFileSync(join(folder, 'log.db'))
        .subarray(Number(byte), Number(byte) + 150)
        .toString('latin1'),
    ).toContain('{"n":9}');
  });

  it('are refused when an event in the middle is missing', async () => {
    const log = open();
    for (let n = 0; n < 5; n += 1) await append(log, 'cluster-1', { data: [`{"n":${n}}`] });
    await log.close();
    change((database) => database.exec('DELETE FROM events WHERE pos = 3'));
    expect(refusal()).toMatch(/between position 2 and position 4 at byte \d+ of .*log\.db events are missing/);
  });

  it('are checked from the first event on while the log is in use', async () => {
    await longLog();
    change((database) => database.exec(`UPDATE events SET data = X'5B5D' WHERE pos = 2`));
    open();
    await expect
      .poll(() => fatal.map(({ message }) => message), { timeout: 10_000 })
      .toEqual([expect.stringContaining('the event at position 2')]);
  });

  it('are found damaged by a reader before the check comes there', async () => {
    await longLog();
    change((database) => database.exec(`UPDATE events SET rev = 20000, created = created + 1 WHERE pos = 7`));
    const log = open();
    expect(() => log.reader.all({ from: 5, to: 9 })).toThrow('the event at position 7');
    expect(() => log.reader.streamForwards(1, { from: 0, to: 20 })).toThrow(
      /stream cluster-1 has a hole .* at byte \d+/,
    );
  });
});

function open(at = folder): EventLog {
  const log = openEventLog({
    folder: at,
    note: (note) => notes.push(note),
    fatal: (error) => fatal.push(error),
    now: () => 1_780_000_000_000,
  });
  opened.push(log);
  return log;
}

function refusal(): string {
  try {
    open();
  } catch (error) {
    return String(error);
  }
  throw new Error('the log was opened');
}

/** More than what a start looks at. */
async function longLog(): Promise<void> {
  const log = open();
  const data = Array.from({ length: 10_050 }, () => '{}');
  for (let at = 0; at < data.length; at += 1_000) {
    await append(log, 'cluster-1', { data: data.slice(at, at + 1_000) });
  }
  await log.close();
}

/** Files as a killed process leaves them: copied while the log is open. */
async function crash(appends: number): Promise<string> {
  const log = open();
  for (let n = 0; n < appends; n += 1) await append(log, 'cluster-1');
  const copy = join(folder, 'crashed');
  for (const name of ['log.db', 'log.db-wal', 'log.head']) {
    cpSync(join(folder, name), join(copy, name), { recursive: true });
  }
  return copy;
}

function change(edit: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(join(folder, 'log.db'));
  edit(database);
  database.close();
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ 0x40, offset);
  writeFileSync(path, bytes);
}
