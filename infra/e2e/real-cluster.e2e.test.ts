/**
 * The first day's work on a real Kubernetes with real pods: streams into pods, Helm, the cluster's own audit log, and access that is asked for,
 * given and taken away. Nothing of ours is in that cluster, and it has no way in but the agent's tunnel.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanSlate } from './parts/clean-slate.ts';
import { echoedByTcp } from './parts/echo.ts';
import { helm, kubectl, type KubectlVersion } from './parts/kubectl.ts';
import { newPerson, newPlace, startProduct, until, type Person, type Product, type Running } from './parts/product.ts';
import { missingForKubernetes, startKubernetes, type RealKubernetes } from './parts/real-kubernetes.ts';
import { streamsSuite } from './parts/streams.ts';

const missing = missingForKubernetes();
if (missing !== undefined) console.log(`not run: a real Kubernetes; missing: ${missing}`);

const versions: readonly KubectlVersion[] = ['1.27', '1.31', '1.35'];
const newest = kubectl('1.35');
const parts = join(import.meta.dirname, 'parts');

type AuditEvent = {
  readonly code: string;
  readonly time: string;
  readonly resourceId: string;
  readonly message: string;
  readonly metadata: Readonly<Record<string, unknown>>;
};

type AccessRequest = { readonly id: string; readonly grantExpiresAt: string };

describe.skipIf(missing !== undefined)('a real Kubernetes', () => {
  let kubernetes: RealKubernetes;
  let product: Product;
  let admin: Person;
  let dev: Person;

  const direct = (...args: readonly string[]): string =>
    execFileSync(newest, ['--kubeconfig', kubernetes.adminKubeconfig, ...args], { encoding: 'utf8' });
  const audit = async (...filters: readonly string[]): Promise<readonly AuditEvent[]> => {
    const { stdout, stderr, code } = await admin.clustral('audit', '-o', 'json', '--limit', '1000', ...filters);
    expect(code, stderr).toBe(0);
    return (JSON.parse(stdout) as { events: AuditEvent[] }).events;
  };
  const succeed = async (person: Person, ...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await person.clustral(...words);
    expect(code, stderr).toBe(0);
    return stdout;
  };

  beforeAll(async () => {
    kubernetes = await startKubernetes();
    product = await startProduct({ ...(await newPlace()), kubeconfig: kubernetes.adminKubeconfig });
    [admin, dev] = [newPerson(), newPerson()];
    for (const [person, name] of [
      [admin, 'admin'],
      [dev, 'dev'],
    ] as const) {
      const { code, stderr } = await person.signIn(product, name);
      expect(code, stderr).toBe(0);
    }
    await until(async () => (await admin.clustral('clusters', 'list')).stdout.match(/local.*Connected/s) !== null, {
      limitMs: 30_000,
      what: () => `cluster 'local' to be connected: ${product.printed()}`,
    });
    await succeed(admin, 'kube', 'login', 'local');
    const made = await admin.kubectl(newest, ['apply', '-f', join(parts, 'web-pod.yaml')]);
    expect(made.code, made.stderr).toBe(0);
    await admin.kubectl(newest, ['wait', '--for=condition=Ready', 'pod/web', '--timeout=60s']);
  }, 1_800_000);

  afterAll(async () => {
    await product?.stop();
    await kubernetes?.stop();
    for (const person of [admin, dev]) person?.remove();
  });

  it('prints the command that lets viewers read, and writes nothing to the cluster itself', () => {
    const [, command = ''] = /kubectl --kubeconfig \S+ (create clusterrolebinding .*)/.exec(product.printed()) ?? [];
    expect(direct('get', 'clusterrolebindings', '-o', 'name')).not.toContain('clustral');
    expect(direct(...command.trim().split(' '))).toContain('created');
  });

  it.each(versions)('knows the person and their groups, as kubectl %s sees it', async (version) => {
    // kubectl 1.27 asks for a version of this API that newer clusters do not have any more.
    const review = '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}';
    const { stdout, stderr } =
      version === '1.27'
        ? await admin.kubectl(kubectl(version), ['create', '-o', 'json', '-f', '-'], review)
        : await admin.kubectl(kubectl(version), ['auth', 'whoami', '-o', 'json']);
    expect(stderr).toBe('');
    const { status } = JSON.parse(stdout) as { status: { userInfo: { username: string; groups: string[] } } };
    expect(status.userInfo.username).toBe('admin@clustral.local');
    expect(status.userInfo.groups).toEqual(expect.arrayContaining(['system:masters', 'system:authenticated']));
  });

  describe('streams into a pod', () => {
    streamsSuite(() => ({
      person: admin,
      namespace: 'default',
      pod: 'web',
      echoPort: 9000,
      echo: echoedByTcp,
      printed: /^line \d+$/m,
    }));
  });

  it('was reached by both protocols: a WebSocket begins with GET, SPDY with POST', () => {
    const verbs = (subresource: string): Set<string> =>
      new Set(
        kubernetes
          .auditLog()
          .filter(({ objectRef }) => objectRef?.subresource === subresource)
          .map(({ verb }) => verb),
      );
    for (const subresource of ['exec', 'attach', 'portforward'])
      expect(verbs(subresource), subresource).toEqual(new Set(['get', 'create']));
  });

  it('follows a log until its container ends, and the next one from its beginning', async () => {
    const following = admin.startKubectl(newest, ['logs', '-f', '--tail=1', 'web']);
    await until(() => /line \d+/.test(following.stdout()), { limitMs: 20_000, what: () => following.stderr() });
    await admin.kubectl(newest, ['exec', 'web', '--', 'touch', '/tmp/stop']);
    expect((await following.exited).code).toBe(0);
    const restarts = async (): Promise<number> => {
      const path = 'jsonpath={.status.containerStatuses[0].restartCount}';
      return Number((await admin.kubectl(newest, ['get', 'pod', 'web', '-o', path])).stdout);
    };
    await until(async () => (await restarts()) > 0, {
      limitMs: 60_000,
      what: () => 'the container to be started again',
    });
    const again = admin.startKubectl(newest, ['logs', '-f', 'web']);
    await until(() => /^line 1$/m.test(again.stdout()), { limitMs: 20_000, what: () => again.stderr() });
    again.kill();
    expect((await admin.kubectl(newest, ['logs', '--previous', '--tail=1', 'web'])).stdout).toMatch(/line \d+/);
  });

  it.each(versions)('takes a small chart by the Helm of %s: installed, upgraded, rolled back', async (version) => {
    const release = `small-${version.replace('.', '-')}`;
    const chart = join(import.meta.dirname, 'chart');
    const run = async (...words: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await admin.kubectl(helm(version), words);
      expect(code, stderr).toBe(0);
      return stdout;
    };
    const greeting = async (): Promise<string> =>
      (await admin.kubectl(newest, ['get', 'configmap', release, '-o', 'jsonpath={.data.greeting}'])).stdout;
    await run('install', release, chart, '--wait', '--timeout', '60s');
    expect(await greeting()).toBe('hello');
    await run('upgrade', release, chart, '--set', 'greeting=bye', '--wait', '--timeout', '60s');
    expect(await greeting()).toBe('bye');
    await run('rollback', release, '1', '--wait', '--timeout', '60s');
    expect(await greeting()).toBe('hello');
    await run('uninstall', release);
  });

  it("D19 leaves each request's id in the cluster's own audit log", async () => {
    await admin.kubectl(newest, ['create', 'configmap', 'joined']);
    await admin.kubectl(newest, ['exec', 'web', '--', 'true']);
    const theirs = new Set(kubernetes.auditLog().map(({ auditID }) => auditID));
    const ours = (await audit('--category', 'proxy')).filter(({ code }) => code === 'CPR001I');
    expect(ours.length).toBeGreaterThan(100);
    const absent = ours.filter(({ resourceId }) => !theirs.has(resourceId));
    expect(absent.map(({ message }) => message)).toEqual([]);
    const creating = ours.find(({ message }) => message.includes('create configmaps'));
    const entry = kubernetes.auditLog().find(({ auditID }) => auditID === creating?.resourceId);
    expect(entry).toMatchObject({ impersonatedUser: { username: 'admin@clustral.local' } });
  });

  it('issues one credential for twenty kubectl whose credential has run out', async () => {
    const issued = async () => (await audit('--code', 'CCR001I')).length;
    const before = await issued();
    letCredentialsRunOut(admin.home);
    const ended = await Promise.all(
      Array.from({ length: 20 }, () => admin.kubectl(newest, ['get', 'pod', 'web', '-o', 'name'])),
    );
    expect(ended.map(({ code, stderr }) => `${code}${stderr}`)).toEqual(ended.map(() => '0'));
    expect(await issued()).toBe(before + 1);
  });

  describe('access that is asked for', () => {
    const refusal = /has no active role on cluster 'local'/;
    let requestId: string;

    it('is not there before: one sentence says how to ask', async () => {
      await succeed(dev, 'kube', 'login', 'local');
      const { code, stderr } = await dev.kubectl(newest, ['get', 'pods']);
      expect(code).not.toBe(0);
      expect(stderr.match(new RegExp(refusal, 'g'))).toHaveLength(1);
      expect(stderr).toContain('clustral access request local');
    });

    it('waits for somebody else to decide', async () => {
      await cleanSlate(dev);
      const wish = ['--role', 'k8s-viewer', '--for', '1h', '--reason', 'a look', '-o', 'json'];
      const asked = await succeed(dev, 'access', 'request', 'local', ...wish);
      requestId = (JSON.parse(asked) as AccessRequest).id;
      const own = await dev.clustral('access', 'approve', requestId);
      expect(own.code).not.toBe(0);
      expect((await dev.kubectl(newest, ['get', 'pods'])).stderr).toMatch(refusal);
      expect(await succeed(admin, 'access', 'list')).toContain(requestId.slice(0, 8));
      await succeed(admin, 'access', 'approve', requestId);
    });

    it('reads at once, and is refused what the role does not give, in the words of the cluster', async () => {
      const read = await dev.kubectl(newest, ['get', 'pods']);
      expect(read.stdout, read.stderr).toContain('web');
      const { code, stderr } = await dev.kubectl(newest, ['exec', 'web', '--', 'ls']);
      expect(code).not.toBe(0);
      expect(stderr).toMatch(/pods "web" is forbidden: User "dev@clustral.local" cannot create resource "pods\/exec"/);
    });

    it('ends what is open within five seconds of being taken away, and refuses the next call', async () => {
      const watching = dev.startKubectl(newest, ['get', 'pods', '-w']);
      await until(() => watching.stdout().includes('web'), { limitMs: 20_000, what: () => watching.stderr() });
      const begun = performance.now();
      await succeed(admin, 'access', 'revoke', requestId, '--reason', 'enough seen');
      const after = await dev.kubectl(newest, ['get', 'pods']);
      expect(after.stderr).toMatch(refusal);
      await watching.exited;
      expect(performance.now() - begun).toBeLessThan(5_000);
    });

    const granted = async (time: string): Promise<AccessRequest> => {
      await cleanSlate(dev);
      const wish = ['--cluster', 'local', '--role', 'k8s-admin', '--for', time, '--reason', 'repair', '-o', 'json'];
      const { id } = JSON.parse(await succeed(dev, 'access', 'request', ...wish)) as AccessRequest;
      return JSON.parse(await succeed(admin, 'access', 'approve', id, '-o', 'json')) as AccessRequest;
    };
    const inside = async (): Promise<Running> => {
      const running = dev.startKubectl(newest, ['exec', '-i', 'web', '--', 'sh', '-c', 'echo in; cat'], {
        typing: true,
      });
      await until(() => running.stdout().includes('in'), { limitMs: 20_000, what: () => running.stderr() });
      return running;
    };

    it('ends an open exec within five seconds of being taken away', async () => {
      const { id } = await granted('1h');
      const running = await inside();
      const begun = performance.now();
      await succeed(admin, 'access', 'revoke', id);
      expect((await running.exited).code).not.toBe(0);
      expect(performance.now() - begun).toBeLessThan(5_000);
    });

    let expired: AccessRequest;
    it('UP-05 ends an open exec within a second of the end that was known from the beginning', async () => {
      expired = await granted('15s');
      const end = Date.parse(expired.grantExpiresAt);
      const running = await inside();
      await running.exited;
      expect(Date.now() - end).toBeGreaterThanOrEqual(0);
      expect(Date.now() - end).toBeLessThanOrEqual(1_000);
      expect((await dev.kubectl(newest, ['get', 'pods'])).stderr).toMatch(refusal);
    });

    it('is told step by step in the audit', async () => {
      const steps = async (id: string) => (await audit('--resource', id)).map(({ code }) => code).toReversed();
      expect(await steps(requestId)).toEqual(['CAR001I', 'CAR002I', 'CAR004I']);
      await until(async () => (await steps(expired.id)).join() === 'CAR001I,CAR002I,CAR005I', {
        limitMs: 20_000,
        what: () => 'the end of the grant that ran out in the audit',
      });
    });
  });
});

/** Moves the end of what the command line tool keeps for kubectl to this moment, as if the time had come. */
function letCredentialsRunOut(home: string): void {
  const profile = join(home, '.clustral/profiles/default/cache');
  const files = readdirSync(profile, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
  for (const file of files) {
    const path = join(profile, file);
    const cached = JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, unknown>>;
    writeFileSync(path, JSON.stringify({ ...cached, expiresAt: new Date().toISOString() }));
  }
}
