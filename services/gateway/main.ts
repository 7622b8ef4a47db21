/**
 * The gateway: the only public HTTP port. It recognises callers, limits them, and sends them on to the service their path
 * belongs to; it decides nothing about access and keeps nothing on disk.
 */
import type { AddressInfo } from 'node:net';
import { Agent, Pool } from 'undici';
import {
  controlPlaneIssuer,
  internalTokenHeader,
  kubeconfigAudience,
  type KubeconfigClaims,
} from '@clustral/schemas/tokens.ts';
import type { Environment } from '@clustral/kernel/config.ts';
import { createVerifier } from '@clustral/kernel/jwt.ts';
import { publicKeysIn, signingKeyIn } from '@clustral/kernel/keys.ts';
import { runProcess, type Running } from '@clustral/kernel/lifecycle.ts';
import { createLog, type Log } from '@clustral/kernel/log.ts';
import { accessLogBeside } from './access-log.ts';
import { createAuthenticator, type Authenticator } from './authenticate.ts';
import { readGatewayConfig, type GatewayConfig } from './config.ts';
import { createIdentity, type Identity } from './identity.ts';
import { createInternalTokens, type InternalTokens } from './internal-tokens.ts';
import { createOidcTokens } from './oidc-token.ts';
import { createKubectlProxy } from './proxy.ts';
import { createRateLimits } from './rate-limit.ts';
import { createRefusalReporter, refusalsPath, type RefusalBatch } from './refusals.ts';
import { buildGatewayServer } from './server.ts';
import { createAddressOf } from './source-address.ts';
import { usualDeadlines } from './surfaces.ts';

/** How long requests under way may take to end when the gateway is told to stop. */
const stopGraceMs = 3_000;

/** Starts the gateway; it listens when this resolves, and is ready when the identity provider's keys are known. */
export async function start(
  environment: Environment,
  log: Log,
  deadlines = usualDeadlines,
): Promise<Running & { readonly port: number }> {
  const config = readGatewayConfig(environment);
  const { dispatcher, pool, upgradePool } = connectionsOf(config);
  const identity = createIdentity(config.issuers, { dispatcher, log, monotonicMs: () => performance.now() });
  const signingKeys = await signingKeyIn(config.internalKeys, { algorithm: 'ES256', log });
  const internalTokens = await createInternalTokens({ signingKeys, now: () => Date.now() });
  const { docsBaseUrl, publicUrl, upstreams, tls } = config;
  const shared = {
    authenticator: await authenticatorOf(config, { identity, internalTokens, log }),
    limits: createRateLimits(config.proxyLimits),
    addressOf: createAddressOf(config.trustedProxies),
    accessLog: accessLogBeside(log),
    docsBaseUrl,
    log,
  };
  const refusals = createRefusalReporter({ send: refusalSender(pool, internalTokens), log });
  let stopping = false;
  const notReady = async (): Promise<string | undefined> =>
    stopping ? 'the gateway is stopping' : identity.notReady();
  const proxy = createKubectlProxy({ ...shared, pool, upgradePool, refusals, now: () => new Date() });
  const server = await buildGatewayServer({
    ...shared,
    dispatcher,
    upstreams,
    publicUrl,
    tls,
    notReady,
    proxy,
    deadlines,
  });
  identity.start();
  await server.listen({ host: config.listenHost, port: config.port });
  const { port } = server.server.address() as AddressInfo;
  log.info({ port, tls: tls !== undefined }, 'listening');
  return {
    port,
    async stop() {
      stopping = true;
      proxy.refuseNew();
      identity.stop();
      // What still runs then is a watch, an upload or a session: its connection is cut, and the client knows what to do.
      const cut = setTimeout(() => {
        server.server.closeAllConnections();
        proxy.endUpgraded();
      }, stopGraceMs);
      await server.close();
      clearTimeout(cut);
      await refusals.stop();
      await Promise.all([pool.destroy(), upgradePool.destroy(), dispatcher.destroy()]);
      shared.accessLog.flush();
    },
  };
}

type Connections = { readonly dispatcher: Agent; readonly pool: Pool; readonly upgradePool: Pool };

/** `dispatcher` is for identity providers and the services behind, the others are for the kubectl path. */
function connectionsOf({ trustedCas, upstreams }: GatewayConfig): Connections {
  const connect = { timeout: 5_000, ...(trustedCas && { ca: [...trustedCas] }) };
  return {
    dispatcher: new Agent({ headersTimeout: 65_000, bodyTimeout: 120_000, connect }),
    // No head or body timeout: a watch may be silent for hours (D5). Kept shorter than the control plane keeps a connection.
    pool: new Pool(upstreams.controlPlane, { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 30_000, connect }),
    upgradePool: new Pool(upstreams.controlPlane, { connect: { ...connect, allowHalfOpen: true } }),
  };
}

async function authenticatorOf(
  config: GatewayConfig,
  { identity, internalTokens, log }: { identity: Identity; internalTokens: InternalTokens; log: Log },
): Promise<Authenticator> {
  const now = (): number => Date.now();
  return createAuthenticator({
    oidc: createOidcTokens({ ...config.claimPlaces, audiences: config.audiences, issuers: identity.issuers, now }),
    kubeconfig: await createVerifier<KubeconfigClaims>({
      publicKeys: await publicKeysIn(config.kubeconfigPublicKeysPath, { algorithm: 'ES256', log }),
      algorithm: 'ES256',
      issuer: controlPlaneIssuer,
      audience: kubeconfigAudience,
      kinds: ['kubeconfig'],
      now,
    }),
    internalTokens,
    keyGeneration: () => identity.generation(),
    publicOrigin: config.publicUrl.origin,
    now,
  });
}

function refusalSender(pool: Pool, internalTokens: InternalTokens): (batch: RefusalBatch) => Promise<boolean> {
  return async (batch) => {
    const answer = await pool.request({
      path: refusalsPath,
      method: 'POST',
      headers: { 'content-type': 'application/json', [internalTokenHeader]: await internalTokens.forGateway() },
      body: JSON.stringify(batch),
      signal: AbortSignal.timeout(5_000),
    });
    await answer.body.dump();
    if (answer.statusCode < 300) return true;
    // A batch that is not understood today will not be tomorrow; everything else is worth another try.
    if (answer.statusCode === 400 || answer.statusCode === 413 || answer.statusCode === 422) return false;
    throw new Error(`the control plane answered ${answer.statusCode} to ${refusalsPath}`);
  };
}

if (import.meta.main) {
  const log = createLog('gateway', process.env['LOG_LEVEL']);
  await runProcess(log, () => start(process.env, log));
}
