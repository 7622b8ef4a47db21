/** Completion as the shells use it: their real scripts, the hidden command as a process, and what it fetches in the background. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accountKey } from '../profile.ts';
import { shells, type Shell } from '../completion/shells.ts';
import { makeHome, type Home } from '../testing/command-line.ts';
import { longAgo, signedIn, type SignedIn } from '../testing/signed-in.ts';

let me: SignedIn;
beforeAll(async () => {
  me = await signedIn();
  installCommand(me.home);
});
afterAll(() => me.close());
beforeEach(() => {
  me.reset();
  rmSync(own('completion'), { recursive: true, force: true });
});

const own = (...path: string[]): string => join(me.home.path, '.clustral', ...path);
const namesFile = (): string => join(me.profile, 'cache', accountKey(me.account()), 'names.json');
const main = join(import.meta.dirname, '..', 'main.ts');

/** Puts `clustral` on the PATH of a home's processes. */
function installCommand(home: Home): void {
  writeFileSync(join(home.path, 'clustral'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, { mode: 0o755 });
}

/** No background process: for what is about the answer alone. */
const inCi = { CI: 'true' };

/** What the key brings after these words: the values alone. */
async function completed(words: readonly string[], environment: Record<string, string> = inCi): Promise<string[]> {
  const { code, stdout, stderr } = await me.home.run(['__complete', '--', ...words], environment);
  expect([code, stderr]).toEqual([0, '']);
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : (line.split('\t')[0] ?? '')));
}

/** Fetches names as the background does, and waits for it. */
const fetched = (): Promise<unknown> =>
  me.home.run(['__complete', '--refresh', '--profile', 'default', '--account', accountKey(me.account())]);

