/**
 * The control plane: decides, carries, proxies. From top to bottom: configuration, log, lease, policy, tunnel, proxy,
 * server. It serves only once it may decide (D16, D18), and it ends when another control plane has taken over.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openReadModels } from '@clustral/projections/read-models.ts';
import { Refusal } from '@clustral/schemas/errors.ts';
import { adminServices } from '@clustral/schemas/services.ts';
import { gatewayIssuer, internalAudience, type InternalClaims } from '@clustral/schemas/tokens.ts';
import type { Implementation } from '@clustral/kernel/api.ts';
import type { Environment } from '@clustral/kernel/config.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import { closeWithin } from '@clustral/kernel/http-server.ts';
import { createVerifier, type Verifier } from '@clustral/kernel/jwt.ts';
import { publicKeysIn, tokenKeysIn, type PublicKeys } from '@clustral/kernel/keys.ts';
import { runProcess, type Running } from '@clustral/kernel/lifecycle.ts';
import { openApiDocument } from '@clustral/kernel/openapi/document.ts';
import { createLog, type Log } from '@clustral/kernel/log.ts';
import { createAgentTokens } from './agent-tokens.ts';
import { accessService } from './api/access-requests.ts';
import { makeCallerKnown } from './api/caller.ts';
import { clusterService } from './api/clusters.ts';
import { credentialService } from './api/credentials.ts';
import type { WithAgents } from './api/deps.ts';
import { registerRefusals } from './api/refusals.ts';
import { roleService } from './api/roles.ts';
import { systemService } from './api/system.ts';
import { userService } from './api/users.ts';
import { heardStore } from './api/watch/heard-store.ts';
import type { WatchDeps } from './api/watch/watch.ts';
import { Watches } from './api/watch/watches.ts';
import { createBootstrapTokens, type BootstrapTokens } from './bootstrap-tokens.ts';
import { createCertificateAuthority } from './certificate-authority.ts';
import { readControlPlaneConfig, type ControlPlaneConfig } from './config.ts';
import { startDeciding, type Deciding, type DecidingOptions } from './deciding.ts';
import { claimHolder } from './holder.ts';
import { createKubeconfigTokens } from './kubeconfig-tokens.ts';
import { startProxying } from './proxy/proxying.ts';
import { startRetention } from './retention/retention.ts';
import { plantSeed } from './seed.ts';
import { buildServer } from './server.ts';
import { createTunnel } from './tunnel/server.ts';
import { Waiting, type WaitingOptions } from './waiting.ts';

/** How long commands under way may take to end when the control plane is told to stop; proxied requests had theirs before. */
const stopGraceMs = 1_500;

const now = (): Date => new Date();
const monotonic = (): number => performance.now();

