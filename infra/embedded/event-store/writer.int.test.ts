import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type OpenedDatabase } from './database.ts';
import type { AppendOutcome } from './records.ts';
import { StreamIndex } from './stream-index.ts';
import { Writer } from './writer.ts';

let folder: string;
let opened: OpenedDatabase;
let writer: Writer;
const fatal: Error[] = [];
let commits = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writer-'));
  opened = openDatabase(folder, () => undefined);
  fatal.length = 0;
  commits = 0;
  writer = new Writer({
    database: opened.database,
    streams: new StreamIndex(opened.database),
    end: { position: 0, hash: opened.origin },
    now: () => 1_780_000_000_000,
    committed: () => (commits += 1),
    fatal: (error) => fatal.push(error),
  });
});
afterEach(() => {
  opened.close();
  rmSync(folder, { recursive: true });
});

describe('the writer of the log', () => {
  it('refuses all that waits when the disk is full, stores none of it, and goes on when there is room again', async () => {
    expect(await append('before', 10)).toMatchObject({ kind: 'appended', position: 1 });
    limitPages(pages() + 4);
    const refused = await Promise.all([append('a', 10), append('b', 200_000), append('c', 10)]);
    expect(refused).toEqual(
      refused.map(() => ({ kind: 'unavailable', reason: 'the disk of the event store is full' })),
    );
    limitPages(1_000_000);
    expect(await append('a', 10)).toEqual({ kind: 'appended', revision: 0, position: 2 });
    expect(opened.database.prepare('SELECT count(*) AS n FROM events').get()?.['n']).toBe(2);
    expect([commits, fatal]).toEqual([2, []]);
  });

  it('answers nobody after any other failed write and asks for the end of the process', async () => {
    opened.database.exec('DROP TABLE events');
    const answers: AppendOutcome[] = [];
    for (const stream of ['a', 'b']) void append(stream, 10).then((answer) => answers.push(answer));
    await expect.poll(() => fatal.length).toBe(1);
    void append('c', 10).then((answer) => answers.push(answer));
    await writer.idle();
    expect(fatal[0]?.message).toMatch(/^The event store stopped because a write failed \(.*no such table/);
    expect([answers, commits, fatal.length]).toEqual([[], 0, 1]);
    opened.close();
    rmSync(join(folder, 'log.db'));
    opened = openDatabase(folder, () => undefined);
  });
});

function append(stream: string, bytes: number): Promise<AppendOutcome> {
  const event = {
    id: crypto.getRandomValues(Buffer.alloc(16)),
    type: 'test.happened',
    json: false,
    data: Buffer.alloc(bytes),
    metadata: Buffer.alloc(0),
  };
  return new Promise((settle) => {
    const expected = { kind: 'exactly', revision: -1 } as const;
    writer.enqueue({ stream, expected, events: [event], bytes, abandoned: () => false, settle });
  });
}

/** SQLite answers "full" beyond so many pages, exactly as it does when the disk has no more. */
function limitPages(count: number): void {
  opened.database.exec(`PRAGMA max_page_count = ${count}`);
}

function pages(): number {
  return Number(opened.database.prepare('PRAGMA page_count').get()?.['page_count']);
}
