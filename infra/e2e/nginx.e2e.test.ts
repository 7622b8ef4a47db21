/** The product behind a real nginx with the configuration that users are given: kubectl works through it, however long it is quiet. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../standalone/ports.ts';
import { startComposedProduct, type ComposedProduct } from './parts/composed-product.ts';
import { kubectl } from './parts/kubectl.ts';
import { missingForNginx, shortDefaults, startNginx, type Nginx } from './parts/nginx.ts';
import { newPerson, newPlace, until, type Person } from './parts/product.ts';

const missing = missingForNginx();
if (missing !== undefined) console.log(`not run: nginx in front; missing: ${missing}`);

describe.skipIf(missing !== undefined)('kubectl through nginx', () => {
  const binary = kubectl('1.35');
  let product: ComposedProduct;
  let nginx: Nginx;
  let admin: Person;

  beforeAll(async () => {
    const place = await newPlace();
    const [gatewayPort = 0] = await freePorts(1);
    product = await startComposedProduct(place, {
      before: async ({ ports, at }) => {
        nginx = await startNginx({
          port: place.gateway,
          gatewayPort,
          webPort: ports.web,
          certificatePath: at.edgeCertificate,
          keyPath: at.edgeKey,
          defaults: shortDefaults,
          locations: 'location /realms/ { proxy_pass http://clustral_gateway; }',
        });
      },
      compose: (parts) => {
        const { TLS_CERT_PATH: _cert, TLS_KEY_PATH: _key, ...gateway } = parts.gateway ?? {};
        return { ...parts, gateway: { ...gateway, PORT: String(gatewayPort) } };
      },
    });
    admin = newPerson();
    const signedIn = await admin.signIn(product, 'admin');
    expect(signedIn.code, signedIn.stderr).toBe(0);
    const login = await admin.clustral('kube', 'login', 'demo');
    expect(login.code, login.stderr).toBe(0);
  });
  afterAll(async () => {
    await nginx?.stop();
    await product?.stop();
    admin?.remove();
  });

  it('gets, creates and deletes', async () => {
    const got = await admin.kubectl(binary, ['get', 'ns', '-o', 'name']);
    expect(got.code, got.stderr).toBe(0);
    expect(got.stdout).toContain('namespace/default');
    expect((await admin.kubectl(binary, ['create', 'configmap', 'edge'])).stdout).toContain('created');
    expect((await admin.kubectl(binary, ['delete', 'configmap', 'edge'])).stdout).toContain('deleted');
  });

  it('sees in a watch that was quiet for long what happens then, also across a reload of nginx', async () => {
    const watching = admin.startKubectl(binary, ['get', 'configmaps', '-w', '-o', 'name']);
    await until(() => watching.stdout() !== '', { limitMs: 20_000, what: () => `a first line: ${watching.stderr()}` });
    nginx.reload();
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await admin.kubectl(binary, ['create', 'configmap', 'after-the-quiet']);
    await until(() => watching.stdout().includes('after-the-quiet'), {
      limitMs: 10_000,
      what: () => `the new object in the watch: ${watching.stdout()} ${watching.stderr()}`,
    });
    watching.kill();
  });

  it.each([
    ['a WebSocket', {}],
    ['SPDY', { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false' }],
  ])('runs a command in a pod over %s, and its bytes arrive', async (_what, env) => {
    const [pod = ''] = (await admin.kubectl(binary, ['-n', 'demo', 'get', 'pods', '-o', 'name'])).stdout.split('\n');
    const args = ['-n', 'demo', 'exec', '-i', pod, '--', 'sh', '-c', 'echo to the end; exit 7'];
    const { code, stdout, stderr } = await admin.startKubectl(binary, args, { env }).exited;
    expect(stdout, stderr).toBe('to the end\n');
    expect(code).toBe(7);
  });

  it('GW-22 is in the audit with the address that nginx saw', async () => {
    const { stdout } = await admin.clustral('audit', '-o', 'json', '--limit', '5', '--category', 'proxy');
    const { events } = JSON.parse(stdout) as { events: readonly { metadata: Record<string, unknown> }[] };
    expect(events.length).toBeGreaterThan(0);
    for (const { metadata } of events) expect(metadata['sourceAddress'] ?? '127.0.0.1').toBe('127.0.0.1');
  });
});
