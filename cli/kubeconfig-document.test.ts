import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Document, isScalar, parse, visit } from 'yaml';
import { putEntry, removeContext, setCurrent } from './kubeconfig-edit.ts';
import {
  currentOf,
  foreignOwner,
  ourContexts,
  parseKubeconfig,
  type Entry,
  type Kubeconfig,
} from './kubeconfig-document.ts';

const server = 'https://clustral.example.com';
const clusterId = '0198f7a0-0000-7000-8000-000000000001';
const entryOf = (name: string, origin = server): Entry => ({
  name,
  cluster: { server: `${origin}/api/proxy/${clusterId}`, 'certificate-authority-data': 'LS0tLS1CRUdJTi0=' },
  user: {
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: '/opt/my node/bin/node',
      args: [
        '/x/main.ts',
        'kube',
        'credential',
        '--cluster',
        clusterId,
        '--account',
        'ab'.repeat(32),
        '--profile',
        'on',
      ],
      interactiveMode: 'IfAvailable',
      provideClusterInfo: false,
    },
  },
});

function opened(text: string): Kubeconfig {
  const result = parseKubeconfig(text);
  if ('problem' in result) throw new Error(result.problem);
  return result.config;
}

// oxlint-disable-next-line typescript/no-explicit-any -- any YAML
type Any = any;

/** As kubectl reads it. */
const read = (text: string): Record<string, Any> => parse(text, { version: '1.1', maxAliasCount: -1 });

const edited = (before: string, change: (config: Kubeconfig) => Kubeconfig): string => change(opened(before)).text;

const hostileNames = [
  'x"\n  exec: {command: sh}',
  '---',
  '!!js/function "x"',
  '&a *a',
  '*a',
  'yes',
  'null',
  '0x1f',
  '1_000',
  '2001-01-01',
  '12:30:45',
  '~',
  '{a: b}',
  '[x]',
  '# not a comment',
  'a: b',
  "it's",
  ' padded ',
  '\u0085\u2028',
  '%TAG',
  'x'.repeat(10_000),
];
const names = fc.oneof(
  fc.constantFrom(...hostileNames),
  fc.string({ minLength: 1 }).filter((name) => name.isWellFormed()),
);

// What may stand in a kubeconfig that we know nothing about.
const scalars = fc.oneof(
  fc.string().filter((text) => text.isWellFormed()),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(null, 'yes', 'on', '0123', '1_000', '2001-01-01', 'multi\nline\ntext\n', 'plain text'),
);
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalars,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z][a-z-]{0,11}$/), tie('value'), { maxKeys: 3 }),
  ),
})).value;
const foreignStanzas = (field: string) =>
  fc.uniqueArray(
    fc.record({
      name: fc.stringMatching(/^foreign-[a-z0-9]{1,8}$/),
      [field]: fc.dictionary(fc.stringMatching(/^[a-z][a-z-]{0,11}$/), values, { maxKeys: 4 }),
    }),
    { selector: ({ name }) => name, maxLength: 3 },
  );
const foreign = fc.record(
  {
    apiVersion: fc.constant('v1'),
    kind: fc.constant('Config'),
    preferences: fc.oneof(fc.constant({}), fc.constant(null)),
    clusters: fc.oneof(foreignStanzas('cluster'), fc.constant(null)),
    users: foreignStanzas('user'),
    contexts: foreignStanzas('context'),
    'current-context': fc.constantFrom('', 'foreign-a'),
    extensions: values,
  },
  { requiredKeys: [] },
);

/** The config as a person might have written it: indented either way, in JSON, with a comment at every scalar. */
const texts = fc
  .record({ value: foreign, style: fc.constantFrom('kubectl', 'indented', 'json'), comments: fc.boolean() })
  .map(({ value, style, comments }) => {
    if (style === 'json') return { value, text: JSON.stringify(value), comments: [] as string[] };
    const document = new Document(value, { version: '1.1' });
    const written: string[] = [];
    if (comments)
      visit(document, {
        Pair(_, pair) {
          if (!isScalar(pair.key)) return;
          const comment = ` comment ${written.length}.`;
          pair.key.commentBefore = comment;
          written.push(comment);
        },
      });
    return { value, text: document.toString({ indentSeq: style === 'indented', lineWidth: 0 }), comments: written };
  });

