import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leaseStream } from '@clustral/schemas/events/lease.ts';
import { roleStream, type RoleFact } from '@clustral/schemas/events/role.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import type { RoleId } from '@clustral/schemas/ids.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { startEventStore, type RunningEventStore } from '../../infra/embedded/event-store/start.ts';
import { createCommands, type CommandsOptions } from './commands.ts';
import { startDeciding, type Deciding } from './deciding.ts';
import { createRole, evolveRole, initialRole, updateRole, type RoleContent, type RoleState } from './domain/role.ts';
import { claimHolder } from './holder.ts';
import { takeLease } from './lease.ts';
import { startPolicy } from './policy.ts';
import type { Cause, Command } from './ports.ts';

const log = createLog('test', 'silent');
const folder = mkdtempSync(join(tmpdir(), 'commands-'));
let server: RunningEventStore;
let eventStore: EventStore;
let deciding: Deciding;

const clocks = { now: () => new Date(), monotonic: () => performance.now() };

beforeAll(async () => {
  server = await startEventStore({ folder: join(folder, 'log'), socketPath: join(folder, 'es.sock') });
  eventStore = connectEventStore({ connectionString: server.connectionString });
  deciding = await startDeciding({ eventStore, holder: 'first', log, ...clocks });
});

afterAll(async () => {
  await deciding.stop();
  await eventStore.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

const causeOf = (idempotency?: Cause['idempotency']): Cause => ({
  actor: { kind: 'user', id: 'admin' },
  $correlationId: 'c',
  ...(idempotency === undefined ? {} : { idempotency }),
});
const newRole = () => randomUUID() as RoleId;
const contentOf = (roleId: RoleId, name: string, group = 'g'): RoleContent => ({
  roleId,
  name,
  description: '',
  k8sGroups: [group],
  review: undefined,
  nameHolder: undefined,
});

function creating(roleId: RoleId, name: string, cause = causeOf()): Command<RoleState, RoleFact> {
  const holder = () => {
    const role = deciding.policy.roleByName(name);
    return role?.status === 'active' ? role.roleId : undefined;
  };
  return {
    stream: roleStream(roleId),
    initial: initialRole,
    evolve: evolveRole,
    decide: (state) => createRole({ ...contentOf(roleId, name), nameHolder: holder() }, state),
    exclusive: `role name ${name}`,
    cause,
  };
}
const updating = (roleId: RoleId, name: string, group: string): Command<RoleState, RoleFact> => ({
  ...creating(roleId, name),
  decide: (state) => updateRole(contentOf(roleId, name, group), state),
});
const refusedWith = (code: string) => expect.objectContaining({ name: 'Refusal', code });

/** Commands over a log that stores the next append and loses its answer, as a cut connection would. */
function commandsWithLostAnswer(): ReturnType<typeof createCommands> {
  let lose = true;
  const store: CommandsOptions['eventStore'] = {
    load: (stream, from) => eventStore.load(stream, from),
    async append(stream, expected, facts) {
      const appended = await eventStore.append(stream, expected, facts);
      if (!lose) return appended;
      lose = false;
      throw new Refusal('STORE_UNAVAILABLE', 'the answer was lost');
    },
  };
  const { policy, epoch } = deciding;
  const { signal } = new AbortController();
  return createCommands({ eventStore: store, policy, epoch, now: clocks.now, randomId: randomUUID, signal });
}

describe('a command', () => {
  it('is in the policy fold when it is acknowledged, with the writer in its facts', async () => {
    const roleId = newRole();
    const result = await deciding.commands.run(creating(roleId, 'acknowledged'));
    expect(deciding.policy.role(roleId)).toMatchObject({ status: 'active', name: 'acknowledged' });
    expect(result).toMatchObject({ revision: 0, state: { status: 'active', roleId } });
    const { facts } = await eventStore.load<RoleFact>(roleStream(roleId));
    expect(facts).toHaveLength(1);
    expect(facts[0]).toMatchObject({
      position: result.position,
      metadata: { schemaVersion: 1, epoch: deciding.epoch, actor: { kind: 'user', id: 'admin' } },
    });
  });

  it('gives a name to one of many who ask at the same time', async () => {
    const answers = await Promise.allSettled(
      Array.from({ length: 50 }, () => deciding.commands.run(creating(newRole(), 'wanted'))),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const reasons = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Refusal] : []));
    expect(new Set(reasons.map(({ code }) => code))).toEqual(new Set(['DUPLICATE_ROLE_NAME']));
  });

  it('waits its turn on a stream, so that none of many is lost', async () => {
    const roleId = newRole();
    await deciding.commands.run(creating(roleId, 'busy'));
    await Promise.all(Array.from({ length: 40 }, (_, n) => deciding.commands.run(updating(roleId, 'busy', `g${n}`))));
    const { revision } = await eventStore.load(roleStream(roleId));
    expect(revision).toBe(40);
  });

  it('decides again when somebody else wrote to the stream', async () => {
    const roleId = newRole();
    await deciding.commands.run(creating(roleId, 'raced'));
    const command = updating(roleId, 'raced', 'mine');
    let decided = 0;
    let intruder: Promise<unknown> | undefined;
    const store: CommandsOptions['eventStore'] = {
      load: (stream, from) => eventStore.load(stream, from),
      async append(stream, expected, facts) {
        intruder ??= eventStore.append(stream, expected, [
          {
            id: randomUUID(),
            type: 'role.updated',
            data: { ...contentOf(roleId, 'raced', 'theirs'), nameHolder: undefined },
            metadata: {
              schemaVersion: 1,
              actor: { kind: 'user', id: 'x' },
              epoch: deciding.epoch,
              $correlationId: 'c',
            },
          },
        ]);
        await intruder;
        return eventStore.append(stream, expected, facts);
      },
    };
    const { policy, epoch } = deciding;
    const { signal } = new AbortController();
    const commands = createCommands({
      eventStore: store,
      policy,
      epoch,
      now: clocks.now,
      randomId: randomUUID,
      signal,
    });
    const result = await commands.run({ ...command, decide: (state) => ((decided += 1), command.decide(state)) });
    expect(decided).toBe(2);
    expect(result).toMatchObject({ revision: 2, state: { k8sGroups: ['mine'] } });
  });
});

