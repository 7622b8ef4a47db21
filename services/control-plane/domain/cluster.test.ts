import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { AgentCertificate, BootstrapToken, ClusterFact } from '@clustral/schemas/events/cluster.ts';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { parseClusterId } from '@clustral/schemas/ids.ts';
import {
  agentConnected,
  agentDisconnected,
  certificateOfKey,
  enrolAgent,
  renewCertificate,
  renewToken,
  requireIdentity,
} from './cluster-agent.ts';
import { mostUnusedCertificates } from './cluster-certificates.ts';
import {
  deleteCluster,
  evolveCluster,
  initialCluster,
  issueBootstrapToken,
  registerCluster,
  revokeAgent,
  updateCluster,
  type ClusterState,
  type RegisteredCluster,
} from './cluster.ts';

const clusterId = parseClusterId('6f1b2c3d-0000-4000-8000-000000000001');
const otherId = parseClusterId('6f1b2c3d-0000-4000-8000-000000000002');
const noon = new Date('2026-01-01T12:00:00Z');
const minute = 60_000;
const hour = 60 * minute;
const after = (ms: number): Date => new Date(noon.getTime() + ms);

const token = (hash: string): BootstrapToken => ({
  nonce: 'n',
  keyId: 'k',
  caPin: 'p',
  hash,
  expiresAt: after(24 * hour).toISOString(),
});
const certificate = (fingerprint: string, key = `key of ${fingerprint}`): AgentCertificate => ({
  fingerprint,
  serialNumber: fingerprint,
  publicKeyHash: key,
  certificatePem: '',
  notAfter: after(395 * 24 * hour).toISOString(),
});

let revision = 0;
function fold(state: ClusterState, facts: readonly ClusterFact[], at: Date): ClusterState {
  return facts.reduce<ClusterState>((folded, fact) => {
    revision += 1;
    const metadata = { schemaVersion: 1, actor: { kind: 'service', id: 't' }, epoch: 1, $correlationId: 'c' } as const;
    const recorded = { ...fact, id: 'i', stream: 's', revision, position: BigInt(revision), recordedAt: at, metadata };
    return evolveCluster(folded, recorded as Recorded<ClusterFact>);
  }, state);
}

const content = { clusterId, name: 'prod', description: '', labels: {}, nameHolder: undefined };
const registered = (): ClusterState =>
  fold(initialCluster, registerCluster({ ...content, token: token('t1') }, initialCluster), noon);
const enrolled = (fingerprint = 'a', at = noon): RegisteredCluster => {
  const state = registered();
  const facts = enrolAgent({ clusterId, tokenHash: 't1', certificate: certificate(fingerprint), now: at }, state);
  return fold(state, facts, at) as RegisteredCluster;
};
const identity = (fingerprint: string, tokenVersion = 1) => ({ clusterId, fingerprint, tokenVersion });
const seen = (fingerprint: string, agentVersion = '1') => ({
  agentVersion,
  kubernetesVersion: 'v1.34',
  certificateFingerprint: fingerprint,
});

function refused(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return 'nothing was refused';
}

describe('registering a cluster', () => {
  it('keeps its name and issues the first bootstrap token', () => {
    expect(registered()).toMatchObject({
      status: 'registered',
      name: 'prod',
      bootstrap: { hash: 't1', redeemed: null },
    });
  });

  it('refuses a name that another live cluster has, and allows its own', () => {
    expect(refused(() => registerCluster({ ...content, nameHolder: otherId, token: token('t') }, initialCluster))).toBe(
      'DUPLICATE_CLUSTER_NAME',
    );
    expect(updateCluster({ ...content, nameHolder: clusterId }, registered())).toEqual([]);
    expect(updateCluster({ ...content, labels: { env: 'x' } }, registered())).toHaveLength(1);
  });

  it('never registers one id twice, not even after its deletion', () => {
    const deleted = fold(registered(), deleteCluster({ clusterId }, registered()), noon);
    for (const state of [registered(), deleted])
      expect(refused(() => registerCluster({ ...content, token: token('t') }, state))).toBe('CONFLICT');
    expect(refused(() => issueBootstrapToken({ clusterId, token: token('t') }, deleted))).toBe('CLUSTER_NOT_FOUND');
  });
});

