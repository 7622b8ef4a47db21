import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEventLog, type EventLog } from './event-log.ts';
import { patternFilter } from './filters/event-filter.ts';
import { append, appendOf, changed } from './testing/changes.ts';

let folder: string;
const opened: EventLog[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-'));
});
afterEach(async () => {
  for (const log of opened.splice(0)) await log.close();
  rmSync(folder, { recursive: true });
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
      append(log, 'a', { data: [] }),
    ]);
    expect(outcomes).toEqual([
      { kind: 'done', revision: 0, position: 1 },
      { kind: 'wrongRevision', current: 0 },
      { kind: 'done', revision: 1, position: 3 },
      { kind: 'done', revision: 1, position: 4 },
      { kind: 'done', revision: 0, position: 5 },
      { kind: 'done', revision: 1, position: 5 },
    ]);
  });

  it('recognises a retry that names no revision, also after a restart', async () => {
    const log = open();
    const change = appendOf('a', { data: ['1', '2'] });
    const first = await changed((queued) => log.change(queued), change);
    await append(log, 'a');
    await log.close();
    const again = open();
    expect(await changed((queued) => again.change(queued), change)).toEqual(first);
    expect(again.head).toBe(3);
  });

  it('goes on after a checkpoint and finds everything when opened again', async () => {
    const log = open();
    const big = 'x'.repeat(500_000);
    for (let n = 0; n < 40; n += 1) await append(log, 'big', { data: [JSON.stringify(big)] });
    expect(log.gauges().databaseBytes).toBeGreaterThan(10_000_000);
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
    log.change({ change: appendOf('gone'), bytes: 2, abandoned: () => true, settle: () => expect.unreachable() });
    await append(log, 'here');
    expect(log.stream('gone')).toEqual({ kind: 'absent' });
  });
});

describe('reading everything through a filter', () => {
  it('gives pages that say how much was looked at, in both directions', async () => {
    const log = open();
    const streams = Array.from({ length: 60 }, (_, n) => `${n % 7 === 0 ? 'wanted' : 'other'}-${n}`);
    for (const stream of streams) await append(log, stream);
    const filter = patternFilter('stream', '^wanted-\\d+$');
    for (const range of [
      { from: 1, to: 60 },
      { from: 60, to: 1, backwards: true },
    ]) {
      const seen: string[] = [];
      let considered = 0;
      for (let next = range.from; next >= 1 && next <= 60;) {
        const page = log.reader.filtered(filter, { ...range, from: next }, 10);
        expect(page.considered).toBeGreaterThan(0);
        expect(page.considered).toBe(Math.abs(page.next - next));
        seen.push(...page.events.map(({ stream }) => stream));
        considered += page.considered;
        next = page.next;
      }
      const wanted = streams.filter((stream) => stream.startsWith('wanted'));
      expect(seen).toEqual(range.from === 1 ? wanted : wanted.toReversed());
      expect(considered).toBe(60);
    }
  });
});

function open(): EventLog {
  const fatal = (error: Error): never => {
    throw error;
  };
  const log = openEventLog({ folder, note: () => expect.unreachable(), fatal, now: () => 1_780_000_000_000 });
  opened.push(log);
  return log;
}
