/**
 * The agent where it belongs: in a pod of a real Kubernetes, from the manifests as they are and from the chart, with nothing but its own service
 * account. The control plane is outside, and nothing dials into the cluster.
 */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentChart, manifestFolder } from '../k8s/generate.ts';
import { buildAgentImage } from './parts/agent-image.ts';
import { helm, kubectl } from './parts/kubectl.ts';
import { newPerson, newPlace, startProduct, until, type Finished, type Person, type Product } from './parts/product.ts';
import { missingForKubernetes, startKubernetes, type RealKubernetes } from './parts/real-kubernetes.ts';

const missing = missingForKubernetes();
if (missing !== undefined) console.log(`not run: an agent in a pod; missing: ${missing}`);

const newest = kubectl('1.35');
const account = 'system:serviceaccount:clustral:clustral-agent';

type Registered = { readonly id: string; readonly url: string; readonly token: string };

describe.skipIf(missing !== undefined)('an agent in a pod', () => {
  let kubernetes: RealKubernetes;
  let product: Product;
  let admin: Person;
  let dev: Person;
  let pods: Registered;

  const as = (binary: string, args: readonly string[]): string =>
    execFileSync(binary, ['--kubeconfig', kubernetes.adminKubeconfig, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  /** As the cluster's own administrator, who is no part of Clustral. */
  const direct = (...args: readonly string[]): string => as(newest, args);
  const inNamespace = (...args: readonly string[]): string => direct('-n', 'clustral', ...args);
  const rolledOut = (namespace = 'clustral'): string =>
    direct('-n', namespace, 'rollout', 'status', 'deployment/clustral-agent', '--timeout=60s');
  const done = async (...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await admin.clustral(...words);
    expect(code, `clustral ${words.join(' ')}: ${stderr}`).toBe(0);
    return stdout;
  };
  const register = async (name: string): Promise<Registered> => {
    const printed = await done('clusters', 'register', name, '-o', 'json');
    const { clusterId, bootstrapToken } = JSON.parse(printed) as { clusterId: string; bootstrapToken: string };
    return {
      id: clusterId,
      token: bootstrapToken,
      url: `https://${kubernetes.hostAddress}:${product.ports.tunnel}`,
    };
  };
  const podsSeenBy = (person: Person, context: string): Promise<Finished> =>
    person.kubectl(newest, ['--context', `clustral-${context}`, '-n', 'clustral', 'get', 'pods', '-o', 'name']);
  const enrolments = async (): Promise<number> => {
    const printed = await done('audit', '-o', 'json', '--code', 'CCL007I', '--resource', pods.id);
    return (JSON.parse(printed) as { events: readonly unknown[] }).events.length;
  };
  const canI = (...question: readonly string[]): string => {
    const asked = ['--kubeconfig', kubernetes.adminKubeconfig, 'auth', 'can-i', ...question, '--as', account];
    try {
      return execFileSync(newest, asked, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch (error) {
      return String((error as { stdout: string }).stdout).trim();
    }
  };

  beforeAll(async () => {
    kubernetes = await startKubernetes();
    const image = buildAgentImage('clustral-agent:0.1.0');
    console.log(`image: ${Math.round(image.bytes / 1e6)} MB`);
    kubernetes.importImage(image.tar);
    product = await startProduct({ ...(await newPlace()), tunnelHost: kubernetes.hostAddress });
    [admin, dev] = [newPerson(), newPerson()];
    for (const [person, name] of [
      [admin, 'admin'],
      [dev, 'dev'],
    ] as const) {
      const { code, stderr } = await person.signIn(product, name);
      expect(code, stderr).toBe(0);
    }
    pods = await register('pods');
    direct('create', 'clusterrolebinding', 'viewers', '--clusterrole=view', '--group=clustral:viewers');
  }, 1_800_000);

  afterAll(async () => {
    await product?.stop();
    await kubernetes?.stop();
    for (const person of [admin, dev]) person?.remove();
  });

  it('enrols by the manifests as they are, in a namespace that takes only restricted pods', async () => {
    direct('create', 'namespace', 'clustral');
    direct('label', 'namespace', 'clustral', 'pod-security.kubernetes.io/enforce=restricted');
    const [id, url, token] = [
      `cluster-id=${pods.id}`,
      `control-plane-url=${pods.url}`,
      `bootstrap-token=${pods.token}`,
    ];
    const given = [id, url, token].map((literal) => `--from-literal=${literal}`);
    inNamespace('create', 'secret', 'generic', 'clustral-agent-config', ...given);
    inNamespace('apply', '-f', manifestFolder);
    expect(rolledOut()).toContain('successfully rolled out');
    expect(await enrolments()).toBe(1);
  });

  it('carries kubectl to the API server of its pod', async () => {
    await done('assignments', 'add', 'dev@clustral.local', 'pods', 'k8s-viewer');
    expect((await dev.clustral('kube', 'login', 'pods')).code).toBe(0);
    const { code, stdout, stderr } = await podsSeenBy(dev, 'pods');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^pod\/clustral-agent-/m);
    const entry = kubernetes.auditLog().findLast(({ impersonatedUser }) => impersonatedUser !== undefined);
    expect(entry?.impersonatedUser).toMatchObject({ username: 'dev@clustral.local' });
  });

  it.each([
    ['yes', ['impersonate', 'users/anybody@example.test']],
    ['yes', ['impersonate', 'groups/clustral:viewers']],
    ['no', ['impersonate', 'groups/system:masters']],
    ['no', ['impersonate', 'serviceaccounts/kube-system:default']],
    ['yes', ['get', 'secrets/clustral-agent-credentials', '-n', 'clustral']],
    ['yes', ['update', 'secrets/clustral-agent-credentials', '-n', 'clustral']],
    ['no', ['get', 'secrets/clustral-agent-config', '-n', 'clustral']],
    ['no', ['list', 'secrets', '-n', 'clustral']],
    ['no', ['create', 'secrets', '-n', 'clustral']],
    ['no', ['get', 'secrets/clustral-agent-credentials', '-n', 'default']],
    ['no', ['list', 'pods', '-A']],
    ['no', ['*', '*']],
  ])('SC-05 is answered %s when it asks whether it may %j', (answer, question) => {
    expect(canI(...question)).toBe(answer);
  });

  it('SC-05 cannot act for a group that is not in its role: the cluster itself refuses', async () => {
    await done('assignments', 'add', 'admin@clustral.local', 'pods', 'k8s-admin');
    expect((await admin.clustral('kube', 'login', 'pods')).code).toBe(0);
    // Without discovery first, of whose refusals kubectl shows no more than that there was one.
    const raw = ['--context', 'clustral-pods', 'get', '--raw', '/api/v1/namespaces/clustral/pods'];
    const { code, stderr } = await admin.kubectl(newest, raw);
    expect(code).not.toBe(0);
    expect(stderr).toContain(`groups "system:masters" is forbidden: User "${account}" cannot impersonate`);
  });

  it('SC-05 is back without a token when its pod was deleted, also when the token is gone', async () => {
    const removal = '[{"op":"remove","path":"/data/bootstrap-token"}]';
    inNamespace('patch', 'secret', 'clustral-agent-config', '--type=json', '-p', removal);
    const before = inNamespace('get', 'pods', '-o', 'name');
    inNamespace('delete', 'pods', '--all', '--wait=true');
    rolledOut();
    expect(inNamespace('get', 'pods', '-o', 'name')).not.toBe(before);
    const { code, stderr } = await podsSeenBy(dev, 'pods');
    expect(code, stderr).toBe(0);
    expect(await enrolments()).toBe(1);
  });

  it('keeps its identity when the manifests are applied again', () => {
    const kept = (): string => inNamespace('get', 'secret', 'clustral-agent-credentials', '-o', 'jsonpath={.data}');
    const before = kept();
    expect(Object.keys(JSON.parse(before) as object)).toContain('certificate.pem');
    inNamespace('apply', '-f', manifestFolder);
    expect(kept()).toBe(before);
  });

  it('serves on while one of two pods goes', async () => {
    inNamespace('scale', 'deployment/clustral-agent', '--replicas=2');
    rolledOut();
    const [first = ''] = inNamespace('get', 'pods', '-o', 'name').trim().split('\n');
    const command = ['--kubeconfig', kubernetes.adminKubeconfig, '-n', 'clustral', 'delete', first, '--wait=true'];
    const going = admin.startKubectl(newest, command);
    const answers: Finished[] = [];
    do answers.push(await podsSeenBy(dev, 'pods'));
    while (going.child.exitCode === null);
    expect((await going.exited).code).toBe(0);
    expect(answers.filter(({ code }) => code !== 0).map(({ stderr }) => stderr)).toEqual([]);
    rolledOut();
  });

  it('takes little memory', async () => {
    const used = (): readonly number[] =>
      [
        ...direct('get', '--raw', '/api/v1/nodes/node-1/proxy/metrics/resource').matchAll(
          /^container_memory_working_set_bytes\{container="agent",.*\} (\S+)/gm,
        ),
      ].map(([, bytes]) => Number(bytes));
    await until(() => used().length === 2, { limitMs: 60_000, what: () => 'the memory of both pods' });
    const shown = used().map((bytes) => `${Math.round(bytes / 1e6)} MB`);
    console.log(`memory of the agents: ${shown.join(', ')}`);
    for (const bytes of used()) expect(bytes).toBeLessThan(128e6);
  });

  it('comes by Helm too, in two pods that share one enrolment', async () => {
    const chart = await register('chart');
    direct('create', 'namespace', 'by-helm');
    direct('-n', 'by-helm', 'create', 'secret', 'generic', 'mine', `--from-literal=bootstrap-token=${chart.token}`);
    const values = [
      'existingSecret=mine',
      'replicas=2',
      'impersonation.groups={clustral:viewers,system:masters}',
      `clusterId=${chart.id}`,
      `controlPlaneUrl=${chart.url}`,
      `networkPolicy.controlPlanePorts={${product.ports.tunnel}}`,
    ].flatMap((value) => ['--set', value]);
    const release = ['clustral-agent', agentChart, '-n', 'by-helm', '--wait', '--timeout', '90s', ...values];
    as(helm('1.35'), ['install', ...release]);
    await done('assignments', 'add', 'admin@clustral.local', 'chart', 'k8s-admin');
    expect((await admin.clustral('kube', 'login', 'chart')).code).toBe(0);
    const { code, stdout, stderr } = await podsSeenBy(admin, 'chart');
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('pod/clustral-agent-');
    as(helm('1.35'), ['upgrade', ...release, '--set', 'logLevel=debug']);
    expect((await podsSeenBy(admin, 'chart')).code).toBe(0);
    const printed = await done('audit', '-o', 'json', '--code', 'CCL007I', '--resource', chart.id);
    expect((JSON.parse(printed) as { events: readonly unknown[] }).events).toHaveLength(1);
  });
});
