/**
 * Facts of a made-up company for the benches of the policy fold, as large as real ones, and a log filled with them. The log is
 * written past the network, because how long the filling takes is not what is measured.
 */
import { randomInt, randomUUID } from 'node:crypto';
import type { Fact, FactMetadata } from '@clustral/schemas/events/envelope.ts';
import type { ClusterId, CredentialId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import { openEventLog } from '../embedded/event-store/event-log.ts';
import { contentDigest } from '../embedded/event-store/hash-chain.ts';
import type { ProposedEvent } from '../embedded/event-store/records.ts';
import { changed } from '../embedded/event-store/testing/changes.ts';

const inFlight = 1_000;

export type Pair = { readonly userId: UserId; readonly clusterId: ClusterId };

export const idsOf = <Id extends string>(count: number): readonly Id[] =>
  Array.from({ length: count }, () => randomUUID() as string as Id);

const administrators = idsOf(20);

/** Of a fact that one of twenty administrators wrote. */
export function metadata(): FactMetadata {
  const actor = { kind: 'user', id: administrators[randomInt(administrators.length)] ?? '' } as const;
  return { schemaVersion: 1, actor, epoch: 1, $correlationId: randomUUID() };
}

export function registered(clusterId: ClusterId, n: number): Fact {
  const data = { clusterId, name: `cluster-${n}`, description: 'made up', labels: { stage: 'prod', region: `r-${n}` } };
  return { type: 'cluster.registered', data };
}

export function roleCreated(roleId: RoleId, n: number): Fact {
  const data = { roleId, name: `role-${n}`, description: 'made up', k8sGroups: [`company:group-${n}`, 'company:all'] };
  return { type: 'role.created', data };
}

export function synced(userId: UserId, n: number): Fact {
  const claims = {
    issuer: 'https://id.example/realms/clustral',
    subject: userId,
    email: `person-${userId}@corp.example`,
    emailVerified: true,
    preferredUsername: `person-${n}`,
    name: `Person ${n}`,
    roles: [],
    groups: ['engineering'],
  };
  const signedInAt = new Date(1.7e12 + n * 1_000).toISOString();
  return {
    type: 'user.synced',
    data: { userId, claims, kubernetesName: claims.email, nameClass: 'verified', signedInAt },
  };
}

/** Given with an even number, taken away again with the odd one after it. */
export function assigned(pair: Pair, n: number, roleId: string = randomUUID()): Fact {
  const data = { ...pair, assignmentId: `a-${n >> 1}`, roleId };
  return { type: n % 2 === 0 ? 'user.role_assigned' : 'user.role_unassigned', data };
}

/** A request from its beginning to its end: every other one was denied, the rest became a grant that ran out. */
export function endedRequest(pair: Pair, roleId: RoleId, n: number): readonly Fact[] {
  const about = { ...pair, accessRequestId: randomUUID() };
  const at = (minutes: number): string => new Date(1.7e12 + minutes * 60_000).toISOString();
  const role = { roleId, roleRevision: 0, durationSeconds: 3_600 };
  const asked = {
    ...about,
    ...role,
    reason: 'looking after what the pager said',
    startsAt: null,
    extends: null,
    suggestedReviewerEmails: [],
    expiresAt: at(60),
  };
  const reviewerId = randomUUID();
  const denied = { ...about, roleId, roleRevision: 0, reviewerId, reason: 'not today' };
  const approved = { ...about, ...role, reviewerId, grantStartsAt: at(5), grantExpiresAt: at(65) };
  const created: Fact = { type: 'access_request.created', data: asked };
  if (n % 2 === 0) return [created, { type: 'access_request.denied', data: denied }];
  return [
    created,
    { type: 'access_request.approved', data: approved },
    { type: 'access_request.expired', data: { ...about, expiredAt: at(65) } },
  ];
}

export function issued(credentialId: CredentialId, pair: Pair): Fact {
  const issuedAtSeconds = Math.floor(Date.now() / 1_000);
  const data = { credentialId, ...pair, keyId: 'key-1', issuedAtSeconds };
  return { type: 'credential.issued', data: { ...data, expiresAtSeconds: issuedAtSeconds + 28_800 } };
}

/** Facts that begin a stream. */
export type Beginning = readonly [stream: string, facts: readonly Fact[]];

/** Makes a log of these streams in the folder. Resolves with the number of its facts. */
export async function fillLog(folder: string, streams: Iterable<Beginning>): Promise<number> {
  const fatal = (error: Error): never => {
    throw error;
  };
  const log = openEventLog({ folder, note: () => undefined, fatal, now: Date.now });
  let count = 0;
  const next = streams[Symbol.iterator]();
  const writer = async (): Promise<void> => {
    for (let one = next.next(); one.done !== true; one = next.next()) {
      const [stream, facts] = one.value;
      const events = facts.map(proposed);
      const expected = { kind: 'exactly', revision: -1 } as const;
      const outcome = await changed((queued) => log.change(queued), { kind: 'append', stream, expected, events });
      if (outcome.kind !== 'done') throw new Error(`${stream} was not written: ${outcome.kind}`);
      count += facts.length;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, writer));
  await log.close();
  return count;
}

function proposed({ type, data }: Fact): ProposedEvent {
  const bytes = (value: object): Buffer => Buffer.from(JSON.stringify(value));
  const id = Buffer.from(crypto.getRandomValues(new Uint8Array(16)));
  const content = { id, type, json: true, data: bytes(data), metadata: bytes(metadata()) };
  return { ...content, digest: contentDigest(content) };
}
