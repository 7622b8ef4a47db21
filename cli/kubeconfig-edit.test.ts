import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { currentOf, find, ourContexts, parseKubeconfig, type Entry, type Kubeconfig } from './kubeconfig-document.ts';
import { mendPlugin, putEntry, removeContext, setCurrent } from './kubeconfig-edit.ts';

const clusterId = '0198f7a0-0000-7000-8000-000000000001';
const entry: Entry = {
  name: 'clustral-prod',
  cluster: { server: `https://clustral.example.com/api/proxy/${clusterId}` },
  user: {
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: '/old/node',
      args: ['/old/main.ts', 'kube', 'credential', '--cluster', clusterId, '--ttl', '30m'],
    },
  },
};
const embedded: Entry = { ...entry, user: { token: 'secret' } };

function opened(text: string): Kubeconfig {
  const result = parseKubeconfig(text);
  if ('problem' in result) throw new Error(result.problem);
  return result.config;
}

/** A file as no program writes it: every byte is somebody's. */
const odd = `# My clusters.   \t
%MARK
apiVersion:   v1       # old
kind: "Config"
preferences: { colors:   true }

clusters:
# the one at home
- cluster:
    certificate-authority-data:   LS0t

    server: 'https://127.0.0.1:6443'
  name: home
-   name:   work    # do not touch
    cluster: { server: "https://work.example",    insecure-skip-tls-verify: true,extensions: [ a,b ] }

# after the last cluster

contexts:
- { name: home, context: {cluster: home,user: home,   namespace: "web"} }
- name: 'work'
  context: &work
    cluster: work
    user: work
- name: work-again
  context: *work
users:
- name: home
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: aws
      args: [ eks,   get-token ]   # foreign plugin
      env: null
      unknown-field: yes
- name: work
  user:
    client-key-data: |
      first line

      third line
    password: >-
      folded
      text
# the end of users
current-context:   home   # where I work
x-mine:
    - 0123
    -   1_000
`.replace('%MARK', '# %YAML is not said here');

