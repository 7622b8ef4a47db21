/** `SystemService.Watch`: from a call to an open stream. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Refusal } from '@clustral/schemas/errors.ts';
import {
  WatchTopic,
  type WatchRequest,
  type WatchResponseSchema,
} from '@clustral/schemas/gen/clustral/v1/system_pb.ts';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { StreamCall } from '@clustral/kernel/api.ts';
import { callerOf } from '../caller.ts';
import type { Asked, Watches } from './watches.ts';

export type WatchDeps = { readonly watches: Watches; readonly now: () => Date };

/** Everything there is to be told of. */
const allTopics: readonly WatchTopic[] = Object.values(WatchTopic).filter((topic) => topic !== WatchTopic.UNSPECIFIED);

/** Opens the stream and tells it. Throws `VALIDATION_ERROR` and `RATE_LIMITED`. */
export async function* watch(
  { watches, now }: WatchDeps,
  request: WatchRequest,
  call: StreamCall,
): AsyncGenerator<MessageInitShape<typeof WatchResponseSchema>> {
  const { userId, isAdmin, readsAll } = callerOf(call);
  const viewer = { userId, isAdmin, readsAll, groups: call.claims?.groups ?? [] };
  const stream = { expiresAt: endOf(call), signal: call.signal, cut: () => call.cut() };
  for await (const { event, position, topics } of watches.open(viewer, parseWatch(request), stream)) {
    yield { event, position: String(position), topics: [...topics], at: timestampFromDate(now()) };
  }
}

/** What is asked for. Throws `VALIDATION_ERROR`. */
export function parseWatch({ topics, afterPosition }: Pick<WatchRequest, 'topics' | 'afterPosition'>): Asked {
  if (topics.some((topic) => !allTopics.includes(topic)))
    throw new Refusal('VALIDATION_ERROR', 'There is no such topic. Leave them out to be told of all.', {
      field: 'topics',
    });
  if (!/^\d{0,19}$/.test(afterPosition))
    throw new Refusal('VALIDATION_ERROR', 'A position is a decimal number: send the one of the last message read.', {
      field: 'afterPosition',
    });
  return {
    topics: new Set(topics.length === 0 ? allTopics : topics),
    after: afterPosition === '' ? undefined : BigInt(afterPosition),
  };
}

/** When the token ends that the person came with; without that word, the internal one. */
function endOf({ claims }: StreamCall): Date {
  if (claims === undefined) throw new Error('nobody watches');
  return new Date((claims.token_exp ?? claims.exp) * 1000);
}
