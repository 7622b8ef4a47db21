/**
 * Runs the store in this process until a signal stops it: one log, one port or socket, and the metrics if they are wanted.
 * Resolves when all is closed; an error that ends the store ends the process with 1, at once and without answering anybody.
 */
import { openEventLog } from '../event-log.ts';
import type { Listen } from '../grpc/grpc-server.ts';
import { serveMetrics } from '../metrics-server.ts';
import { serve } from '../server.ts';
import type { Serve } from './command-line.ts';

type Voices = { readonly say: (line: string) => void; readonly warn: (line: string) => void };

export async function runStore(command: Serve, { say, warn }: Voices): Promise<void> {
  const fatal = (error: Error) => {
    warn(error.message);
    process.exit(1);
  };
  const log = openEventLog({
    folder: command.data,
    note: ({ message }) => warn(message),
    fatal,
    now: () => Date.now(),
  });
  const { tls, maxAppendBytes } = command;
  const serving = await serve({
    log,
    listen: [listenOf(command)],
    ...(tls !== undefined && { password: tls.password }),
    maxAppendBytes,
    fatal,
  });
  const metrics = command.metrics && (await serveMetrics(command.metrics, () => serving.metrics()));
  if (metrics !== undefined) say(`metrics on ${metrics.address}`);
  say(`listening ${placeOf(command, serving.ports[0] ?? 0)}`);
  await signal();
  await metrics?.stop();
  await serving.stop();
}

function listenOf({ listen, tls }: Serve): Listen {
  if ('socket' in listen) return { kind: 'socket', path: listen.socket };
  return { kind: 'tcp', ...listen, ...(tls !== undefined && { tls }) };
}

function placeOf({ listen }: Serve, port: number): string {
  if ('socket' in listen) return `unix:${listen.socket}`;
  return listen.host.includes(':') ? `[${listen.host}]:${port}` : `${listen.host}:${port}`;
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process as the system does by default. */
function signal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
}
