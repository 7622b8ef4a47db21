import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenSamples } from '@clustral/schemas/events/golden/samples.ts';
import { auditCollection, type AuditDocument } from '../audit.ts';
import { storeAfter } from '../testing/rig.ts';
import { auditQueryContract, type ModelsUnderTest } from './query.contract.ts';
import { auditEvents, mostCounted } from './query.ts';

const modelsAfter = async (facts: Parameters<typeof storeAfter>[0]): Promise<ModelsUnderTest> => {
  const opened = await storeAfter(facts);
  return { models: opened.store, close: () => opened.close() };
};

auditQueryContract('SQLite', modelsAfter);

describe('the total of a search', () => {
  let opened: Awaited<ReturnType<typeof storeAfter>>;
  beforeAll(async () => {
    opened = await storeAfter(goldenSamples().map(({ fact }) => fact));
    const [row] = await opened.store.find(auditCollection, {
      filter: { category: { $eq: 'roles' } },
      sort: { fields: ['time', 'position'], direction: 'ascending' },
      limit: 1,
    });
    const many = Array.from({ length: mostCounted + 1 }, (_, n): AuditDocument => {
      const words = n === 0 ? ['most'] : ['most', 'exactly'];
      return { ...(row as AuditDocument), _id: `m${n}`, uid: `m${n}`, code: 'CXX001I', category: 'many', words };
    });
    const writes = many.map((document) => ({ kind: 'put', collection: auditCollection, document }) as const);
    await opened.store.commit({ projection: 'test', position: 1n, writes });
  });
  afterAll(() => opened.close());

  it.each([
    ['a field', { code: 'CXX001I' }, true],
    ['a word', { text: 'most' }, true],
    ['a word that one fewer has', { text: 'exactly' }, false],
    ['fields and a word', { code: 'CXX001I', category: 'many', text: 'exact' }, false],
    ['two fields', { code: 'CXX001I', category: 'many' }, true],
  ])('is exact up to 10,000 and no more than that, by %s', async (_, filters, totalIsLowerBound) => {
    expect(await auditEvents(opened.store, { filters, limit: 1 })).toMatchObject({
      total: mostCounted,
      totalIsLowerBound,
    });
  });
});
