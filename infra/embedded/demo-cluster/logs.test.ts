import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from './limits.ts';
import { logEntries } from './logs.ts';

const pod = { name: 'web-1', container: 'web', image: 'web:1', startMs: 1_000_000 };

describe('a log', () => {
  it('has one line when the container starts and one a second from then on', () => {
    const entries = logEntries(pod, pod.startMs + 3_500, {});
    expect(entries.map(({ atMs }) => atMs - pod.startMs)).toEqual([0, 1_000, 2_000, 3_000]);
    expect(entries[0]?.text).toBe('web started from web:1 (stand-in: nothing runs)');
  });

  it('read in pieces is the log read at once', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(100_000), (first, more) => {
        const middle = pod.startMs + first;
        const end = middle + more;
        const pieces = [...logEntries(pod, middle, {}), ...logEntries(pod, end, { sinceMs: middle + 1 })];
        expect(pieces).toEqual(logEntries(pod, end, {}));
      }),
    );
  });

  it('keeps its newest lines only', () => {
    const entries = logEntries(pod, pod.startMs + 10 * limits.logLines * 1000, {});
    expect(entries).toHaveLength(limits.logLines);
    expect(entries.at(-1)?.atMs).toBe(pod.startMs + 10 * limits.logLines * 1000);
  });

  it('gives the last lines asked for', () => {
    expect(logEntries(pod, pod.startMs + 9_000, { tail: 2 }).map(({ atMs }) => atMs - pod.startMs)).toEqual([
      8_000, 9_000,
    ]);
    expect(logEntries(pod, pod.startMs + 9_000, { tail: 0 })).toEqual([]);
    expect(logEntries(pod, pod.startMs - 1, {})).toEqual([]);
  });
});
