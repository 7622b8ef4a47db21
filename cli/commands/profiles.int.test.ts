/** Profiles as a process against a real identity provider: made, chosen, listed, signed in to, taken away. */
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exampleState } from '../testing/api.ts';
import { answerOf, makeHome, signIn, type Finished, type Home } from '../testing/command-line.ts';
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

describe('profiles', () => {
  it('are made, chosen and listed, each with its own server and account', async () => {
    expect(await run('profiles create staging')).toMatchObject({ code: 0, stdout: '' });
    expect(await run('profiles current')).toMatchObject({ code: 0, stdout: 'default\n' });
    expect(await run('profile use staging')).toMatchObject({
      code: 0,
      stderr: 'Profile staging is in use; nobody is signed in there yet: clustral login <host>\n',
    });
    expect((await signIn(home, installation)).code).toBe(0);
    expect(await run('profiles ls')).toEqual({
      code: 0,
      stdout: `PROFILE\tCONTROLPLANE URL\tSTATUS\n○ default\t—\t—\n● staging\t${installation.origin}\tactive\n`,
      stderr: '',
    });
    expect(await run('whoami')).toMatchObject({
      stdout: '● dev@clustral.local (renews itself) (profile: staging)\n',
    });
    expect(await run('profiles list -o name', { CLUSTRAL_PROFILE: 'default' })).toMatchObject({
      stdout: 'profile/default\nprofile/staging\n',
    });
    expect((await run('profiles list', { CLUSTRAL_PROFILE: 'default' })).stdout).toContain('logged in\n');
    expect(statSync(own('profiles', 'staging')).mode & 0o777).toBe(0o700);
  });

  it.each([
    ['../../x', 2, "'../../x' cannot be the name of a profile"],
    ['..', 2, "'..' cannot be the name of a profile"],
    ['/etc', 2, "'/etc' cannot be the name of a profile"],
    ['-x', 2, "'clustral profiles create' knows no flag '-x'"],
    ['UPPER', 2, "'UPPER' cannot be the name of a profile"],
    ['default', 6, "there is a profile 'default' already"],
  ])('cannot be made as %s, and nothing is written (ID-12)', async (...[name, code, what]) => {
    const finished = await run(`profiles create ${name}`);
    expect(finished).toMatchObject({ code, stdout: '' });
    expect(finished.stderr).toContain(what);
    expect(existsSync(own('profiles'))).toBe(false);
    expect(readdirSync(home.path).filter((name) => name !== '.clustral')).toEqual([]);
  });

  it('are folders and nothing else: a link is no profile, and not followed when a name is made (ID-12)', async () => {
    await run('profiles create staging');
    symlinkSync('/etc', own('profiles', 'planted'));
    expect((await run('profiles list -o name')).stdout).toBe('profile/default\nprofile/staging\n');
    expect(await run('profiles create planted')).toMatchObject({ code: 6 });
    expect(await run('profiles delete planted')).toMatchObject({ code: 3 });
    expect(existsSync('/etc/passwd')).toBe(true);
  });

  it('that are deleted sign out first, clean the kubeconfig, and leave default in use', async () => {
    await run('profiles create staging');
    await run('profiles use staging');
    await signIn(home, installation);
    await run('kube login prod');
    expect(await run('profiles rm staging')).toEqual({
      code: 0,
      stdout: '',
      stderr:
        `Signed dev@clustral.local out of ${installation.origin}.\nRemoved contexts: clustral-prod.\nRevoked credentials: 1.\n` +
        'Deleted profile staging. Profile default is in use.\n',
    });
    expect(installation.state.revoked).toHaveLength(1);
    expect(existsSync(own('profiles', 'staging'))).toBe(false);
    expect(contexts()).not.toContain('clustral-prod');
    expect(await run('profiles current')).toMatchObject({ stdout: 'default\n' });
    expect(await run('profiles delete default')).toMatchObject({ code: 2 });
  });

  it('that are damaged can be deleted all the same', async () => {
    await run('profiles create staging');
    writeFileSync(own('profiles', 'staging', 'config.json'), '{');
    expect(await run('profiles delete staging')).toMatchObject({ code: 0, stderr: 'Deleted profile staging.\n' });
  });

  it('are chosen by the server they are for', async () => {
    await signIn(home, installation);
    const { host } = new URL(installation.origin);
    expect(await run(`clusters list -o name --server ${host}`, { CLUSTRAL_PROFILE: 'other' })).toMatchObject({
      code: 0,
      stdout: 'cluster/prod\n',
    });
    expect(await run('whoami --server nobody.example')).toMatchObject({
      code: 4,
      stderr: 'error: nobody is signed in to https://nobody.example\n  fix:  clustral login https://nobody.example\n',
    });
    expect(await run(`whoami --profile other --server ${host}`)).toMatchObject({
      code: 2,
      stderr: 'error: profile other is not for that server\n  fix:  --profile default\n',
    });
  });
});

describe('signing in once more', () => {
  it('shows the session that there is', async () => {
    await signIn(home, installation);
    const { code, stdout, stderr } = await run('login');
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain(
      [
        `> Profile URL:   ${installation.origin}`,
        '  Logged in as:  Dev User',
        '  Email:         dev@clustral.local',
        '  Kubernetes:    enabled',
        '  CLI version:   v0.1.0',
        '  Roles:         k8s-viewer',
        '  Clusters:      prod',
        '  Access:',
        '                 prod → k8s-viewer',
        '  Valid until:   signed out [renews itself]',
      ].join('\n'),
    );
  });

  it('asks the provider anew with --force, and names who is expected', async () => {
    await signIn(home, installation);
    const login = home.start(['login', '--force', '--no-browser', '--account', 'admin@clustral.local']);
    const [, address = ''] = await login.said(/\n {2}(https:\S+)\n/);
    const asked = new URL(address).searchParams;
    expect([asked.get('prompt'), asked.get('login_hint')]).toEqual(['login', 'admin@clustral.local']);
    await fetch(await answerOf(installation, address, 'admin'));
    expect((await login.finished()).code).toBe(0);
  });

  it.each([
    [{ SSH_CONNECTION: '1 2 3 4' }, 'You seem to be connected by SSH: clustral login --device needs none here.'],
    [{}, 'This machine has no browser to open: clustral login --device needs none here.'],
  ])('suggests the device code where a browser is of no use: %o', async (environment, said) => {
    const login = home.start(['login', installation.origin], { ...environment } as Record<string, string>);
    await login.said(/\n {2}(https:\S+)\n/);
    login.child.kill('SIGKILL');
    expect((await login.finished()).stderr).toContain(said);
  });
});
