import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { judge, makeSpecimen, type Specimen, type Verdict } from './testing/flipped-bits.ts';

const base = mkdtempSync(join(tmpdir(), 'flips-'));
afterAll(() => rmSync(base, { recursive: true }));

const flipsOf = ({ files }: Specimen) =>
  fc.constantFrom(...files).chain(({ name, bytes }) =>
    fc.record({
      name: fc.constant(name),
      offset: fc.integer({ min: 0, max: bytes - 1 }),
      bit: fc.integer({ min: 0, max: 7 }),
    }),
  );

describe('F-15 one flipped bit anywhere in the files of the log', () => {
  it.each(['killed', 'stopped'] as const)('after it was %s is found and named, or harms nothing', async (how) => {
    const specimen = await makeSpecimen(join(base, how), how);
    const verdicts: Verdict[] = [];
    await fc.assert(
      fc.asyncProperty(flipsOf(specimen), async (flip) => {
        verdicts.push(await judge(specimen, flip, join(base, 'work')));
      }),
      { numRuns: 120 },
    );
    expect(verdicts).toContain('refused');
  });

  it('in the header of the database, in every byte of it', async () => {
    const specimen = await makeSpecimen(join(base, 'header'), 'stopped');
    for (let offset = 0; offset < 100; offset += 1) {
      await judge(specimen, { name: 'log.db', offset, bit: offset % 8 }, join(base, 'work'));
    }
  });
});
