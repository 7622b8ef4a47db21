import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventStoreDBClient, NO_STREAM } from '@eventstore/db-client';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { collect, counted, credentials } from './testing/official-client.ts';
import { faultTest } from './testing/missing-parts.ts';
import { Stores, type RunningProcess } from './testing/processes.ts';

const stores = new Stores();

afterEach(() => stores.end());
afterAll(() => stores.remove());

const clientOf = ({ address }: RunningProcess) => EventStoreDBClient.connectionString(`esdb://${address}?tls=false`);
const withCredentials = { credentials, deadline: 5_000 };

describe('the event store that is killed', () => {
  it('F-08 has every acknowledged append, once and in order, when it was killed in the middle of the work, and is back at once', async () => {
    const data = stores.newFolder();
    const streams = Array.from({ length: 8 }, () => randomUUID());
    const acknowledged = new Map<string, string[]>(streams.map((stream) => [stream, []]));
    for (let round = 0; round < 5; round += 1) {
      const begun = performance.now();
      const store = await stores.start({ data });
      expect(performance.now() - begun).toBeLessThan(10_000);
      const client = clientOf(store);
      const writers = streams.map(async (stream) => {
        const held = await collect(client.readStream(stream)).catch(() => []);
        const ids = acknowledged.get(stream) ?? [];
        // Unanswered appends may be there or not; answered ones are.
        expect(held.map(({ event }) => event?.id).filter((id) => ids.includes(String(id)))).toEqual(ids);
        expect(held.map(({ event }) => event?.revision)).toEqual(held.map((_, n) => BigInt(n)));
        let next = BigInt(held.length);
        for (;;) {
          const event = counted(Number(next));
          const expectedRevision = next === 0n ? NO_STREAM : next - 1n;
          const failed = await client.appendToStream(stream, event, { ...withCredentials, expectedRevision }).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (failed !== undefined) return;
          ids.push(event.id);
          next += 1n;
        }
      });
      const before = [...acknowledged.values()].flat().length;
      await expect
        .poll(() => [...acknowledged.values()].flat().length - before, { interval: 1, timeout: 15_000 })
        .toBeGreaterThan(20 + round * 17);
      store.child.kill('SIGKILL');
      await store.ended;
      await Promise.all(writers);
      await client.dispose();
    }
  });

  faultTest('G1 answers no append before its write-ahead log was synchronised', 'strace', async () => {
    const trace = join(stores.base, `trace-${randomUUID()}`);
    const store = await stores.start({
      data: stores.newFolder(),
      wrapper: [
        'strace',
        '-D',
        '-f',
        '-yy',
        '-qq',
        '-e',
        'trace=fsync,fdatasync,pwrite64,write,writev,sendmsg,sendto',
        '-e',
        'signal=none',
        '-o',
        trace,
      ],
    });
    const client = clientOf(store);
    for (let n = 0; n < 5; n += 1) await client.appendToStream('traced', counted(n), withCredentials);
    await client.dispose();
    const lines = readFileSync(trace, 'utf8').split('\n');
    const walWrites = indexesOf(lines, /pwrite64\(\d+<[^>]*log\.db-wal>/);
    const syncs = indexesOf(lines, /f(?:data)?sync\(\d+<[^>]*log\.db-wal>/);
    const sends = indexesOf(lines, /(?:write|writev|sendmsg|sendto)\(\d+<TCP/);
    expect(Math.min(syncs.length, sends.length)).toBeGreaterThanOrEqual(5);
    const unsynchronised = sends.filter((send) => {
      const lastWrite = walWrites.findLast((write) => write < send) ?? -1;
      const lastSync = syncs.findLast((sync) => sync < send) ?? -1;
      return lastWrite > lastSync;
    });
    expect(unsynchronised.map((index) => lines[index])).toEqual([]);
  });
});

function indexesOf(lines: readonly string[], wanted: RegExp): number[] {
  return lines.flatMap((line, index) => (wanted.test(line) ? [index] : []));
}
