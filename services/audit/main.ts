/** The audit service's process: read models in, HTTP out. It has no connection to the log and can change nothing. */
import type { AddressInfo } from 'node:net';
import { placeOf } from '@clustral/projections/place.ts';
import { openReadModels } from '@clustral/projections/read-models.ts';
import { gatewayIssuer, internalAudience, type InternalClaims } from '@clustral/schemas/tokens.ts';
import {
  clustralEnvironment,
  ConfigurationError,
  integer,
  readConfig,
  text,
  type Environment,
} from '@clustral/kernel/config.ts';
import { closeWithin } from '@clustral/kernel/http-server.ts';
import { createVerifier } from '@clustral/kernel/jwt.ts';
import { publicKeysIn, type PublicKeys } from '@clustral/kernel/keys.ts';
import { runProcess, type Running } from '@clustral/kernel/lifecycle.ts';
import { createLog, type Log } from '@clustral/kernel/log.ts';
import { buildServer } from './server.ts';

const configuration = {
  CLUSTRAL_ENV: clustralEnvironment(),
  CLUSTRAL_DATA: text(),
  MONGO_CONNECTION_STRING: text().optional(),
  MONGO_DATABASE_NAME: text().default('clustral'),
  INTERNAL_JWT_PUBLIC_KEY_PATH: text(),
  PORT: integer(0, 65_535).default(5_200),
  LISTEN_HOST: text().optional(),
  PUBLIC_URL: text().default('https://localhost:8443'),
  ERRORS_DOCS_BASE_URL: text().optional(),
};

/** How long requests under way may take to end when the service is told to stop. */
const stopGraceMs = 1_000;

/** Starts the service; resolves when it listens. */
export async function start(environment: Environment, log: Log): Promise<Running & { readonly port: number }> {
  const config = readConfig(environment, configuration);
  const verifier = await createVerifier<InternalClaims>({
    publicKeys: await internalKeys(config.INTERNAL_JWT_PUBLIC_KEY_PATH, log),
    algorithm: 'ES256',
    issuer: gatewayIssuer,
    audience: internalAudience,
    kinds: ['internal'],
    now: Date.now,
  });
  const models = await openReadModels(placeOf(config));
  const docsBaseUrl = config.ERRORS_DOCS_BASE_URL ?? `${config.PUBLIC_URL}/errors/`;
  const app = await buildServer({ api: { verifier, docsBaseUrl, log }, models });
  const host = config.LISTEN_HOST ?? (config.CLUSTRAL_ENV === 'embedded' ? '127.0.0.1' : '0.0.0.0');
  await app.listen({ host, port: config.PORT });
  return {
    port: (app.server.address() as AddressInfo).port,
    stop: async () => {
      await closeWithin(app, stopGraceMs);
      models.close();
    },
  };
}

/** One file may hold several keys, while one is being replaced (F-32). */
function internalKeys(path: string, log: Log): Promise<PublicKeys> {
  return publicKeysIn(path, { algorithm: 'ES256', log }).catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    throw new ConfigurationError([`INTERNAL_JWT_PUBLIC_KEY_PATH: cannot read ${path} (${code})`]);
  });
}

if (import.meta.main) {
  const log = createLog('audit', process.env['LOG_LEVEL']);
  await runProcess(log, () => start(process.env, log));
}
