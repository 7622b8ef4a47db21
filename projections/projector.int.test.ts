import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventStore, LogMessage } from '@clustral/kernel/event-store-port.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { goldenSamples } from '@clustral/schemas/events/golden/samples.ts';
import { readModelsVersion } from './all-models.ts';
import { auditEvents } from './audit/query.ts';
import { getCluster, listClusters } from './clusters.ts';
import { openReadModels, type ReadModels } from './read-models.ts';
import { listRoles } from './roles.ts';
import { currentDatabase } from './sqlite/files.ts';
import { registered, roleCreated } from './testing/people.ts';
import { append, dump, startLog, startProjector, type LogUnderTest } from './testing/rig.ts';
import { Story } from './testing/story.ts';

const story = goldenSamples().map(({ fact }) => fact);
/** The golden story, then many roles that are renamed again and again. */
const longStory = (): readonly Recorded[] => {
  const more = new Story();
  for (let round = 0; round < 8; round += 1) {
    for (let role = 0; role < 60; role += 1) {
      const type = round === 0 ? 'role.created' : 'role.updated';
      more.tell(`role-${role}`, { ...roleCreated(`${role}`, `name ${round}`), type } as ReturnType<typeof roleCreated>);
    }
  }
  return [...story, ...more.facts.map((fact) => ({ ...fact, id: fact.id.replace('5e000000', '6e000000') }))];
};