const without = (config: Record<string, Any> | null, name: string) =>
  Object.fromEntries(
    Object.entries(config ?? {})
      .filter(([key]) => key !== 'current-context')
      .map(([key, value]) => [
        key,
        ['clusters', 'users', 'contexts'].includes(key) && Array.isArray(value)
          ? value.filter((item: { name?: unknown }) => item.name !== name)
          : value,
      ])
      .filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0)),
  );

describe('an entry put into any kubeconfig', () => {
  it('is read as it was meant, and everything else as before', () => {
    fc.assert(
      fc.property(texts, names, ({ text }, name) => {
        const after = edited(text, (config) => setCurrent(putEntry(config, entryOf(name)), name));
        const config = read(after);
        const stanza = (list: string) => config[list].filter((item: { name: unknown }) => item.name === name);
        expect(stanza('clusters')).toEqual([{ name, cluster: entryOf(name).cluster }]);
        expect(stanza('users')).toEqual([{ name, user: entryOf(name).user }]);
        expect(stanza('contexts')).toEqual([{ name, context: { cluster: name, user: name } }]);
        expect(config['current-context']).toBe(name);
        expect(without(config, name)).toEqual({ ...defaults(text), ...without(read(text), name) });
      }),
      { numRuns: 100 },
    );
  }, 20_000);

  it('keeps every comment', () => {
    fc.assert(
      fc.property(texts, ({ text, comments }) => {
        const after = edited(text, (config) => putEntry(config, entryOf('clustral-prod')));
        for (const comment of comments) expect(after).toContain(`#${comment}`);
      }),
      { numRuns: 50 },
    );
  });

  it('put twice is there once', () => {
    fc.assert(
      fc.property(texts, names, ({ text }, name) => {
        const once = edited(text, (config) => putEntry(config, entryOf(name)));
        expect(read(edited(once, (config) => putEntry(config, entryOf(name))))).toEqual(read(once));
      }),
      { numRuns: 30 },
    );
  });

  it('put and removed leaves what was there', () => {
    fc.assert(
      fc.property(texts, names, ({ text }, name) => {
        const with_ = edited(text, (config) => putEntry(config, entryOf(name)));
        const after = read(edited(with_, (config) => removeContext(config, name)));
        expect(without(after, name)).toEqual({ ...defaults(text), ...without(read(text), name) });
      }),
      { numRuns: 50 },
    );
  });

  it('stays JSON in a file that was JSON', () => {
    const before = '{"apiVersion":"v1","clusters":[],"contexts":[{"name":"a","context":{}}],"x":5}';
    expect(JSON.parse(edited(before, (config) => putEntry(config, entryOf('b'))))).toMatchObject({
      contexts: [{ name: 'a' }, { name: 'b' }],
      x: 5,
    });
  });
});

/** A file that says nothing becomes a whole kubeconfig. */
const defaults = (text: string) =>
  Object.keys(read(text) ?? {}).length === 0 && !text.startsWith('{') ? { apiVersion: 'v1', kind: 'Config' } : {};

const kubectlFile = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0t
    server: https://127.0.0.1:6443
  name: docker-desktop
contexts:
- context:
    cluster: docker-desktop
    user: docker-desktop
  name: docker-desktop
current-context: docker-desktop
kind: Config
preferences: {}
users:
# The one of my laptop.
- name: docker-desktop
  user:
    client-certificate-data: LS0t
    client-key-data: LS0t
