import { describe, expect, it } from 'vitest';
import { answerFromCache, execCredential, isFresh, type CachedCredential } from './credential-cache.ts';

const hour = 3_600_000;
const issued = Date.parse('2026-04-01T08:00:00Z');
const credential = (lifeMs: number): CachedCredential => ({
  clusterId: '0198f7a0-0000-7000-8000-000000000001',
  credentialId: 'c',
  token: 't',
  issuedAt: new Date(issued).toISOString(),
  expiresAt: new Date(issued + lifeMs).toISOString(),
});

describe('a cached credential', () => {
  it.each([
    ['an eight-hour one at once', 8 * hour, 0, true],
    ['an eight-hour one with 49 minutes left', 8 * hour, 8 * hour - 49 * 60_000, true],
    ['an eight-hour one with a tenth left', 8 * hour, 8 * hour - 48 * 60_000, false],
    ['a five-minute one with 61 s left', 300_000, 300_000 - 61_000, true],
    ['a five-minute one with 60 s left', 300_000, 240_000, false],
    ['a one-minute one at once', 60_000, 0, false],
    ['one that has ended', hour, 2 * hour, false],
  ])('%s', (...[, life, after, fresh]) => {
    expect(isFresh(credential(life), issued + after)).toBe(fresh);
  });

  it('with damaged times is not fresh', () => {
    expect(isFresh({ ...credential(hour), expiresAt: 'soon' }, issued)).toBe(false);
    expect(isFresh({ ...credential(hour), issuedAt: '' }, issued)).toBe(false);
  });
});

describe('the answer to kubectl', () => {
  const answer = (execInfo: string | undefined) =>
    JSON.parse(execCredential({ token: 't', expiresAt: '2026-04-01T16:00:00.123Z' }, execInfo));

  it('names an end 60 s before the real one', () => {
    expect(answer(undefined)).toEqual({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 't', expirationTimestamp: '2026-04-01T15:59:00Z' },
    });
  });

  it.each([
    [
      '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","spec":{"interactive":true}}',
      'v1beta1',
    ],
    ['{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"}', 'v1'],
    ['{"spec":{"apiVersion":"client.authentication.k8s.io/v1beta1"}}', 'v1'],
    ['{"apiVersion":"example.com/v9"}', 'v1'],
    ['null', 'v1'],
    ['not json', 'v1'],
    ['', 'v1'],
  ])('is in the version that was asked for: %s', (execInfo, version) => {
    expect(answer(execInfo).apiVersion).toBe(`client.authentication.k8s.io/${version}`);
  });
});

describe('the fast path', () => {
  const cluster = '0198f7a0-0000-7000-8000-000000000001';
  const account = 'ab'.repeat(32);
  const full = ['--cluster', cluster, '--account', account, '--profile', 'default'];

  it.each([
    ['a flag is missing', full.slice(0, 4)],
    ['a flag is doubled', [...full, '--cluster', cluster]],
    ['a flag is unknown', [...full, '--output', 'json']],
    ['a value is missing', [...full, '--ttl']],
    ['the cluster is a name', ['--cluster', 'prod', ...full.slice(2)]],
    ['the cluster is a path', ['--cluster', '../../../../../../../../../../etc/x', ...full.slice(2)]],
    ['the profile is a path', [...full.slice(0, 4), '--profile', '../x']],
    ['a flag is called like a property of objects', [...full, '__proto__', 'x']],
    ['there is no such file', full],
  ])('leaves it to the whole tool when %s', (_why, args) => {
    expect(answerFromCache({ args, environment: { CLUSTRAL_HOME: '/nowhere' }, now: issued })).toBeUndefined();
  });
});