describe('the key', () => {
  it('brings commands, and names of this machine, without any server', async () => {
    expect(await completed(['profiles', ''])).toEqual(['list', 'use', 'create', 'delete', 'current']);
    expect(await completed(['profiles', 'use', ''])).toEqual(['default']);
    expect(await completed(['accounts', 'use', 'd'])).toEqual(['dev@clustral.local']);
    expect(await completed(['whoami', '-o', 'js'])).toEqual(['json', 'jsonl']);
    expect(await completed(['login', ''])).toEqual([me.installation.origin]);
    expect(await completed(['config', 'set', 'auto-login', ''])).toEqual(['ask', 'never']);
    await me.run('kube login prod');
    expect(await completed(['kube', 'login', 'prod', '--context-name', ''])).toEqual(['clustral-prod']);
  });

  it('fetches what the server knows in the background: the first press has nothing, a later one all', async () => {
    expect(await completed(['kube', 'login', ''], {})).toEqual([]);
    await expect.poll(() => completed(['kube', 'login', '']), { timeout: 10_000 }).toEqual(['prod']);
    await expect.poll(() => existsSync(own('completion', 'flags.json')), { timeout: 10_000 }).toBe(true);
    expect(await completed(['assignments', 'add', 'dev', 'prod', 'k8s'])).toEqual(['k8s-viewer']);
    expect(await completed(['kube', 'login', '--ttl', '1h', 'pr'])).toEqual(['prod']);
    expect(await completed(['kube', 'login', '--em'])).toEqual(['--embed-token']);
    expect(me.calls('ListClusters')).toBe(1);
    for (const file of [namesFile(), own('completion', 'flags.json')]) expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('brings older names while the server is away, and nothing else happens', async () => {
    await fetched();
    const kept = JSON.parse(readFileSync(namesFile(), 'utf8'));
    writeFileSync(namesFile(), JSON.stringify({ ...kept, at: longAgo }));
    me.installation.state.refuse = () => {
      throw new Error('away');
    };
    await fetched();
    expect(await completed(['kube', 'login', ''])).toEqual(['prod']);
    expect(JSON.parse(readFileSync(namesFile(), 'utf8'))).toMatchObject({ at: longAgo });
  });

  it('brings requests by what can be done with them', async () => {
    await fetched();
    const kept = JSON.parse(readFileSync(namesFile(), 'utf8'));
    const request = (value: string) => ({ value, text: 'alice: k8s-admin on prod' });
    const names = { ...kept.names, pending: [request('r-waits')], granted: [request('r-runs')] };
    writeFileSync(namesFile(), JSON.stringify({ ...kept, names }));
    for (const verb of ['approve', 'deny', 'withdraw'])
      expect(await completed(['access', verb, ''])).toEqual(['r-waits']);
    expect(await completed(['access', 'revoke', ''])).toEqual(['r-runs']);
  });

  it('brings no name that a shell would run (ID-14)', async () => {
    Object.assign(me.installation.state.clusters[0] ?? {}, { name: '$(touch x)', description: '\u001b[2J' });
    Object.assign(me.installation.state.roles[0] ?? {}, { description: 'a\u001b]52;c;aGk=\u0007\nb' });
    await fetched();
    expect(await completed(['kube', 'login', ''])).toEqual([]);
    const { stdout } = await me.home.run(['__complete', '--', 'assignments', 'add', 'dev', 'prod', ''], inCi);
    expect(stdout).toBe('k8s-viewer\ta\\u001b]52;c;aGk=\\u0007\\u000ab\n');
  });

  it('starts nothing in CI', async () => {
    expect(await completed(['kube', 'login', ''])).toEqual([]);
    expect(existsSync(own('completion'))).toBe(false);
    expect(await completed(['kube', 'login', ''], {})).toEqual([]);
    expect(existsSync(own('completion', 'refreshed'))).toBe(true);
    // Written last of all: the process is done.
    await expect.poll(() => existsSync(own('completion', 'flags.json')), { timeout: 10_000 }).toBe(true);
  });

  it('never renews a session, and forgets names with the account', async () => {
    await fetched();
    rmSync(namesFile());
    const before = me.account();
    me.changeAccount({ accessTokenExpiresAt: longAgo });
    await fetched();
    expect(me.account()).toEqual({ ...before, accessTokenExpiresAt: longAgo });
    expect(existsSync(namesFile())).toBe(false);
    me.changeAccount(before);
  });

  it('is quiet whatever is damaged', async () => {
    const home = makeHome();
    try {
      await home.run(['config', 'set', 'output', 'wide']);
      writeFileSync(join(home.path, '.clustral', 'config.json'), '{');
      expect(await home.run(['__complete', '--', 'kube', ''], inCi)).toEqual({ code: 0, stdout: '', stderr: '' });
      expect(await home.run(['__complete'], inCi)).toMatchObject({ code: 0, stderr: '' });
    } finally {
      home.remove();
    }
  });
});

describe('the background process', () => {
  it('ends by itself within seconds when the server does not answer', async () => {
    const silent = await listenInSilence();
    const { port } = silent.address() as { port: number };
    const file = join(me.profile, 'config.json');
    const config = readFileSync(file, 'utf8');
    writeFileSync(file, config.replaceAll(me.installation.origin, `https://localhost:${port}`));
    try {
      const begun = performance.now();
      await fetched();
      expect(performance.now() - begun).toBeLessThan(12_000);
    } finally {
      writeFileSync(file, config);
      silent.close();
    }
  });
});

async function listenInSilence(): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
}

/** How each shell is asked to complete a line, in a process of its own. */
const asked: Readonly<Record<Shell, (line: string) => readonly string[]>> = {
  bash: (line) => [
    '--norc',
    '-c',
    `eval "$(clustral completion bash)"
     COMP_LINE=${JSON.stringify(line)} COMP_POINT=${line.length} COMP_WORDS=(${wordsOfBash(line)}) COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
     _clustral && printf '%s\\n' "\${COMPREPLY[@]}"`,
  ],
  zsh: (line) => [
    '-f',
    '-c',
    `compdef() { :; }; _describe() { print -rl -- "\${(@P)2%%:*}"; }; eval "$(clustral completion zsh)"
     words=(\${(z)${JSON.stringify(line)}}); [[ ${JSON.stringify(line)} == *' ' ]] && words+=(''); CURRENT=$#words; _clustral`,
  ],
  fish: (line) => ['--no-config', '-c', `clustral completion fish | source; complete -C ${JSON.stringify(line)}`],
};

/** A line as bash takes it apart: also at `=`, `:` and `@`. */
const wordsOfBash = (line: string): string =>
  line
    .split(' ')
    .flatMap((word) => (word === '' ? [''] : word.split(/([=:@]+(?:\/\/)?)/).filter((part) => part !== '')))
    .map((part) => `'${part}'`)
    .join(' ');

const isThere = (shell: Shell): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

describe.each(shells)('%s', (shell) => {
  it.each([
    ['clustral prof', ['profiles']],
    ['clustral profiles cu', ['current']],
    ['clustral whoami --output=ya', [shell === 'bash' ? 'yaml' : '--output=yaml']],
    ['clustral accounts use dev@cl', [shell === 'bash' ? 'clustral.local' : 'dev@clustral.local']],
    ['clustral bogus ', []],
  ])("completes '%s' with the script that it is given", async (line, values) => {
    if (!isThere(shell)) {
      process.stdout.write(`not tried: ${shell} is not on this machine\n`);
      const { code, stdout } = await me.home.run(['completion', shell], inCi);
      expect([code, stdout]).toEqual([0, expect.stringContaining('clustral __complete -- ')]);
      return;
    }
    const env = { ...inCi, HOME: me.home.path, PATH: `${me.home.path}:${process.env['PATH']}` };
    const { stdout, stderr } = await promisify(execFile)(shell, [...asked[shell](line)], { env });
    const found = stdout.split('\n').flatMap((one) => (one === '' ? [] : (one.split('\t')[0] ?? '')));
    expect([found, stderr]).toEqual([values, '']);
  });
});

describe('completion', () => {
  it('knows its shells and no others', async () => {
    expect(await me.run('completion tcsh')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: "error: there is no completion for 'tcsh'\n  fix:  use one of: bash, zsh, fish\n",
    });
  });

  it('prints for bash a script that bash takes, and that leaves paths to it', async () => {
    const { stdout } = await me.run('completion bash', inCi);
    expect(spawnSync('bash', ['-n', '-c', stdout]).status).toBe(0);
    for (const flag of ['--ca-file', '--ca-file=a'])
      expect((await me.home.run(['__complete', '--', 'login', flag, ''], inCi)).stdout).toBe(
        flag === '--ca-file' ? ':files\n' : `${me.installation.origin}\t\n`,
      );
  });
});
