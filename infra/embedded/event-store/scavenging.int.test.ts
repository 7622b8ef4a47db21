import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEventLog, type EventLog, type EventLogOptions } from './event-log.ts';
import { append, changed, everything } from './testing/changes.ts';

let folder: string;
const opened: EventLog[] = [];
let now = 1_780_000_000_000;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scavenging-'));
});
afterEach(async () => {
  for (const log of opened.splice(0)) await log.close();
  rmSync(folder, { recursive: true });
});

describe('what a stream no longer shows', () => {
  it('is hidden from the stream, not from the log, until it is scavenged', async () => {
    const log = open();
    await append(log, '$$beat', { data: ['{"$maxCount":1}'] });
    for (let n = 0; n < 3; n += 1) await append(log, 'beat', { data: [String(n)] });
    expect(log.stream('beat')).toMatchObject({ first: 2, last: 2 });
    expect(everything(log)).toHaveLength(4);
    expect(await log.scavenge()).toBe(2);
    expect(everything(log)).toEqual(['$$beat@0 {"$maxCount":1}', 'beat@2 2']);
    await append(log, 'beat', { expected: 2, data: ['3'] });
    await log.close();
    expect(everything(open())).toEqual(['$$beat@0 {"$maxCount":1}', 'beat@2 2', 'beat@3 3']);
  });

  it('is scavenged by age, by what was truncated and by what was deleted, but for the newest event of each stream', async () => {
    const log = open();
    await append(log, '$$aged', { data: ['{"$maxAge":60}'] });
    await append(log, 'aged', { data: ['1', '2'] });
    await append(log, 'truncated', { data: ['1', '2', '3'] });
    await append(log, '$$truncated', { data: ['{"$tb":1}'] });
    await append(log, 'deleted', { data: ['1', '2'] });
    await append(log, 'tombstoned', { data: ['1', '2'] });
    now += 61_000;
    await append(log, 'aged', { data: ['3'] });
    for (const kind of ['delete', 'tombstone'] as const) {
      await changed((queued) => log.change(queued), { kind, stream: `${kind}d`, expected: { kind: 'any' } });
    }
    expect(await log.scavenge()).toBe(2 + 1 + 1 + 2);
    await log.close();
    expect(everything(open()).map((line) => line.replace(/ .*/, ''))).toEqual([
      '$$aged@0',
      'truncated@1',
      'truncated@2',
      '$$truncated@0',
      'deleted@1',
      'aged@2',
      '$$deleted@0',
      `tombstoned@${Number.MAX_SAFE_INTEGER}`,
    ]);
  });

  it('leaves gaps that the check goes over, and none that it would take for a loss', async () => {
    const log = open();
    await append(log, '$$odd', { data: ['{"$maxCount":1}'] });
    for (let n = 0; n < 40; n += 1) await append(log, n % 3 === 0 ? 'kept' : 'odd', { data: [String(n)] });
    expect(await log.scavenge()).toBe(25);
    await log.close();
    expect(everything(open())).toHaveLength(16);
    for (const log of opened.splice(0)) await log.close();
    const database = new DatabaseSync(join(folder, 'log.db'));
    database.exec('UPDATE gaps SET last = last - 1 WHERE first = (SELECT max(first) FROM gaps)');
    database.close();
    expect(() => open()).toThrow(/events are missing that nobody scavenged/);
  });

  it('is taken out in slices that let appends through, and leaves what others wrote meanwhile', async () => {
    const log = open();
    for (let n = 0; n < 30; n += 1) await append(log, `noisy-${n}`, { data: Array.from({ length: 100 }, () => '{}') });
    for (let n = 0; n < 30; n += 1) await append(log, `$$noisy-${n}`, { data: ['{"$maxCount":1}'] });
    let appended = 0;
    let done = false;
    const appending = (async () => {
      while (!done) {
        expect(await append(log, 'meanwhile', { expected: appended - 1 })).toMatchObject({ kind: 'done' });
        appended += 1;
      }
    })();
    expect(await log.scavenge()).toBe(30 * 99);
    done = true;
    await appending;
    const { scavenges, counts } = log.metrics;
    expect(scavenges.snapshot().count).toBeGreaterThan(3);
    expect(scavenges.longestMs).toBeLessThan(1_000);
    expect(counts.eventsScavenged).toBe(30 * 99);
    expect(appended).toBeGreaterThan(3);
    await log.close();
    expect(everything(open())).toHaveLength(60 + appended);
  });

  it('is scavenged by itself, time and again', async () => {
    const log = open({ scavengeEveryMs: 10 });
    await append(log, '$$beat', { data: ['{"$maxCount":1}'] });
    for (const count of [3, 2]) {
      await append(log, 'beat', { data: Array.from({ length: count }, () => '{}') });
      await expect.poll(() => everything(log).length, { timeout: 5_000 }).toBe(2);
    }
  });
});

function open(options: Partial<EventLogOptions> = {}): EventLog {
  const fatal = (error: Error): never => {
    throw error;
  };
  const log = openEventLog({ folder, note: () => expect.unreachable(), fatal, now: () => now, ...options });
  opened.push(log);
  return log;
}
