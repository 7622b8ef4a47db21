/**
 * The thread the event store runs in: node:sqlite blocks while it waits for the disk, and the rest of the process must
 * not. It serves until it is told to stop; after an error that leaves the log in doubt it says so and ends at once,
 * without answering anybody (F-14).
 */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { openEventLog } from './event-log.ts';
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
    const serving = await serve({
      log,
      socketPath: data.socketPath,
      ...(data.tcpPort !== undefined && { tcpPort: data.tcpPort }),
      fatal,
    });
    port.once('message', (_stop: ToWorker) => {
      void serving.stop().then(() => process.exit(0), fatal);
    });
    tell({ kind: 'listening', ...(serving.tcpPort !== undefined && { tcpPort: serving.tcpPort }) });
  } catch (error) {
    fatal(error instanceof Error ? error : new Error(String(error)));
  }
}
