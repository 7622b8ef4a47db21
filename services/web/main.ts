/**
 * The web service: what a browser finds at the public address, and the backend for its dashboard. It holds people's tokens so that no
 * browser has to, and decides nothing about access.
 */
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import type { Environment } from '@clustral/kernel/config.ts';
import { runProcess, type Running } from '@clustral/kernel/lifecycle.ts';
import { createLog, type Log } from '@clustral/kernel/log.ts';
import { readWebConfig, type WebConfig } from './config.ts';
import { createGateway } from './gateway.ts';
import { createIdentityProvider } from './identity-provider.ts';
import { createSealer } from './sealed.ts';
import { buildWebServer } from './server.ts';
import { readSessionKeys } from './session-key.ts';
import { openSessionStore } from './session-store.ts';
import { createSessions } from './sessions.ts';
import { createTokenKeeper } from './token-keeper.ts';

const limits = { perPerson: 20, inAll: 20_000 };
const sweepEveryMs = 10_000;
/** How long calls under way may take to end when the service is told to stop. */
const stopGraceMs = 1_000;

/** Starts the web service; it listens when this resolves. The identity provider and the gateway may come later. */
export async function start(environment: Environment, log: Log): Promise<Running & { readonly port: number }> {
  const config = readWebConfig(environment);
  const now = (): number => Date.now();
  const sealer = createSealer(readSessionKeys(config.sessionKeyPath, config.dataFolder));
  const store = openSessionStore(config.dataFolder, limits);
  const sessions = createSessions({
    store,
    sealer,
    lifeMs: config.sessionLifeMs,
    idleMs: config.sessionIdleMs,
    now,
  });
  const { toProvider, toGateway } = dispatchers(config);
  const provider = createIdentityProvider({
    ...config.oidc,
    origin: config.publicUrl.origin,
    dispatcher: toProvider,
    now,
    log,
  });
  const server = await buildWebServer(config, {
    origin: config.publicUrl.origin,
    sessions,
    tokens: createTokenKeeper({ sessions, provider, now, log }),
    provider,
    gateway: createGateway(config.gateway.origin, toGateway),
    sealer,
    now,
    log,
  });
  await server.listen({ host: config.listenHost, port: config.port });
  sessions.sweep();
  const sweeping = setInterval(() => sessions.sweep(), sweepEveryMs);
  const { port } = server.server.address() as AddressInfo;
  log.info({ port }, 'listening');
  return {
    port,
    async stop() {
      clearInterval(sweeping);
      // What still runs then is a stream: the browser knows how to begin it again.
      const cut = setTimeout(() => server.server.closeAllConnections(), stopGraceMs);
      await server.close();
      clearTimeout(cut);
      await Promise.all([toProvider.destroy(), toGateway.destroy()]);
      store.close();
    },
  };
}

function dispatchers({ ca }: WebConfig): { readonly toProvider: Agent; readonly toGateway: Agent } {
  const connect = { timeout: 5_000, ...(ca === undefined ? {} : { ca }) };
  return {
    // Few connections: however many people come with made-up codes, the provider is not asked more than so many at once.
    toProvider: new Agent({
      connect,
      connections: 16,
      headersTimeout: 5_000,
      bodyTimeout: 5_000,
      maxResponseSize: 1_048_576,
    }),
    // A live stream is never silent for longer than its heartbeat.
    toGateway: new Agent({ connect, headersTimeout: 70_000, bodyTimeout: 120_000 }),
  };
}

if (import.meta.main) {
  const log = createLog('web', process.env['LOG_LEVEL']);
  await runProcess(log, () => start(process.env, log));
}
