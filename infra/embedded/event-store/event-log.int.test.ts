import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEventLog, type EventLog } from './event-log.ts';
import type { AppendOutcome, Expected, Note, ProposedEvent } from './records.ts';

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

  it('are refused to a second process with one sentence that says what to do', async () => {
    open();
    const second = await run(['main.ts', folder, join(folder, 'second.sock')]);
    expect(second.code).toBe(1);
    expect(second.errors.trim().split('\n')).toHaveLength(1);
    expect(second.errors).toMatch(/^Another process has the log in .* open.*EVENTSTORE_CONNECTION_STRING/);
  });

  it('are refused to a second opener in the same process, and free again after a close', async () => {
    const first = open();
    expect(() => openEventLog({ folder, note: () => undefined, fatal: () => undefined, now: Date.now })).toThrow(
      'Another process has the log',
    );
    await first.close();
    expect(open().head).toBe(0);
  });

  it('are refused when another version wrote them', async () => {
    await open().close();
    change((database) => database.exec('PRAGMA user_version = 99'));
    expect(() => open()).toThrow('written by another version of the event store (schema 99, not 1)');
  });

  it('hold every acknowledged append after a crash, and the torn rest of the last write is cut with one line', async () => {
    const crashed = await crash(20);
    const size = statSync(`${crashed}/log.db-wal`).size;
    truncateSync(`${crashed}/log.db-wal`, size - 100);
    const log = open(crashed);
    expect(log.head).toBe(19);
    expect(notes.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^cut 4020 bytes of an unfinished commit/),
    ]);
  });

  it('are refused after a byte of the WAL was flipped, so no acknowledged append is lost in silence', async () => {
    const crashed = await crash(20);
    flip(`${crashed}/log.db-wal`, 10_000);
    expect(() => open(crashed)).toThrow(/The log is damaged: .*log\.db-wal has a bad frame at byte \d+/);
  });

  it('are refused when an event was changed, and the sentence names it', async () => {
    const log = open();
    for (let n = 0; n < 5; n += 1) await append(log, 'cluster-1', { data: [`{"n":${n}}`] });
    await log.close();
    change((database) => database.exec(`UPDATE events SET data = CAST('{"n":9}' AS BLOB) WHERE pos = 3`));
    expect(() => open()).toThrow('the event at position 3 (stream cluster-1, revision 2)');
  });

  it('are refused when an event in the middle is missing', async () => {
    const log = open();
    for (let n = 0; n < 5; n += 1) await append(log, 'cluster-1', { data: [`{"n":${n}}`] });
    await log.close();
    change((database) => database.exec('DELETE FROM events WHERE pos = 3'));
    expect(() => open()).toThrow('The log is damaged');
  });

  it('are checked from the first event on while the log is in use', async () => {
    const log = open();
    const data = Array.from({ length: 10_050 }, () => '{}');
    for (let at = 0; at < data.length; at += 1_000)
      await append(log, 'cluster-1', { data: data.slice(at, at + 1_000) });
    await log.close();
    change((database) => database.exec(`UPDATE events SET data = X'5B5D' WHERE pos = 2`));
    open();
    await expect
      .poll(() => fatal.map(({ message }) => message), { timeout: 5_000 })
      .toEqual([expect.stringContaining('the event at position 2')]);
  });
});

describe('appending to the log', () => {
  it('commits what waits together and answers each by itself', async () => {
    const log = open();
    const outcomes = await Promise.all([
      append(log, 'a', { expected: -1 }),
      append(log, 'a', { expected: -1 }),
      append(log, 'b', { expected: -1, data: ['1', '2'] }),
      append(log, 'a', { expected: 0 }),
      append(log, '$$a', { expected: -1, data: ['{"$acl":{}}'] }),
    ]);
    expect(outcomes).toEqual([
      { kind: 'appended', revision: 0, position: 1 },
      { kind: 'wrongRevision', current: 0 },
      { kind: 'appended', revision: 1, position: 3 },
      { kind: 'appended', revision: 1, position: 4 },
      { kind: 'invalid', reason: 'the embedded event store does not serve $acl' },
    ]);
  });

  it('goes on after a checkpoint and finds everything when opened again', async () => {
    const log = open();
    const big = 'x'.repeat(500_000);
    for (let n = 0; n < 40; n += 1) await append(log, 'big', { data: [JSON.stringify(big)] });
    await log.close();
    const again = open();
    expect(again.head).toBe(40);
    expect(again.stream('big')).toMatchObject({ first: 0, last: 39 });
  });

  it('refuses beyond 4,096 waiting appends instead of taking memory without end', async () => {
    const log = open();
    const outcomes = await Promise.all(
      Array.from({ length: 4_100 }, (_, n) => append(log, `s-${n}`, { expected: -1 })),
    );
    expect(outcomes.filter(({ kind }) => kind === 'busy')).toHaveLength(4);
    expect(log.head).toBe(4_096);
  });

  it('does not write for somebody who has stopped waiting', async () => {
    const log = open();
    log.append({ ...proposal('gone', {}), abandoned: () => true, settle: () => expect.unreachable() });
    await append(log, 'here', {});
    expect(log.stream('gone')).toBeUndefined();
  });

  it('hides from a stream, not from the log, what $maxCount leaves out', async () => {
    const log = open();
    await append(log, '$$beat', { data: ['{"$maxCount":1}'] });
    for (let n = 0; n < 3; n += 1) await append(log, 'beat', {});
    expect(log.stream('beat')).toMatchObject({ first: 2, last: 2 });
    expect(log.reader.all([]).forwards({ from: 1, to: log.head }).events).toHaveLength(4);
    await log.close();
    expect(open().stream('beat')).toMatchObject({ first: 2, last: 2 });
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

type Wanted = { readonly expected?: number; readonly data?: readonly string[] };

function proposal(stream: string, { expected, data = ['{}'] }: Wanted) {
  const wanted: Expected = expected === undefined ? { kind: 'any' } : { kind: 'exactly', revision: expected };
  const events: ProposedEvent[] = data.map((text) => ({
    id: crypto.getRandomValues(Buffer.alloc(16)),
    type: 'test.happened',
    json: true,
    data: Buffer.from(text),
    metadata: Buffer.alloc(0),
  }));
  return { stream, expected: wanted, events, bytes: data.join('').length, abandoned: () => false };
}

function append(log: EventLog, stream: string, wanted: Wanted): Promise<AppendOutcome> {
  return new Promise((settle) => log.append({ ...proposal(stream, wanted), settle }));
}

/** Files as a killed process leaves them: copied while the log is open. */
async function crash(appends: number): Promise<string> {
  const log = open();
  for (let n = 0; n < appends; n += 1) await append(log, 'cluster-1', {});
  const copy = join(folder, 'crashed');
  cpSync(join(folder, 'log.db'), join(copy, 'log.db'), { recursive: true });
  cpSync(join(folder, 'log.db-wal'), join(copy, 'log.db-wal'));
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

async function run([script = '', ...rest]: readonly string[]): Promise<{ code: number | null; errors: string }> {
  const child = spawn(process.execPath, [new URL(script, import.meta.url).pathname, ...rest]);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { code, errors };
}
