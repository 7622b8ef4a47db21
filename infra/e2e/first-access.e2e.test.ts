/** The walk of a newcomer with real kubectl: start, sign in, use a cluster that has no inbound path, be refused, and find every step in the audit. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectl, type KubectlVersion } from './parts/kubectl.ts';
import {
  adminApi,
  newPerson,
  newPlace,
  startProduct,
  until,
  type Finished,
  type Person,
  type Product,
} from './parts/product.ts';

const versions: readonly KubectlVersion[] = ['1.27', '1.31', '1.35'];
const newest = kubectl('1.35');

type AuditEvent = {
  readonly code: string;
  readonly event: string;
  readonly user: string;
  readonly clusterName: string;
  readonly correlationId: string;
  readonly message: string;
  readonly metadata: Record<string, unknown>;
};

let product: Product;
let admin: Person;
let dev: Person;

beforeAll(async () => {
  product = await startProduct(await newPlace());
  admin = newPerson();
  dev = newPerson();
});

afterAll(async () => {
  await product?.stop();
  for (const person of [admin, dev]) person?.remove();
});

async function audit(...filters: readonly string[]): Promise<readonly AuditEvent[]> {
  const { stdout, stderr, code } = await admin.clustral('audit', '-o', 'json', '--limit', '1000', ...filters);
  expect(code, stderr).toBe(0);
  return (JSON.parse(stdout) as { events: AuditEvent[] }).events;
}

describe('an administrator', () => {
  it('signs in and is told what to do next', async () => {
    const { code, stderr } = await admin.signIn(product, 'admin');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('Signed in to');
    expect(stderr).toContain('admin@clustral.local');
    expect((await admin.clustral('whoami')).stdout).toContain('admin@clustral.local');
  });

  it('gets a context for the demo cluster', async () => {
    const { code, stderr } = await admin.clustral('kube', 'login', 'demo');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('clustral-demo');
  });

  describe.each(versions)('with kubectl %s', (version) => {
    const binary = kubectl(version);
    const name = `made-by-${version.replace('.', '-')}`;

    it('lists namespaces and pods', async () => {
      const namespaces = await admin.kubectl(binary, ['get', 'ns', '-o', 'name']);
      expect(namespaces.code, namespaces.stderr).toBe(0);
      expect(namespaces.stdout).toContain('namespace/default');
      const pods = await admin.kubectl(binary, ['get', 'pods', '-A']);
      expect(pods.stdout).toContain('Running');
    });

    it('creates, reads and deletes a configmap', async () => {
      const created = await admin.kubectl(binary, ['create', 'configmap', name, '--from-literal=a=b']);
      expect(created.stderr).toBe('');
      expect(created.stdout).toBe(`configmap/${name} created\n`);
      expect((await admin.kubectl(binary, ['get', 'configmap', name, '-o', 'jsonpath={.data.a}'])).stdout).toBe('b');
      expect((await admin.kubectl(binary, ['delete', 'configmap', name])).stdout).toContain('deleted');
      expect((await admin.kubectl(binary, ['get', 'configmap', name])).stderr).toContain('NotFound');
    });

    it('applies a manifest twice', async () => {
      const manifest = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: default\ndata:\n  step: "STEP"\n`;
      expect((await admin.kubectl(binary, ['apply', '-f', '-'], manifest.replace('STEP', 'one'))).stdout).toBe(
        `configmap/${name} created\n`,
      );
      expect((await admin.kubectl(binary, ['apply', '-f', '-'], manifest.replace('STEP', 'two'))).stdout).toBe(
        `configmap/${name} configured\n`,
      );
      expect((await admin.kubectl(binary, ['get', 'cm', name, '-o', 'jsonpath={.data.step}'])).stdout).toBe('two');
    });

    it('follows a log', async () => {
      const [pod = ''] = (await admin.kubectl(binary, ['-n', 'demo', 'get', 'pods', '-o', 'name'])).stdout.split('\n');
      const following = admin.startKubectl(binary, ['-n', 'demo', 'logs', '-f', '--tail=1', pod]);
      await until(() => following.stdout().split('\n').length > 3, {
        limitMs: 20_000,
        what: () => `three log lines: ${following.stdout()} ${following.stderr()}`,
      });
      following.kill();
    });

    it('watches pods come and go', async () => {
      const watching = admin.startKubectl(binary, ['get', 'configmaps', '-w', '-o', 'name']);
      await until(() => watching.stdout() !== '', {
        limitMs: 20_000,
        what: () => `the first line of the watch: ${watching.stderr()}`,
      });
      await admin.kubectl(binary, ['create', 'configmap', `${name}-watched`]);
      await until(() => watching.stdout().includes(`${name}-watched`), {
        limitMs: 10_000,
        what: () => `the new object in the watch: ${watching.stdout()}`,
      });
      watching.kill();
    });
  });
});

describe('a developer without a role', () => {
  it('signs in, gets a context and a warning', async () => {
    expect((await dev.signIn(product, 'dev')).code).toBe(0);
    const { code, stderr } = await dev.clustral('kube', 'login', 'demo');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('no role on this cluster');
  });

  it.each(versions)('is refused by a sentence that kubectl %s prints once and verbatim', async (version) => {
    for (const args of [
      ['get', 'pods'],
      ['get', 'ns'],
      ['create', 'configmap', 'x'],
      ['logs', 'x'],
      ['delete', 'pod', 'x'],
    ]) {
      const { code, stderr } = await dev.kubectl(kubectl(version), args);
      expect(code, args.join(' ')).not.toBe(0);
      expect(
        stderr.match(/dev@clustral\.local has no active role on cluster 'demo'/g)?.length,
        `${args.join(' ')}: ${stderr}`,
      ).toBe(1);
    }
  });

  it('may not administer', async () => {
    const { code, stderr } = await dev.clustral('roles', 'create', 'mine', '--group', 'system:masters');
    expect(code).toBe(5);
    expect(stderr).toContain('FORBIDDEN');
  });
});

describe('an assignment', () => {
  it('lets the developer read at the next call and write nothing', async () => {
    const added = await admin.clustral('assignments', 'add', 'dev@clustral.local', 'demo', 'k8s-viewer');
    expect(added.code, added.stderr).toBe(0);
    expect((await dev.kubectl(newest, ['get', 'pods', '-A'])).stdout).toContain('Running');
    const refused = await dev.kubectl(newest, ['create', 'configmap', 'x']);
    expect(refused.stderr).toContain('User "dev@clustral.local" cannot create resource "configmaps"');
  });

  it('ends an open watch within 5 s of its removal, and refuses the next call', async () => {
    const watching = dev.startKubectl(newest, ['get', 'pods', '-A', '-w']);
    await until(() => watching.stdout().includes('Running'), {
      limitMs: 20_000,
      what: () => `the watch: ${watching.stderr()}`,
    });
    const removed = await admin.clustral('assignments', 'remove', 'dev@clustral.local', 'demo');
    expect(removed.code, removed.stderr).toBe(0);
    const next = dev.kubectl(newest, ['get', 'pods']);
    const begun = performance.now();
    await watching.exited;
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect((await next).stderr).toContain('has no active role');
  });
});

describe('a revoked credential', () => {
  it('is refused at the next call, in the words of the server', async () => {
    const file = join(dev.home, 'embedded.kubeconfig');
    await admin.clustral('assignments', 'add', 'dev@clustral.local', 'demo', 'k8s-viewer');
    const login = await dev.clustral('kube', 'login', 'demo', '--embed-token', '--kubeconfig', file);
    expect(login.code, login.stderr).toBe(0);
    const withToken = (): Promise<Finished> => dev.kubectl(newest, ['--kubeconfig', file, 'get', 'ns']);
    expect((await withToken()).stdout).toContain('default');
    const logout = await dev.clustral('kube', 'logout', 'demo');
    expect(logout.code, logout.stderr).toBe(0);
    const refused = await withToken();
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('You must be logged in to the server');
  });
});

describe('a revoked agent', () => {
  it('is gone within a second, says why, and comes back with a new bootstrap token', async () => {
    const { clusters } = JSON.parse((await admin.clustral('clusters', 'list', '-o', 'json')).stdout) as {
      clusters: { id: string }[];
    };
    const id = clusters[0]?.id ?? '';
    const api = adminApi(product, admin);
    await api('POST', `/api/v1/clusters/${id}/revoke`);
    const begun = performance.now();
    const refused = await admin.kubectl(newest, ['get', 'ns']);
    expect(refused.stderr).toContain("agent of cluster 'demo'");
    expect(performance.now() - begun).toBeLessThan(5_000);
    const { bootstrapToken } = await api('POST', `/api/v1/clusters/${id}/bootstrap-token`);
    writeFileSync(join(product.dataFolder, 'agent/bootstrap-token'), String(bootstrapToken));
    await until(async () => (await admin.kubectl(newest, ['get', 'ns'])).code === 0, {
      limitMs: 60_000,
      what: () => 'the agent to enrol again',
    });
  });
});

describe('the audit', () => {
  it('lists each step with code, actor, cluster and correlation id', async () => {
    await until(async () => (await audit('--code', 'CPR002W')).length > 0, {
      limitMs: 10_000,
      what: () => 'a refused request in the audit',
    });
    const events = await audit();
    const codes = new Set(events.map(({ code }) => code));
    for (const code of [
      'CUA001I',
      'CUA002I',
      'CUA003I',
      'CCR001I',
      'CCR002I',
      'CCL001I',
      'CCL002I',
      'CCL007I',
      'CRL001I',
      'CPR001I',
      'CPR002W',
      'CSY001W',
    ])
      expect(codes, code).toContain(code);
    const written = events.filter(({ code, message }) => code === 'CPR001I' && /configmaps\/made-by/.test(message));
    expect(written.length).toBeGreaterThan(0);
    for (const event of written) {
      expect(event.user).toBe('admin@clustral.local');
      expect(event.clusterName).toBe('demo');
      expect(event.correlationId).not.toBe('');
    }
    const denied = events.filter(({ code }) => code === 'CPR002W');
    expect(denied.every(({ clusterName }) => clusterName === 'demo')).toBe(true);
    expect(denied.some(({ user }) => user === 'dev@clustral.local')).toBe(true);
  });
});