describe('enrolling an agent', () => {
  it('refuses a wrong, an older, an expired token', () => {
    const enrol = (tokenHash: string, now: Date, state = registered()) =>
      refused(() => enrolAgent({ clusterId, tokenHash, certificate: certificate('a'), now }, state));
    const reissued = fold(registered(), issueBootstrapToken({ clusterId, token: token('t2') }, registered()), noon);
    expect(enrol('t9', noon)).toBe('BOOTSTRAP_TOKEN_INVALID');
    expect(enrol('t1', noon, reissued)).toBe('BOOTSTRAP_TOKEN_INVALID');
    expect(enrol('t1', after(24 * hour))).toBe('BOOTSTRAP_TOKEN_INVALID');
    expect(enrol('t1', after(24 * hour - 1))).toBe('nothing was refused');
  });

  it('gives the same key the same answer for ten minutes, and another key none', () => {
    const state = enrolled('a');
    const again = (fingerprint: string, key: string, ms: number) =>
      enrolAgent({ clusterId, tokenHash: 't1', certificate: certificate(fingerprint, key), now: after(ms) }, state);
    expect(again('b', 'key of a', 10 * minute - 1)).toEqual([]);
    expect(certificateOfKey(state, 'key of a')?.fingerprint).toBe('a');
    expect(refused(() => again('b', 'key of b', 1))).toBe('BOOTSTRAP_TOKEN_INVALID');
    expect(refused(() => again('b', 'key of a', 10 * minute))).toBe('BOOTSTRAP_TOKEN_INVALID');
  });

  it('ends the identity of whoever was enrolled before', () => {
    const reissued = fold(enrolled('a'), issueBootstrapToken({ clusterId, token: token('t2') }, enrolled('a')), noon);
    const facts = enrolAgent({ clusterId, tokenHash: 't2', certificate: certificate('b'), now: noon }, reissued);
    const state = fold(reissued, facts, noon);
    expect(refused(() => requireIdentity(identity('a'), state, noon))).toBe('AGENT_REVOKED');
    expect(requireIdentity(identity('b', 2), state, noon)).toBe(state);
  });
});

describe('revoking an agent', () => {
  const revoked = (): ClusterState => fold(enrolled('a'), revokeAgent({ clusterId }, enrolled('a')), noon);

  it('refuses its token, its renewals and the enrolment answer from then on', () => {
    const state = revoked();
    const presented = identity('a');
    expect(refused(() => requireIdentity(presented, state, noon))).toBe('AGENT_REVOKED');
    expect(refused(() => renewToken({ presented, tokenExpiresAt: noon, now: noon }, state))).toBe('AGENT_REVOKED');
    expect(refused(() => renewCertificate({ presented, certificate: certificate('b'), now: noon }, state))).toBe(
      'AGENT_REVOKED',
    );
    expect(
      refused(() => enrolAgent({ clusterId, tokenHash: 't1', certificate: certificate('a'), now: noon }, state)),
    ).toBe('BOOTSTRAP_TOKEN_INVALID');
  });

  it('is one fact, and none when there is nothing left to revoke', () => {
    expect(revokeAgent({ clusterId }, revoked())).toEqual([]);
  });

  it('refuses a version that was never given out', () => {
    expect(refused(() => requireIdentity(identity('a', 2), enrolled('a'), noon))).toBe('AGENT_UNAUTHENTICATED');
  });
});

describe('renewing a certificate', () => {
  const renewed = (): RegisteredCluster => {
    const before = enrolled('a');
    const facts = renewCertificate({ presented: identity('a'), certificate: certificate('b'), now: noon }, before);
    return fold(before, facts, noon) as RegisteredCluster;
  };

  it('leaves the old one good until the new one is used, and one hour longer', () => {
    const state = renewed();
    expect(requireIdentity(identity('a'), state, after(100 * 24 * hour))).toBe(state);
    const used = fold(state, agentConnected(seen('b'), state), after(hour));
    expect(requireIdentity(identity('a'), used, after(2 * hour - 1))).toBe(used);
    expect(refused(() => requireIdentity(identity('a'), used, after(2 * hour)))).toBe('SUPERSEDED');
    expect(requireIdentity(identity('b'), used, after(3 * hour))).toBe(used);
  });

  it('gives the same key the same certificate for a day', () => {
    const again = (ms: number) =>
      renewCertificate(
        { presented: identity('a'), certificate: certificate('c', 'key of b'), now: after(ms) },
        renewed(),
      );
    expect(again(24 * hour - 1)).toEqual([]);
    expect(again(24 * hour)).toHaveLength(1);
  });

  it('stops after a few within a day', () => {
    let state: ClusterState = enrolled('a');
    for (let i = 0; i < 7; i += 1) {
      const next = { presented: identity('a'), certificate: certificate(`c${i}`), now: noon };
      state = fold(state, renewCertificate(next, state), noon);
    }
    const ninth = { presented: identity('a'), certificate: certificate('z'), now: noon };
    expect(refused(() => renewCertificate(ninth, state))).toBe('RATE_LIMITED');
  });
});

