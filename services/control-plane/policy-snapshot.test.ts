import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { after, clusterId, credentialId, noon, recorded, roleId, userId } from './domain/fixtures.ts';
import type { UserState } from './domain/user.ts';
import { endedUnsaid } from './endings.ts';
import type { FoldParts } from './fold-parts.ts';
import type { PolicyFact } from './policy-facts.ts';
import { PolicyFold } from './policy-fold.ts';
import { snapshotBytes, snapshotFrom, snapshotHead } from './policy-snapshot.ts';
import { facts, noonSeconds, streamOf, worldOf } from './testing/policy-world.ts';

const at = { stream: 'role-1', revision: 3, position: 2n ** 60n + 1n, id: 'fact' };
const bytesOf = (parts: FoldParts): Buffer =>
  Buffer.concat([...snapshotBytes({ logId: 'log', schema: 'schema', at, parts })]);

/** The fold built again from the bytes of a snapshot of the given one. */
const restored = (fold: PolicyFold, now: () => number): PolicyFold =>
  new PolicyFold(now, snapshotFrom(bytesOf(fold.parts())).parts);

const few = [1, 2, 3];
const pairs = few.flatMap((n) => few.map((c) => [userId(n), clusterId(c)] as const));
const requestIds = few.flatMap((n) => [`r-${n}`, `s-${n}`]);
const credentials = Array.from({ length: 40 }, (_, n) => credentialId(n));

/** What an asker sees: an answer, or the refusal. */
function seen<T>(ask: () => T): unknown {
  try {
    return ask();
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    return `refused: ${refusal.message}`;
  }
}

/** People of one name come in no order. */
const byId = (people: readonly UserState[]): readonly UserState[] =>
  people.toSorted((one, other) => idOf(one).localeCompare(idOf(other)));
const idOf = (user: UserState): string => (user.status === 'absent' ? '' : user.userId);

/** The answers of a fold to everything that can be asked of it. */
function allAnswers(fold: PolicyFold, now: Date): unknown {
  const names = ['prod', 'viewer', 'editor', 'user-1@corp.com', 'shared@corp.com'];
  const subjects = few.flatMap((n) => [`cluster-${clusterId(n)}`, `role-${roleId(n)}`, `user-${userId(n)}`]);
  return {
    clusters: few.map((n) => seen(() => fold.cluster(clusterId(n)))),
    allClusters: [...fold.allClusters()],
    roles: few.map((n) => seen(() => fold.role(roleId(n)))),
    users: few.map((n) => seen(() => fold.user(userId(n)))),
    named: names.map((name) => [
      fold.clusterByName(name),
      fold.roleByName(name),
      byId(fold.userByKubernetesName(name)),
    ]),
    access: pairs.map(([user, cluster]) => seen(() => fold.access(user, cluster))),
    accessOf: few.map((n) => fold.accessOf(userId(n))),
    allAccess: [...fold.allAccess()],
    open: [...fold.openAccess()],
    places: requestIds.map((id) => fold.requestPlace(id)),
    credentials: credentials.map((id) => seen(() => fold.credential(id))),
    live: [...fold.liveCredentials()],
    counts: pairs.map(([user, cluster]) => fold.credentialCounts(user, cluster)),
    denied: [...few, 99].map((n) => fold.revokesDeniedLastHour(userId(n))),
    endings: subjects.map((stream) => fold.ending(stream)),
    void: [5, 55, 105, 205].flatMap((place) =>
      [0, 1, 2, 3].map((epoch) => fold.isVoid({ position: BigInt(place), epoch })),
    ),
    lease: seen(() => fold.assertLeaseReadable()),
    unsaid: endedUnsaid(fold, now).map(({ of, stream, cause }) => ({ of, stream, cause })),
  };
}

const n = fc.constantFrom(...few);
const name = fc.constantFrom('user-1@corp.com', 'shared@corp.com', null);
const issuing = fc.record({ user: n, cluster: n, lives: fc.constantFrom(60, 3_600, 28_800) });
type Issuing = { readonly user: number; readonly cluster: number; readonly lives: number };

const said: fc.Arbitrary<PolicyFact> = fc.oneof(
  n.map((k) => facts.cluster(k, k === 1 ? 'prod' : `cluster-${k}`)),
  n.map((k) => facts.role(k, k === 1 ? 'viewer' : 'editor')),
  n.chain((k) => name.map((called) => facts.user(k, called))),
  n.chain((k) => n.map((role) => facts.assigned(k, role))),
  n.map((k) => facts.unassigned(k)),
  fc.constantFrom('r', 's').chain((kind) => n.map((k) => facts.requested(`${kind}-${k}`, { n: k }))),
  fc.constantFrom('r', 's').chain((kind) => n.map((k) => facts.approved(`${kind}-${k}`, { n: k }))),
  fc.constantFrom('r', 's').chain((kind) => n.map((k) => facts.grantRevoked(`${kind}-${k}`, k))),
  n.map((k) => facts.revoked(k)),
  fc.constantFrom(1, 2, 3).map((epoch) => facts.tookOver(epoch)),
  fc.constantFrom(facts.clusterDeleted(), facts.roleDeleted(), facts.userDisabled(), facts.userEnabled()),
  n.map((k): PolicyFact => ({
    type: 'cluster.bootstrap_token_issued',
    data: {
      clusterId: clusterId(k),
      token: { nonce: 'n', keyId: 'k', caPin: 'p', hash: 'h', expiresAt: noon.toISOString() },
    },
  })),
  n.map((k): PolicyFact => ({
    type: 'cluster.connected',
    data: { clusterId: clusterId(k), agentVersion: '1', kubernetesVersion: '1.34' },
  })),
  n.map((k): PolicyFact => ({
    type: 'credential.revoke_denied',
    data: { credentialId: credentialId(k), reason: 'FORBIDDEN' },
  })),
);

