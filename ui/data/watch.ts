/**
 * `SystemService.Watch` as the live layer takes it: what changed, and from which position of the log on. It goes on from the last word
 * after a break, so nothing that happened in between is missed; when the server no longer knows, everything is asked again.
 */
import { createClient, type Transport } from '@connectrpc/connect';
import {
  SystemService,
  WatchEvent,
  WatchTopic,
  type WatchResponse,
} from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import type { ChangedKind } from './changes.ts';
import type { News } from './live.ts';
import type { Position } from './position.ts';

const kinds: Readonly<Partial<Record<WatchTopic, ChangedKind>>> = {
  [WatchTopic.CLUSTERS]: 'clusters',
  [WatchTopic.AGENTS]: 'agents',
  [WatchTopic.ROLES]: 'roles',
  [WatchTopic.USERS]: 'users',
  [WatchTopic.GRANTS]: 'access',
  [WatchTopic.REQUESTS]: 'access',
  [WatchTopic.CREDENTIALS]: 'credentials',
  [WatchTopic.AUDIT]: 'audit',
};

/** What a message says: a kind that this build does not know is as if everything had changed. */
export function newsOf({ event, topics }: Pick<WatchResponse, 'event' | 'topics'>): News {
  if (event === WatchEvent.HEARTBEAT) return { kinds: [] };
  if (event === WatchEvent.STARTED) return { kinds: ['started'] };
  if (event === WatchEvent.CHANGED) return { kinds: topics.map((topic) => kinds[topic] ?? 'everything') };
  return { kinds: ['everything'] };
}

/** The stream of the server. `position` learns what was told, so that the questions that follow are answered with it. */
export function watchOf(transport: Transport, position: Position): (signal: AbortSignal) => AsyncIterable<News> {
  const system = createClient(SystemService, transport);
  let afterPosition = '';
  return async function* watch(signal) {
    // No limit in time: it ends with the signal, or when nothing is heard.
    for await (const message of system.watch({ afterPosition }, { signal, timeoutMs: 0 })) {
      if (message.position !== '') {
        afterPosition = message.position;
        position.learn(message.position);
      }
      yield newsOf(message);
    }
  };
}
