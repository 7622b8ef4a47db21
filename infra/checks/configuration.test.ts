/**
 * Keeps `infra/docs/configuration.md` and the sources equal: every variable that a part reads stands in its table, every variable of
 * the table is read, and one without which the part does not start is called required.
 */
import { describe, expect, it } from 'vitest';
import { productSources, textOf } from './committed-files.ts';

/** Heading of a section → where its variables are read. */
const parts: Readonly<Record<string, readonly string[]>> = {
  gateway: ['services/gateway/config.ts', 'services/gateway/main.ts'],
  'control plane': ['services/control-plane/config.ts', 'services/control-plane/main.ts'],
  projections: ['projections/main.ts'],
  'audit service': ['services/audit/main.ts'],
  web: ['services/web/config.ts', 'services/web/main.ts'],
  agent: ['agent/config.ts', 'agent/main.ts'],
  clustral: productSources().filter((file) => file.startsWith('cli/')),
  'npm start': ['infra/standalone/main.ts', 'infra/standalone/child.ts'],
};

type Variable = { readonly name: string; readonly isRequired: boolean };

const word = '[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*';
/** `NAME: text()…,` in a zod shape: the kernel's words or zod itself. */
const inShape = new RegExp(
  `\\b(${word}): (?:text|integer|flag|list|seconds|clustralEnvironment|z\\.\\w+)\\(.*,$`,
  'gm',
);
/** `process.env['NAME']`, `environment['NAME']`, `context.env['NAME']`. */
const byName = new RegExp(`\\benv(?:ironment)?\\['(${word})'\\]`, 'g');
/** `({ NAME: local, OTHER: local = '443' }: Environment)` */
const takenApart = /\{([^{}]*)\}: Environment\b/g;

function variablesOf(file: string): readonly Variable[] {
  const text = textOf(file);
  const shaped = [...text.matchAll(inShape)].map(([line, name = '']) => ({
    name,
    isRequired: !/\.default\(|\.optional\(|clustralEnvironment/.test(line),
  }));
  const named = [...text.matchAll(byName)].map(([, name = '']) => name);
  const apart = [...text.matchAll(takenApart)].flatMap(([, list = '']) =>
    [...list.matchAll(new RegExp(`(${word}):`, 'g'))].map(([, name = '']) => name),
  );
  return [...shaped, ...[...named, ...apart].map((name) => ({ name, isRequired: false }))];
}

/** The rows of one section: `| `NAME` | default | meaning |`. */
function rowsOf(section: string): readonly Variable[] {
  const [, text = ''] = textOf('infra/docs/configuration.md').split(`\n## ${section}\n`);
  const [own = ''] = text.split('\n## ');
  return [...own.matchAll(/^\| `([A-Z0-9_]+)`\s*\| ([^|]+?)\s*\|/gm)].map(([, name = '', fallback = '']) => ({
    name,
    isRequired: fallback === 'required',
  }));
}

const sorted = (variables: readonly Variable[]): readonly string[] =>
  [...new Set(variables.map(({ name, isRequired }) => `${name}${isRequired ? ' (required)' : ''}`))].toSorted();

describe('the page about configuration', () => {
  it.each(Object.entries(parts))('names what the %s reads, and nothing else', (section, files) => {
    const read = files.flatMap(variablesOf);
    expect(read.length).toBeGreaterThan(0);
    expect(sorted(rowsOf(section))).toEqual(sorted(read));
  });

  it('names each variable of a part once', () => {
    for (const section of Object.keys(parts)) {
      const names = rowsOf(section).map(({ name }) => name);
      expect(names.length, section).toBe(new Set(names).size);
    }
  });
});
