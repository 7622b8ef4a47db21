import { describe, expect, it } from 'vitest';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { goldenSamples } from '@clustral/schemas/events/golden/samples.ts';
import { proxyDaysStream, proxyStream, type DayFact } from '@clustral/schemas/events/proxy.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import { DayDigest, type DaySummary } from '../day-digest.ts';
import { DayProof } from './day-proof.ts';

const clusterId = 'c' as ClusterId;
const [template] = goldenSamples();
if (!template) throw new Error('no golden sample');
let position = 0n;

const told = (stream: string, fact: { readonly type: string; readonly data: object }): Recorded => {
  position += 1n;
  return { ...template.fact, ...fact, stream, position, id: `id-${position}` };
};
const record = (day: string, n = 0): Recorded => told(proxyStream(clusterId, day), { type: 'proxy.gap', data: { n } });
const dayFact = (fact: DayFact): Recorded => told(proxyDaysStream(clusterId), fact);
const summaryOf = (records: readonly Recorded[]): DaySummary => {
  const digest = new DayDigest();
  for (const one of records) digest.add(one);
  return digest.summary;
};
const closed = (day: string, records: readonly Recorded[]): Recorded =>
  dayFact({ type: 'proxy.day_closed', data: { clusterId, day, ...summaryOf(records) } });
const deleted = (day: string): Recorded =>
  dayFact({ type: 'proxy.day_deleted', data: { clusterId, day, count: 1, sha256: '', keepSeconds: 1 } });

const reportOn = (facts: readonly Recorded[]) => {
  const proof = new DayProof();
  for (const fact of facts) proof.take(fact);
  return proof.report();
};
const day = '20261124';
const stream = proxyStream(clusterId, day);
const records = [record(day, 1), record(day, 2), record(day, 3)];
const end = closed(day, records);

describe('a closed day', () => {
  it('is proven when its records are those that were closed', () => {
    expect(reportOn([...records, end])).toEqual({ closed: 1, proven: 1, deleted: 0, problems: [] });
  });

  it.each<[string, readonly Recorded[], string]>([
    ['lost them all', [end], 'missing'],
    ['lost its first', [...records.slice(1), end], 'missing'],
    ['has one that was changed', [...records.with(1, { ...record(day, 9), id: 'id-2' }), end], 'changed'],
    ['got one more', [...records, end, record(day, 4)], 'added'],
  ])('that %s is told', (_, facts, kind) => {
    expect(reportOn(facts)).toEqual({ closed: 1, proven: 0, deleted: 0, problems: [{ stream, kind }] });
  });

  it.each([
    ['still there', records],
    ['half scavenged', records.slice(2)],
    ['gone', []],
  ])('that was said to be deleted is no problem with its records %s', (_, left) => {
    expect(reportOn([...left, end, deleted(day)])).toEqual({ closed: 1, proven: 0, deleted: 1, problems: [] });
  });

  it('is told beside others, and days that are open say nothing', () => {
    const other = [record('20261125')];
    const facts = [...records, ...other, end, closed('20261125', other), record('20261126')];
    expect(reportOn(facts)).toMatchObject({ closed: 2, proven: 2 });
  });

  it('is closed by no record of its own stream', () => {
    const false_ = { ...closed(day, records.slice(0, 1)), stream };
    expect(reportOn([...records, false_])).toMatchObject({ closed: 0, problems: [] });
  });
});