describe('the projector', () => {
  let log: LogUnderTest;
  let folder: string;
  let ends: (() => Promise<void> | void)[];
  beforeEach(async () => {
    log = await startLog();
    folder = await mkdtemp(join(tmpdir(), 'rm-'));
    ends = [];
  });
  afterEach(async () => {
    for (const end of ends.toReversed()) await end();
    await log.stop();
    await rm(folder, { recursive: true });
  });

  const project = (eventStore: EventStore = log.store, into = folder) => {
    const projector = startProjector(eventStore, into);
    ends.push(() => projector.stop());
    return projector;
  };
  const read = async (from = folder): Promise<ReadModels> => {
    const models = await openReadModels({ folder: from });
    ends.push(() => models.close());
    return models;
  };
  const stopAll = async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  /** What one undisturbed run makes of the log. */
  const cleanFold = async (position: bigint) => {
    const clean = await mkdtemp(join(tmpdir(), 'rm-'));
    const projector = startProjector(log.store, clean);
    await (await read(clean)).waitFor(position, 20_000);
    await projector.stop();
    const all = await dump(clean);
    await rm(clean, { recursive: true });
    return all;
  };

  it('shows a change to whoever waits for its position, within milliseconds', async () => {
    await append(log.store, new Story().tell('cluster-a', registered('a', 'prod')).facts);
    project();
    const models = await read();
    await expect.poll(() => getCluster(models, 'a')).toMatchObject({ name: 'prod' });
    const { position } = await log.store.append('cluster-b', 'none', [
      { ...(new Story().tell('cluster-b', registered('b', 'staging')).facts[0] as Recorded), id: crypto.randomUUID() },
    ]);
    await models.waitFor(position, 2_000);
    expect((await listClusters(models, { limit: 10 })).items.map(({ name }) => name)).toEqual(['prod', 'staging']);
  });

  it('makes the same of a log that is delivered three times over, and late once more', async () => {
    const facts = longStory();
    const position = await append(log.store, facts);
    project(deliveredAgain(log.store));
    await (await read()).waitFor(position, 20_000);
    await stopAll();
    expect(await dump(folder)).toEqual(await cleanFold(position));
  });

  it('loses and repeats nothing when its process is killed again and again', async () => {
    const facts = longStory();
    const data = folder;
    let position = 0n;
    const appending = (async () => {
      position = await append(log.store, facts);
    })();
    for (let kill = 0; kill < 4; kill += 1) {
      const child = startChild(log.connectionString, data);
      await readyAfterStart(child);
      // A different moment each time, in the middle of whatever it does.
      await waitMs(15 + kill * 40);
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await appending;
    const child = startChild(log.connectionString, data);
    ends.push(async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    });
    await (await read(join(data, 'read-models'))).waitFor(position, 20_000);
    await stopAll();
    expect(await dump(join(data, 'read-models'))).toEqual(await cleanFold(position));
  });

  it('stops before a fact that it does not know, says so, and skips nothing', async () => {
    const told = new Story()
      .tell('role-a', roleCreated('a'))
      .tell('role-b', roleCreated('b'))
      .tell('role-c', roleCreated('c'));
    const [first, unknown, last] = told.facts as [Recorded, Recorded, Recorded];
    const known = await append(log.store, [first]);
    const position = await append(log.store, [{ ...unknown, type: 'role.painted' }, last]);
    const projector = project();
    await expect.poll(() => projector.status.halted).toMatch(/role\.painted/);
    expect(projector.status.caughtUp).toBe(false);
    // The same again after a restart: the reason is in the log, not in the process.
    await stopAll();
    const again = project();
    await expect.poll(() => again.status.halted).toMatch(/role\.painted/);
    expect(again.status.position).toBe(known);
    expect(position).toBeGreaterThan(known);
  });

  it('tells whoever waits that it has stopped, and goes on showing what came before', async () => {
    const [first] = new Story().tell('role-a', roleCreated('a')).facts as [Recorded];
    const known = await append(log.store, [first]);
    const projector = project();
    const models = await read();
    await models.waitFor(known, 5_000);
    const broken = { ...first, id: crypto.randomUUID(), stream: 'role-b', data: { roleId: 'b' } };
    const position = await append(log.store, [broken]);
    await expect.poll(() => projector.status.halted).toMatch(/data\.name/);
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
    const position = await append(log.store, told.tell('role-a', roleCreated('a')).facts);
    project();
    const models = await read();
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
    const models = await read();
    const before = project();
    await models.waitFor(await append(log.store, lease.facts), 5_000);
    await before.stop();
    ends.splice(ends.length - 1);
    project();
    lease.epoch = 1;
    await models.waitFor(await append(log.store, lease.tell('role-a', roleCreated('a')).facts.slice(1)), 5_000);
    expect((await listRoles(models, { limit: 5 })).items).toEqual([]);
  });

  it('builds anew from the log when its files are damaged', async () => {
    const position = await append(log.store, story);
    project();
    await (await read()).waitFor(position, 5_000);
    await stopAll();
    const before = await dump(folder);
    await writeFile(currentDatabase({ folder, version: readModelsVersion }) ?? '', 'rubbish');
    project();
    await expect.poll(() => dump(folder).catch(() => undefined), { timeout: 10_000 }).toEqual(before);
  });

  it('builds anew when the log is another one', async () => {
    const position = await append(log.store, story);
    project();
    await (await read()).waitFor(position, 5_000);
    await stopAll();
    const other = await startLog();
    ends.push(() => other.stop());
    await append(other.store, new Story().tell('role-z', roleCreated('z', 'only')).facts);
    project(other.store);
    const models = await read();
    await expect
      .poll(async () => (await listRoles(models, { limit: 5 })).items.map(({ name }) => name), { timeout: 10_000 })
      .toEqual(['only']);
    expect((await auditEvents(models, { filters: {}, limit: 100 })).total).toBe(1);
  });

  it('drops the rows of requests that are older than they are kept, and says from when on it is complete', async () => {
    const position = await append(log.store, story);
    const dayMs = 86_400_000;
    const now = new Date(Date.now() + 95 * dayMs);
    const projector = startProjector(log.store, folder, { now: () => now, keepSeconds: 90 * 86_400 });
    ends.push(() => projector.stop());
    const models = await read();
    await models.waitFor(position, 5_000);
    const proxyRows = async () =>
      (await auditEvents(models, { filters: { category: 'proxy' }, limit: 50 })).items.map(({ event }) => event);
    await expect.poll(proxyRows, { timeout: 5_000 }).toEqual(['proxy.day_closed']);
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

function startChild(connectionString: string, data: string): ChildProcess {
  return fork(new URL('./main.ts', import.meta.url), {
    env: {
      ...process.env,
      EVENTSTORE_CONNECTION_STRING: connectionString,
      CLUSTRAL_DATA: data,
      PROXY_RETENTION: '3650d',
      LOG_LEVEL: 'silent',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

async function readyAfterStart(child: ChildProcess): Promise<void> {
  const [message] = (await once(child, 'message')) as [{ kind: string }];
  expect(message.kind).toBe('ready');
}

const waitMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
