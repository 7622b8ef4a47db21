/** `kube credential` for whom a context was written, and `kube repair` for a context whose plugin has moved. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signInToo } from '../../testing/command-line.ts';
import { signedIn, type SignedIn } from '../../testing/signed-in.ts';

let me: SignedIn;
beforeAll(async () => {
  me = await signedIn();
});
afterAll(() => me.close());
beforeEach(() => me.reset());

const file = (): string => join(me.home.path, '.kube', 'config');
const forgetCached = (): void => rmSync(join(me.profile, 'cache'), { recursive: true, force: true });

describe('kube repair', () => {
  const move = (from: string, to: string): void =>
    writeFileSync(file(), `# mine\n${readFileSync(file(), 'utf8').replace(from, to)}`);

  it('mends the path of Node and of the script, and asks no server', async () => {
    await me.run('kube login prod --ttl 30m');
    const good = readFileSync(file(), 'utf8');
    const { command, args } = me.kubeconfig().users[0].user.exec as { command: string; args: string[] };
    const calls = me.installation.state.calls.length;
    for (const [moved, why] of [
      [command, 'calls /gone, which is not there or cannot be run'],
      [args[0] ?? '', 'runs /gone, which is not there'],
      ['client.authentication.k8s.io/v1', 'wants a version that nobody speaks (/gone)'],
    ] as const) {
      writeFileSync(file(), good);
      move(moved, '/gone');
      const only = await me.run('kube repair --dry-run');
      expect(only).toEqual({ code: 0, stdout: '', stderr: `clustral-prod ${why}\nNothing was changed.\n` });
      expect(await me.run('kube repair')).toEqual({
        code: 0,
        stdout: '',
        stderr: `clustral-prod ${why}\nMended clustral-prod.\n`,
      });
      expect(readFileSync(file(), 'utf8')).toBe(`# mine\n${good}`);
    }
    expect(await me.run('kube repair')).toEqual({ code: 0, stdout: '', stderr: 'Nothing to mend.\n' });
    expect(me.installation.state.calls).toHaveLength(calls);
  });

  it('leaves the plugins of others alone, and a file that is not there', async () => {
    expect((await me.run('kube repair')).stderr).toBe('Nothing to mend.\n');
    await me.run('kube login prod');
    const foreign = '- name: other\n  user:\n    exec:\n      command: /gone/aws\n      args: [ eks ]\n';
    writeFileSync(file(), readFileSync(file(), 'utf8').replace('users:\n', `users:\n${foreign}`));
    const before = readFileSync(file(), 'utf8');
    expect((await me.run('kube repair')).stderr).toBe('Nothing to mend.\n');
    expect(readFileSync(file(), 'utf8')).toBe(before);
  });
});

describe('a context', () => {
  it('acts for the account that it was written for, and for nobody else when that is signed out', async () => {
    await me.run('kube login prod');
    const { args } = me.kubeconfig().users[0].user.exec as { args: string[] };
    const plugin = args.slice(1);
    const mine = me.account().accessToken;
    expect((await signInToo(me.home, me.installation, 'admin')).code).toBe(0);
    expect((await me.run('whoami')).stdout).toContain('admin@clustral.local');

    forgetCached();
    expect(await me.home.run(plugin)).toMatchObject({ code: 0, stderr: '' });
    const { token } = me.installation.state.calls.findLast(({ method }) => method === 'IssueCredential') ?? {};
    expect(token).toBe(mine);

    expect((await me.home.run(['accounts', 'remove', 'dev@clustral.local', '--no-input'])).code).toBe(0);
    forgetCached();
    expect(await me.home.run(plugin)).toEqual({
      code: 4,
      stdout: '',
      stderr: `clustral: the account that this context was written for is signed out - run: clustral login ${me.installation.origin}\n`,
    });
  });
});
