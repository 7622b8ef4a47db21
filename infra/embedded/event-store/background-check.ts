/**
 * Has the whole log checked while it is in use: every page, every index, the chain of hashes from the first event on. That
 * takes seconds in a great log, so it is done by a thread of its own on a connection that only reads; the server goes on
 * meanwhile. A small log was checked as a whole when it was opened, and then there is nothing to do.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { OpenedDatabase } from './database.ts';
import { logFile } from './database.ts';

/** What the thread says: how far it is, or what it found. */
export type FromCheck =
  | { readonly kind: 'progress'; readonly position: number }
  | { readonly kind: 'damage'; readonly message: string };

export class BackgroundCheck {
  readonly #worker: Worker | undefined;
  #position = 0;

  constructor(opened: OpenedDatabase, { folder, fatal }: { folder: string; fatal: (error: Error) => void }) {
    if (opened.complete) {
      this.#position = opened.end.position;
      return;
    }
    const worker = new Worker(new URL('./check-worker.ts', import.meta.url), {
      workerData: { path: join(folder, logFile) },
      name: 'event-store-check',
    });
    worker.unref();
    worker.on('message', (message: FromCheck) => {
      if (message.kind === 'progress') this.#position = message.position;
      else fatal(new Error(message.message));
    });
    worker.on('error', (cause) => fatal(new Error('The check of the log stopped over an error.', { cause })));
    this.#worker = worker;
  }

  /** Up to here the log was found to be what was written. */
  get position(): number {
    return this.#position;
  }

  /** Ends it, finished or not; resolves when its connection is closed. */
  async stop(): Promise<void> {
    await this.#worker?.terminate();
  }
}
