/** The flags that every command takes, as a process: what `--debug` says and keeps to itself, how long `--timeout` waits. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refusal } from '../testing/api.ts';
import { answerOf } from '../testing/command-line.ts';
import { longAgo, signedIn, type SignedIn } from '../testing/signed-in.ts';

let me: SignedIn;
beforeAll(async () => {
  me = await signedIn();
});
afterAll(() => me.close());
beforeEach(() => me.reset());

/** Every secret of the account, whole and in its parts. */
function secrets(): readonly string[] {
  const { accessToken, refreshToken = 'none' } = me.account();
  return [accessToken, refreshToken, ...accessToken.split('.').slice(1), 'token-of-'];
}

describe('--debug', () => {
  it('says which settings count, and of each call method, address, status, time, reference and headers', async () => {
    const { code, stdout, stderr } = await me.run('clusters list -o name --debug');
    expect([code, stdout]).toEqual([0, 'cluster/prod\n']);
    const { origin } = me.installation;
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toEqual([
      'debug: profile default (default), output name (--output), timeout 30s (default)',
      `debug: dev@clustral.local on ${origin}, profile default`,
      expect.stringMatching(
        /^debug: ListClusters: POST https:\S+\/clustral\.v1\.ClusterService\/ListClusters: ok in \d+ ms, ref \S+$/,
      ),
      expect.stringMatching(
        /^debug: ListClusters: sent .*authorization: \(redacted\).*user-agent: clustral-cli\/0\.1\.0/,
      ),
      expect.stringMatching(/^debug: ListClusters: got .*content-type: application\/proto/),
    ]);
  });

  it('says how a call failed', async () => {
    me.installation.state.refuse = () => {
      throw refusal('FORBIDDEN', 'You are no administrator.');
    };
    const { code, stderr } = await me.run('clusters list --debug');
    expect(code).toBe(5);
    expect(stderr).toContain(': failed ([permission_denied] You are no administrator.) in ');
  });

  it('never shows a token: not of a call, a renewal, a sign-in or a sign-out (ID-16)', async () => {
    const said: string[] = [];
    const keep = ({ stdout, stderr }: { stdout: string; stderr: string }): void => void said.push(stdout + stderr);
    const hidden = new Set(secrets());
    keep(await me.run('kube login prod --debug'));
    me.changeAccount({ accessTokenExpiresAt: longAgo });
    keep(await me.run('status --debug -o json'));
    for (const secret of secrets()) hidden.add(secret);

    const login = me.home.start(['login', '--force', '--no-browser', '--debug']);
    const [, address = ''] = await login.said(/\n {2}(https:\S+)\n/);
    const back = await answerOf(me.installation, address, 'dev');
    hidden.add(back.searchParams.get('code') ?? 'none');
    await fetch(back);
    keep(await login.finished());
    for (const secret of secrets()) hidden.add(secret);
    keep(await me.run('whoami --debug'));

    const text = said.join('\n');
    expect(text).toMatch(/debug: http: POST https:\S+\/token: 200 in \d+ ms/);
    expect(text).toMatch(/debug: http: GET https:\S+\/\.well-known\/clustral-configuration: 200 in \d+ ms/);
    expect(hidden.size).toBeGreaterThan(8);
    for (const secret of hidden) expect(text).not.toContain(secret);
  });
});

describe('--timeout', () => {
  it.each(['clusters list', 'update --check', 'login'])(
    'ends the wait for a server that is silent: %s',
    async (line) => {
      const silent = createServer((socket) => socket.on('error', () => undefined));
      await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
      const { port } = silent.address() as { port: number };
      const file = join(me.profile, 'config.json');
      const config = readFileSync(file, 'utf8');
      writeFileSync(file, config.replaceAll(me.installation.origin, `https://localhost:${port}`));
      me.changeAccount({ server: `https://localhost:${port}` });
      try {
        const begun = performance.now();
        expect(await me.run(`${line} --timeout 1s`)).toMatchObject({ code: 7, stdout: '' });
        expect(performance.now() - begun).toBeLessThan(8_000);
      } finally {
        writeFileSync(file, config);
        me.changeAccount({ server: me.installation.origin });
        silent.close();
      }
    },
  );
});

describe('a wrong value', () => {
  it.each(['logout', 'login', 'completion bash', 'kube logout prod', 'profiles use default', 'config clean --yes'])(
    'of a flag that all share ends %s before it does anything',
    async (line) => {
      for (const [flags, what] of [
        ['-o xml', "unknown output format 'xml'"],
        ['--timeout soon', 'is not a duration'],
      ]) {
        const { code, stdout, stderr } = await me.run(`${line} ${flags}`);
        expect([code, stdout]).toEqual([2, '']);
        expect(stderr).toContain(what);
      }
      expect(await me.run('whoami')).toMatchObject({ code: 0 });
    },
  );
});
