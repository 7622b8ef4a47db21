/**
 * The thread the event store runs in: node:sqlite blocks while it waits for the disk, and the rest of the process must
 * not. It serves until it is told to stop; after an error that leaves the log in doubt it says so and ends at once,
 * without answering anybody (F-14).
 */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { openEventLog } from './event-log.ts';
import type { Listen } from './grpc/grpc-server.ts';
import type { FromWorker, ToWorker, WorkerData } from './messages.ts';
import { serve } from './server.ts';

if (parentPort !== null) await run(parentPort, workerData as WorkerData);

async function run(port: MessagePort, data: WorkerData): Promise<void> {
  const tell = (message: FromWorker) => port.postMessage(message);
  const fatal = (error: Error) => {
    tell({ kind: 'fatal', message: error.message });
    process.exit(1);
  };
  try {
    const log = openEventLog({
      folder: data.folder,
      note: (note) => tell({ kind: 'note', note }),
      fatal,
      now: () => Date.now(),
    });
    const listen: Listen[] = [{ kind: 'socket', path: data.socketPath }];
    if (data.tcpPort !== undefined) listen.push({ kind: 'tcp', host: '127.0.0.1', port: data.tcpPort });
    const serving = await serve({ log, listen, fatal });
    port.on('message', ({ kind }: ToWorker) => {
      if (kind === 'metrics') tell({ kind, snapshot: serving.metrics() });
      else void serving.stop().then(() => process.exit(0), fatal);
    });
    const [, tcpPort] = serving.ports;
    tell({ kind: 'listening', ...(tcpPort !== undefined && { tcpPort }) });
  } catch (error) {
    fatal(error instanceof Error ? error : new Error(String(error)));
  }
}
