import { randomUUID } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { leaseStream } from '@clustral/schemas/events/lease.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { startEventStore, type RunningEventStore } from '../../infra/embedded/event-store/start.ts';
import { startDeciding } from './deciding.ts';
import { clusterId, credentialId, noon, roleId, userId } from './domain/fixtures.ts';
import type { FoldParts } from './fold-parts.ts';
import { start as startControlPlane } from './main.ts';
import type { PolicyFact } from './policy-facts.ts';
import { readSnapshotFile, writeSnapshotFile } from './policy-snapshot-file.ts';
import { snapshotBytes, snapshotFrom, type Snapshot } from './policy-snapshot.ts';
import { openSnapshots } from './policy-snapshots.ts';
import type { FollowedPolicy } from './policy.ts';
import { admin, alice, prepareInstallation, RestClient } from './testing/installation.ts';
import { facts, streamOf } from './testing/policy-world.ts';

const clocks = { now: () => noon, monotonic: () => performance.now() };
const log = createLog('test', 'silent');
const warned = vi.spyOn(log, 'warn');
const root = mkdtempSync(join(tmpdir(), 'snapshots-'));
const servers: { readonly server: RunningEventStore; readonly eventStore: EventStore }[] = [];
let eventStore: EventStore;
let snapshotFolder: string;
let file: string;

async function newLog(): Promise<EventStore> {
  const folder = mkdtempSync(join(root, 'log-'));
  const server = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
  const opened = connectEventStore({ connectionString: server.connectionString });
  servers.push({ server, eventStore: opened });
  return opened;
}

beforeEach(async () => {
  warned.mockClear();
  eventStore = await newLog();
  snapshotFolder = join(mkdtempSync(join(root, 'data-')), 'snapshots');
  file = join(snapshotFolder, 'policy-fold');
});

afterEach(async () => {
  for (const opened of servers.splice(0)) {
    await opened.eventStore.close();
    await opened.server.stop();
  }
});

afterAll(() => rmSync(root, { recursive: true }));

type Started = {
  readonly policy: FollowedPolicy;
  /** What the log gave it before it was ready. */
  readonly read: readonly Recorded[];
  add(added: readonly PolicyFact[]): Promise<void>;
  stop(): Promise<void>;
};

/** The deciding half on a log, with a snapshot or without. */
async function startOn(
  on: EventStore,
  { folder, now = noon }: { readonly folder?: string; readonly now?: Date } = {},
): Promise<Started> {
  const read: Recorded[] = [];
  const listening: EventStore = Object.assign(Object.create(on) as EventStore, {
    load: on.load.bind(on),
    append: on.append.bind(on),
    async *subscribe(options: Parameters<EventStore['subscribe']>[0]) {
      for await (const message of on.subscribe(options)) {
        if (message.kind === 'fact') read.push(message.fact);
        yield message;
      }
    },
  });
  const deciding = await startDeciding({
    eventStore: listening,
    holder: 'h',
    log,
    now: () => now,
    monotonic: () => performance.now(),
    ...(folder !== undefined && { snapshotFolder: folder }),
  });
  return {
    policy: deciding.policy as FollowedPolicy,
    read: [...read],
    add: async (added) => deciding.policy.reached(await append(on, deciding.epoch, added), 5_000),
    stop: () => deciding.stop(),
  };
}

async function append(on: EventStore, epoch: number, added: readonly PolicyFact[]): Promise<bigint> {
  const metadata = { schemaVersion: 1, actor: { kind: 'user', id: userId(99) }, epoch, $correlationId: 'c' } as const;
  let position = -1n;
  for (const fact of added) {
    const stream = streamOf(fact);
    const { revision } = await on.load(stream);
    ({ position } = await on.append(stream, revision, [{ id: randomUUID(), ...fact, metadata }]));
  }
  return position;
}

const beginning = [
  facts.cluster(),
  facts.role(1),
  facts.role(2, 'editor'),
  facts.user(1),
  facts.user(2),
  facts.assigned(1),
  facts.requested('r-1', { n: 2 }),
  facts.approved('r-1', { n: 2 }),
  facts.issued(1),
  facts.issued(2),
  facts.revoked(2),
  facts.grantRevoked('r-1', 2),
];

/** All that a fold knows, but for the take-overs that the starts of a test make themselves. */
function known({ policy }: Started): Omit<FoldParts, 'takeOvers'> {
  const captured = policy.capture();
  if (!captured) throw new Error('the fold has taken nothing');
  const { takeOvers: _takeOvers, ...parts } = captured.parts;
  return parts;
}

/** Runs once on the log, adds the beginning, and stops. */
async function runOnce(on: EventStore = eventStore): Promise<void> {
  const started = await startOn(on, { folder: snapshotFolder });
  await started.add(beginning);
  await started.stop();
}

