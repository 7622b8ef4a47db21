import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessStream, type AccessFact } from '@clustral/schemas/events/access.ts';
import { clusterStream } from '@clustral/schemas/events/cluster.ts';
import type { Fact, Recorded } from '@clustral/schemas/events/envelope.ts';
import { roleStream } from '@clustral/schemas/events/role.ts';
import { userStream } from '@clustral/schemas/events/user.ts';
import type { ClusterId, UserId } from '@clustral/schemas/ids.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { startEventStore, type RunningEventStore } from '../../infra/embedded/event-store/start.ts';
import { startDeciding, type Deciding } from './deciding.ts';
import { approved, claims, clusterId, requested, roleId, userId } from './domain/fixtures.ts';
import { standingOf } from './domain/standing.ts';
import { until } from './proxy/testing/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'reactor-'));
const log = createLog('test', 'silent');
const hour = 3_600_000;
/** How far the clock of this control plane is from the true one. */
let offsetMs = 0;
const now = (): Date => new Date(Date.now() + offsetMs);
let server: RunningEventStore;
let eventStore: EventStore;
let deciding: Deciding;

beforeAll(async () => {
  server = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
  eventStore = connectEventStore({ connectionString: server.connectionString });
  deciding = await startDeciding({ eventStore, holder: 'h', log, now, monotonic: () => performance.now() });
  const cluster = { clusterId: clusterId(), name: 'prod', description: '', labels: {} };
  await append(clusterStream(clusterId()), { type: 'cluster.registered', data: cluster });
  const role = { roleId: roleId(), name: 'viewer', description: '', k8sGroups: ['g'] };
  await append(roleStream(roleId()), { type: 'role.created', data: role });
});
afterAll(async () => {
  await deciding.stop();
  await eventStore.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function append(stream: string, ...facts: readonly Fact[]): Promise<void> {
  const { revision } = await eventStore.load(stream);
  const actor = { kind: 'service', id: 'test' } as const;
  const metadata = { schemaVersion: 1, actor, epoch: deciding.epoch, $correlationId: 'test' };
  const added = facts.map((fact) => ({ ...fact, id: randomUUID(), metadata }));
  const { position } = await eventStore.append(stream, revision, added);
  await deciding.policy.reached(position, 5_000);
}

let people = 0;
/** Somebody with a grant that began long ago and ends so many milliseconds from now, by the control plane's clock. */
async function grantFor(ms: number): Promise<{ readonly stream: string; readonly who: Place; readonly endsAt: Date }> {
  const who = { userId: userId((people += 1)), clusterId: clusterId() };
  const signedIn = { userId: who.userId, claims: claims(), kubernetesName: `u${people}`, nameClass: 'verified' };
  await append(userStream(who.userId), { type: 'user.synced', data: { ...signedIn, signedInAt: null } });
  const stream = accessStream(who.userId, who.clusterId);
  const [from, endsAt] = [new Date(now().getTime() - 2 * hour), new Date(now().getTime() + ms)];
  const times = { grantStartsAt: from.toISOString(), grantExpiresAt: endsAt.toISOString() };
  const expiresAt = endsAt.toISOString();
  await append(stream, requested(`r-${people}`, { ...who, expiresAt }), approved(`r-${people}`, { ...who, ...times }));
  return { stream, who, endsAt };
}
type Place = { readonly userId: UserId; readonly clusterId: ClusterId };

const hasAccess = (who: Place): boolean => standingOf(deciding.policy, who, now()) !== undefined;
const expiriesOf = async (stream: string): Promise<readonly Recorded<AccessFact>[]> =>
  (await eventStore.load<AccessFact>(stream)).facts.filter(({ type }) => type === 'access_request.expired');
const untilExpired = (stream: string) =>
  until('it is said to have expired', async () => (await expiriesOf(stream)).length > 0);

describe('JT-11 a clock that is set', () => {
  it('back, keeps a grant as long as the clock says, and what was said stays said', async () => {
    const { stream, who, endsAt } = await grantFor(400);
    offsetMs = -hour;
    // When this one is said to be over, the first would have been long before.
    await untilExpired((await grantFor(500)).stream);
    expect(await expiriesOf(stream)).toEqual([]);
    expect(hasAccess(who)).toBe(true);
    offsetMs = 0;
    await grantFor(hour);
    await untilExpired(stream);
    offsetMs = -hour;
    expect(hasAccess(who)).toBe(false);
    await untilExpired((await grantFor(50)).stream);
    offsetMs = 0;
    expect(await expiriesOf(stream)).toMatchObject([{ data: { expiredAt: endsAt.toISOString() } }]);
  });

  it('ahead, ends at once what it says is over', async () => {
    const { stream, who, endsAt } = await grantFor(hour);
    offsetMs = 2 * hour;
    expect(hasAccess(who)).toBe(false);
    await grantFor(hour);
    await untilExpired(stream);
    offsetMs = 0;
    expect(hasAccess(who)).toBe(false);
    expect(await expiriesOf(stream)).toMatchObject([{ data: { expiredAt: endsAt.toISOString() } }]);
  });
});

describe('a grant for longer than a timer can be', () => {
  it('is awaited without a warning, and is not over at once', async () => {
    const warnings: string[] = [];
    const listen = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', listen);
    const { stream, who } = await grantFor(60 * 24 * hour);
    const short = await grantFor(100);
    await untilExpired(short.stream);
    process.off('warning', listen);
    expect(await expiriesOf(stream)).toEqual([]);
    expect(hasAccess(who)).toBe(true);
    expect(warnings).toEqual([]);
  });
});
