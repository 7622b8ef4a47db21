/**
 * What every search of the audit promises, wherever the read models lie: exactly what was asked for, literally, newest first, each
 * row once. It asks through the query functions, as the services do.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Recorded } from '@clustral/schemas/events/envelope.ts';
import { goldenSamples } from '@clustral/schemas/events/golden/samples.ts';
import { auditCollection, type AuditDocument } from '../audit.ts';
import type { ReadStoreReader } from '../read-store.ts';
import { registered, synced } from '../testing/people.ts';
import { Story } from '../testing/story.ts';
import { auditEvents, getAuditEvent, type AuditFilters } from './query.ts';
import { searchKey } from './words.ts';

export type ModelsUnderTest = { readonly models: ReadStoreReader; readonly close: () => Promise<void> };

const everything = { filters: {}, limit: 1_000 } as const;
const hostile = [
  '{"$ne":null}',
  '{"$gt":""}',
  '$ne',
  '$where',
  '.*',
  '(a+)+$',
  '%',
  '_',
  "' OR 1=1 --",
  '" OR "a"',
  '__proto__',
  'constructor',
  '\u0000',
  'NEAR(a b)',
  '*',
  '=category=proxy',
] as const;

/** Golden facts, people and clusters whose names look like operators, and many rows of one instant. */
function facts(): readonly Recorded[] {
  const golden = goldenSamples().map(({ fact }) => fact);
  const story = new Story();
  for (const [n, name] of hostile.entries()) {
    story.tell(`cluster-h${n}`, registered(`h${n}`, name));
    story.tell(`user-h${n}`, synced(`h${n}`, name), { actor: { kind: 'user', id: `h${n}` } });
  }
  const last = golden.at(-1)?.position ?? 0n;
  const recordedAt = new Date('2026-11-25T10:00:00Z');
  const more = story.facts.map((fact, n) => ({
    ...fact,
    id: fact.id.replace('5e000000', '7e000000'),
    position: last + BigInt(n + 1),
    recordedAt,
  }));
  return [...golden, ...more];
}

