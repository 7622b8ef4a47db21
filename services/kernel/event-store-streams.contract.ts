/** What a stream promises: what was appended is there, in order, exactly once, and nobody overwrites anybody. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Revision } from '@clustral/schemas/events/envelope.ts';
import { type Counted, counted, countedTo, metadata, newStream, numbersOf } from './event-store-contract-facts.ts';
import { RevisionConflict, type Appended, type EventStore } from './event-store-port.ts';

export function describeStreams(store: () => EventStore): void {
  describe('a stream', () => {
    it('that does not exist has no facts and the revision none', async () => {
      expect(await store().load(newStream())).toEqual({ facts: [], revision: 'none' });
    });

    it('gives back what was appended, with revision, position and time', async () => {
      const stream = newStream();
      const facts = [counted(1), counted(2, 'ünïcode ✓ "quoted"\n')];
      const before = Date.now();
      const appended = await store().append(stream, 'none', facts);
      const loaded = await store().load<Counted>(stream);
      expect(loaded.revision).toBe(1);
      expect(loaded.facts.map(({ id, type, data }) => ({ id, type, data }))).toEqual(
        facts.map(({ id, type, data }) => ({ id, type, data })),
      );
      expect(loaded.facts.map(({ revision }) => revision)).toEqual([0, 1]);
      expect(loaded.facts.every((fact) => fact.stream === stream)).toBe(true);
      expect(loaded.facts.map((fact) => fact.metadata)).toEqual([metadata, metadata]);
      const [first, second] = loaded.facts.map(({ position }) => position);
      expect(second).toBeGreaterThan(first ?? 0n);
      expect(appended).toEqual({ revision: 1, position: second });
      // The server's clock is its own; a minute apart would be a unit mistaken.
      expect(Math.abs((loaded.facts[0]?.recordedAt.getTime() ?? 0) - before)).toBeLessThan(60_000);
    });

    it('is read from any revision on, and says where it ends also when nothing is left to read', async () => {
      const stream = newStream();
      await store().append(stream, 'none', countedTo(5));
      expect(numbersOf((await store().load(stream, 3)).facts)).toEqual([3, 4]);
      expect(await store().load(stream, 5)).toEqual({ facts: [], revision: 4 });
      expect(await store().load(stream, 500)).toEqual({ facts: [], revision: 4 });
    });

    it('shows only its last fact under $maxCount 1 and goes on counting', async () => {
      const stream = newStream();
      const one = { type: '$metadata', id: randomUUID(), data: { $maxCount: 1 }, metadata };
      await store().append(`$$${stream}`, 'none', [one]);
      let revision: Revision = 'none';
      for (const n of [1, 2, 3]) ({ revision } = await store().append(stream, revision, [counted(n)]));
      const { facts } = await store().load(stream);
      expect([numbersOf(facts), revision]).toEqual([[3], 2]);
    });

    it('hides facts that are older than $maxAge and goes on counting', async () => {
      const stream = newStream();
      const one = { type: '$metadata', id: randomUUID(), data: { $maxAge: 1 }, metadata };
      await store().append(`$$${stream}`, 'none', [one]);
      await store().append(stream, 'none', countedTo(2));
      const held = async () => numbersOf((await store().load(stream)).facts);
      await expect.poll(held, { timeout: 5_000 }).toEqual([]);
      const { revision } = await store().append(stream, 1, [counted(2)]);
      expect([await held(), revision]).toEqual([[2], 2]);
    });

    it('holds facts of several hundred kilobytes', async () => {
      const stream = newStream();
      const text = 'ä'.repeat(450_000);
      await store().append(stream, 'none', [counted(1, text)]);
      expect((await store().load<Counted>(stream)).facts[0]?.data.text).toBe(text);
    });

    it('loads thousands of facts in order', async () => {
      const stream = newStream();
      await store().append(stream, 'none', countedTo(1_000));
      await store().append(stream, 999, countedTo(1_000));
      const { facts } = await store().load(stream);
      expect(facts.map(({ revision }) => revision)).toEqual(Array.from({ length: 2_000 }, (_, n) => n));
    });
  });

  describe('an append', () => {
    it('at another revision than the last is a conflict that says where the stream is, and stores nothing', async () => {
      const stream = newStream();
      await store().append(stream, 'none', countedTo(2));
      for (const expected of ['none', 0, 7] as const) {
        const conflict = await store()
          .append(stream, expected, [counted(9)])
          .catch((error: unknown) => error);
        expect(conflict).toBeInstanceOf(RevisionConflict);
        expect(conflict).toMatchObject({ stream, expected, actual: 1 });
      }
      const other = newStream();
      await expect(store().append(other, 0, [counted(9)])).rejects.toMatchObject({ expected: 0, actual: 'none' });
      expect((await store().load(stream)).revision).toBe(1);
      expect((await store().load(other)).revision).toBe('none');
    });

    it('is won by exactly one of 50 at a time, and the winners leave no gap', async () => {
      const stream = newStream();
      let revision: Revision = 'none';
      for (let round = 0; round < 4; round += 1) {
        const expected: Revision = revision;
        const tries: readonly PromiseSettledResult<Appended>[] = await Promise.allSettled(
          Array.from({ length: 50 }, (_, n) => store().append(stream, expected, [counted(round * 100 + n)])),
        );
        const won = tries.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
        const lost = tries.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
        expect(won).toHaveLength(1);
        expect(lost.every((error) => error instanceof RevisionConflict)).toBe(true);
        revision = won[0]?.revision ?? 'none';
      }
      expect((await store().load(stream)).facts.map((fact) => fact.revision)).toEqual([0, 1, 2, 3]);
    });

    it('that is repeated with the same ids and revision gives the first result, whatever came after', async () => {
      const stream = newStream();
      await store().append(stream, 'none', [counted(0)]);
      const facts = [counted(1), counted(2)];
      const first = await store().append(stream, 0, facts);
      expect(await store().append(stream, 0, facts)).toEqual(first);
      await store().append(stream, 2, [counted(3)]);
      expect(await store().append(stream, 0, facts)).toEqual(first);
      expect(numbersOf((await store().load(stream)).facts)).toEqual([0, 1, 2, 3]);
    });

    it('that repeats only some of the ids is a conflict', async () => {
      const stream = newStream();
      const facts = [counted(1), counted(2)];
      await store().append(stream, 'none', facts);
      await expect(store().append(stream, 'none', [...facts, counted(3)])).rejects.toBeInstanceOf(RevisionConflict);
      await expect(store().append(stream, 'none', [counted(9)])).rejects.toBeInstanceOf(RevisionConflict);
    });

    it('without facts, beyond a megabyte or of what JSON cannot say is a bug and reaches nobody', async () => {
      const stream = newStream();
      await expect(store().append(stream, 'none', [])).rejects.toThrow('carries no facts');
      await expect(store().append(stream, 'none', [counted(1, 'x'.repeat(1_100_000))])).rejects.toThrow(
        'more than 1000000',
      );
      const impossible = { ...counted(1), data: { n: 1n } };
      await expect(store().append(stream, 'none', [impossible])).rejects.toThrow(TypeError);
      expect((await store().load(stream)).revision).toBe('none');
    });
  });
}
