/**
 * Keeps the error catalogue and the product equal: whatever is refused has a code of the catalogue, and every code of the catalogue is a
 * refusal that somebody can meet. A code that waits for later work is named below with that work.
 */
import { describe, expect, it } from 'vitest';
import { errorCatalogue } from '@clustral/schemas/errors.ts';
import { productSources, textOf } from './committed-files.ts';

/** Codes that are in the catalogue ahead of the work that will refuse with them. */
const reserved: Readonly<Record<string, string>> = {};

const sources = productSources().filter((file) => !file.startsWith('infra/') && file !== 'schemas/errors.ts');

/** `new Refusal('CODE'`, and its subclasses; or the code of a failure that crosses the tunnel and becomes one. */
const refusal = /\bnew (?:Refusal|[A-Z]\w+Token)\(\s*'(\w+)'|\bcode: '([A-Z]+(?:_[A-Z]+)+)'/g;

function refused(): ReadonlySet<string> {
  return new Set(
    sources.flatMap((file) =>
      [...textOf(file).matchAll(refusal)].map(([, thrown, carried]) => thrown ?? carried ?? ''),
    ),
  );
}

describe('the error catalogue', () => {
  it('knows every code with which something is refused', () => {
    const thrown = sources.flatMap((file) =>
      [...textOf(file).matchAll(/\bnew Refusal\(\s*'(\w+)'/g)].map(([, code = '']) => ({ file, code })),
    );
    expect(thrown.length).toBeGreaterThan(50);
    expect(thrown.filter(({ code }) => !Object.hasOwn(errorCatalogue, code))).toEqual([]);
  });

  it('has no code that nothing refuses with', () => {
    const met = refused();
    const unmet = Object.keys(errorCatalogue).filter((code) => !met.has(code));
    expect(unmet).toEqual(Object.keys(reserved));
  });
});
