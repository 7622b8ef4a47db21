/** The embedded stand-ins as parts of a process: each reads its environment and gives back what can be stopped. They are refused in production. */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import {
  clustralEnvironment,
  ConfigurationError,
  integer,
  readConfig,
  text,
  type Environment,
} from '@clustral/kernel/config.ts';
import type { Running } from '@clustral/kernel/lifecycle.ts';
import type { Log } from '@clustral/kernel/log.ts';
import { startDemoCluster } from '../embedded/demo-cluster/start.ts';
import { startEventStore } from '../embedded/event-store/start.ts';
import { startIdentityProvider } from '../embedded/identity-provider/identity-provider.ts';

const common = { CLUSTRAL_ENV: clustralEnvironment(), CLUSTRAL_DATA: text() };

function refuseProduction(part: string, environment: 'production' | 'embedded'): void {
  if (environment === 'production')
    throw new ConfigurationError([`CLUSTRAL_ENV: the embedded ${part} is for trying out only, not for production`]);
}

/** The log, in a worker thread of this process. A fatal error of the thread ends the process: its supervisor starts it again. */
export async function startEventStorePart(environment: Environment, log: Log): Promise<Running> {
  const config = readConfig(environment, { ...common, EVENTSTORE_CONNECTION_STRING: text() });
  refuseProduction('event store', config.CLUSTRAL_ENV);
  const socketPath = config.EVENTSTORE_CONNECTION_STRING.replace(/^unix:/, '');
  mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
  const store = await startEventStore({
    folder: join(config.CLUSTRAL_DATA, 'event-store'),
    socketPath,
    note: ({ level, message }) => log[level](message),
  });
  void store.exited.then((reason) => {
    log.fatal({ err: reason }, 'the event store ended');
    process.exit(1);
  });
  return { stop: () => store.stop() };
}

/** The identity provider with its three known people. */
export async function startIdentityProviderPart(environment: Environment, log: Log): Promise<Running> {
  const config = readConfig(environment, {
    ...common,
    PORT: integer(1, 65_535),
    OIDC_AUTHORITY: text(),
    PUBLIC_URL: text(),
  });
  refuseProduction('identity provider', config.CLUSTRAL_ENV);
  return startIdentityProvider({
    issuer: config.OIDC_AUTHORITY,
    dataFolder: join(config.CLUSTRAL_DATA, 'idp'),
    port: config.PORT,
    webRedirectUris: [`${config.PUBLIC_URL}/api/auth/callback`],
    environment,
    warn: (line) => log.warn(line),
  });
}

/** The stand-in Kubernetes API server that the demo agent serves. */
export async function startDemoClusterPart(environment: Environment, log: Log): Promise<Running> {
  const config = readConfig(environment, {
    ...common,
    PORT: integer(1, 65_535),
    TLS_CERT_PATH: text(),
    TLS_KEY_PATH: text(),
    SERVICE_ACCOUNT_TOKEN: z.string('is not set').min(32),
  });
  refuseProduction('demo cluster', config.CLUSTRAL_ENV);
  const cluster = await startDemoCluster({
    tls: { cert: readFileSync(config.TLS_CERT_PATH, 'utf8'), key: readFileSync(config.TLS_KEY_PATH, 'utf8') },
    serviceAccountToken: config.SERVICE_ACCOUNT_TOKEN,
    port: config.PORT,
    stateFile: join(config.CLUSTRAL_DATA, 'demo-cluster', 'state.json'),
    now: () => new Date(),
  });
  log.info({ url: cluster.url }, 'demo cluster listening');
  return cluster;
}
