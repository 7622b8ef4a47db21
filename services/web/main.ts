/** The web service: what a browser finds at the public address. */
import type { AddressInfo } from 'node:net';
import type { Environment } from '@clustral/kernel/config.ts';
import { runProcess, type Running } from '@clustral/kernel/lifecycle.ts';
import { createLog, type Log } from '@clustral/kernel/log.ts';
import { readWebConfig } from './config.ts';
import { buildWebServer } from './server.ts';

/** Starts the web service; it listens when this resolves. */
export async function start(environment: Environment, log: Log): Promise<Running & { readonly port: number }> {
  const config = readWebConfig(environment);
  const server = buildWebServer(config, log);
  await server.listen({ host: config.listenHost, port: config.port });
  const { port } = server.server.address() as AddressInfo;
  log.info({ port }, 'listening');
  return { port, stop: () => server.close() };
}

if (import.meta.main) {
  const log = createLog('web', process.env['LOG_LEVEL']);
  await runProcess(log, () => start(process.env, log));
}
