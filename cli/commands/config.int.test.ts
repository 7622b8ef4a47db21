/** `clustral config` as a process: what it shows, sets and removes. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signIn } from '../testing/command-line.ts';
import { signedIn, type SignedIn } from '../testing/signed-in.ts';

let me: SignedIn;
beforeAll(async () => {
  me = await signedIn();
});
afterAll(() => me.close());
beforeEach(async () => {
  me.reset();
  // Each test starts signed in and with nothing set, whatever the one before removed.
  if ((await me.run('whoami')).code !== 0) await signIn(me.home, me.installation);
  writeFileSync(own('config.json'), '{}', { mode: 0o600 });
});

const own = (...path: string[]): string => join(me.home.path, '.clustral', ...path);
const kubeconfig = (): string => join(me.home.path, '.kube', 'config');

const foreign = `apiVersion: v1
kind: Config
# mine
clusters:
- name: other
  cluster: {server: "https://other.example"}
contexts:
- name: other
  context: {cluster: other, user: other}
users:
- name: other
  user: {token: mine}
current-context: other
`;

describe('config show', () => {
  it('names settings with their source, files, session and context', async () => {
    await me.run('kube login prod');
    await me.run('config set timeout 1m');
    const { code, stdout, stderr } = await me.run('config', { CLUSTRAL_PROFILE: 'default' });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`Settings
  profile       default  (CLUSTRAL_PROFILE)
  output        table  (default)
  timeout       1m  (file)
  context-name  clustral-{cluster}  (default)
  auto-login    ask  (default)

Files
  home          ${own()}
  settings      ${own('config.json')}
  profile       ${own('profiles', 'default')}
  kubeconfig    ${kubeconfig()}

Session
  server        ${me.installation.origin}
  account       dev@clustral.local (renews itself)

Kubernetes
  context       clustral-prod
  ours          clustral-prod
`);
  });

  it('is one object for programs, the same with --json, -o json and without the word show', async () => {
    const [a, b, c] = await Promise.all([
      me.run('config show --json'),
      me.run('config -o json'),
      me.run('config show -o json --timeout 5s'),
    ]);
    expect(a.stdout).toBe(b.stdout);
    expect(JSON.parse(c.stdout)).toMatchObject({
      settings: {
        profile: { value: 'default', source: 'default' },
        output: { value: 'json', source: 'flag', from: '--output' },
        timeout: { value: '5s', source: 'flag', from: '--timeout' },
      },
      session: { account: 'dev@clustral.local', profile: 'default', expired: false },
      kubernetes: { currentContext: null, contexts: [] },
    });
  });

  it.each([
    'config',
    'config show --json',
    'config -o yaml',
    'config --debug',
    'accounts list -o json',
    'profiles ls -o wide',
  ])('shows no token: %s (ID-16)', async (line) => {
    await me.run('kube login prod');
    const { stdout, stderr } = await me.run(line, { CLUSTRAL_DEBUG: '1' });
    const { accessToken, refreshToken = 'none' } = me.account();
    for (const secret of [accessToken, refreshToken, accessToken.split('.')[2] ?? '', 'token-of-'])
      expect(stdout + stderr).not.toContain(secret);
    expect(stdout).not.toBe('');
  });

  it('shows the rest when the kubeconfig cannot be read', async () => {
    mkdirSync(join(me.home.path, '.kube'));
    writeFileSync(kubeconfig(), 'a: [\n');
    const { code, stdout, stderr } = await me.run('config');
    expect(code).toBe(0);
    expect(stdout).toContain('dev@clustral.local');
    expect(stderr).toContain('warning: ');
  });
});

describe('config path, get and set', () => {
  it('print what scripts ask for', async () => {
    expect((await me.run('config path')).stdout).toBe(
      `FILE\tPATH\nhome\t${own()}\nsettings\t${own('config.json')}\nprofile\t${own('profiles', 'default')}\nkubeconfig\t${kubeconfig()}\n`,
    );
    expect(await me.run('config get output')).toMatchObject({ code: 0, stdout: 'table\n' });
    expect(await me.run('config set output json')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'output is json from now on.\n',
    });
    expect(JSON.parse((await me.run('config get output')).stdout)).toEqual({
      key: 'output',
      value: 'json',
      source: 'file',
    });
    expect(JSON.parse((await me.run('clusters list')).stdout)).toHaveProperty('clusters');
    expect(JSON.parse((await me.run('accounts use nobody')).stderr)).toMatchObject({ error: { exitCode: 3 } });
    expect((await me.run('clusters list -o name')).stdout).toBe('cluster/prod\n');
  });

  it('name contexts as they are set to', async () => {
    await me.home.run(['config', 'set', 'context-name', '{profile}/{cluster}']);
    await me.run('kube login prod');
    expect(me.kubeconfig()['current-context']).toBe('default/prod');
  });

  it.each([
    ['config get nothing', 2, "there is no setting 'nothing'"],
    ['config set output xml', 2, "'xml' cannot be the setting output: it must be an output format"],
    ['config set profile nobody', 3, "there is no profile 'nobody'"],
    ['config set profile ../../x', 2, "'../../x' cannot be the name of a profile"],
  ])('refuse %s', async (...[line, code, what]) => {
    const finished = await me.run(line);
    expect(finished).toMatchObject({ code, stdout: '' });
    expect(finished.stderr).toContain(what);
    expect(readFileSync(own('config.json'), 'utf8')).toBe('{}');
  });
});

describe('config clean', () => {
  it('shows what it would remove and removes nothing with --dry-run', async () => {
    await me.run('kube login prod');
    const { code, stdout, stderr } = await me.run('config clean --dry-run');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(
      `WHAT\tWHICH\naccount\tdev@clustral.local on ${me.installation.origin}\ncontext\tclustral-prod\npath\t${own('profiles')}\n`,
    );
    expect(JSON.parse((await me.run('config clean --dry-run -o json')).stdout).wouldRemove).toContainEqual({
      what: 'context',
      which: 'clustral-prod',
    });
    expect(await me.run('whoami')).toMatchObject({ code: 0 });
    expect(me.kubeconfig()['current-context']).toBe('clustral-prod');
  });

  it('asks first, and where nobody can answer refuses', async () => {
    for (const line of ['config clean', 'config clean --no-input'])
      expect(await me.run(line)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('fix:  clustral config clean --yes, or --dry-run to look'),
      });
    expect(await me.run('whoami')).toMatchObject({ code: 0 });
  });

  it('signs out, cleans the kubeconfig and removes its files and nothing else', async () => {
    mkdirSync(join(me.home.path, '.kube'));
    writeFileSync(kubeconfig(), foreign);
    await me.run('kube login prod --no-set-context');
    writeFileSync(own('notes.txt'), 'mine');
    const { code, stdout, stderr } = await me.run('config clean --yes');
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain(`Signed dev@clustral.local out of ${me.installation.origin}.`);
    expect(stderr).toContain('Removed contexts: clustral-prod.');
    expect(stderr).toContain('Revoked credentials: 1.');
    expect(stderr).toContain(`Removed ${own('profiles')}.`);
    expect(stderr).toContain(`Left in ${own()}, which clustral did not write: notes.txt.`);
    expect(me.installation.state.revoked).toHaveLength(1);
    expect(existsSync(own('profiles'))).toBe(false);
    expect(readFileSync(own('notes.txt'), 'utf8')).toBe('mine');
    const left = me.kubeconfig();
    expect([left.contexts, left['current-context']]).toEqual([
      [{ name: 'other', context: { cluster: 'other', user: 'other' } }],
      'other',
    ]);
    expect(readFileSync(kubeconfig(), 'utf8')).toContain('# mine');
  });

  it('works when everything is damaged and the server away', async () => {
    writeFileSync(own('config.json'), '{');
    writeFileSync(join(me.profile, 'config.json'), '[]');
    const { code, stderr } = await me.run('config clean --yes');
    expect(code).toBe(0);
    expect(stderr).toContain('Signed dev@clustral.local out');
    expect(stderr).toContain('was not told');
    expect(existsSync(own('profiles'))).toBe(false);
    expect(existsSync(own('config.json'))).toBe(false);
    expect(await me.run('whoami')).toMatchObject({ code: 4 });
    // Nothing is left but the home itself, which goes when it is empty.
    expect((await me.run('config clean --dry-run -o json')).stdout).not.toContain('account');
  });
});
