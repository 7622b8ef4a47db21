/** What the worker thread and its host say to each other. */
import type { Note } from './records.ts';

export type WorkerData = { readonly folder: string; readonly socketPath: string; readonly tcpPort?: number };

export type FromWorker =
  | { readonly kind: 'listening'; readonly tcpPort?: number }
  | { readonly kind: 'note'; readonly note: Note }
  /** The worker ends right after this. */
  | { readonly kind: 'fatal'; readonly message: string };

export type ToWorker = { readonly kind: 'stop' };
