/**
 * The projections' process: reads the log, writes the read models. It answers nobody, but for health and metrics where a port is
 * set.
 */
import type { AddressInfo } from 'node:net';
import { integer, readConfig, seconds, text, type Environment } from '@clustral/kernel/config.ts';
import { connectEventStore } from '@clustral/kernel/event-store.ts';
import { buildHttpServer } from '@clustral/kernel/http-server.ts';
import { runProcess, type Running } from '@clustral/kernel/lifecycle.ts';
import { createLog, type Log } from '@clustral/kernel/log.ts';
import { allModels } from './all-models.ts';
import { detailOf, metricsText } from './metrics.ts';
import { openReadStore, placeOf } from './place.ts';
import { newStatus, runProjector, type ProjectorStatus } from './projector.ts';

const tenYearsSeconds = 3_650 * 86_400;

const configuration = {
  EVENTSTORE_CONNECTION_STRING: text(),
  CLUSTRAL_DATA: text(),
  MONGO_CONNECTION_STRING: text().optional(),
  MONGO_DATABASE_NAME: text().default('clustral'),
  PROXY_RETENTION: seconds('PROXY_RETENTION', tenYearsSeconds).default(90 * 86_400),
  METRICS_PORT: integer(0, 65_535).optional(),
  LISTEN_HOST: text().default('127.0.0.1'),
  PUBLIC_URL: text().default('https://localhost:8443'),
};

/** Starts following the log. `notReady` says why what is read is not up to date; `port` is that of health and metrics. */
export async function start(
  environment: Environment,
  log: Log,
): Promise<Running & { readonly notReady: () => string | undefined; readonly port: number | undefined }> {
  const config = readConfig(environment, configuration);
  const eventStore = connectEventStore({ connectionString: config.EVENTSTORE_CONNECTION_STRING, log });
  const store = await openReadStore(placeOf(config));
  const stopping = new AbortController();
  const status = newStatus();
  const notReady = () => reasonOf(status);
  const { signal } = stopping;
  const options = {
    eventStore,
    store,
    models: allModels,
    log,
    signal,
    now: () => new Date(),
    keepSeconds: config.PROXY_RETENTION,
  };
  // A failure is not handled here: it ends the process, and the supervisor starts it again.
  const running = runProjector(options, status);
  const health = config.METRICS_PORT === undefined ? undefined : buildHealth(config.PUBLIC_URL, log, status);
  await health?.listen({ host: config.LISTEN_HOST, port: config.METRICS_PORT ?? 0 });
  return {
    notReady,
    port: portOf(health?.server.address()),
    stop: async () => {
      stopping.abort();
      await running;
      await health?.close();
      await store.close();
      await eventStore.close();
    },
  };
}

function buildHealth(publicUrl: string, log: Log, status: ProjectorStatus) {
  const app = buildHttpServer({ log, docsBaseUrl: `${publicUrl}/errors/`, notReady: async () => reasonOf(status) });
  app.get('/healthz/detail', (_request, reply) => reply.send(detailOf(status, Date.now())));
  app.get('/metrics', (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(metricsText(status, Date.now())),
  );
  return app;
}

const portOf = (address: string | AddressInfo | null | undefined): number | undefined =>
  typeof address === 'object' ? address?.port : undefined;

function reasonOf({ caughtUp, halted }: ProjectorStatus): string | undefined {
  if (halted !== undefined) return `stopped: ${halted}`;
  return caughtUp ? undefined : 'catching up with the log';
}

if (import.meta.main) {
  const log = createLog('projections', process.env['LOG_LEVEL']);
  await runProcess(log, () => start(process.env, log));
}
