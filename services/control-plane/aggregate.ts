/**
 * One stream folded to its last revision, for deciding on it. Void facts move the revision and nothing else (D18); a
 * policy fact that cannot be read stops the deciding (ES-04).
 */
import type { Fact, Recorded, Revision } from '@clustral/schemas/events/envelope.ts';
import type { EventStore } from '@clustral/kernel/event-store-port.ts';
import { decodePolicyFact, isPolicyStream, unreadableStream } from './policy-facts.ts';

/** A command that carried an Idempotency-Key. `key` and `body` are hashes, `at` is milliseconds since the epoch. */
export type Replay = { readonly key: string; readonly body: string; readonly at: number };

/** A stream as folded so far. `position` is that of its last fact. */
export type Aggregate<S> = {
  readonly state: S;
  readonly revision: Revision;
  readonly position: bigint | undefined;
  readonly replays: readonly Replay[];
};

const rememberedReplays = 100;

/** Reads what is new since `known` and folds it. */
export async function loadAggregate<S, F extends Fact>(
  log: {
    readonly eventStore: Pick<EventStore, 'load'>;
    readonly isVoid: (fact: { readonly position: bigint; readonly epoch: number }) => boolean;
  },
  {
    stream,
    evolve,
    known,
  }: {
    readonly stream: string;
    readonly evolve: (state: S, fact: Recorded<F>) => S;
    readonly known: Aggregate<S>;
  },
): Promise<Aggregate<S>> {
  const from = known.revision === 'none' ? 0 : known.revision + 1;
  const { facts, revision } = await log.eventStore.load<F>(stream, from);
  let { state } = known;
  const replays = [...known.replays];
  for (const fact of facts) {
    if (isPolicyStream(stream) && !decodePolicyFact(fact)) throw unreadableStream(stream);
    if (log.isVoid({ position: fact.position, epoch: fact.metadata.epoch })) continue;
    state = evolve(state, fact);
    const { idempotency } = fact.metadata;
    if (idempotency) replays.push({ ...idempotency, at: fact.recordedAt.getTime() });
  }
  const position = facts.at(-1)?.position ?? known.position;
  return { state, revision, position, replays: replays.slice(-rememberedReplays) };
}