describe('the connection of an agent', () => {
  it('is a fact when it was not connected, and when a version changed', () => {
    const state = enrolled('a');
    const connected = fold(state, agentConnected(seen('a'), state), noon);
    expect(agentConnected(seen('a'), connected)).toEqual([]);
    expect(agentConnected(seen('a', '2'), connected)).toHaveLength(1);
    const gone = fold(connected, agentDisconnected({ reason: 'r' }, connected), noon);
    expect(agentDisconnected({ reason: 'r' }, gone)).toEqual([]);
    expect(agentConnected(seen('a'), gone)).toHaveLength(1);
  });

  it('is no fact for an identity that was revoked meanwhile', () => {
    const state = fold(enrolled('a'), revokeAgent({ clusterId }, enrolled('a')), noon);
    expect(agentConnected(seen('a'), state)).toEqual([]);
    expect(agentDisconnected({ reason: 'r' }, state)).toEqual([]);
  });
});

type Step =
  | { readonly kind: 'token'; readonly hash: number }
  | { readonly kind: 'enrol'; readonly hash: number; readonly key: number }
  | { readonly kind: 'renew'; readonly by: number; readonly key: number }
  | { readonly kind: 'connect'; readonly by: number }
  | { readonly kind: 'revoke' | 'disconnect' }
  | { readonly kind: 'wait'; readonly minutes: number };

const small = fc.nat({ max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('token' as const), hash: small }),
  fc.record({ kind: fc.constant('enrol' as const), hash: small, key: small }),
  fc.record({ kind: fc.constant('renew' as const), by: small, key: small }),
  fc.record({ kind: fc.constant('connect' as const), by: small }),
  fc.record({ kind: fc.constantFrom('revoke' as const, 'disconnect' as const) }),
  fc.record({ kind: fc.constant('wait' as const), minutes: fc.nat({ max: 3000 }) }),
);

/** The facts that a step leads to; none when it is refused. */
function factsOf(next: Step, state: RegisteredCluster, now: Date): readonly ClusterFact[] {
  const presented = (by: number) => ({
    clusterId,
    fingerprint: state.certificates[by]?.fingerprint ?? 'none',
    tokenVersion: state.tokenVersion,
  });
  const fresh = (key: number) => certificate(`${key}#${state.revision}`, `key ${key}`);
  try {
    switch (next.kind) {
      case 'token':
        return issueBootstrapToken({ clusterId, token: token(`t${next.hash}#${state.revision}`) }, state);
      case 'enrol': {
        const tokenHash = next.hash === 0 ? 'wrong' : (state.bootstrap?.hash ?? 'none');
        return enrolAgent({ clusterId, tokenHash, certificate: fresh(next.key), now }, state);
      }
      case 'renew':
        return renewCertificate({ presented: presented(next.by), certificate: fresh(next.key), now }, state);
      case 'connect':
        return agentConnected(seen(presented(next.by).fingerprint), state);
      case 'revoke':
        return revokeAgent({ clusterId }, state);
      case 'disconnect':
        return agentDisconnected({ reason: 'r' }, state);
      case 'wait':
        return [];
      default:
        return next satisfies never;
    }
  } catch (error) {
    if (error instanceof Refusal) return [];
    throw error;
  }
}

describe('whatever happens to a cluster', () => {
  it('redeems each bootstrap token once, never lowers the token version, and holds few certificates', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let state = registered() as RegisteredCluster;
        let now = noon;
        const redeemed = new Set<string>();
        for (const next of steps) {
          if (next.kind === 'wait') now = new Date(now.getTime() + next.minutes * minute);
          const before = state;
          const facts = factsOf(next, state, now);
          state = fold(state, facts, now) as RegisteredCluster;
          for (const fact of facts) {
            if (fact.type !== 'cluster.agent_enrolled') continue;
            expect(redeemed.has(fact.data.tokenHash)).toBe(false);
            redeemed.add(fact.data.tokenHash);
          }
          expect(state.tokenVersion).toBeGreaterThanOrEqual(before.tokenVersion);
          expect(state.certificates.filter(({ usedAt }) => usedAt === null).length).toBeLessThanOrEqual(
            mostUnusedCertificates,
          );
          if (next.kind === 'revoke') {
            for (const { fingerprint } of before.certificates)
              expect(refused(() => requireIdentity(identity(fingerprint, before.tokenVersion), state, now))).toBe(
                'AGENT_REVOKED',
              );
          }
          // The certificate issued last is never superseded: there is always a way in for whoever holds it.
          const last = state.certificates.at(-1);
          if (last) expect(requireIdentity(identity(last.fingerprint, state.tokenVersion), state, now)).toBe(state);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('folds a fact that does not fit without failing', () => {
    const stray: ClusterFact = { type: 'cluster.agent_revoked', data: { clusterId, tokenVersion: 9 } };
    expect(fold(initialCluster, [stray], noon)).toEqual(initialCluster);
  });
});
