/** What `kube login` writes for several clusters, and to stdout. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { parse } from 'yaml';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClusterSchema } from '@clustral/schemas/gen/clustral/v1/clusters_pb.ts';
import { AccessSchema } from '@clustral/schemas/gen/clustral/v1/users_pb.ts';
import { clusterId } from '../../testing/api.ts';
import { signedIn, type SignedIn } from '../../testing/signed-in.ts';

let me: SignedIn;
beforeAll(async () => {
  me = await signedIn();
});
afterAll(() => me.close());
beforeEach(() => me.reset());

const idOf = (n: number): string => `0198f7a0-0000-7000-8000-1000000000${String(n).padStart(2, '0')}`;
function addClusters(names: readonly string[]): void {
  me.installation.state.clusters = names.map((name, n) => create(ClusterSchema, { id: idOf(n), name }));
  me.installation.state.access = names.map((name, n) =>
    create(AccessSchema, { clusterId: idOf(n), clusterName: name, roleName: 'k8s-viewer' }),
  );
}
const file = (): string => join(me.home.path, '.kube', 'config');
const contextsOf = (config: { contexts: { name: string }[] }): readonly string[] =>
  config.contexts.map(({ name }) => name).toSorted();

describe('several clusters', () => {
  it('become contexts at once, none of them the current one, and cost no credential before kubectl asks', async () => {
    addClusters(['a', 'b', 'c']);
    mkdirSync(dirname(file()));
    writeFileSync(file(), 'current-context: mine\n');
    const { code, stdout, stderr } = await me.run('kube login a c a');
    expect([code, stdout, stderr]).toEqual([
      0,
      '',
      `Wrote contexts clustral-a, clustral-c to ${file()}.\nUse it with: kubectl --context clustral-a …\n`,
    ]);
    expect(contextsOf(me.kubeconfig())).toEqual(['clustral-a', 'clustral-c']);
    expect(me.kubeconfig()['current-context']).toBe('mine');
    expect(readFileSync(`${file()}.bak`, 'utf8')).toBe('current-context: mine\n');
    expect(me.calls('IssueCredential')).toBe(0);
  });

  it('may be all that can be reached, or tokens', async () => {
    addClusters(['a', 'b']);
    me.installation.state.clusters.push(create(ClusterSchema, { id: idOf(9), name: 'beyond' }));
    expect((await me.run('kube login --all --embed-token')).stderr).toContain('The tokens in it are valid for 7h59m');
    expect(contextsOf(me.kubeconfig())).toEqual(['clustral-a', 'clustral-b']);
    expect(new Set(me.installation.state.issued.map(({ clusterId: id }) => id))).toEqual(new Set([idOf(0), idOf(1)]));
  });

  it('come with a warning for each that gives nothing yet', async () => {
    addClusters(['a', 'b']);
    me.installation.state.access.pop();
    const { stderr } = await me.run('kube login a b');
    expect(stderr.match(/warning: /g)).toHaveLength(1);
    expect(stderr).toContain('warning: you have no role on the cluster of clustral-b yet');
  });

  it.each([
    ['kube login', "'clustral kube login' needs <cluster>"],
    ['kube login --all prod', '--all is every cluster'],
    ['kube login --all --context-name x', '--context-name names one context'],
    ['kube login a b --context-name x', '--context-name names one context'],
  ])('are refused in words: %s', async (line, what) => {
    const { code, stderr } = await me.run(line);
    expect([code, stderr]).toEqual([2, expect.stringContaining(what)]);
  });

  it('are none when nothing can be reached', async () => {
    me.installation.state.access = [];
    expect(await me.run('kube login --all')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('access request'),
    });
  });
});

describe('a kubeconfig on stdout', () => {
  it('is whole, and the one at home stays as it is', async () => {
    mkdirSync(dirname(file()));
    writeFileSync(file(), 'contexts:\n- name: clustral-prod\n  context: { cluster: x, user: y }\n');
    const before = statSync(file()).mtimeMs;
    const { code, stdout, stderr } = await me.run('kube login prod --kubeconfig -');
    expect([code, stderr]).toEqual([0, '']);
    expect(parse(stdout)).toMatchObject({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'clustral-prod', cluster: { server: `${me.installation.origin}/api/proxy/${clusterId}` } }],
      'current-context': 'clustral-prod',
    });
    expect(statSync(file()).mtimeMs).toBe(before);
  });
});
