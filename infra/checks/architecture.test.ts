/**
 * The shape of the house, checked: which names may stand at the root, who may import whom, and what the pure folders may not hold. It
 * reads the committed files; it knows nothing of what they do.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  // A file that was just deleted is still in the index.
  .filter((file) => file !== '' && existsSync(join(root, file)));
const sources = files.filter((file) => file.endsWith('.ts') && !file.startsWith('schemas/gen/'));

const rootNames = new Set(
  'services projections agent cli ui schemas infra compose.yaml package.json tsconfig.json vitest.workspace.ts README.md'
    .split(' ')
    .concat(['ARCHITECTURE.md', 'LICENSE', 'package-lock.json']),
);

/** Folder → folders of ours that it may import besides itself. The first matching prefix rules. */
const mayImport: readonly (readonly [folder: string, allowed: readonly string[]])[] = [
  ['schemas', []],
  ['services/kernel', ['schemas']],
  ['services/control-plane/domain', ['schemas']],
  ['services/control-plane', ['services/kernel', 'schemas', 'projections']],
  ['projections', ['services/kernel', 'schemas']],
  ['services/audit', ['projections', 'services/kernel', 'schemas']],
  ['services/gateway', ['services/kernel', 'schemas']],
  ['services/web', ['services/kernel', 'schemas']],
  [
    'agent',
    ['schemas', ...['log', 'config', 'lifecycle', 'outbox', 'x509'].map((file) => `services/kernel/${file}.ts`)],
  ],
  ['cli', ['schemas']],
  ['ui', ['schemas']],
  ['infra/embedded', ['schemas', 'services/kernel']],
  ['infra', ['services', 'projections', 'agent', 'cli', 'schemas']],
];

const packages: Readonly<Record<string, string>> = {
  schemas: 'schemas',
  kernel: 'services/kernel',
  gateway: 'services/gateway',
  'control-plane': 'services/control-plane',
  'audit-service': 'services/audit',
  web: 'services/web',
  projections: 'projections',
  agent: 'agent',
  cli: 'cli',
  infra: 'infra',
};

/** Packages that only one place may import. */
const soleImporters: Readonly<Record<string, RegExp>> = {
  '@eventstore/db-client': /^(services\/kernel\/event-store[^/]*\.ts|infra\/embedded\/event-store\/)/,
  mongodb: /^projections\//,
  pkijs: /^services\/kernel\/x509/,
  'oidc-provider': /^infra\/embedded\/identity-provider\//,
};

type Import = { readonly file: string; readonly target: string };

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g,
  );
  return [...found].map(([, a, b, c]) => ({ file, target: a ?? b ?? c ?? '' }));
}

/** The path inside the repository that an import names, or undefined for a package of others. */
function ownPath({ file, target }: Import): string | undefined {
  if (target.startsWith('.')) return posix.normalize(posix.join(dirname(file), target));
  const match = /^@clustral\/([^/]+)\/(.+)$/.exec(target);
  const folder = match?.[1] === undefined ? undefined : packages[match[1]];
  return folder === undefined ? undefined : `${folder}/${match?.[2]}`;
}

const isTest = (file: string): boolean =>
  /\/golden\/samples\.ts$|\.(int\.|e2e\.)?test\.ts$|\.contract\.ts$|\/testing\//.test(file);
const within = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
const ruleOf = (file: string): readonly [string, readonly string[]] | undefined =>
  mayImport.find(([folder]) => within(file, folder));

function violations(): readonly string[] {
  return sources.flatMap((file) => {
    const rule = ruleOf(file);
    if (!rule) return file.includes('/') ? [`${file}: no import rule for its folder`] : [];
    const [folder, allowed] = rule;
    return importsOf(file).flatMap((one) => {
      const target = ownPath(one);
      if (target === undefined || within(target, folder)) return [];
      // A test with real parts may start any of them.
      if (
        isTest(file) &&
        (within(target, 'infra') ||
          within(target, 'services') ||
          within(target, 'agent') ||
          within(target, 'projections'))
      )
        return [];
      if (folder === 'services/control-plane' && within(target, 'services/control-plane/domain')) return [];
      return allowed.some((place) => within(target, place)) ? [] : [`${file} imports ${target}`];
    });
  });
}

describe('the shape of the house', () => {
  it('has only the given names at the root', () => {
    const names = new Set(files.map((file) => file.split('/')[0] ?? '').filter((name) => !name.startsWith('.')));
    expect([...names].filter((name) => !rootNames.has(name))).toEqual([]);
  });

  it('lets everything point down to the schemas and nothing sideways', () => {
    expect(violations()).toEqual([]);
  });

  it('lets each guarded package have one importer', () => {
    const wrong = sources.flatMap((file) =>
      importsOf(file)
        .filter(({ target }) => {
          const guarded = Object.keys(soleImporters).find((name) => target === name || target.startsWith(`${name}/`));
          return guarded !== undefined && !soleImporters[guarded]?.test(file);
        })
        .map(({ target }) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps the domain free of clocks, randomness and waiting', () => {
    const impure = /\basync\b|\bawait\b|Date\.now|new Date\(\)|Math\.random|randomUUID|from 'node:/;
    const wrong = sources
      .filter((file) => file.startsWith('services/control-plane/domain/') && !isTest(file))
      .filter((file) => impure.test(readFileSync(join(root, file), 'utf8')));
    expect(wrong).toEqual([]);
  });

  it('keeps the schemas free of node and I/O', () => {
    const wrong = sources
      .filter((file) => file.startsWith('schemas/') && !isTest(file))
      .filter((file) => /from 'node:|\bfetch\(/.test(readFileSync(join(root, file), 'utf8')));
    expect(wrong).toEqual([]);
  });

  it('has no file over 400 lines', () => {
    const long = sources.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 400);
    expect(long).toEqual([]);
  });

  it('skips no test and runs no test alone', () => {
    const word = /\b(?:it|test|describe)\.(?:skip|only|todo)\b/;
    const wrong = sources.filter(
      (file) =>
        isTest(file) &&
        word.test(readFileSync(join(root, file), 'utf8')) &&
        file !== relative(root, import.meta.filename),
    );
    expect(wrong).toEqual([]);
  });

  it('opens every source file with what it is for', () => {
    const silent = sources
      .filter((file) => !isTest(file) && file !== 'cli/main.ts')
      .filter((file) => !/^(#!.*\n)?\/\*\*/.test(readFileSync(join(root, file), 'utf8')));
    expect(silent).toEqual(['vitest.workspace.ts']);
  });

  it('names no registry and no key in what is committed', () => {
    const wrong = files
      .filter((file) => /\.(ts|mjs|json|ya?ml|md|sh)$/.test(file))
      .filter((file) => {
        const text = readFileSync(join(root, file), 'utf8');
        return /registry\.npmjs\.org|-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]{20}/.test(text);
      })
      .filter((file) => file !== relative(root, import.meta.filename));
    expect(wrong).toEqual([]);
  });
});
