/** `clustral kube login` as a process, and the exec plugin that it writes, called as kubectl calls it. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClusterSchema } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { contextsIn, removeContexts } from '../../kubeconfig.ts';
import { clusterId } from '../../testing/api.ts';
import { longAgo, signedIn, type SignedIn } from '../../testing/signed-in.ts';

let me: SignedIn;
beforeAll(async () => {
  me = await signedIn();
});
afterAll(() => me.close());
beforeEach(() => me.reset());

type Exec = {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
};

/** Calls the plugin of the first user byte for byte as kubectl does. */
function callPlugin(): Promise<{ stdout: string; stderr: string }> {
  const { command, args, env } = me.kubeconfig().users[0].user.exec as Exec;
  return promisify(execFile)(command, args, {
    env: {
      ...Object.fromEntries(env.map(({ name, value }) => [name, value])),
      HOME: me.home.path,
      KUBERNETES_EXEC_INFO: '{"apiVersion":"client.authentication.k8s.io/v1beta1","spec":{"interactive":true}}',
    },
  });
}

/** A file of which every byte is somebody's. */
const foreign = `# of mine   \t
clusters:
- cluster: { server: 'https://127.0.0.1:6443',   insecure-skip-tls-verify: true } # home
  name:   home

# between
contexts:
-   context: {cluster: home,user: home}
    name: home
current-context:   home
users:
- name: home
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: aws
      args: [ eks,   get-token ]   # foreign plugin
      env: null
      unknown-field: yes
x-mine: 0123
`;

