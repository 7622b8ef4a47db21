/**
 * Follows the log for ever: one catch-up subscription after the other, each from where the last one delivered, so a lost
 * connection or a restarted server loses and repeats nothing. Facts come one at a time and in order; the next is taken
 * when the reader asks for it, and what waits in between is bounded by the streams' buffers.
 *
 * The client cannot tell a quiet log from a dead one, so a subscription that was silent for a while is simply opened
 * anew. It keeps commit and prepare of the last position, which differ for transactions of very old clients.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  START,
  streamNameFilter,
  type AllStreamResolvedEvent,
  type Credentials,
  type EventStoreDBClient,
  type Position,
} from '@eventstore/db-client';
import { ignoreLateErrors } from './event-store-calls.ts';
import { isOfServer, toRecorded } from './event-store-facts.ts';
import type { LogMessage } from './event-store-port.ts';
import type { Log } from './log.ts';

const confirmedWithinMs = 5_000;
const renewedAfterSilenceMs = 30_000;
const leastBackoffMs = 100;
const mostBackoffMs = 10_000;
/** The server says where it is at least every so many events of other streams. */
const eventsPerCheckpoint = 1_024;

export type Follow = {
  readonly client: EventStoreDBClient;
  readonly base: { readonly credentials: Credentials; readonly requiresLeader: boolean };
  readonly prefixes: readonly string[];
  readonly after: Position | undefined;
  readonly signal: AbortSignal;
  readonly log: Log | undefined;
  /** After so long without a message the subscription is opened anew; 30 s by default. */
  readonly silenceMs?: number;
};

/** Ends when the signal aborts and never otherwise; it throws nothing. */
export async function* follow(asked: Follow): AsyncGenerator<LogMessage> {
  const { signal, log } = asked;
  let after = asked.after;
  let failures = 0;
  while (!signal.aborted) {
    try {
      for await (const { position, message } of followOnce({ ...asked, after })) {
        failures = 0;
        after = position ?? after;
        yield message;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Silence && error.confirmed) continue;
      const delayMs = backoff(failures);
      failures += 1;
      log?.warn(
        { reason: String(error), failures, delayMs, after: after?.commit.toString() },
        'lost the log, subscribing again',
      );
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Full jitter between 0.1 s and a limit that doubles up to 10 s. */
function backoff(failures: number): number {
  const limit = Math.min(mostBackoffMs, leastBackoffMs * 2 ** Math.min(failures + 1, 10));
  return leastBackoffMs + Math.random() * (limit - leastBackoffMs);
}

class Silence extends Error {
  readonly confirmed: boolean;
  constructor(confirmed: boolean) {
    super(confirmed ? 'nothing came for a while' : `the subscription was not confirmed in ${confirmedWithinMs} ms`);
    this.confirmed = confirmed;
  }
}

type Delivered = { readonly position?: Position; readonly message: LogMessage };

/** One subscription. Throws when it ends for any reason. */
async function* followOnce({
  client,
  base,
  prefixes,
  after,
  signal,
  silenceMs = renewedAfterSilenceMs,
}: Follow): AsyncGenerator<Delivered> {
  const subscription = client.subscribeToAll({
    ...base,
    fromPosition: after ?? START,
    filter: streamNameFilter({
      prefixes: [...prefixes],
      maxSearchWindow: eventsPerCheckpoint,
      checkpointInterval: 1,
      checkpointReached: (own, position) => {
        own.push({ position, message: { kind: 'checkpoint', position: position.commit } } satisfies Delivered);
      },
    }),
  });
  ignoreLateErrors(subscription);
  const stop = () => subscription.destroy();
  signal.addEventListener('abort', stop, { once: true });
  const watch = (confirmed: boolean) =>
    setTimeout(() => subscription.destroy(new Silence(confirmed)), confirmed ? silenceMs : confirmedWithinMs);
  let watchdog = watch(false);
  const confirm = () => {
    clearTimeout(watchdog);
    watchdog = watch(true);
  };
  subscription.once('confirmation', confirm);
  // Pushed between the facts, so it arrives in their order; the event itself may come before facts not yet taken.
  subscription.on('caughtUp', () => subscription.push({ message: { kind: 'caughtUp' } } satisfies Delivered));
  try {
    for await (const item of subscription as AsyncIterable<AllStreamResolvedEvent | Delivered>) {
      clearTimeout(watchdog);
      subscription.off('confirmation', confirm);
      const delivered = 'message' in item ? item : deliver(item);
      if (delivered !== undefined) yield delivered;
      watchdog = watch(true);
    }
    throw new Error('the event store ended the subscription');
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener('abort', stop);
    // Leaving the loop does not end the call on the server. Not waited for: the client may still be looking for one.
    void subscription.unsubscribe().catch(() => undefined);
  }
}

function deliver({ event }: AllStreamResolvedEvent): Delivered | undefined {
  if (event === undefined) return undefined;
  const fact = toRecorded(event);
  // The server's own, such as the end of a stream for good, which lies on that stream.
  if (isOfServer(event)) return { position: event.position, message: { kind: 'checkpoint', position: fact.position } };
  return { position: event.position, message: { kind: 'fact', fact } };
}
