/**
 * The limits around every call of the client, and the one place where its errors become ours. The client sets no deadline
 * on reads and none on the search for a cluster's leader, so ours do not lean on it.
 */
import {
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
  type StreamingRead,
} from '@eventstore/db-client';
import { Refusal } from '@clustral/schemas/errors.ts';
import { RevisionConflict, StreamGone } from './event-store-port.ts';

/** gRPC `INVALID_ARGUMENT`: we asked for something that cannot be, and trying again changes nothing. */
const invalidArgument = 3;
const prematureClose = 'ERR_STREAM_PREMATURE_CLOSE';
/** Lets the client's own deadline, which cancels the call, come first. */
const graceMs = 250;

class SilentServer extends Error {
  constructor(limitMs: number) {
    super(`the event store was silent for ${limitMs} ms`);
  }
}

/** Waits for a call, a moment longer than the deadline that the call itself has. */
export async function withDeadline<T>(call: Promise<T>, limitMs: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new SilentServer(limitMs)), limitMs + graceMs);
  return Promise.race([call, promise]).finally(() => clearTimeout(timer));
}

/** Reads to the end, one event at a time. Throws when the server is silent for `silenceMs`, and what `take` throws. */
export async function readToEnd<E>(read: StreamingRead<E>, silenceMs: number, take: (event: E) => void): Promise<void> {
  ignoreLateErrors(read);
  const watchdog = setTimeout(() => read.destroy(new SilentServer(silenceMs)), silenceMs);
  let ended = false;
  try {
    for await (const event of read) {
      watchdog.refresh();
      take(event);
    }
    ended = true;
  } catch (cause) {
    // Ends the call on both sides. A server counts the calls that are broken off, and has enough after a thousand.
    ended = cause instanceof StreamNotFoundError;
    throw cause;
  } finally {
    clearTimeout(watchdog);
    // Leaving the loop ends our side only; the call stays open until it is cancelled. Not waited for: the client may
    // still be looking for a server.
    if (!ended) void read.cancel().catch(() => undefined);
  }
}

/** An error that comes after we stopped listening would otherwise be thrown at the whole process. */
export function ignoreLateErrors(stream: { on(event: 'error', listener: () => void): unknown }): void {
  stream.on('error', () => undefined);
}

/** What a failed call means: `RevisionConflict`, `StreamGone`, `Refusal('STORE_UNAVAILABLE')`, or a plain `Error` for a bug of ours. */
export function storeError(doing: string, cause: unknown): Error {
  if (cause instanceof Refusal || cause instanceof RevisionConflict) return cause;
  if (cause instanceof WrongExpectedVersionError) {
    const { streamName: stream, expectedVersion, actualVersion } = cause;
    const expected = typeof expectedVersion === 'bigint' ? Number(expectedVersion) : 'none';
    const actual = typeof actualVersion === 'bigint' ? Number(actualVersion) : 'none';
    return new RevisionConflict({ stream, expected, actual });
  }
  if (cause instanceof StreamDeletedError) return new StreamGone(cause.streamName);
  if (!isCallError(cause) || cause.code === invalidArgument) {
    return new Error(`the log could not be asked: ${doing}`, { cause });
  }
  const refusal = new Refusal(
    'STORE_UNAVAILABLE',
    `The log did not answer while ${doing}. Try again in a few seconds; when it stays, look at the event store's log.`,
  );
  refusal.cause = cause;
  return refusal;
}

/** Errors of the server or the way to it. The client's have a `type`, gRPC's a number, a broken stream Node's code. */
function isCallError(cause: unknown): cause is Error & { readonly code?: unknown } {
  if (cause instanceof SilentServer) return true;
  if (!(cause instanceof Error)) return false;
  return 'type' in cause || ('code' in cause && (typeof cause.code === 'number' || cause.code === prematureClose));
}