describe('a command with an Idempotency-Key', () => {
  it('is done once, however often it is sent', async () => {
    const roleId = newRole();
    const cause = causeOf({ key: randomUUID(), body: 'same' });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => deciding.commands.run(creating(roleId, 'repeated', cause))),
    );
    expect(new Set(answers.map(({ position }) => position)).size).toBe(1);
    expect((await eventStore.load(roleStream(roleId))).revision).toBe(0);
  });

  it('is refused with another body', async () => {
    const roleId = newRole();
    const key = randomUUID();
    await deciding.commands.run(creating(roleId, 'mismatch', causeOf({ key, body: 'one' })));
    const other = deciding.commands.run(creating(roleId, 'mismatch', causeOf({ key, body: 'other' })));
    await expect(other).rejects.toEqual(refusedWith('IDEMPOTENCY_MISMATCH'));
  });

  it('gives the first result after its answer was lost, and is in the log once', async () => {
    const roleId = newRole();
    const commands = commandsWithLostAnswer();
    const cause = causeOf({ key: randomUUID(), body: 'b' });
    await expect(commands.run(creating(roleId, 'lost', cause))).rejects.toEqual(refusedWith('STORE_UNAVAILABLE'));
    const again = await commands.run(creating(roleId, 'lost', cause));
    expect(again).toMatchObject({ revision: 0, state: { status: 'active', name: 'lost' } });
    expect((await eventStore.load(roleStream(roleId))).facts).toHaveLength(1);
  });
});

describe('a command whose answer was lost', () => {
  it('keeps its name until it is known whether it took', async () => {
    const commands = commandsWithLostAnswer();
    await expect(commands.run(creating(newRole(), 'doubtful'))).rejects.toEqual(refusedWith('STORE_UNAVAILABLE'));
    await expect(commands.run(creating(newRole(), 'doubtful'))).rejects.toEqual(refusedWith('DUPLICATE_ROLE_NAME'));
  });
});

describe('two control planes', () => {
  it('cannot share a data folder', () => {
    const held = claimHolder(join(folder, 'held'));
    expect(() => claimHolder(join(folder, 'held'))).toThrow(/Another control plane runs on the data folder .*held/);
    held.release();
    const again = claimHolder(join(folder, 'held'));
    expect(again.id).toBe(held.id);
    again.release();
  });

  it('never both decide: the one that lost the lease is refused and what it writes is void', async () => {
    const { signal } = new AbortController();
    const options = { eventStore, log, signal, monotonic: clocks.monotonic };
    const mine = await takeLease({ ...options, holder: 'first' });
    const policy = await startPolicy({ ...options, lease: { ...mine, isFresh: () => true }, now: () => Date.now() });
    // It has not noticed yet, as a process that was frozen: only the order in the log protects now.
    const blind = createCommands({
      eventStore,
      policy,
      epoch: mine.epoch,
      now: clocks.now,
      randomId: randomUUID,
      signal,
    });
    const epoch = mine.epoch + 1;
    const metadata = { schemaVersion: 1, actor: { kind: 'service', id: 'x' }, epoch, $correlationId: 'c' } as const;
    const tookOver = { id: randomUUID(), type: 'control_plane.took_over', data: { epoch, holder: 'other' }, metadata };
    const { revision } = await eventStore.load(leaseStream);
    await eventStore.append(leaseStream, revision, [tookOver]);
    const roleId = newRole();
    await expect(blind.run(creating(roleId, 'void'))).rejects.toEqual(refusedWith('STORE_UNAVAILABLE'));
    expect(policy.role(roleId)).toBeUndefined();
    expect(await mine.lost).toMatch(/other.*took over with epoch/);
    expect(mine.isFresh()).toBe(false);
    await policy.stop();
    await mine.stop();
  });

  it('raise the epoch one after the other, in the log', async () => {
    const { facts } = await eventStore.load(leaseStream);
    expect(facts.map(({ data }) => (data as { epoch: number }).epoch)).toEqual(facts.map((_, n) => n + 1));
  });
});
