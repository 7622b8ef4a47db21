/**
 * The two paths that are compared, on this machine: the product's (gateway, control plane, tunnel, agent) and one plain hop, both in front of the same API
 * stub. Every part is a process of its own, as in a real installation; only the gateway's TLS is left out, which an edge would end.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSigner } from '@clustral/kernel/jwt.ts';
import { gatewayIssuer, internalAudience, internalTokenHeader } from '@clustral/schemas/tokens.ts';
import { openDataFolder } from '../standalone/data-folder.ts';
import { environments, paths, type Ports } from '../standalone/environment.ts';
import { prepareKeys } from '../standalone/first-start.ts';
import { freePorts } from '../standalone/ports.ts';
import { prepareSeed, seededClusterId } from '../standalone/seed.ts';
import { createSupervisor } from '../standalone/supervisor.ts';

export type Stage = {
  /** Port of the gateway, and the request line with headers for it. */
  readonly product: { readonly port: number; readonly request: string };
  readonly hop: { readonly port: number; readonly request: string };
  stop(): Promise<void>;
};

const person = { issuer: 'https://bench.invalid', subject: 'bench' };

/** Builds both paths and warms nothing. Throws when a part does not start. */
export async function buildStage(): Promise<Stage> {
  const root = mkdtempSync(join(tmpdir(), 'clustral-bench-'));
  const folder = openDataFolder(join(root, 'data'));
  await prepareKeys(folder, new Date());
  folder.folder('agent');
  const at = paths(folder.path);
  const helpers: ChildProcess[] = [];
  const stub = await startHelper(helpers, 'api-stub.ts', { certificateFile: at.demoCertificate, keyFile: at.demoKey });
  const ports = await choosePorts(stub);
  const issuer = `https://localhost:${ports.gateway}/realms/clustral`;
  const seed = prepareSeed(at.seed, { issuer, bootstrapTokenFiles: { demo: at.agentBootstrapToken } });
  const demoClusterId = seededClusterId(seed, 'demo');
  const assignments = [{ ...person, cluster: 'demo', role: 'k8s-admin' }];
  writeFileSync(at.seed, JSON.stringify({ ...seed, assignments }));
  const supervisor = createSupervisor({
    logFolder: folder.folder('logs'),
    environment: process.env,
    say: () => undefined,
  });
  const parts = environments({ dataFolder: folder.path, ports, demoClusterId });
  const run = (
    name: 'event-store' | 'control-plane' | 'gateway' | 'agent',
    extra: Record<string, string | undefined> = {},
  ): Promise<void> =>
    supervisor.run({
      name,
      lasting: name === 'event-store' || name === 'control-plane',
      parts: [{ name, environment: { ...parts[name], ...extra } }],
    });
  await run('event-store');
  await run('control-plane');
  await Promise.all([
    run('agent'),
    run('gateway', { TLS_CERT_PATH: '', TLS_KEY_PATH: '', PROXY_RATE_LIMITING_ENABLED: 'false' }),
  ]);
  const token = await issueToken({ at, controlPlane: ports.controlPlane, clusterId: demoClusterId });
  const hop = await startHelper(helpers, 'hop.ts', {
    target: `https://127.0.0.1:${stub}`,
    caFile: at.demoCa,
    bearer: readFileSync(at.serviceAccountToken, 'utf8'),
  });
  return {
    product: { port: ports.gateway, request: requestText(`/api/proxy/${demoClusterId}/api/v1/namespaces`, token) },
    hop: { port: hop, request: requestText('/api/v1/namespaces', 'none') },
    async stop() {
      for (const helper of helpers) helper.kill();
      await supervisor.stop();
      folder.release();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

async function choosePorts(stub: number): Promise<Ports> {
  const [gateway = 0, tunnel = 0, controlPlane = 0, audit = 0, web = 0, identityProvider = 0] = await freePorts(6);
  return { gateway, tunnel, controlPlane, audit, web, identityProvider, demoCluster: stub };
}

const requestText = (path: string, token: string): string =>
  `GET ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\naccept: application/json\r\nuser-agent: bench\r\n\r\n`;

function startHelper(helpers: ChildProcess[], file: string, message: Record<string, string>): Promise<number> {
  const child = fork(join(import.meta.dirname, file), [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  helpers.push(child);
  child.send(message);
  return new Promise((resolve, reject) => {
    child.once('message', (answer) => resolve((answer as { port: number }).port));
    child.once('exit', () => reject(new Error(`${file} ended before it listened`)));
  });
}

type Order = { readonly at: ReturnType<typeof paths>; readonly controlPlane: number; readonly clusterId: string };

/** A kubeconfig token of a person with a role, asked for as the gateway would ask. */
async function issueToken({ at, controlPlane, clusterId }: Order): Promise<string> {
  const signer = await createSigner({
    privateKeyPem: readFileSync(at.internalPrivate, 'utf8'),
    publicKeyPem: readFileSync(at.internalPublic, 'utf8'),
    algorithm: 'ES256',
    issuer: gatewayIssuer,
    audience: internalAudience,
  });
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    kind: 'internal',
    sub: person.subject,
    issuer: person.issuer,
    email: 'bench@clustral.local',
    email_verified: true,
    roles: ['clustral-admin'],
    iat: now,
    exp: now + 30,
  };
  const call = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`http://127.0.0.1:${controlPlane}${path}`, {
      method,
      headers: { [internalTokenHeader]: await signer.sign(claims), 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as Record<string, unknown>;
  };
  const issued = await call('POST', '/api/v1/auth/kubeconfig-credential', { clusterId });
  return String(issued['token']);
}