describe('kube login', () => {
  it('writes a context whose plugin answers kubectl silently, from the cache and afresh', async () => {
    expect(await me.run('kube login prod --ttl 30m')).toMatchObject({ code: 0, stdout: '' });
    const { clusters, contexts, users, 'current-context': current } = me.kubeconfig();
    expect(clusters).toEqual([
      {
        name: 'clustral-prod',
        cluster: {
          server: `${me.installation.origin}/api/proxy/${clusterId}`,
          'certificate-authority-data': Buffer.from(me.installation.ca).toString('base64'),
        },
      },
    ]);
    expect(contexts).toEqual([{ name: 'clustral-prod', context: { cluster: 'clustral-prod', user: 'clustral-prod' } }]);
    expect(current).toBe('clustral-prod');
    const { exec } = users[0].user as { exec: Exec };
    expect(exec).toMatchObject({
      interactiveMode: 'IfAvailable',
      provideClusterInfo: false,
      command: process.execPath,
    });
    expect(Object.keys(users[0].user)).toEqual(['exec']);

    const [first] = me.installation.state.issued;
    const cached = await callPlugin();
    expect(cached.stderr).toBe('');
    expect(JSON.parse(cached.stdout)).toEqual({
      apiVersion: 'client.authentication.k8s.io/v1beta1',
      kind: 'ExecCredential',
      status: { token: `token-of-${first?.id}`, expirationTimestamp: expect.stringMatching(/^\S+:\d{2}Z$/) },
    });
    expect(me.calls('IssueCredential')).toBe(1);

    rmSync(join(me.profile, 'cache'), { recursive: true });
    const afresh = await Promise.all([1, 2, 3, 4].map(() => callPlugin()));
    expect(me.calls('IssueCredential')).toBe(2);
    expect(new Set(afresh.map(({ stdout }) => stdout)).size).toBe(1);
    expect(me.installation.state.issued.map(({ ttl }) => ttl)).toEqual(['30m', '30m']);
  });

  it.each([
    ['1.20, which knows no v1', '20+', 'v1beta1'],
    ['1.33', '33', 'v1'],
  ])('speaks the version that kubectl %s understands', async (...[, minor, version]) => {
    const kubectl = join(me.home.path, 'kubectl');
    writeFileSync(kubectl, `#!/bin/sh\necho '{"clientVersion":{"major":"1","minor":"${minor}"}}'\n`, { mode: 0o755 });
    await me.run('kube login prod');
    rmSync(kubectl);
    expect(me.kubeconfig().users[0].user.exec.apiVersion).toBe(`client.authentication.k8s.io/${version}`);
  });

  it('says how to go back', async () => {
    const file = join(me.home.path, '.kube', 'config');
    mkdirSync(dirname(file));
    writeFileSync(file, 'current-context: mine\n');
    const { stderr } = await me.run('kube login prod');
    expect(stderr).toBe(
      `Wrote context clustral-prod to ${file}.\ncontext: mine → clustral-prod (back: kubectl config use-context mine)\n`,
    );
  });

  it('warns of a cluster without a role', async () => {
    me.installation.state.access = [];
    expect((await me.run('kube login prod')).stderr).toContain('warning: you have no role on this cluster yet');
  });

  it('asks for no credential when the name belongs to somebody else', async () => {
    const file = join(me.home.path, '.kube', 'config');
    mkdirSync(dirname(file));
    writeFileSync(file, 'contexts:\n- name: clustral-prod\n  context: { cluster: x, user: y }\n');
    expect(await me.run('kube login prod')).toMatchObject({ code: 6 });
    expect(me.calls('IssueCredential')).toBe(0);
  });

  it('can embed the token for tools without plugins', async () => {
    expect((await me.run('kube login prod --embed-token')).stderr).toContain('valid for 7h59m');
    expect(me.kubeconfig().users[0].user).toEqual({ token: `token-of-${me.installation.state.issued[0]?.id}` });
  });

  it.each(['x"\n  exec: {command: sh}', 'x'.repeat(10_240)])(
    'takes no context name from a cluster called %j (ID-13)',
    async (name) => {
      for (const one of me.installation.state.clusters) one.name = name;
      const refused = await me.home.run(['kube', 'login', clusterId]);
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be the name of a context') });
      expect(existsSync(join(me.home.path, '.kube'))).toBe(false);
      expect((await me.home.run(['kube', 'login', clusterId, '--context-name', 'mine'])).code).toBe(0);
      expect(me.kubeconfig().contexts).toEqual([{ name: 'mine', context: { cluster: 'mine', user: 'mine' } }]);
    },
  );

  it('writes an odd name as the text that it is (ID-13)', async () => {
    for (const one of me.installation.state.clusters) one.name = '---';
    expect((await me.home.run(['kube', 'login', clusterId, '--context-name', 'yes'])).code).toBe(0);
    expect((await me.home.run(['kube', 'login', clusterId])).code).toBe(0);
    expect(me.kubeconfig().contexts.map(({ name }: { name: unknown }) => name)).toEqual(['yes', 'clustral----']);
    expect(readFileSync(join(me.home.path, '.kube', 'config'), 'utf8').match(/exec:/g)).toHaveLength(2);
  });

  it('takes no path from an id that a server names', async () => {
    for (const one of me.installation.state.clusters) one.id = '../../../../escaped';
    expect(await me.run('kube login prod')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('without a proper id'),
    });
    expect(existsSync(join(me.home.path, '.kube'))).toBe(false);
  });

  it('twenty times at once leaves twenty contexts (ID-13), each where its name lives, and every foreign byte', async () => {
    const ids = Array.from({ length: 20 }, (_, n) => `0198f7a0-0000-7000-8000-1000000000${String(n).padStart(2, '0')}`);
    me.installation.state.clusters = ids.map((id, n) => create(ClusterSchema, { id, name: `c${n}` }));
    const [one = '', two = '', three = ''] = ['one', 'two', 'three'].map((name) => join(me.home.path, '.kube', name));
    mkdirSync(dirname(one));
    writeFileSync(one, foreign);
    await me.run(`kube login c3 --kubeconfig ${two}`);
    writeFileSync(two, `${readFileSync(two, 'utf8')}# the end of two\n`);

    const KUBECONFIG = [one, two, three].join(':');
    const finished = await Promise.all(ids.map((_, n) => me.home.run(['kube', 'login', `c${n}`], { KUBECONFIG })));
    expect(finished.filter(({ code }) => code !== 0)).toEqual([]);
    const names = ids.map((_, n) => `clustral-c${n}`).toSorted();
    expect(
      contextsIn([one, two])
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(names);
    expect(contextsIn([two]).map(({ name }) => name)).toEqual(['clustral-c3']);
    expect(readdirSync(dirname(one)).toSorted()).toEqual(['one', 'one.bak', 'two']);

    expect(readFileSync(two, 'utf8').endsWith('\n# the end of two\n')).toBe(true);
    await removeContexts([one], () => true);
    // Whichever was the current context last is gone.
    expect(readFileSync(one, 'utf8')).toBe(foreign.replace('current-context:   home', 'current-context:   ""'));
  }, 90_000);

  it('has the plugin renew once, however many kubectl find everything expired: twenty here', async () => {
    await me.run('kube login prod');
    const forget = (): void => rmSync(join(me.profile, 'cache'), { recursive: true });
    forget();
    // The first start compiles the tool for the nineteen and one that follow.
    expect(await callPlugin()).toMatchObject({ stderr: '' });
    forget();
    const { refreshToken } = me.account();
    me.changeAccount({ accessTokenExpiresAt: longAgo });
    me.installation.providerCalls.length = 0;
    const issued = me.calls('IssueCredential');

    const answers = await Promise.all(Array.from({ length: 20 }, () => callPlugin()));
    expect(answers.filter(({ stderr }) => stderr !== '')).toEqual([]);
    expect(new Set(answers.map(({ stdout }) => stdout)).size).toBe(1);
    expect(me.installation.providerCalls.filter((call) => call.endsWith('/token'))).toHaveLength(1);
    expect(me.calls('IssueCredential')).toBe(issued + 1);
    expect(me.account().refreshToken).not.toBe(refreshToken);
  }, 90_000);

  it('is undone by kube logout', async () => {
    await me.run('kube login prod');
    const { code, stderr } = await me.run('kube logout prod');
    expect([code, stderr]).toEqual([0, 'Removed context clustral-prod.\nRevoked the credential.\n']);
    expect(me.kubeconfig()).toMatchObject({ clusters: [], users: [], contexts: [], 'current-context': '' });
    expect(me.installation.state.revoked).toEqual([me.installation.state.issued[0]?.id]);
  });
});