/** Runs the suite; `make` gives read models that hold what the facts make of them. */
export function auditQueryContract(name: string, make: (facts: readonly Recorded[]) => Promise<ModelsUnderTest>): void {
  describe(`the audit on ${name}`, () => {
    let under: ModelsUnderTest;
    let rows: readonly AuditDocument[];
    beforeAll(async () => {
      under = await make(facts());
      rows = await under.models.find(auditCollection, {
        filter: {},
        sort: { fields: ['time', 'position'], direction: 'descending' },
        limit: 10_000,
      });
    });
    afterAll(() => under.close());

    const found = async (filters: AuditFilters): Promise<readonly string[]> =>
      (await auditEvents(under.models, { filters, limit: 1_000 })).items.map(({ uid }) => uid);

    /** The same by looking at every row. People are found by what they are called, which no row says. */
    const fits =
      ({ fromAt, toAt, user, text, ...equal }: AuditFilters) =>
      (row: AuditDocument): boolean =>
        Object.entries(equal).every(([field, value]) => row[field as keyof AuditDocument] === value) &&
        (fromAt === undefined || row.time >= fromAt) &&
        (toAt === undefined || row.time <= toAt) &&
        (user === undefined || row.userId === user) &&
        (text === undefined || row.words.some((word) => word.startsWith(text)));

    it('finds exactly what every filter and any of them together ask for, and counts it', async () => {
      const one = <T>(values: readonly T[]) => fc.option(fc.constantFrom(...new Set(values)), { nil: undefined });
      const filters = fc.record(
        {
          category: one(rows.map(({ category }) => category)),
          code: one(rows.map(({ code }) => code)),
          severity: one(['Info', 'Warning', 'Error']),
          clusterId: one(rows.flatMap(({ clusterId }) => clusterId ?? [])),
          user: one(rows.flatMap(({ userId }) => userId ?? [])),
          resourceId: one(rows.map(({ resourceId }) => resourceId)),
          correlationId: one(rows.map(({ correlationId }) => correlationId)),
          accessRequestId: one(rows.flatMap(({ accessRequestId }) => accessRequestId ?? [])),
          text: one(rows.flatMap(({ words }) => words)),
          fromAt: one(rows.map(({ time }) => time)),
          toAt: one(rows.map(({ time }) => time)),
        },
        { requiredKeys: [] },
      );
      await fc.assert(
        fc.asyncProperty(filters, async (asked) => {
          const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
          // A person without a name in the table is nobody to search for.
          const known = given as AuditFilters;
          const expected = rows.filter(fits(known)).map(({ uid }) => uid);
          const page = await auditEvents(under.models, { filters: known, limit: 1_000 });
          if (known.user !== undefined && page.total === 0) return;
          expect(page.items.map(({ uid }) => uid)).toEqual(expected);
          expect([page.total, page.totalIsLowerBound]).toEqual([expected.length, false]);
        }),
        { numRuns: 60 },
      );
    });

    it.each(hostile)('ES-07 takes %j for what it is, in every filter', async (text) => {
      for (const field of ['category', 'code', 'severity', 'clusterId', 'resourceId', 'correlationId'] as const) {
        expect(await found({ [field]: text })).toEqual([]);
      }
      expect(await found({ accessRequestId: text })).toEqual([]);
      const people = rows.filter(({ userId }) => userId === `h${hostile.indexOf(text)}`).map(({ uid }) => uid);
      expect(people).toHaveLength(1);
      expect(await found({ user: text })).toEqual(people);
      const words = text.toLowerCase().match(/[a-z]{2,}/g) ?? [];
      const withWords = rows.filter((row) =>
        words.every((word, n) =>
          row.words.some((own) => (n === words.length - 1 ? own.startsWith(word) : own === word)),
        ),
      );
      expect(await found({ text })).toEqual(words.length === 0 ? [] : withWords.map(({ uid }) => uid));
    });

    it('ES-07 shows names as they are, whatever a store could take them for', () => {
      for (const [n, text] of hostile.entries()) {
        const row = rows.find(({ event, clusterId }) => event === 'cluster.registered' && clusterId === `h${n}`);
        expect(row?.clusterName).toBe(text);
      }
    });

    it('ES-08 answers for a person in either case and composition, and no pattern', async () => {
      const one = rows.find(({ event, userId }) => event === 'user.synced' && userId === 'h0');
      expect(await found({ user: searchKey('{"$NE":NULL}') })).toEqual([one?.uid]);
      const begun = performance.now();
      expect(await found({ user: `${'a'.repeat(300)}!` })).toEqual([]);
      expect(performance.now() - begun).toBeLessThan(2_000);
    });

    it('ES-08 gives every row once over pages of any size, newest first, by cursor and by page', async () => {
      const all = rows.map(({ uid }) => uid);
      for (const limit of [1, 7, 20, 200]) {
        const byCursor: string[] = [];
        for (let after: string | undefined; ;) {
          const page = await auditEvents(under.models, {
            filters: {},
            limit,
            ...(after === undefined ? {} : { after }),
          });
          byCursor.push(...page.items.map(({ uid }) => uid));
          after = page.next;
          if (after === undefined) break;
        }
        expect(byCursor).toEqual(all);
        const second = await auditEvents(under.models, { filters: {}, limit, skip: limit });
        expect(second.items.map(({ uid }) => uid)).toEqual(all.slice(limit, 2 * limit));
      }
    });

    it.each(['nonsense', '', '{}', '[1]', '["a","b"]', '[1,2,3]', '[1e999,1]', 'x'.repeat(5_000)])(
      'ES-08 takes no cursor %#',
      async (text) => {
        const after = Buffer.from(text).toString('base64url');
        const asked = auditEvents(under.models, { filters: {}, limit: 5, after });
        await expect(asked).rejects.toMatchObject({ code: 'VALIDATION_ERROR', field: 'pageToken' });
      },
    );

    it('ES-09 knows no event by what is no uid', async () => {
      for (const uid of ['$all', 'a-b', '../x', '%00', '\u0000', 'x'.repeat(10_240), ...hostile]) {
        expect(await getAuditEvent(under.models, uid)).toBeUndefined();
      }
      expect(await getAuditEvent(under.models, rows[0]?.uid ?? '')).toEqual(rows[0]);
    });

    it('ES-14 answers the longest question that may be asked', async () => {
      const text = Array.from({ length: 60 }, (_, n) => `w${n % 10}`).join(' ');
      expect(await found({ text, user: 'x'.repeat(320), correlationId: 'c'.repeat(128) })).toEqual([]);
    });

    it('says from when on it is whole', async () => {
      const { completeFrom } = await auditEvents(under.models, everything);
      expect(completeFrom).toBe(Math.min(...rows.map(({ receivedAt }) => receivedAt)));
    });
  });
}
