import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventStore, LogMessage } from '@clustral/kernel/event-store-port.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { goldenSamples } from '@clustral/schemas/events/golden/samples.ts';
import { auditEvents } from './audit/query.ts';
import { getCluster, listClusters } from './clusters.ts';
import { listRoles } from './roles.ts';
import { registered, roleCreated } from './testing/people.ts';
import { append, appendSideBySide, dump } from './testing/rig.ts';
import { openStage, type Stage } from './testing/stage.ts';
import { manyRoles, Story } from './testing/story.ts';

const inTime = { timeout: 15_000 } as const;
const story = goldenSamples().map(({ fact }) => fact);

describe('the projector', () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await openStage();
  });
  afterEach(() => stage.dispose());

  it('shows a change to whoever waits for its position, within milliseconds', async () => {
    await append(stage.log.store, new Story().tell('cluster-a', registered('a', 'prod')).facts);
    stage.project();
    const models = await stage.read();
    await expect.poll(() => getCluster(models, 'a'), inTime).toMatchObject({ name: 'prod' });
    const { position } = await stage.log.store.append('cluster-b', 'none', [
      { ...(new Story().tell('cluster-b', registered('b', 'staging')).facts[0] as Recorded), id: crypto.randomUUID() },
    ]);
    await models.waitFor(position, 2_000);
    expect((await listClusters(models, { limit: 10 })).items.map(({ name }) => name)).toEqual(['prod', 'staging']);
  });

  it('makes the same of a log that is delivered three times over, and late once more', async () => {
    await append(stage.log.store, story);
    const position = await appendSideBySide(stage.log.store, manyRoles());
    stage.project({}, deliveredAgain(stage.log.store));
    await (await stage.read()).waitFor(position, 20_000);
    await stage.stopAll();
    expect(await dump(stage.folder)).toEqual(await stage.cleanFold(position));
  });

  it('stops before a fact that it does not know, says so, and skips nothing', async () => {
    const told = new Story()
      .tell('role-a', roleCreated('a'))
      .tell('role-b', roleCreated('b'))
      .tell('role-c', roleCreated('c'));
    const [first, unknown, last] = told.facts as [Recorded, Recorded, Recorded];
    const known = await append(stage.log.store, [first]);
    const position = await append(stage.log.store, [{ ...unknown, type: 'role.painted' }, last]);
    const projector = stage.project();
    await expect.poll(() => projector.status.halted, inTime).toMatch(/role\.painted/);
    expect(projector.status.caughtUp).toBe(false);
    // The same again after a restart: the reason is in the log, not in the process.
    await stage.stopAll();
    const again = stage.project();
    await expect.poll(() => again.status.halted, inTime).toMatch(/role\.painted/);
    expect(again.status.position).toBe(known);
    expect(position).toBeGreaterThan(known);
  });

  it('tells whoever waits that it has stopped, and goes on showing what came before', async () => {
    const [first] = new Story().tell('role-a', roleCreated('a')).facts as [Recorded];
    const known = await append(stage.log.store, [first]);
    const projector = stage.project();
    const models = await stage.read();
    await models.waitFor(known, 5_000);
    const broken = { ...first, id: crypto.randomUUID(), stream: 'role-b', data: { roleId: 'b' } };
    const position = await append(stage.log.store, [broken]);
    await expect.poll(() => projector.status.halted, inTime).toMatch(/data\.name/);
    const waiting = models.waitFor(position, 60_000);
    await expect(waiting).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('data.name'),
    });
    expect((await listRoles(models, { limit: 5 })).items).toHaveLength(1);
  });

  it('marks facts of a writer that had lost the lease, and shows nothing of what they did', async () => {
    const told = new Story().tell('lease-control_plane', {
      type: 'control_plane.took_over',
      data: { epoch: 2, holder: 'h' },
    });
    told.epoch = 1;
    const position = await append(stage.log.store, told.tell('role-a', roleCreated('a')).facts);
    stage.project();
    const models = await stage.read();
    await models.waitFor(position, 5_000);
    expect((await listRoles(models, { limit: 5 })).items).toEqual([]);
    expect((await auditEvents(models, { filters: { code: 'CRL001I' }, limit: 5 })).items).toMatchObject([
      { staleEpoch: true },
    ]);
  });

  it('remembers the lease over a restart', async () => {
    const lease = new Story().tell('lease-control_plane', {
      type: 'control_plane.took_over',
      data: { epoch: 2, holder: 'h' },
    });
    const models = await stage.read();
    const before = stage.project();
    await models.waitFor(await append(stage.log.store, lease.facts), 5_000);
    await before.stop();
    stage.project();
    lease.epoch = 1;
    await models.waitFor(await append(stage.log.store, lease.tell('role-a', roleCreated('a')).facts.slice(1)), 5_000);
    expect((await listRoles(models, { limit: 5 })).items).toEqual([]);
  });

  it('drops the rows of requests that are older than they are kept, and says from when on it is complete', async () => {
    const position = await append(stage.log.store, story);
    const dayMs = 86_400_000;
    const now = new Date(Date.now() + 95 * dayMs);
    stage.project({ now: () => now });
    const models = await stage.read();
    await models.waitFor(position, 5_000);
    const proxyRows = async () =>
      (await auditEvents(models, { filters: { category: 'proxy' }, limit: 50 })).items.map(({ event }) => event);
    await expect.poll(proxyRows, { timeout: 15_000 }).toEqual(['proxy.day_deleted', 'proxy.day_closed']);
    const all = await auditEvents(models, { filters: {}, limit: 1 });
    expect(all.completeFrom).toBe((Math.floor(now.getTime() / dayMs) - 90) * dayMs);
  });
});

/** The same log, every fact three times, and after every tenth all of the nine before it once more. */
function deliveredAgain(store: EventStore): EventStore {
  async function* again(messages: AsyncIterable<LogMessage>): AsyncGenerator<LogMessage> {
    const recent: LogMessage[] = [];
    for await (const message of messages) {
      yield* [message, message, message];
      recent.push(message);
      if (recent.length === 10) yield* recent.splice(0);
    }
  }
  return {
    load: (stream, from) => store.load(stream, from),
    append: (stream, expected, facts) => store.append(stream, expected, facts),
    subscribe: (options) => again(store.subscribe(options)),
    readBackwards: (options) => store.readBackwards(options),
    ping: (deadlineMs) => store.ping(deadlineMs),
    close: () => store.close(),
  };
}