/** Starts it; resolves when it listens. Rejects with one sentence for the operator when it cannot. */
export async function start(environment: Environment, log: Log): Promise<Running & { readonly port: number }> {
  const config = readControlPlaneConfig(environment);
  await using opened = new AsyncDisposableStack();
  const folder = join(config.dataFolder, 'control-plane');
  const holder = opened.adopt(claimHolder(folder), (held) => held.release());
  const { store: eventStore, ...appends } = heardStore(connectEventStore({ connectionString: config.eventStore, log }));
  opened.defer(() => eventStore.close());
  const models = await openReadModels(config.readModels);
  opened.defer(() => models.close());

  const authority = createCertificateAuthority({ ...config.certificateAuthority, now });
  const deciding = await decidingOf(config, { eventStore, holder: holder.id, authority, log });
  opened.defer(() => deciding.stop());
  // Nobody catches it: the process must not live on (D18).
  void deciding.lost.then((sentence) => {
    throw new Error(sentence);
  });
  const { policy, commands, epoch } = deciding;

  const bootstrapTokens = bootstrapTokensOf(config, authority.pin);
  if (config.seedPath !== undefined) await plantSeed(config.seedPath, { policy, commands, bootstrapTokens, now });

  const shared = { policy, commands, epoch, now, monotonic, log, docsBaseUrl: config.docsBaseUrl };
  const agentKeys = await tokenKeysIn(config.agentKeys, { algorithm: 'RS256', log });
  const tokens = await createAgentTokens({ ...agentKeys, now });
  const tunnel = await createTunnel({
    ...shared,
    ...config.tunnel,
    clusters: () => policy.allClusters(),
    authority,
    tokens,
  });
  opened.defer(() => tunnel.stop());

  const internalKeys = await publicKeysIn(config.internalPublicKeysPath, { algorithm: 'ES256', log });
  const verifier = await internalVerifier(internalKeys, 'internal');
  const proxying = await startProxying({
    ...shared,
    verifier,
    agents: tunnel,
    store: eventStore,
    folder,
    headTimeoutMs: config.headTimeoutMs,
  });
  const retention = startRetention({
    ...shared,
    store: eventStore,
    keepSeconds: config.keepProxiedSeconds,
    ...proxying,
  });
  opened.defer(() => retention.stop());
  const watches = new Watches({ ...shared, appends });
  let stopping = false;
  const app = await buildServer({
    api: {
      verifier,
      docsBaseUrl: config.docsBaseUrl,
      log,
      before: makeCallerKnown({ ...shared, nameRule: config.nameRule }),
    },
    implementations: await services(config, { ...shared, models, agents: tunnel, watches }, bootstrapTokens),
    proxy: proxying,
    notReady: () => Promise.resolve(stopping ? 'stopping' : notReady(deciding)),
  });
  registerRefusals(app, { verifier: await internalVerifier(internalKeys, 'service'), ...proxying, policy, now });
  opened.defer(async () => {
    stopping = true;
    watches.stop();
    await proxying.stop();
    await closeWithin(app, stopGraceMs);
  });
  await app.listen({ host: config.listenHost, port: config.port });
  const running = opened.move();
  return { port: (app.server.address() as AddressInfo).port, stop: () => running.disposeAsync() };
}

type DecidingParts = Pick<DecidingOptions, 'eventStore' | 'holder' | 'log'> & Pick<WaitingOptions, 'authority'>;

/** Until it is this one's turn, what waits listens in its place (D18). */
async function decidingOf(config: ControlPlaneConfig, { authority, ...parts }: DecidingParts): Promise<Deciding> {
  const waiting = new Waiting({ ...config, authority, now, monotonic, log: parts.log });
  try {
    return await startDeciding({
      ...parts,
      now,
      monotonic,
      snapshotFolder: join(config.dataFolder, 'snapshots'),
      onWaiting: (sentence) => waiting.begin(sentence),
    });
  } finally {
    await waiting.end();
  }
}

function notReady({ policy }: Deciding): string | undefined {
  try {
    policy.assertFresh();
    return undefined;
  } catch (cause) {
    if (cause instanceof Refusal) return cause.message;
    throw cause;
  }
}

async function services(
  config: ControlPlaneConfig,
  deps: WithAgents & WatchDeps & { readonly log: Log },
  bootstrapTokens: BootstrapTokens,
): Promise<readonly Implementation[]> {
  const keys = await tokenKeysIn(config.kubeconfigKeys, { algorithm: 'ES256', log: deps.log });
  const tokens = await createKubeconfigTokens({ ...keys, now: Date.now });
  const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string };
  return [
    clusterService({ ...deps, bootstrapTokens }),
    roleService(deps),
    userService(deps),
    accessService({ ...deps, accessLimits: config.accessLimits }),
    credentialService({ ...deps, tokens, credentialTtl: config.credentialTtl }),
    systemService({ ...deps, version, openApi: openApiDocument(adminServices, version) }),
  ];
}

const bootstrapTokensOf = ({ bootstrapTokenKeys }: ControlPlaneConfig, caPin: string): BootstrapTokens =>
  createBootstrapTokens({ keys: bootstrapTokenKeys, caPin, now, random: randomBytes });

function internalVerifier(publicKeys: PublicKeys, kind: InternalClaims['kind']): Promise<Verifier<InternalClaims>> {
  return createVerifier({
    publicKeys,
    algorithm: 'ES256',
    issuer: gatewayIssuer,
    audience: internalAudience,
    kinds: [kind],
    now: Date.now,
  });
}

if (import.meta.main) {
  const log = createLog('control-plane', process.env['LOG_LEVEL']);
  await runProcess(log, () => start(process.env, log));
}