describe('a start with a snapshot', () => {
  it('reads what came after it, and knows what a start without one knows', async () => {
    await runOnce();
    await append(eventStore, 1, [facts.user(3), facts.issued(3, 2), facts.role(3, 'late')]);
    const cached = await startOn(eventStore, { folder: snapshotFolder });
    expect(warned).not.toHaveBeenCalled();
    expect(cached.read.map(({ type }) => type)).toEqual([
      'user.synced',
      'credential.issued',
      'role.created',
      'control_plane.took_over',
    ]);
    const [knows, counts] = [known(cached), cached.policy.credentialCounts(userId(), clusterId())];
    expect(cached.policy.requestPlace('r-1')).toEqual({ userId: userId(2), clusterId: clusterId() });
    expect(cached.policy.credential(credentialId(2))).toMatchObject({ status: 'revoked' });
    await cached.stop();

    const fresh = await startOn(eventStore);
    expect(fresh.read.length).toBe(beginning.length + 3 + 3);
    expect(known(fresh)).toEqual(knows);
    expect(fresh.policy.credentialCounts(userId(), clusterId())).toEqual(counts);
    await fresh.stop();
  });

  it('knows which facts are void that were written before it and after it', async () => {
    await runOnce();
    const second = await startOn(eventStore, { folder: snapshotFolder });
    // The first one was frozen and has not heard of the second: D18.
    await append(eventStore, 1, [facts.roleDeleted(1)]);
    await second.add([facts.role(3, 'good')]);
    await second.stop();
    const third = await startOn(eventStore, { folder: snapshotFolder });
    await append(eventStore, 2, [facts.roleDeleted(2)]);
    await third.add([facts.userDisabled(2)]);
    expect([1, 2, 3].map((n) => third.policy.role(roleId(n))?.status)).toEqual(['active', 'active', 'active']);
    expect(third.read).toHaveLength(1);
    await third.stop();
    expect(warned).not.toHaveBeenCalled();
  });
});

/** The snapshot on disk, written again as if it were another one. */
async function rewritten(change: Partial<Snapshot>): Promise<void> {
  const bytes = await readSnapshotFile(file);
  await writeSnapshotFile(file, snapshotBytes({ ...snapshotFrom(bytes as Buffer), ...change }));
}

describe('a snapshot that does not fit', () => {
  const unfit: readonly [string, RegExp, () => Promise<void> | void][] = [
    ['was cut off', /damaged/, () => truncateSync(file, statSync(file).size - 100)],
    ['is empty', /too short/, () => truncateSync(file, 0)],
    [
      'has another byte somewhere',
      /damaged/,
      () => {
        const bytes = readFileSync(file);
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
        writeFileSync(file, bytes);
      },
    ],
    ['is another file', /damaged/, () => writeFileSync(file, 'x'.repeat(1_000))],
    [
      'is a folder',
      /EISDIR/,
      () => {
        rmSync(file);
        mkdirSync(file);
      },
    ],
    ['is of another version', /another version/, () => rewritten({ schema: 'other' })],
    ['names another log', /another log/, () => rewritten({ logId: 'other' })],
    [
      'ends with a fact that the log has not, as after it was put back',
      /does not have its last fact/,
      () => rewritten({ at: { stream: 'role-x', revision: 7, position: 99n, id: randomUUID() } }),
    ],
  ];

  it('is passed over with one line, and the fold begins at the beginning', async () => {
    await runOnce();
    const good = readFileSync(file);
    const [first] = (await eventStore.load(leaseStream)).facts;
    const options = { snapshotFolder, eventStore, logId: first?.id ?? '', log, ...clocks };
    expect((await openSnapshots(options)).found).toBeDefined();
    for (const [how, reason, bend] of unfit) {
      rmSync(file, { recursive: true });
      writeFileSync(file, good);
      await bend();
      warned.mockClear();
      expect((await openSnapshots(options)).found, how).toBeUndefined();
      expect(warned.mock.calls, how).toEqual([
        [{ path: file, reason: expect.stringMatching(reason) }, expect.any(String)],
      ]);
    }
    writeFileSync(file, good.subarray(0, -100));
    const started = await startOn(eventStore, { folder: snapshotFolder });
    expect(started.read).toHaveLength(beginning.length + 2);
    expect(started.policy.role(roleId(1))).toMatchObject({ status: 'active' });
    await started.stop();
  });

  it('is passed over when its sum is right and its pieces cannot be read all the same', async () => {
    await runOnce();
    const bytes = (await readSnapshotFile(file)) as Buffer;
    await writeSnapshotFile(file, [bytes, Buffer.from('users 3\nxyz')]);
    const started = await startOn(eventStore, { folder: snapshotFolder });
    expect(warned.mock.calls.map(([, said]) => said)).toEqual(['a snapshot of the policy fold cannot be used']);
    expect(started.read).toHaveLength(beginning.length + 2);
    expect(started.policy.user(userId(2))).toMatchObject({ status: 'active' });
    await started.stop();
  });

  it('is made again by the same start when it was deleted, and nobody is told', async () => {
    await runOnce();
    rmSync(snapshotFolder, { recursive: true });
    const started = await startOn(eventStore, { folder: snapshotFolder });
    expect(started.read).toHaveLength(beginning.length + 2);
    await started.stop();
    expect(readdirSync(snapshotFolder)).toEqual(['policy-fold']);
    expect(warned).not.toHaveBeenCalled();
  });

  it('is passed over on a log that began elsewhere', async () => {
    await runOnce();
    const started = await startOn(await newLog(), { folder: snapshotFolder });
    expect(started.policy.role(roleId(1))).toBeUndefined();
    expect(warned).toHaveBeenCalledTimes(1);
    await started.stop();
  });

  it('is passed over when the clock was ahead, because credentials that live by the right one were forgotten', async () => {
    const ahead = await startOn(eventStore, { folder: snapshotFolder, now: new Date(noon.getTime() + 86_400_000) });
    await ahead.add([facts.cluster(), facts.user(), facts.issued(1)]);
    expect(ahead.policy.credential(credentialId(1))).toBeUndefined();
    await ahead.stop();
    const right = await startOn(eventStore, { folder: snapshotFolder });
    expect(right.policy.credential(credentialId(1))).toMatchObject({ status: 'issued' });
    await right.stop();
  });
});

