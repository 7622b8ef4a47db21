/** What the worker thread and its host say to each other. */
import type { MetricsSnapshot } from './metrics.ts';
import type { Note } from './records.ts';

export type WorkerData = { readonly folder: string; readonly socketPath: string; readonly tcpPort?: number };

export type FromWorker =
  | { readonly kind: 'listening'; readonly tcpPort?: number }
  | { readonly kind: 'note'; readonly note: Note }
  | { readonly kind: 'metrics'; readonly snapshot: MetricsSnapshot }
  /** The worker ends right after this. */
  | { readonly kind: 'fatal'; readonly message: string };

export type ToWorker = { readonly kind: 'stop' } | { readonly kind: 'metrics' };
