/**
 * Keeps the error catalogue and the product equal: whatever is refused has a code of the catalogue, and every code of the catalogue is a
 * refusal that somebody can meet. A code that waits for later work is named below with that work.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandTable } from '@clustral/cli/command-table.ts';
import { errorCatalogue } from '@clustral/schemas/errors.ts';
import { errorHelp } from '@clustral/web/error-help.ts';
import { productSources, textOf } from './committed-files.ts';
import { errorCodes, errorFiles } from './error-pages.ts';

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

const folder = join(import.meta.dirname, '..', 'docs', 'errors');

describe('the pages of the error codes', () => {
  it('are one for each code, and say what the product says: npm run fix writes them', () => {
    const written = new Map(
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const),
    );
    expect(written).toEqual(new Map([...errorFiles()].toSorted(([a], [b]) => (a < b ? -1 : 1))));
  });

  it('name only commands that exist', () => {
    const known = new Set(commandTable.map(({ words }) => words as string));
    const shortForms: Readonly<Record<string, string>> = { 'kube ls': 'kube list' };
    const named = errorCodes.flatMap((code) => {
      const { meaning, causes, person, operator, example } = errorHelp[code];
      const said = [errorCatalogue[code].advice, meaning, ...causes, person, operator, example].join(' ');
      return [...said.matchAll(/'clustral ([a-z-]+(?: [a-z-]+)?)/g)].map(([, words = '']) => words);
    });
    expect(named.length).toBeGreaterThan(30);
    const unknown = named.filter((words) => {
      const command = shortForms[words] ?? words;
      return !known.has(command) && !known.has(command.split(' ')[0] ?? '');
    });
    expect(unknown).toEqual([]);
  });
});
