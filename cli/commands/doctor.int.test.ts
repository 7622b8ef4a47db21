/** `doctor` as a process: what it finds in a healthy home, in a broken one, and without a server. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exampleState } from '../testing/api.ts';
import { makeHome, signIn, type Home } from '../testing/command-line.ts';
import { answerJson, documentOf, startInstallation, type Installation } from '../testing/installation.ts';
import { longAgo } from '../testing/signed-in.ts';

type Result = { readonly check: string; readonly status: string; readonly message: string; readonly fix?: string };

let installation: Installation;
let home: Home;
beforeAll(async () => {
  installation = await startInstallation();
});
afterAll(() => installation.close());
beforeEach(() => {
  Object.assign(installation.state, exampleState());
  installation.discovery = (_request, response) => answerJson(response, documentOf(installation.origin));
  home = makeHome();
});
afterEach(() => home.remove());

const examine = async (...flags: readonly string[]): Promise<{ code: number | null; checks: readonly Result[] }> => {
  const { code, stdout } = await home.run(['doctor', '-o', 'json', ...flags]);
  return { code, checks: (JSON.parse(stdout) as { checks: Result[] }).checks };
};
const statusOf = (checks: readonly Result[], status: string): readonly string[] =>
  checks.filter((one) => one.status === status).map(({ check }) => check);
/** A kubectl that says its version, on the PATH of the home. */
const addKubectl = (): void => {
  const version = '{"clientVersion":{"major":"1","minor":"35","gitVersion":"v1.35.0"}}';
  writeFileSync(join(home.path, 'kubectl'), `#!/bin/sh\necho '${version}'\n`, { mode: 0o755 });
};

describe('doctor', () => {
  it('finds nothing wrong where nothing is', async () => {
    addKubectl();
    await signIn(home, installation);
    expect((await home.run(['kube', 'login', 'prod'])).code).toBe(0);
    const { code, checks } = await examine();
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(code).toBe(0);
  });

  it('says for each thing that is wrong what to do, and mends what it can when it is told to', async () => {
    addKubectl();
    await signIn(home, installation);
    await home.run(['kube', 'login', 'prod']);
    const own = join(home.path, '.clustral');
    chmodSync(own, 0o755);
    const kubeconfig = join(home.path, '.kube', 'config');
    writeFileSync(kubeconfig, readFileSync(kubeconfig, 'utf8').replace(/command: .*/, 'command: /gone/clustral'));
    const { code, checks } = await examine();
    expect(code).toBe(1);
    const bad = checks.filter(({ status }) => status === 'fail' || status === 'warn');
    expect(bad.length).toBeGreaterThanOrEqual(2);
    for (const { fix } of bad) expect(fix).toBeTruthy();
    expect(JSON.stringify(bad)).toContain('/gone/clustral');
    await examine('--fix');
    expect(statSync(own).mode & 0o777).toBe(0o700);
    expect(readFileSync(kubeconfig, 'utf8')).not.toContain('/gone/clustral');
    expect(statusOf((await examine()).checks, 'fail')).toEqual([]);
  });

  it('skips what needs a server that does not answer, because of that', async () => {
    await signIn(home, installation);
    const profile = join(home.path, '.clustral', 'profiles', 'default', 'config.json');
    const port = new URL(installation.origin).port;
    writeFileSync(profile, readFileSync(profile, 'utf8').replaceAll(`localhost:${port}`, 'localhost:1'));
    const { code, checks } = await examine();
    expect(code).toBe(1);
    expect(statusOf(checks, 'skipped').length).toBeGreaterThan(1);
    expect(checks.find(({ status }) => status === 'skipped')?.message).toMatch(/^because '.+' failed$/);
  });

  it('begins with the sign-in where nobody has signed in yet', async () => {
    mkdirSync(join(home.path, '.kube'));
    const { code, checks } = await examine();
    expect(code).toBe(1);
    expect(JSON.stringify(checks)).toContain('clustral login');
  });

  it('uses up no refresh token to look, and renews the session when it is told to mend', async () => {
    await signIn(home, installation);
    const accounts = join(home.path, '.clustral', 'profiles', 'default', 'accounts');
    const file = join(accounts, readdirSync(accounts)[0] ?? '');
    const account = JSON.parse(readFileSync(file, 'utf8')) as object;
    writeFileSync(file, JSON.stringify({ ...account, accessTokenExpiresAt: longAgo }));
    const renewals = (): number => installation.providerCalls.filter((call) => call.endsWith('/token')).length;
    const before = renewals();

    const { code, checks } = await examine();
    expect(code).toBe(0);
    expect(checks.find(({ check }) => check === 'session')).toMatchObject({
      status: 'ok',
      message: expect.stringMatching(
        /^dev@clustral\.local; the access token ended \d+d ago, and the next command renews it$/,
      ),
    });
    expect(checks.find(({ check }) => check === 'account')).toMatchObject({ status: 'skipped' });
    expect(renewals()).toBe(before);

    const mended = await examine('--fix');
    expect(mended.checks.find(({ check }) => check === 'session')?.message).toBe('dev@clustral.local, renewed');
    expect(mended.checks.find(({ check }) => check === 'account')).toMatchObject({ status: 'ok' });
    expect(renewals()).toBe(before + 1);
  });

  it('warns of an identity provider that is another one now, and of what kubectl cannot do', async () => {
    await signIn(home, installation);
    installation.discovery = (_request, response) =>
      answerJson(response, { ...documentOf(installation.origin), oidcClientId: 'other', version: '9\u001b[2J' });
    const { code, checks } = await examine();
    expect(code).toBe(0);
    expect(checks.filter(({ status }) => status === 'warn')).toEqual([
      {
        check: 'discovery',
        status: 'warn',
        message: 'the server names another identity provider than at the sign-in (oidcClientId)',
        fix: `clustral login ${installation.origin} --force`,
      },
      { check: 'kubectl', status: 'warn', message: 'no kubectl on the PATH', fix: expect.any(String) },
    ]);
  });

  it('ID-14 obeys nothing that a server says', async () => {
    await signIn(home, installation);
    installation.discovery = (_request, response) =>
      answerJson(response, { ...documentOf(installation.origin), version: '9\u001b[2J\u202e' });
    const { stdout, stderr } = await home.run(['doctor', '--no-color']);
    expect(stdout).toContain('read, of version 9\\u001b[2J\\u202e\n');
    // oxlint-disable-next-line no-control-regex -- what must not be there
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  it('ID-16 shows no token', async () => {
    addKubectl();
    await signIn(home, installation);
    await home.run(['kube', 'login', 'prod']);
    const { stdout, stderr } = await home.run(['doctor', '--debug']);
    expect(stdout + stderr).not.toMatch(/eyJ[\w-]{10,}/);
  });
});