const step = fc.record({
  fact: fc.oneof({ weight: 3, arbitrary: said }, { weight: 1, arbitrary: issuing }),
  waited: fc.constantFrom(0, 0, 1, 600, 4_000),
  epoch: fc.constantFrom(1, 1, 2, 3),
  isReadable: fc.integer({ min: 0, max: 19 }).map((dice) => dice > 0),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** The log of those steps, each with the second after noon at which it was written. */
function logOf(steps: readonly Step[]): readonly { readonly fact: Recorded; readonly seconds: number }[] {
  const revisions = new Map<string, number>();
  let seconds = 0;
  return steps.map(({ fact: told, waited, epoch, isReadable }, place) => {
    seconds += waited;
    const fact = 'type' in told ? told : issued(told, place, seconds);
    const stream = streamOf(fact);
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    const whole = recorded(fact, { stream, revision, position: (place + 1) * 10, at: after(seconds), epoch });
    return { fact: isReadable ? whole : { ...whole, type: 'role.renamed' }, seconds };
  });
}

/** Nobody issues a credential twice. */
function issued({ user, cluster, lives }: Issuing, place: number, seconds: number): PolicyFact {
  const { type, data } = facts.issued(place, user, { cluster, seconds: seconds + lives }) as Extract<
    PolicyFact,
    { type: 'credential.issued' }
  >;
  return { type, data: { ...data, issuedAtSeconds: noonSeconds + seconds } };
}

describe('a fold that began with a snapshot', () => {
  it('gives every answer that one gives that read the whole log, then and later', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.nat(40),
        fc.constantFrom(0, 30, 5_000, 40_000),
        (steps, split, down) => {
          const log = logOf(steps);
          const [first, rest] = [log.slice(0, split), log.slice(split)];
          let seconds = 0;
          const now = () => after(seconds).getTime();
          const running = new PolicyFold(now);
          for (const taken of first) {
            seconds = taken.seconds;
            running.take(taken.fact);
          }
          seconds = Math.max(seconds + down, rest[0]?.seconds ?? 0);
          const fresh = new PolicyFold(now);
          for (const { fact } of first) fresh.take(fact);
          const cached = restored(running, now);
          expect(allAnswers(cached, after(seconds))).toEqual(allAnswers(fresh, after(seconds)));
          for (const { fact, seconds: written } of rest) {
            seconds = Math.max(seconds, written);
            expect(cached.take(fact)).toBe(fresh.take(fact));
          }
          for (const later of [0, 1_800, 8_000]) {
            seconds += later;
            expect(allAnswers(cached, after(seconds))).toEqual(allAnswers(fresh, after(seconds)));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('does not change with what the fold takes after the snapshot was begun', () => {
    const world = worldOf(facts.user(), facts.role(), facts.cluster(), facts.assigned(), facts.requested('r-1'));
    const before = allAnswers(world.fold, noon);
    const pieces = snapshotBytes({ logId: 'log', schema: 'schema', at, parts: world.fold.parts() });
    const begun = [pieces.next().value as Buffer];
    world.add([facts.user(1, 'shared@corp.com'), facts.unassigned(), facts.approved('r-1'), facts.roleDeleted()]);
    const { parts } = snapshotFrom(Buffer.concat([...begun, ...pieces]));
    expect(allAnswers(new PolicyFold(() => noon.getTime(), parts), noon)).toEqual(before);
  });

  it('keeps ten thousand people in pieces, each of them small', () => {
    const world = worldOf(...Array.from({ length: 10_000 }, (_, k) => facts.user(k)));
    const pieces = [...snapshotBytes({ logId: 'log', schema: 'schema', at, parts: world.fold.parts() })];
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(300_000);
    const fold = new PolicyFold(() => noon.getTime(), snapshotFrom(Buffer.concat(pieces)).parts);
    expect(fold.user(userId(9_999))).toEqual(world.fold.user(userId(9_999)));
  });

  it('keeps labels whatever they are called', () => {
    const labels = JSON.parse('{"__proto__":"x","$date":"1","":"y"}') as Record<string, string>;
    const world = worldOf({
      type: 'cluster.registered',
      data: { clusterId: clusterId(), name: 'prod', description: '', labels },
    });
    const again = restored(world.fold, () => noon.getTime()).cluster(clusterId());
    expect(JSON.stringify(again)).toBe(JSON.stringify(world.fold.cluster(clusterId())));
  });
});

describe('the bytes of a snapshot', () => {
  const bytes = bytesOf(worldOf(facts.user()).fold.parts());

  it('say first of which log, place and build they are', () => {
    expect(snapshotHead(bytes)).toEqual({ logId: 'log', schema: 'schema', at, newestSeconds: noonSeconds });
  });

  it.each([
    ['empty', Buffer.alloc(0)],
    ['of something else', Buffer.from('{"format":"something else"}\n')],
    ['no JSON', Buffer.from('\u0000\n')],
    ['cut off', bytes.subarray(0, -1)],
    [
      'with a part that is not known',
      Buffer.concat([bytes, bytesOf({ ...worldOf().fold.parts(), pets: [1] } as never)]),
    ],
  ])('are refused when they are %s', (_, bent) => {
    expect(() => snapshotFrom(bent)).toThrow();
  });
});
