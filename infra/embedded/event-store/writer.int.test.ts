import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type OpenedDatabase } from './database.ts';
import { readHead } from './head-file.ts';
import { Ledger } from './ledger.ts';
import { Metrics } from './metrics.ts';
import type { Outcome } from './records.ts';
import { StreamIndex } from './stream-index.ts';
import { appendOf, changed } from './testing/changes.ts';
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
  const { database, end, newest, head } = opened;
  const streams = new StreamIndex(database);
  const ledger = new Ledger({ database, streams, end, newest, now: () => 1_780_000_000_000 });
  writer = new Writer({
    database,
    ledger,
    head,
    metrics: new Metrics(),
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
    expect(await append('before', 10)).toMatchObject({ kind: 'done', position: 1 });
    limitPages(pages() + 4);
    const refused = await Promise.all([append('a', 10), append('b', 200_000), append('c', 10)]);
    expect(refused).toEqual(
      refused.map(() => ({ kind: 'unavailable', reason: 'the disk of the event store is full' })),
    );
    limitPages(1_000_000);
    expect(await append('a', 10)).toEqual({ kind: 'done', revision: 0, position: 2 });
    expect(opened.database.prepare('SELECT count(*) AS n FROM events').get()?.['n']).toBe(2);
    expect([commits, fatal]).toEqual([2, []]);
  });

  it('answers nobody after any other failed write and asks for the end of the process', async () => {
    opened.database.exec('DROP TABLE events');
    const answers: Outcome[] = [];
    for (const stream of ['a', 'b']) void append(stream, 10).then((answer) => answers.push(answer));
    await expect.poll(() => fatal.length).toBe(1);
    void append('c', 10).then((answer) => answers.push(answer));
    await writer.idle();
    expect(fatal[0]?.message).toMatch(/^The event store stopped because a write failed \(.*no such table/);
    expect([answers, commits, fatal.length]).toEqual([[], 0, 1]);
  });

  it('says where the log ends in the head file before it answers', async () => {
    expect(await append('a', 10)).toMatchObject({ kind: 'done', position: 1 });
    expect(readHead(join(folder, 'log.head'))).toMatchObject({ position: 1 });
  });
});

function append(stream: string, bytes: number): Promise<Outcome> {
  const change = appendOf(stream, { expected: -1, data: [Buffer.alloc(bytes)] });
  return changed((queued) => writer.enqueue(queued), change);
}

/** SQLite answers "full" beyond so many pages, exactly as it does when the disk has no more. */
function limitPages(count: number): void {
  opened.database.exec(`PRAGMA max_page_count = ${count}`);
}

function pages(): number {
  return Number(opened.database.prepare('PRAGMA page_count').get()?.['page_count']);
}
