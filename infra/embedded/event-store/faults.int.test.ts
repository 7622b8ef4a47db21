import { mkdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { binaryEvent, EventStoreDBClient } from '@eventstore/db-client';
import { afterAll, afterEach, describe, expect } from 'vitest';
import { collect, counted, credentials, failure, numbers } from './testing/official-client.ts';
import { faultTest, runBeside } from './testing/missing-parts.ts';
import { Stores, type RunningProcess } from './testing/processes.ts';

const stores = new Stores();

afterEach(() => stores.end());
afterAll(() => stores.remove());

const clientOf = ({ address }: RunningProcess) => EventStoreDBClient.connectionString(`esdb://${address}?tls=false`);
const withCredentials = { credentials, deadline: 5_000 };

describe('the event store on a disk that fails', () => {
  faultTest(
    'F-13 refuses appends on a full disk, shows nothing of them, and takes them again when there is room',
    'unshare',
    async () => {
      const data = stores.newFolder();
      mkdirSync(data);
      const script = `mount -t tmpfs -o size=6m none ${data} && exec "$0" "$@"`;
      const store = await stores.start({ data, wrapper: ['unshare', '-rm', 'sh', '-c', script] });
      const client = clientOf(store);
      const filler = () => binaryEvent({ type: 'filler', data: Buffer.alloc(200_000) });
      let written = 0;
      let refused: unknown;
      while (refused === undefined) {
        refused = await client.appendToStream('filling', filler(), withCredentials).then(
          () => void (written += 1),
          (error: unknown) => error,
        );
      }
      expect(refused).toMatchObject({ type: 'unavailable' });
      expect((refused as Error).message).toContain('the disk of the event store is full');
      expect(written).toBeGreaterThan(5);
      expect(await collect(client.readStream('filling'))).toHaveLength(written);
      expect(await failure(client.appendToStream('other', filler(), withCredentials))).toMatchObject({
        type: 'unavailable',
      });
      await expect(collect(client.readStream('other'))).rejects.toMatchObject({ type: 'stream-not-found' });
      // Small ones may still fit, and the process is the same.
      const room = await runBeside(store, `mount -o remount,size=32m ${data}`);
      expect(room).toBe(0);
      expect(await client.appendToStream('other', filler(), withCredentials)).toMatchObject({
        nextExpectedRevision: 0n,
      });
      expect(await collect(client.readStream('filling'))).toHaveLength(written);
      expect(store.child.exitCode).toBeNull();
      await client.dispose();
    },
  );

  faultTest(
    'F-14 answers nobody after a failed fsync, ends with a sentence, and starts again with all that was acknowledged',
    'strace',
    async () => {
      const data = stores.newFolder();
      const first = await stores.start({ data });
      const before = clientOf(first);
      await before.appendToStream('synced', [counted(0), counted(1)], withCredentials);
      await before.dispose();
      first.child.kill('SIGTERM');
      await first.ended;
      const store = await stores.start({
        data,
        wrapper: [
          'strace',
          '-D',
          '-f',
          '-qq',
          '-o',
          '/dev/null',
          '-P',
          join(data, 'log.db-wal'),
          '-e',
          'inject=fsync,fdatasync:error=EIO:when=3+',
        ],
      });
      const client = clientOf(store);
      const answered: number[] = [];
      let failed: unknown;
      for (let n = 2; failed === undefined; n += 1) {
        failed = await client
          .appendToStream('synced', counted(n), { ...withCredentials, expectedRevision: BigInt(n - 1) })
          .then(
            () => void answered.push(n),
            (error: unknown) => error,
          );
      }
      expect(failed).toMatchObject({ type: 'unavailable' });
      expect(await store.ended).toBe(1);
      expect(store.errors()).toMatch(/The event store stopped because a write failed \(disk I\/O error\)/);
      await client.dispose();
      const again = await stores.start({ data });
      const reader = clientOf(again);
      const held = await numbers(reader.readStream('synced'));
      expect(held.slice(0, 2 + answered.length)).toEqual([0, 1, ...answered]);
      await reader.dispose();
    },
  );

  faultTest(
    'F-16 lives through two hundred clients with 64 descriptors, without burning time, and serves again when they have left',
    'prlimit',
    async () => {
      const store = await stores.start({ data: stores.newFolder(), wrapper: ['prlimit', '--nofile=64'] });
      const [host = '', port = ''] = store.address.split(':');
      const sockets: Socket[] = [];
      for (let n = 0; n < 200; n += 1) sockets.push(connect(Number(port), host).on('error', () => undefined));
      await expect.poll(() => sockets.filter(({ connecting }) => !connecting).length, { timeout: 5_000 }).toBe(200);
      const cpuBefore = cpuMsOf(store);
      const before = performance.now();
      await expect.poll(() => performance.now() - before, { timeout: 5_000 }).toBeGreaterThan(1_000);
      expect(cpuMsOf(store) - cpuBefore).toBeLessThan(500);
      for (const socket of sockets) socket.destroy();
      const client = clientOf(store);
      await expect
        .poll(
          () =>
            client.appendToStream('after', counted(1), { ...withCredentials, deadline: 1_000 }).then(
              ({ success }) => success,
              () => false,
            ),
          {
            timeout: 10_000,
          },
        )
        .toBe(true);
      expect(store.child.exitCode).toBeNull();
      await client.dispose();
    },
  );
});

/** Processor time that a process has taken so far, by proc(5), at 100 ticks a second. */
function cpuMsOf({ child }: RunningProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