describe('saving', () => {
  it('that the system refuses is told and stops nothing', async () => {
    writeFileSync(snapshotFolder, 'not a folder');
    await runOnce();
    expect(warned.mock.calls.map(([, said]) => String(said))).toContain(
      'a snapshot of the policy fold could not be saved',
    );
  });

  it('is done while the process runs once enough was read', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const started = await startOn(eventStore);
    await started.add(beginning);
    const { policy } = started;
    let factsRead = 49_999;
    const options = { snapshotFolder, eventStore, logId: 'l', log, now: () => noon, monotonic: () => 0 };
    const keeping = (await openSnapshots(options)).keep({
      get factsRead() {
        return factsRead;
      },
      capture: () => policy.capture(),
    });
    vi.advanceTimersByTime(60_000);
    expect(() => statSync(snapshotFolder)).toThrow();
    factsRead += 1;
    vi.advanceTimersByTime(5_000);
    vi.useRealTimers();
    await expect.poll(() => readdirSync(snapshotFolder)).toEqual(['policy-fold']);
    await keeping.stop();
    await started.stop();
  });

  it('leaves what was there when it would be too long or is told to end, and nothing half done', async () => {
    await writeSnapshotFile(file, [Buffer.from('one')]);
    await expect(writeSnapshotFile(file, [Buffer.alloc(90)], { mostBytes: 100 })).rejects.toThrow(/longer than 100/);
    await expect(writeSnapshotFile(file, [Buffer.alloc(9)], { signal: AbortSignal.abort() })).rejects.toThrow();
    expect(String(await readSnapshotFile(file))).toBe('one');
    expect(readdirSync(snapshotFolder)).toEqual(['policy-fold']);
  });

  it('puts no token and no key on the disk, and lets nobody else read what it puts there', async () => {
    const [opened] = servers;
    const data = join(root, 'installation');
    const { environment, gateway } = await prepareInstallation(data, opened?.server.connectionString ?? '');
    const controlPlane = await startControlPlane(environment, log);
    const client = new RestClient(gateway);
    client.port = controlPlane.port;
    const cluster = await client.call(admin, 'POST /api/v1/clusters', { body: { name: 'prod' } });
    const { clusterId: id = '', bootstrapToken = '' } = cluster.json as Readonly<Record<string, string>>;
    const issued = await client.call(alice, 'POST /api/v1/auth/kubeconfig-credential', { body: { clusterId: id } });
    const { token = '' } = issued.json as Readonly<Record<string, string>>;
    await controlPlane.stop();
    const path = join(data, 'snapshots', 'policy-fold');
    const written = readFileSync(path, 'latin1');
    expect(written).toContain(id);
    expect(written).not.toMatch(/eyJ[\w-]+\.|PRIVATE KEY/);
    for (const secret of [bootstrapToken, token]) {
      expect(secret.length).toBeGreaterThan(40);
      expect(written).not.toContain(secret);
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(data, 'snapshots')).mode & 0o777).toBe(0o700);
  });
});
