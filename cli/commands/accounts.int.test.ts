/** Several accounts of one profile as a process against a real identity provider. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exampleState } from '../testing/api.ts';
import { makeHome, signIn, signInToo, type Finished, type Home } from '../testing/command-line.ts';
import { startInstallation, type Installation } from '../testing/installation.ts';

let installation: Installation;
let home: Home;
beforeAll(async () => {
  installation = await startInstallation();
});
afterAll(() => installation.close());
beforeEach(() => {
  Object.assign(installation.state, exampleState());
  home = makeHome();
});
afterEach(() => home.remove());

const run = (line: string, environment?: Record<string, string>): Promise<Finished> =>
  home.run(line.split(' '), environment);
const own = (...path: string[]): string => join(home.path, '.clustral', ...path);
const contexts = (): string => readFileSync(join(home.path, '.kube', 'config'), 'utf8');

describe('accounts', () => {
  it('are kept side by side, and one is in use', async () => {
    await signIn(home, installation);
    expect((await signInToo(home, installation, 'admin')).code).toBe(0);
    expect(await run('accounts list')).toEqual({
      code: 0,
      stdout: 'ACCOUNT\tSESSION\n● admin@clustral.local\trenews itself\n○ dev@clustral.local\trenews itself\n',
      stderr: '',
    });
    expect(await run('whoami --account dev')).toMatchObject({ stdout: '● dev@clustral.local (renews itself)\n' });
    expect(await run('account use dev')).toMatchObject({
      code: 0,
      stderr: `dev@clustral.local is in use on ${installation.origin}.\n`,
    });
    expect(await run('whoami')).toMatchObject({ stdout: '● dev@clustral.local (renews itself)\n' });
    expect(await run('accounts use dve')).toMatchObject({
      code: 3,
      stderr: "error: there is no account 'dve' in this profile\n  fix:  did you mean 'dev'?\n",
    });
    const { accounts } = JSON.parse((await run('accounts list -o json')).stdout);
    expect(accounts).toMatchObject([
      { account: 'admin@clustral.local', username: 'admin', current: false, expired: false },
      { account: 'dev@clustral.local', username: 'dev', current: true, key: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
  });

  it('act each for itself, whoever is in use: calls by --account, contexts by their key', async () => {
    await signIn(home, installation);
    await run('kube login prod');
    const line: readonly string[] = parse(contexts()).users[0].user.exec.args.slice(1);
    await signInToo(home, installation, 'admin');
    installation.state.calls = [];
    expect((await run('clusters list --account dev@clustral.local')).code).toBe(0);
    expect((await run('clusters list')).code).toBe(0);
    const [asDev, asAdmin] = installation.state.calls.map(({ token }) => token);
    expect(asDev).not.toBe(asAdmin);
    const credential = await home.run(line);
    expect(credential).toMatchObject({ code: 0, stderr: '' });
  });

  it('that are removed are signed out, the others stay', async () => {
    await signIn(home, installation);
    await signInToo(home, installation, 'admin');
    expect(await run('accounts rm admin')).toEqual({
      code: 0,
      stdout: '',
      stderr: `Signed admin@clustral.local out of ${installation.origin}.\nNo account is in use now: clustral accounts list, clustral accounts use.\n`,
    });
    expect(await run('accounts list -o name')).toMatchObject({ stdout: 'account/dev@clustral.local\n' });
    expect(await run('whoami')).toMatchObject({ code: 4 });
    expect((await run('login')).stderr).toContain('Already signed in to');
    expect(await run('whoami')).toMatchObject({ code: 0, stdout: '● dev@clustral.local (renews itself)\n' });
  });

  it('are all signed out by logout --all, and one at a time without it', async () => {
    await signIn(home, installation);
    await signInToo(home, installation, 'admin');
    expect((await run('logout')).stderr).toContain('Still kept: dev@clustral.local');
    await signInToo(home, installation, 'admin');
    const { code, stderr } = await run('logout --all');
    expect(code).toBe(0);
    for (const who of ['dev', 'admin']) expect(stderr).toContain(`Signed ${who}@clustral.local out`);
    expect(readdirSync(own('profiles', 'default', 'accounts'))).toEqual([]);
    expect(await run('accounts list')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'No account is kept in profile default: clustral login.\n',
    });
  });

  it('whose server the profile left are listed and can be signed out, not used', async () => {
    await signIn(home, installation);
    const file = own('profiles', 'default', 'config.json');
    const config = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...config, server: 'https://other.example', account: undefined }));
    expect(await run('accounts use dev')).toMatchObject({
      code: 6,
      stderr: expect.stringContaining(`fix:  clustral login ${installation.origin}`),
    });
    const removed = await run('accounts remove dev');
    expect(removed.code).toBe(0);
    expect(removed.stderr).toContain(`warning: ${installation.origin} was not told`);
  });
});

describe('what an identity provider calls a person (ID-14)', () => {
  it.each([
    'accounts list -o wide',
    'accounts list -o json',
    'whoami',
    'config',
    'profiles list -o wide',
    'accounts use 0',
  ])('is never obeyed by a terminal: %s', async (line) => {
    await signIn(home, installation);
    const folder = own('profiles', 'default', 'accounts');
    const file = join(folder, readdirSync(folder)[0] ?? '');
    const hostile = 'evil\u001b]52;c;aGk=\u0007\u009b31m\u202egpj';
    const account = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...account, displayName: hostile, name: hostile }));
    const { stdout, stderr } = await run(line.replace(/0$/, readdirSync(folder)[0]?.slice(0, 12) ?? ''));
    // oxlint-disable-next-line no-control-regex -- these are what must not be there
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(stdout + stderr).toContain('evil\\u001b');
  });
});
