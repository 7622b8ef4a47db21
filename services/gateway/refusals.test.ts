import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '@clustral/kernel/log.ts';
import { createRefusalReporter, printableTarget, type RefusalBatch, type ReportedRefusal } from './refusals.ts';

const refusal = (requestId: string): ReportedRefusal => ({
  requestId,
  at: '2026-01-01T00:00:00.000Z',
  clusterId: null,
  credentialId: null,
  errorCode: 'INVALID_TOKEN',
  status: 401,
  method: 'GET',
  path: '/api/proxy/x',
  sourceAddress: '192.0.2.1',
  userAgent: null,
  correlationId: 'c',
});

describe('reporting refusals', () => {
  let batches: RefusalBatch[];
  let outcome: (batch: RefusalBatch) => Promise<boolean>;
  const log = createLog('test', 'silent');
  const reporter = () =>
    createRefusalReporter({
      log,
      gatherMs: 20,
      send: async (batch) => {
        batches.push(batch);
        return outcome(batch);
      },
    });
  beforeEach(() => {
    batches = [];
    outcome = async () => true;
  });
  afterEach(() => vi.restoreAllMocks());

  it('sends what is left when it is told to stop, in batches of at most 200', async () => {
    const reports = reporter();
    for (let index = 0; index < 150; index += 1) reports.report(refusal(String(index)));
    await reports.stop();
    expect(batches.map(({ refusals }) => refusals.length)).toEqual([150]);
  });

  it('D31 gathers for a moment, then sends in order', async () => {
    const reports = reporter();
    reports.report(refusal('a'));
    reports.report(refusal('b'));
    expect(batches).toEqual([]);
    await vi.waitFor(() => expect(batches).toHaveLength(1), 2_000);
    expect(batches[0]?.refusals.map(({ requestId }) => requestId)).toEqual(['a', 'b']);
    await reports.stop();
    expect(batches).toHaveLength(1);
  });

  it('D31 queues at most 1,000 and tells how many were lost', async () => {
    const reports = reporter();
    for (let index = 0; index < 1_050; index += 1) reports.report(refusal(String(index)));
    await vi.waitFor(() => expect(batches).toHaveLength(5), 3_000);
    expect(batches.reduce((sum, { refusals }) => sum + refusals.length, 0)).toBe(1_000);
    expect(batches[0]?.lost).toBe(50);
    expect(batches[1]?.lost).toBe(0);
    await reports.stop();
  });

  it('sends the same again when it may not have arrived', async () => {
    let failures = 1;
    outcome = async () => {
      if (failures > 0) {
        failures -= 1;
        throw new Error('down');
      }
      return true;
    };
    const reports = reporter();
    reports.report(refusal('a'));
    await vi.waitFor(() => expect(batches).toHaveLength(2), 4_000);
    expect(batches[1]).toEqual(batches[0]);
    await reports.stop();
  });

  it('counts a batch that will never be taken as lost', async () => {
    let refusedOnce = false;
    outcome = async () => {
      const taken = refusedOnce;
      refusedOnce = true;
      return taken;
    };
    const reports = reporter();
    reports.report(refusal('a'));
    await vi.waitFor(() => expect(batches).toHaveLength(2), 2_000);
    expect(batches[1]).toEqual({ refusals: [], lost: 1 });
    await reports.stop();
  });
});

describe('a request target in logs and in the audit', () => {
  it.each([
    ['/a?token=s3cr3t&x=1', '/a?token=[removed]&x=1'],
    ['/a?access_token=s', '/a?access_token=[removed]'],
    ['/a?Access%5Ftoken=s', '/a?Access%5Ftoken=[removed]'],
    ['/a?watch=1&labelSelector=token', '/a?watch=1&labelSelector=token'],
    ['/a?', '/a?'],
    ['/a', '/a'],
  ])('PX-22 shows %s as %s', (target, shown) => {
    expect(printableTarget(target)).toBe(shown);
  });

  it('is cut at 1,024 characters', () => {
    expect(printableTarget(`/${'a'.repeat(5_000)}`)).toHaveLength(1_024);
  });
});
