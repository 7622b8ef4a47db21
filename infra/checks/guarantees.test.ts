/**
 * Keeps `infra/docs/guarantees.md` honest: every id is there once, and a row that names a test names one that exists, in a file that
 * exists.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

type Row = { readonly id: string; readonly claim: string };

function rows(): readonly Row[] {
  const text = readFileSync(join(root, 'infra/docs/guarantees.md'), 'utf8');
  return [...text.matchAll(/^\| ([A-Z]{1,2}-?\d{1,2}) \| (.+?) \|$/gm)].map(([, id = '', claim = '']) => ({
    id,
    claim,
  }));
}

const series: Readonly<Record<string, number>> = {
  'GW-': 22,
  'PX-': 28,
  'UP-': 10,
  'TN-': 16,
  'ID-': 18,
  'AZ-': 5,
  'JT-': 11,
  'ES-': 14,
  'UI-': 10,
  'SC-': 7,
  'F-': 40,
  G: 11,
};

describe('the table of guarantees', () => {
  it('has every id exactly once', () => {
    const wanted = Object.entries(series).flatMap(([prefix, count]) =>
      Array.from(
        { length: count },
        (_, index) => `${prefix}${prefix === 'G' ? index + 1 : String(index + 1).padStart(2, '0')}`,
      ),
    );
    expect(
      rows()
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(wanted.toSorted());
  });

  it.each(rows().filter(({ claim }) => claim !== 'not yet'))('finds the tests that $id names', ({ claim }) => {
    for (const part of claim.split('; ')) {
      const [, file, name] = /^([\w./-]+\.tsx?): (.+)$/.exec(part) ?? [];
      expect(file, `"${part}" is not "file: test name"`).toBeDefined();
      const path = join(root, file ?? '');
      expect(existsSync(path), `${file} does not exist`).toBe(true);
      expect(readFileSync(path, 'utf8'), `${file} has no test named "${name}"`).toContain(name);
    }
  });
});