const variants: readonly (readonly [name: string, text: string])[] = [
  ['as it is', odd],
  ['with the line breaks of Windows', odd.replaceAll('\n', '\r\n')],
  ['with a byte order mark', `\uFEFF${odd}`],
  ['with lists indented', odd.replace(/^(clusters|contexts|users):\n(?:[-# ].*\n|\n)*/gm, indentList)],
  ['between document marks', `---\n${odd}...\n`],
];

function indentList(section: string): string {
  const [head = '', ...lines] = section.split('\n');
  return [head, ...lines.map((line) => (line === '' ? line : `  ${line}`))].join('\n');
}

describe('a file that somebody wrote by hand', () => {
  it.each(variants)('keeps every byte beside our stanzas (ID-13): %s', (_name, text) => {
    const once = putEntry(opened(text), entry);
    // Lines were put in, none was changed and none moved.
    const lines = once.text.split('\n');
    let at = 0;
    for (const line of text.split('\n')) {
      at = lines.indexOf(line, at) + 1;
      expect(at, `the line ${JSON.stringify(line)} is not there any more`).toBeGreaterThan(0);
    }
    expect(once.text.includes('\r')).toBe(text.includes('\r'));
    expect(/[^\r]\n/.test(once.text)).toBe(/[^\r]\n/.test(text));
    expect(removeContext(once, 'clustral-prod').text).toBe(text);
    const twice = putEntry(once, embedded);
    expect(twice.text).toContain('token: secret');
    expect(removeContext(twice, 'clustral-prod').text).toBe(text);
    expect(putEntry(twice, entry).text).toBe(once.text);
  });

  it('differs in one word when another context becomes the current one', () => {
    expect(setCurrent(opened(odd), 'work').text).toBe(odd.replace('home   # where', 'work   # where'));
    expect(setCurrent(opened(odd), 'home').text).toBe(odd);
  });

  it('may end without a line break', () => {
    const text = odd.trimEnd();
    expect(putEntry(opened(text), entry).text.startsWith(text.slice(0, text.indexOf('\n# after')))).toBe(true);
    expect(removeContext(putEntry(opened(text), entry), 'clustral-prod').text).toBe(text);
    const open = 'users:\n- name: a\n  user: {}';
    expect(putEntry(opened(open), entry).text.startsWith(`${open}\n- name: clustral-prod\n`)).toBe(true);
  });

  it('keeps what follows lists of any length, whatever is between the lines', () => {
    const junk = fc.constantFrom('', '\n', '# comment\n', '   # deeper\n', '\n\n');
    const item = fc
      .tuple(
        fc.constantFrom('- name: %', '-  name:   "%"  ', "- { name: '%' }", '- name: %\n\n  x: |\n    text\n'),
        junk,
      )
      .map(
        ([form, after]) =>
          (number: number) =>
            `${form.replace('%', `f${number}`)}\n${after}`,
      );
    const list = (key: string) =>
      fc
        .tuple(junk, fc.array(item, { minLength: 1, maxLength: 4 }))
        .map(([before, items]) => `${key}:\n${before}${items.map((make, number) => make(number)).join('')}`);
    const file = fc
      .tuple(junk, list('clusters'), list('users'), list('contexts'))
      .map(([before, ...lists]) => `${before}current-context: ""\n${lists.join('')}`);
    fc.assert(
      fc.property(file, (text) => {
        const put = putEntry(opened(text), entry);
        expect(ourContexts(put)).toHaveLength(1);
        expect(removeContext(put, 'clustral-prod').text).toBe(text);
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['clusters: []\n', 'clusters:\n- name: clustral-prod\n'],
    ['clusters: [] # none\n', 'clusters: # none\n- name: clustral-prod\n'],
    ['clusters: null\n', 'clusters:\n- name: clustral-prod\n'],
    ['clusters:\n', 'clusters:\n- name: clustral-prod\n'],
    ['clusters:\n# none yet\n', 'clusters:\n- name: clustral-prod\n'],
  ])('may have an empty list: %j', (text, beginning) => {
    const put = putEntry(opened(`${text}kind: Config\n`), entry);
    expect(put.text.startsWith(beginning)).toBe(true);
    expect(ourContexts(put)).toHaveLength(1);
  });

  it.each([
    ['an alias where a list should be', 'x: &x [{name: a}]\nclusters: *x\n'],
    ['a text where a list should be', 'clusters: words\n'],
  ])('is refused rather than guessed at: %s', (_name, text) => {
    expect(() => putEntry(opened(text), entry)).toThrow('cannot be edited without touching what is not ours');
  });
});

describe('a stanza of ours that a person changed', () => {
  const base = putEntry(opened(''), entry).text;

  it('keeps the comments and the namespace of the person', () => {
    const text = base
      .replace('contexts:\n- name: clustral-prod\n', 'contexts:\n# mine\n-   # a note\n  name: clustral-prod # ours\n')
      .replace('    user: clustral-prod\n', '    user: clustral-prod\n    namespace: web # mine\n');
    expect(putEntry(opened(text), embedded).text).toContain(
      'contexts:\n# mine\n-   # a note\n  name: clustral-prod # ours\n',
    );
    expect(putEntry(opened(text), embedded).text).toContain('namespace: web # mine');
  });

  it('is not written at all when it says what it shall say', () => {
    const text = base.replace('  user:\n', '  user:   # spaced\n');
    expect(putEntry(opened(text), entry).text).toBe(text);
  });
});

describe('an exec plugin of ours', () => {
  it('is called by its new path, with the flags it had', () => {
    const config = putEntry(opened(odd), entry);
    const mended = mendPlugin(config, 'clustral-prod', {
      apiVersion: 'client.authentication.k8s.io/v1beta1',
      command: '/new/node',
      script: '/new/main.ts',
    });
    expect(ourContexts(mended)[0]?.plugin).toEqual({
      apiVersion: 'client.authentication.k8s.io/v1beta1',
      command: '/new/node',
      script: '/new/main.ts',
    });
    expect(find(mended, 'users', 'clustral-prod')?.toJSON()).toMatchObject({
      user: { exec: { args: ['/new/main.ts', 'kube', 'credential', '--cluster', clusterId, '--ttl', '30m'] } },
    });
    expect(removeContext(mended, 'clustral-prod').text).toBe(odd);
    expect(currentOf(mended)).toBe('home');
  });
});
