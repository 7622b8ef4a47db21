import { describe, expect, it } from 'vitest';
import { wantsColor } from './context.ts';
import { exitCodes, type CliError } from './failure.ts';
import { homeOf } from './home.ts';
import { kubeconfigFiles } from './kubeconfig.ts';
import { collect, wholeNumber } from './paging.ts';
import { serverAddress } from './server-address.ts';
import { requireVersion } from './version.ts';

const exitCodeOf = (act: () => unknown): number | undefined => {
  try {
    act();
    return undefined;
  } catch (thrown) {
    return (thrown as CliError).exitCode;
  }
};

describe('the address of a server', () => {
  it.each([
    ['clustral.example.com', 'https://clustral.example.com'],
    ['https://clustral.example.com/some/path', 'https://clustral.example.com'],
    ['localhost:8443', 'https://localhost:8443'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['[::1]:8443', 'https://[::1]:8443'],
  ])('%s is %s', (typed, origin) => expect(serverAddress(typed, undefined).origin).toBe(origin));

  it('is the known one when none was typed', () => {
    expect(serverAddress(undefined, 'https://a.example').origin).toBe('https://a.example');
    expect(exitCodeOf(() => serverAddress(undefined, undefined))).toBe(exitCodes.usage);
  });

  it.each([
    'http://clustral.example.com',
    'http://127.0.0.1.evil.example',
    'ftp://x',
    'https://user@host',
    'javascript:alert(1)',
    'https://',
    '',
  ])("is not '%s'", (typed) => expect(exitCodeOf(() => serverAddress(typed, undefined))).toBe(exitCodes.usage));
});

describe('versions', () => {
  it.each([
    ['0.1.0', '0.1.0', undefined],
    ['0.10.0', '0.9.9', undefined],
    ['1.0.0', '0.9.9', undefined],
    ['0.1.0', '', undefined],
    ['0.1.0', 'whatever', undefined],
    ['0.1.0', '0.1.1', exitCodes.versionSkew],
    ['0.9.9', '0.10', exitCodes.versionSkew],
  ])('%s is served by a server that wants %s: %s', (mine, minimum, code) => {
    expect(exitCodeOf(() => requireVersion(mine, minimum, 'https://a'))).toBe(code);
  });
});

describe('colour', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { CLICOLOR: '0' }, false],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
  ])('on a terminal %s with %o: %s', (isTerminal, env, wanted) => expect(wantsColor(isTerminal, env)).toBe(wanted));
});

describe('places', () => {
  it('are below CLUSTRAL_HOME, else HOME', () => {
    expect(homeOf({ CLUSTRAL_HOME: '/c', HOME: '/h' })).toBe('/c');
    expect(homeOf({ CLUSTRAL_HOME: '', HOME: '/h' })).toBe('/h/.clustral');
  });

  it("of kubeconfig files are kubectl's", () => {
    expect(kubeconfigFiles('x', { KUBECONFIG: 'a:b' })).toEqual(['x']);
    expect(kubeconfigFiles(undefined, { KUBECONFIG: 'a::b:a' })).toEqual(['a', 'b']);
    expect(kubeconfigFiles(undefined, { KUBECONFIG: '', HOME: '/h' })).toEqual(['/h/.kube/config']);
  });
});

describe('a paged list', () => {
  const pages: Readonly<Record<string, { items: number[]; next: string }>> = {
    '': { items: [1, 2], next: 'b' },
    b: { items: [3], next: 'c' },
    c: { items: [4], next: '' },
  };
  const page = async (token: string) => pages[token] ?? { items: [], next: '' };

  it('is read to its end', async () => {
    expect(await collect(100, page)).toEqual({ items: [1, 2, 3, 4], next: '' });
  });

  it('is read as far as it is wanted, and says that there is more', async () => {
    expect(await collect(2, page)).toEqual({ items: [1, 2], next: 'b' });
    expect(await collect(1, page)).toEqual({ items: [1], next: 'b' });
  });

  it('ends even when a server names the same empty page for ever', async () => {
    expect(await collect(10, async () => ({ items: [], next: 'again' }))).toEqual({ items: [], next: '' });
  });

  it.each(['0', '-1', '1.5', 'x', '', '100001', '1e3'])("is not limited to '%s'", (text) =>
    expect(exitCodeOf(() => wholeNumber('--limit', text, [1, 100_000]))).toBe(exitCodes.usage),
  );
});
