import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProxyOutcome } from '@clustral/schemas/events/proxy.ts';
import type { ClusterId, CredentialId, RequestId, RoleId, UserId } from '@clustral/schemas/ids.ts';
import { parseKubernetesRequest } from './kubernetes-request.ts';
import type { RequestRecord } from './proxy-records.ts';
import { ReadGatherer, type SharedRecord } from './read-gatherer.ts';

const id = <Id extends string>(): Id => randomUUID() as string as Id;
const fresh = 'ab'.repeat(16);
const [clusterId, userId, roleId, credentialId] = [id<ClusterId>(), id<UserId>(), id<RoleId>(), id<CredentialId>()];
const outcome: ProxyOutcome = {
  status: 200,
  bytesSent: 10,
  bytesReceived: 1,
  durationMs: 5,
  end: 'completed',
  errorCode: null,
};

const read = (path = '/api/v1/pods', more: Partial<RequestRecord> = {}): RequestRecord => ({
  requestId: id<RequestId>(),
  clusterId,
  basis: { userId, userRevision: 0, roleId, roleRevision: 0, accessRequestId: null, credentialId },
  request: parseKubernetesRequest('GET', path),
  strict: false,
  startedAt: new Date(),
  origin: { correlationId: fresh, sourceAddress: '192.0.2.1', userAgent: 'kubectl' },
  ...more,
});

let written: SharedRecord[];
let reads: ReadGatherer;

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-25T10:00:00Z') });
  written = [];
  reads = new ReadGatherer({ now: () => new Date(), write: (shared) => written.push(shared) });
});
afterEach(() => vi.useRealTimers());

const idsOf = ({ record, ending }: SharedRecord): readonly string[] => [
  record.requestId,
  ...(ending.repeats?.requestIds ?? []),
];

describe('repeated reads', () => {
  it('leave the first of a kind to a record of its own and share one for the rest of five seconds', () => {
    const all = Array.from({ length: 4 }, () => read());
    expect(all.map((record, at) => reads.take(record, { ...outcome, durationMs: at }))).toEqual([
      false,
      true,
      true,
      true,
    ]);
    vi.advanceTimersByTime(4_999);
    expect(written).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(written.map(idsOf)).toEqual([all.slice(1).map(({ requestId }) => requestId)]);
    expect(written[0]?.ending).toMatchObject({
      outcome: { bytesSent: 30, bytesReceived: 3, durationMs: 3 },
      repeats: { until: '2026-11-25T10:00:00.000Z' },
    });
  });

  it('that go on share one record for each five seconds, and forget the kind once it rests', () => {
    reads.take(read(), outcome);
    for (const wait of [1_000, 5_000, 5_000]) {
      expect(reads.take(read(), outcome)).toBe(true);
      vi.advanceTimersByTime(wait);
    }
    vi.advanceTimersByTime(5_000);
    expect(written.map((shared) => idsOf(shared).length)).toEqual([2, 1]);
    vi.advanceTimersByTime(5_000);
    expect(reads.take(read(), outcome)).toBe(false);
  });

  it('are on record in at most two hundred to one', () => {
    reads.take(read(), outcome);
    for (let count = 0; count < 450; count += 1) reads.take(read(), outcome);
    reads.flush();
    expect(written.map((shared) => idsOf(shared).length)).toEqual([200, 200, 50]);
  });

  it('count as not durable since the oldest that is held back ended', () => {
    reads.take(read(), outcome);
    expect(reads.oldest).toBeUndefined();
    vi.advanceTimersByTime(1_000);
    reads.take(read(), outcome);
    vi.advanceTimersByTime(1_000);
    reads.take(read(), outcome);
    expect(reads.oldest).toBe(Date.parse('2026-11-25T10:00:01Z'));
    vi.advanceTimersByTime(3_000);
    expect(written[0]?.since).toBe(Date.parse('2026-11-25T10:00:01Z'));
    expect(reads.oldest).toBeUndefined();
  });

  it('are written at once when the clock is set back', () => {
    reads.take(read(), outcome);
    reads.take(read(), outcome);
    vi.setSystemTime(new Date('2026-11-25T08:00:00Z'));
    vi.advanceTimersByTime(5_000);
    expect(written).toHaveLength(1);
  });

  it.each<[string, RequestRecord, ProxyOutcome]>([
    ['is strict', read('/api/v1/pods', { strict: true }), outcome],
    ['was refused by the cluster', read(), { ...outcome, status: 403 }],
    ['was cut short', read(), { ...outcome, end: 'client_closed' }],
    ['failed', read(), { ...outcome, errorCode: 'AGENT_ERROR' }],
    ['took so long that it may be on record as begun', read(), { ...outcome, durationMs: 5_000 }],
    [
      'is part of a trace',
      read('/api/v1/pods', { origin: { correlationId: fresh, traceparent: `00-${fresh}-${'1'.repeat(16)}-01` } }),
      outcome,
    ],
    ['has a correlation id of its own', read('/api/v1/pods', { origin: { correlationId: 'INC-812' } }), outcome],
  ])('leave out one that %s', (_, record, ended) => {
    expect([reads.take(record, ended), reads.take(record, ended)]).toEqual([false, false]);
  });

  it('never mix credentials, decisions, paths, sources, clients, answers or days; each is on record exactly once', () => {
    const origin = { correlationId: fresh, sourceAddress: '192.0.2.1', userAgent: 'kubectl' };
    const basis = read().basis;
    const kinds: readonly (readonly [Partial<RequestRecord>, number])[] = [
      [{}, 200],
      [{}, 304],
      [{ request: parseKubernetesRequest('GET', '/api/v1/nodes') }, 200],
      [{ basis: { ...basis, credentialId: id<CredentialId>() } }, 200],
      [{ basis: { ...basis, roleRevision: 1 } }, 200],
      [{ basis: { ...basis, accessRequestId: randomUUID() } }, 200],
      [{ clusterId: id<ClusterId>() }, 200],
      [{ origin: { ...origin, sourceAddress: '192.0.2.2' } }, 200],
      [{ origin: { ...origin, userAgent: 'helm' } }, 200],
      [{ startedAt: new Date('2026-11-24T23:59:59Z') }, 200],
    ];
    fc.assert(
      fc.property(fc.array(fc.nat({ max: kinds.length - 1 }), { maxLength: 300 }), (order) => {
        written = [];
        const alone: string[] = [];
        const kindOf = new Map<string, number>();
        for (const kind of order) {
          const [more, status] = kinds[kind] ?? [{}, 200];
          const record = read('/api/v1/pods', more);
          kindOf.set(record.requestId, kind);
          if (!reads.take(record, { ...outcome, status })) alone.push(record.requestId);
          if (kind === 0) vi.advanceTimersByTime(700);
        }
        reads.flush();
        for (const shared of written) expect(new Set(idsOf(shared).map((one) => kindOf.get(one))).size).toBe(1);
        expect([...alone, ...written.flatMap(idsOf)].toSorted()).toEqual([...kindOf.keys()].toSorted());
      }),
      { numRuns: 50 },
    );
  });
});
