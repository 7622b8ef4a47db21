/**
 * Starts the embedded event store: a durable single-node server that speaks EventStoreDB's gRPC protocol, in a worker
 * thread of this process, on a unix socket. It is EventStoreDB-protocol compatible and is not EventStoreDB; it is for one
 * machine and one process. The host decides when it stops; the thread handles no signals.
 */
import { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerData } from './messages.ts';
import type { MetricsSnapshot } from './metrics.ts';
import type { Note } from './records.ts';

const startDeadlineMs = 30_000;
const stopDeadlineMs = 10_000;
/** Far above what it takes (about 100 MB); a leak ends the thread, which is heard of, instead of the machine. */
const resourceLimits = { maxOldGenerationSizeMb: 512 };
/** sun_path of the smallest system we run on (macOS); Linux takes 107. */
const maxSocketPathBytes = 103;

export type EventStoreOptions = {
  /** Where the log lies; created with mode 0700. */
  readonly folder: string;
  /** At most 103 bytes. Put it into a folder that only this user can enter. */
  readonly socketPath: string;
  /** Listens on this port of 127.0.0.1 as well, 0 for a free one. For tests: there is no authentication. */
  readonly tcpPort?: number;
  /** Takes the few lines worth keeping: a torn tail that was cut. */
  readonly note?: (note: Note) => void;
};

export type RunningEventStore = {
  /** `unix:<socketPath>`, as `connectEventStore` takes it. */
  readonly connectionString: string;
  /** Set when `tcpPort` was asked for. */
  readonly tcpConnectionString: string | undefined;
  /** What the store counts about itself, as of now. Rejects once it has stopped. */
  metrics(): Promise<MetricsSnapshot>;
  /** Answers what is queued, closes the files and resolves; ends the thread by force after 10 s. */
  stop(): Promise<void>;
  /** Resolves with the reason when the thread ends without having been told to. Otherwise it stays pending. */
  readonly exited: Promise<Error>;
};

/** Resolves when it listens. Rejects with one sentence for the operator: folder in use, damaged log, bad path. */
export async function startEventStore(options: EventStoreOptions): Promise<RunningEventStore> {
  const { folder, socketPath, tcpPort, note } = options;
  if (Buffer.byteLength(socketPath) > maxSocketPathBytes) {
    throw new Error(`The socket path ${socketPath} is longer than ${maxSocketPathBytes} bytes: use a shorter folder.`);
  }
  const workerData: WorkerData = { folder, socketPath, ...(tcpPort !== undefined && { tcpPort }) };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData,
    name: 'event-store',
    resourceLimits,
  });
  const listening = Promise.withResolvers<{ tcpPort?: number }>();
  const exited = Promise.withResolvers<Error>();
  const ended = Promise.withResolvers<void>();
  const asked: PromiseWithResolvers<MetricsSnapshot>[] = [];
  let stopping = false;
  let reason: Error | undefined;
  worker.on('message', (message: FromWorker) => {
    if (message.kind === 'listening') listening.resolve(message);
    else if (message.kind === 'note') note?.(message.note);
    else if (message.kind === 'metrics') asked.shift()?.resolve(message.snapshot);
    else reason = new Error(message.message);
  });
  worker.on('error', (error) => (reason ??= new Error('The event store stopped over an error.', { cause: error })));
  worker.on('exit', (code) => {
    const error = reason ?? new Error(`The event store's thread ended with code ${code}.`);
    listening.reject(error);
    for (const { reject } of asked) reject(error);
    ended.resolve();
    if (!stopping) exited.resolve(error);
  });
  const timer = setTimeout(() => {
    reason = new Error(`The event store in ${folder} was not ready after ${startDeadlineMs / 1_000} s.`);
    void worker.terminate();
  }, startDeadlineMs);
  const tell = (message: ToWorker) => worker.postMessage(message);
  const ready = await listening.promise.finally(() => clearTimeout(timer));
  return {
    connectionString: `unix:${socketPath}`,
    tcpConnectionString: ready.tcpPort === undefined ? undefined : `esdb://127.0.0.1:${ready.tcpPort}?tls=false`,
    exited: exited.promise,
    metrics: () => {
      const answer = Promise.withResolvers<MetricsSnapshot>();
      if (stopping || reason !== undefined) answer.reject(reason ?? new Error('The event store has stopped.'));
      else asked.push(answer);
      tell({ kind: 'metrics' });
      return answer.promise;
    },
    stop: async () => {
      stopping = true;
      tell({ kind: 'stop' });
      const force = setTimeout(() => void worker.terminate(), stopDeadlineMs);
      await ended.promise;
      clearTimeout(force);
    },
  };
}