`;

describe("kubectl's own file", () => {
  it('differs by our three stanzas and by nothing else', () => {
    const after = edited(kubectlFile, (config) => putEntry(config, entryOf('clustral-prod')));
    const lines = new Set(kubectlFile.split('\n'));
    expect(after.split('\n').filter((line) => lines.has(line)).length).toBeGreaterThanOrEqual(lines.size);
    expect(edited(after, (config) => removeContext(config, 'clustral-prod'))).toBe(kubectlFile);
  });
});

describe('what was there under our name', () => {
  it('keeps the namespace that a person set, and loses what would switch verification off', () => {
    const before = edited('', (config) => putEntry(config, entryOf('c')))
      .replace('    user: c\n', '    user: c\n    namespace: web # mine\n')
      .replace('    server:', '    insecure-skip-tls-verify: true\n    certificate-authority: /tmp/x\n    server:');
    const after = edited(before, (config) => putEntry(config, entryOf('c')));
    expect(after).toContain('namespace: web # mine');
    expect(after).not.toContain('insecure-skip-tls-verify');
    expect(after).not.toContain('certificate-authority:');
  });

  it('loses an embedded token when the plugin takes over', () => {
    const before = edited('', (config) => putEntry(config, { ...entryOf('c'), user: { token: 'secret' } }));
    expect(edited(before, (config) => putEntry(config, entryOf('c')))).not.toContain('secret');
  });

  it('keeps nothing of a stranger when it is overwritten', () => {
    const before = kubectlFile.replace('    server: https', '    proxy-url: http://evil:1\n    server: https');
    const after = edited(before, (config) => putEntry(config, entryOf('docker-desktop')));
    expect(after).not.toContain('proxy-url');
    expect(after).not.toContain('client-key-data');
  });
});

describe('the owner of a name', () => {
  const ours = edited('', (config) => putEntry(config, entryOf('c')));
  it.each([
    ['nobody', kubectlFile, 'clustral-prod', undefined],
    ['ours', ours, 'c', undefined],
    ['somebody else', kubectlFile, 'docker-desktop', "that is not Clustral's"],
    [
      'another Clustral',
      edited('', (config) => putEntry(config, entryOf('c', 'https://other'))),
      'c',
      'of another Clustral (https://other)',
    ],
    ['a user of somebody else', ours.replace('credential', 'get-token'), 'c', "whose user is not Clustral's"],
    [
      'a context of somebody else',
      ours.replace('cluster: c\n    user', 'cluster: d\n    user'),
      'c',
      'that leads to another cluster',
    ],
    ['a lone user', 'users:\n- name: c\n  user: {}\n', 'c', "that is not Clustral's"],
  ])('is %s', (...[, text, name, owner]) => expect(foreignOwner(opened(text), name, server)).toBe(owner));
});

describe('contexts that go through Clustral', () => {
  it('are found by their address, also when they were renamed', () => {
    const text = edited(kubectlFile, (config) => putEntry(config, entryOf('c'))).replace(
      /- name: c\n {2}context:/,
      '- name: renamed\n  context:',
    );
    expect(ourContexts(opened(text))).toEqual([
      {
        name: 'renamed',
        server,
        clusterId,
        ca: 'LS0tLS1CRUdJTi0=',
        user: 'c',
        plugin: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: '/opt/my node/bin/node',
          script: '/x/main.ts',
        },
        account: 'ab'.repeat(32),
        token: undefined,
      },
    ]);
    expect(edited(text, (config) => removeContext(config, 'renamed'))).toBe(kubectlFile);
  });

  it('leave cluster and user to another context that uses them', () => {
    const both = edited('', (config) => putEntry(config, entryOf('c'))).replace(
      'contexts:\n',
      'contexts:\n- name: second\n  context: { cluster: c, user: c }\n',
    );
    const after = read(edited(both, (config) => removeContext(config, 'c')));
    expect(after['contexts']).toEqual([{ name: 'second', context: { cluster: 'c', user: 'c' } }]);
    expect(after['clusters']).toHaveLength(1);
    expect(after['users']).toHaveLength(1);
  });

  it('are current no longer when they are gone', () => {
    const text = edited('', (config) => setCurrent(putEntry(config, entryOf('c')), 'c'));
    expect(currentOf(opened(text))).toBe('c');
    expect(currentOf(opened(edited(text, (config) => removeContext(config, 'c'))))).toBeUndefined();
  });
});

describe('what is no kubeconfig', () => {
  it.each(['- a\n- b\n', 'just words', 'a: [', 'a: 1\na: 2\n', 'a: 1\n---\nb: 2\n'])('is refused: %j', (text) => {
    expect(parseKubeconfig(text)).toHaveProperty('problem');
  });

  it.each(['', '\n', '# only a comment\n', '---\n', 'null\n'])('but an empty one is a beginning: %j', (text) => {
    const after = edited(text, (config) => putEntry(config, entryOf('c')));
    expect(read(after)).toMatchObject({ apiVersion: 'v1', kind: 'Config', clusters: [{ name: 'c' }] });
    if (text.includes('#')) expect(after).toContain('# only a comment');
  });
});
