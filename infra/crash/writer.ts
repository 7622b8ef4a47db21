/**
 * One of the writers that work at the same time: thinks of a command, sends it until it is answered, takes the answer for the
 * truth, and goes on. Now and then it repeats a command that was done, at once or much later.
 */
import type { Client, KnownPerson, Outcome, Wish } from './client.ts';
import { isDone, type CommandRecord } from './history.ts';
import { Holdings } from './holdings.ts';
import type { Random } from './random.ts';
import { nextIntent, type WriterState } from './wishes.ts';

export type WriterOptions = {
  readonly number: number;
  readonly client: Client;
  readonly random: Random;
  readonly sharedRoles: WriterState['sharedRoles'];
  readonly keep: (record: CommandRecord) => void;
  /** Resolves at once while work is wanted, and later while it is not. */
  readonly wanted: () => Promise<void>;
  readonly signal: AbortSignal;
};

/** One person may be issued 60 credentials an hour. */
const credentialsPerHolder = 40;
const repeats = { atOnce: 0.15, later: 0.1 };

/** Works until the signal aborts. */
export async function write(options: WriterOptions): Promise<void> {
  const { client, number, random, signal, keep, wanted, sharedRoles } = options;
  const writer = await client.introduce({ subject: `writer-${number}`, isAdmin: true });
  let count = 0;
  const fresh = (prefix: string): string => `${prefix}-w${number}-${(count += 1)}`;
  let state: WriterState = { writer, holder: writer, holdings: new Holdings(), sharedRoles, random, fresh };
  let issued = credentialsPerHolder;
  while (!signal.aborted) {
    await wanted();
    if (signal.aborted) return;
    if (issued >= credentialsPerHolder) {
      state = await withNewHolder(state, client);
      issued = 0;
    }
    if (random.chance(repeats.later)) await repeatSettled(options, state);
    const { wish, reads = [], changes, done } = nextIntent(state);
    // Whatever comes of it, what was answered about these before need not hold any more.
    state.holdings.touch(changes);
    const { record, answer, body } = await client.run(wish, keep);
    if (!isDone(answer)) continue;
    if (wish.method === 'IssueCredential') issued += 1;
    const made = done(body);
    if (!wish.isShared) state.holdings.settle({ wish, record, about: [...reads, ...changes, ...made] });
    if (random.chance(repeats.atOnce)) await client.again(wish, record);
  }
}

/** Assignments and credentials of the one before stay as they are, and nobody touches them again. */
async function withNewHolder(state: WriterState, client: Client): Promise<WriterState> {
  const { holdings, fresh } = state;
  const holder: KnownPerson = await client.introduce({ subject: fresh('holder'), isAdmin: false });
  holdings.credentials.clear();
  for (const cluster of holdings.clusters.values())
    holdings.clusters.set(cluster.id, { ...cluster, assignment: undefined });
  return { ...state, holder };
}

function repeatSettled({ client }: WriterOptions, { holdings, random }: WriterState): Promise<Outcome> | undefined {
  if (holdings.settled.length === 0) return undefined;
  const { wish, record }: { readonly wish: Wish; readonly record: CommandRecord } = random.pick(holdings.settled);
  return client.again(wish, record);
}

/** Two roles that every writer changes. */
export async function makeSharedRoles(
  client: Client,
  keep: (record: CommandRecord) => void,
): Promise<WriterOptions['sharedRoles']> {
  const as = await client.introduce({ subject: 'host', isAdmin: true });
  const roles: { readonly id: string; readonly name: string }[] = [];
  for (const name of ['shared-1', 'shared-2']) {
    const fields = { name, description: '', k8sGroups: ['shared'] };
    const expected = [{ type: 'role.created', data: fields }];
    const wish = { method: 'CreateRole', as, fields, expected, allowedRefusals: [], isShared: true };
    const { body } = await client.run(wish, keep);
    roles.push({ id: String(body['id']), name });
  }
  return roles;
}
