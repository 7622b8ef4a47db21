/** A whole gateway for tests: real sockets, a real provider, recording services behind it, real keys. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controlPlaneIssuer, kubeconfigAudience } from '@clustral/schemas/tokens.ts';
import { createSigner } from '@clustral/kernel/jwt.ts';
import { createLog } from '@clustral/kernel/log.ts';
import { createKeyPair, type KeyPair } from '@clustral/kernel/x509.ts';
import { start } from '../main.ts';
import { startTestProvider, type TestProvider } from './identity-provider.ts';
import { startRecorder, type Recorder } from './recorder.ts';

/** Everything around a gateway, and the environment that makes one part of it. */
export type Surroundings = {
  readonly environment: Readonly<Record<string, string>>;
  readonly provider: TestProvider;
  readonly controlPlane: Recorder;
  readonly audit: Recorder;
  readonly web: Recorder;
  readonly internalKeys: KeyPair;
  readonly kubeconfigKeys: KeyPair;
  /** A kubeconfig token for cluster `c1`, with the given claims changed. */
  kubeconfigToken(claims?: Record<string, unknown>): Promise<string>;
  stop(): Promise<void>;
};

export type TestGateway = Surroundings & { readonly port: number; readonly url: string };

export const c1 = '0a6f4f2e-8f4e-4a75-9a55-2b1f3f6c7d01';

/** Starts what a gateway needs around it. */
export async function startSurroundings(): Promise<Surroundings> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-test-'));
  const [internalKeys, kubeconfigKeys] = [await createKeyPair('P-256'), await createKeyPair('P-256')];
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const provider = await startTestProvider();
  const [controlPlane, audit, web] = [
    await startRecorder('control-plane'),
    await startRecorder('audit'),
    await startRecorder('web'),
  ];
  return {
    environment: {
      CLUSTRAL_ENV: 'embedded',
      PORT: '0',
      PUBLIC_URL: 'https://clustral.example:8443',
      CONTROLPLANE_URL: controlPlane.url,
      AUDIT_SERVICE_URL: audit.url,
      WEB_URL: web.url,
      OIDC_AUTHORITY: provider.authority,
      OIDC_METADATA_ADDRESS: provider.metadataAddress,
      OIDC_REQUIRE_HTTPS: 'false',
      INTERNAL_JWT_PRIVATE_KEY_PATH: file('internal.key', internalKeys.privateKeyPem),
      INTERNAL_JWT_PUBLIC_KEY_PATH: file('internal.pub', internalKeys.publicKeyPem),
      KUBECONFIG_JWT_PUBLIC_KEY_PATH: file('kubeconfig.pub', kubeconfigKeys.publicKeyPem),
    },
    provider,
    controlPlane,
    audit,
    web,
    internalKeys,
    kubeconfigKeys,
    kubeconfigToken: (claims) => signKubeconfigToken(kubeconfigKeys, claims),
    stop: async () => {
      await Promise.all([provider, controlPlane, audit, web].map((part) => part.stop()));
      rmSync(folder, { recursive: true });
    },
  };
}

/**
 * Starts all of it and waits until the gateway is ready. `variables` are added to its environment; `prepare` changes what is
 * around it before it starts.
 */
export async function startTestGateway(
  variables: Record<string, string> = {},
  prepare: (around: Surroundings) => Promise<void> = () => Promise.resolve(),
): Promise<TestGateway> {
  const surroundings = await startSurroundings();
  await prepare(surroundings);
  const running = await start({ ...surroundings.environment, ...variables }, createLog('gateway', 'silent'));
  const url = `http://127.0.0.1:${running.port}`;
  if (variables['TLS_CERT_PATH'] === undefined) {
    await eventually(async () => (await fetch(`${url}/healthz/ready`)).status === 200);
  }
  return {
    ...surroundings,
    port: running.port,
    url,
    stop: async () => {
      await running.stop();
      await surroundings.stop();
    },
  };
}

export type Ask = (
  path: string,
  token?: string,
  init?: { method?: string; body?: string; headers?: Record<string, string> },
) => Promise<Response>;

/** A client whose calls come from an address each, so that many failures are not one stranger's. */
export function askerOf(gateway: TestGateway): Ask {
  let callers = 0;
  return (path, token, init = {}) => {
    callers += 1;
    const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const from = { 'x-forwarded-for': `203.0.${callers >> 8}.${callers & 255}` };
    return fetch(`${gateway.url}${path}`, { ...init, headers: { ...authorization, ...from, ...init.headers } });
  };
}

export async function signKubeconfigToken(keys: KeyPair, claims: Record<string, unknown> = {}): Promise<string> {
  const signer = await createSigner({
    ...keys,
    algorithm: 'ES256',
    issuer: controlPlaneIssuer,
    audience: kubeconfigAudience,
  });
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    kind: 'kubeconfig',
    sub: 'user-1',
    cluster_id: c1,
    jti: 'credential-1',
    iat: now,
    exp: now + 600,
    ...claims,
  };
  return signer.sign(payload as { iat: number; exp: number });
}

/** Waits until a condition holds; throws after `deadlineMs`. */
export async function eventually(holds: () => boolean | Promise<boolean>, deadlineMs = 5_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`it did not come true within ${deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Sends bytes (one char per byte) on a connection of its own and gives what came back until it was closed, as text. */
export function sendRaw(port: number, bytes: string, options: { readonly endAfterMs?: number } = {}): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')));
    const patience = setTimeout(() => socket.destroy(), options.endAfterMs ?? 10_000);
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(patience);
      resolve(answer);
    });
  });
}

/** The status of a raw answer; 0 when there was none. */
export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
