import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterId, CredentialId, RequestId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import { createAuditTrail, type AuditTrail } from './audit-trail.ts';
import { parseKubernetesRequest } from './kubernetes-request.ts';
import type { RequestRecord } from './proxy-records.ts';
import { openRunMarker, type RunMarker } from './run-marker.ts';
import { directAgents } from './testing/recorder.ts';
import { startProxy, startWorld, until, type World } from './testing/world.ts';

let world: World;
let clusterId: ClusterId;
let folder: string;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  clusterId = await world.cluster(`c-${randomUUID().slice(0, 8)}`);
  folder = join(world.folder, randomUUID());
});

const record = (strict: boolean): RequestRecord => ({
  requestId: randomUUID() as RequestId,
  clusterId,
  basis: {
    userId: randomUUID() as UserId,
    userRevision: 0,
    roleId: randomUUID() as RoleId,
    roleRevision: 0,
    accessRequestId: null,
    credentialId: randomUUID() as CredentialId,
  },
  request: parseKubernetesRequest('GET', '/api/v1/secrets'),
  strict,
  startedAt: new Date(),
  origin: { correlationId: 'c' },
});

const completed = {
  status: 200,
  bytesSent: 1,
  bytesReceived: 0,
  durationMs: 1,
  end: 'completed',
  errorCode: null,
} as const;

type Run = { readonly trail: AuditTrail; readonly marker: RunMarker };

async function beginRun(epoch: number): Promise<Run> {
  const trail = createAuditTrail({ store: world.store, log: world.log, epoch: () => epoch, now: () => new Date() });
  const marker = await openRunMarker({ folder, epoch, mark: () => trail.mark(), log: world.log });
  return { trail, marker };
}

/** Starts the proxying half as a new process with the same folder would, and stops it once it has recovered. */
async function nextRun(epoch: number): Promise<void> {
  const proxy = await startProxy(world, directAgents(new Map()), { epoch, folder });
  await proxy.recovered;
  await proxy.stop();
}

const told = async (): Promise<string[]> =>
  (await world.records(clusterId)).map(({ type, data }) => ('phase' in data ? data.phase : type));

describe('the start after an unclean stop', () => {
  it('D30 says that the outcome of what was open is unknown, and since when reads may be missing', async () => {
    const { trail, marker } = await beginRun(10);
    await marker.use(clusterId);
    const [open, done] = [record(true), record(true)];
    await trail.started(open);
    await trail.started(done);
    trail.ended(done, completed);
    await until('the end is durable', async () => (await told()).length === 3);
    const crashedAt = new Date();
    await nextRun(11);
    expect(await told()).toEqual(['started', 'started', 'ended', 'outcome_unknown', 'proxy.gap']);
    const [, , , unknown, gap] = await world.records(clusterId);
    expect(unknown).toMatchObject({
      data: { requestId: open.requestId, ...open.basis, strict: true, startedAt: open.startedAt.toISOString() },
      metadata: { epoch: 11, requestId: open.requestId, actor: { kind: 'user', id: open.basis.userId } },
    });
    const { from = '', to = '' } = (gap?.data ?? {}) as { from?: string; to?: string };
    expect(gap?.data).toMatchObject({ clusterId, reason: 'unclean_stop' });
    expect(new Date(from) <= crashedAt && new Date(to) >= crashedAt).toBe(true);
  });

  it('D30 adds nothing when it is done again', async () => {
    const { trail, marker } = await beginRun(20);
    await marker.use(clusterId);
    await trail.started(record(true));
    await nextRun(21);
    const before = await told();
    await nextRun(22);
    expect(await told()).toEqual(before);
  });

  it('D30 has nothing to say after a clean stop', async () => {
    const { trail, marker } = await beginRun(30);
    await marker.use(clusterId);
    const one = record(true);
    await trail.started(one);
    trail.ended(one, completed);
    await marker.stop(await trail.stop(1_000));
    await nextRun(31);
    expect(await told()).toEqual(['started', 'ended']);
  });

  it('D30 goes by the log alone when the marker is gone', async () => {
    const { trail } = await beginRun(40);
    await trail.started(record(true));
    folder = join(world.folder, randomUUID());
    await nextRun(41);
    expect(await told()).toEqual(['started', 'outcome_unknown', 'proxy.gap']);
  });

  it('D30 finds what was left by a run that stopped before it had recovered', async () => {
    const { trail, marker } = await beginRun(50);
    await marker.use(clusterId);
    await trail.started(record(true));
    await until('the marker knows', async () => {
      await marker.use(clusterId);
      return Object.keys(trail.mark().open).length === 1;
    });
    const between = await beginRun(51);
    await between.marker.stop(true);
    await nextRun(52);
    expect(await told()).toEqual(['started', 'outcome_unknown', 'proxy.gap']);
  });

  it('D30 carries on what is not yet on record, until it is', async () => {
    const { trail, marker } = await beginRun(70);
    await trail.started(record(true));
    await marker.use(clusterId);
    const next = await beginRun(71);
    await next.marker.use('5f0c7a6e-1b1f-4a53-8f5c-0d8a1f2b3c4d' as ClusterId);
    const carried = await beginRun(72);
    expect(carried.marker.previous).toMatchObject({ clean: false, open: trail.mark().open });
    expect(carried.marker.previous?.clusters).toEqual([clusterId, '5f0c7a6e-1b1f-4a53-8f5c-0d8a1f2b3c4d']);
    carried.marker.recovered();
    await carried.marker.stop(true);
    const last = await beginRun(73);
    expect(last.marker.previous).toMatchObject({ epoch: 72, clean: true, open: {}, clusters: [] });
    await last.marker.stop(true);
  });

  it('ignores a marker that it cannot read', async () => {
    await mkdir(folder, { recursive: true });
    for (const text of [
      '{',
      '[]',
      '{"epoch":1}',
      '{"epoch":1,"clean":true,"durableUntil":"x","open":{},"clusters":[]}',
    ]) {
      await writeFile(join(folder, 'proxy-run.json'), text);
      const { marker } = await beginRun(60);
      expect(marker.previous).toBeUndefined();
      await marker.stop(true);
    }
  });
});
