/** A whole gateway for tests: real sockets, a real provider, recording services behind it, real keys. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controlPlaneIssuer, kubeconfigAudience } from '@clustral/schemas/tokens.ts';
import { createSigner } from '@clustral/kernel/jwt.ts';
import { createLog, type Log } from '@clustral/kernel/log.ts';
import { start } from '../main.ts';
import { startTestProvider, type TestProvider } from './identity-provider.ts';
import { startRecorder, type Recorder } from './recorder.ts';

export type PemPair = { readonly privateKeyPem: string; readonly publicKeyPem: string };

export type TestGateway = {
  readonly port: number;
  readonly url: string;
  readonly provider: TestProvider;
  readonly controlPlane: Recorder;
  readonly audit: Recorder;
  readonly web: Recorder;
  readonly internalKeys: PemPair;
  readonly kubeconfigKeys: PemPair;
  /** A kubeconfig token for cluster `c1`, with the given claims changed. */
  kubeconfigToken(claims?: Record<string, unknown>): Promise<string>;
  stop(): Promise<void>;
};

export const c1 = '0a6f4f2e-8f4e-4a75-9a55-2b1f3f6c7d01';

export function makeEs256Pair(): PemPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/** Starts all of it and waits until the gateway is ready. `variables` are added to its environment. */
export async function startTestGateway(variables: Record<string, string> = {}, log?: Log): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-test-'));
  const [internalKeys, kubeconfigKeys] = [makeEs256Pair(), makeEs256Pair()];
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
  const running = await start(
    {
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
      ...variables,
    },
    log ?? createLog('gateway', 'silent'),
  );
  const gateway: TestGateway = {
    port: running.port,
    url: `http://127.0.0.1:${running.port}`,
    provider,
    controlPlane,
    audit,
    web,
    internalKeys,
    kubeconfigKeys,
    kubeconfigToken: (claims) => signKubeconfigToken(kubeconfigKeys, claims),
    stop: async () => {
      await running.stop();
      await Promise.all([provider, controlPlane, audit, web].map((part) => part.stop()));
      rmSync(folder, { recursive: true });
    },
  };
  await eventually(async () => (await fetch(`${gateway.url}/healthz/ready`)).status === 200);
  return gateway;
}

export async function signKubeconfigToken(keys: PemPair, claims: Record<string, unknown> = {}): Promise<string> {
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
    const patience = setTimeout(() => socket.destroy(), options.endAfterMs ?? 3_000);
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
