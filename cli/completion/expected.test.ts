import { describe, expect, it } from 'vitest';
import { commandTable } from '../command-table.ts';
import { expectedAt } from './expected.ts';

const flags = {
  'access request': [
    { names: ['--role'], value: 'ROLE', text: 'which role' },
    { names: ['--cluster'], value: 'CLUSTER', text: 'which cluster' },
    { names: ['--wait'], value: '', text: 'until it is decided' },
  ],
  'kube login': [
    { names: ['--context-name'], value: 'NAME', text: 'name of the context' },
    { names: ['--kubeconfig'], value: 'FILE', text: 'file to write' },
    { names: ['--ttl'], value: 'DURATION', text: 'life' },
  ],
};

/** The line up to the cursor: what stands behind the last blank is being typed. */
const expected = (line: string, known = flags) => expectedAt(line.split(' '), known);
const valuesOf = (line: string) => {
  const found = expected(line);
  return found.kind === 'words' ? found.words.map(({ value }) => value) : [];
};

describe('what may follow', () => {
  it('is a first word, each once, hidden commands never', () => {
    expect(valuesOf('')).toEqual([...new Set(commandTable.map(({ words }) => words.split(' ')[0]))]);
    expect(valuesOf('--debug ')).toContain('kube');
    expect(valuesOf('--profile staging ')).toContain('kube');
    expect(valuesOf('')).not.toContain('__complete');
  });

  it('is a second word of the group, in singular too', () => {
    expect(valuesOf('profiles ')).toEqual(['list', 'use', 'create', 'delete', 'current']);
    expect(valuesOf('profile cr')).toEqual(['list', 'use', 'create', 'delete', 'current']);
    expect(valuesOf('config ')).toEqual(['show', 'path', 'get', 'set', 'clean']);
  });

  it.each([
    ['kube login ', 'cluster'],
    ['kube login prod ', 'cluster'],
    ['kube login -- ', 'cluster'],
    ['kube logout ', 'cluster'],
    ['--profile staging kube login ', 'cluster'],
    ['kube login --ttl 8h ', 'cluster'],
    ['kube logout pr', 'cluster'],
    ['assignments add alice ', 'cluster'],
    ['assignments add alice prod ', 'role'],
    ['assignments add alice prod --timeout 3s ', 'role'],
    ['access request prod --role ', 'role'],
    ['access request --wait --cluster ', 'cluster'],
    ['access approve ', 'pending request'],
    ['access revoke ', 'granted request'],
    ['access extend ', 'granted request'],
    ['access give-back ', 'granted request'],
    ['access request --extends ', 'granted request'],
    ['roles edit ', 'role'],
    ['profiles rm ', 'profile'],
    ['profiles list --profile ', 'profile'],
    ['accounts use ', 'account'],
    ['account rm ', 'account'],
    ['kube login prod --context-name ', 'context'],
    ['kube login --kubeconfig ', 'file'],
    ['clusters list -o ', 'format'],
    ['config get ', 'setting'],
    ['config set output ', 'setting value'],
    ['completion ', 'shell'],
    ['login ', 'server'],
    ['whoami --server ', 'server'],
  ])("after '%s' stands: %s", (line, of) => {
    expect(expected(line)).toEqual({ kind: 'value', of, prefix: '' });
  });

  it.each([
    ['kube logout prod ', 'there is no second cluster'],
    ['whoami ', 'there is no argument'],
    ['kube login --ttl ', 'nobody knows the durations'],
    ['bogus ', 'there is no such command'],
    ['kube bogus ', 'there is no such command'],
    ['__proto__ ', 'there is no such command'],
  ])("after '%s' nothing: %s", (line) => {
    expect(expected(line)).toEqual({ kind: 'words', words: [] });
  });

  it('is a flag of the command or of every command', () => {
    expect(valuesOf('kube login -')).toEqual(
      expect.arrayContaining(['--context-name', '--ttl', '--profile', '-o', '-h']),
    );
    expect(valuesOf('kube logout -')).not.toContain('--ttl');
    expect(valuesOf('-')).toContain('--debug');
  });

  it('is a value behind the equals sign in the same word', () => {
    expect(expected('whoami --output=js')).toEqual({ kind: 'value', of: 'format', prefix: '--output=' });
    expect(expected('kube login --ttl=')).toEqual({ kind: 'words', words: [] });
  });

  it('is known by the name of a flag before the flags of the commands are', () => {
    expect(expected('access request prod --role ', {} as typeof flags)).toMatchObject({ of: 'role' });
    expect(expected('login --ca-file ', {} as typeof flags)).toMatchObject({ of: 'file' });
    expect(expected('login --unheard-of ', {} as typeof flags)).toEqual({ kind: 'words', words: [] });
    expect(expected('login --debug ', {} as typeof flags)).toMatchObject({ of: 'server' });
  });
});
