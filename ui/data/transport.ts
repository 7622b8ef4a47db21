/**
 * The way to the API: same origin, the session's cookie goes with it. Three things are learnt from every answer: the time of the
 * server, the log position that was written (so that the next question sees it), and that the session has ended.
 */
import { Code, ConnectError, type Interceptor, type Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { positionHeader } from '@clustral/schemas/tokens.ts';
import type { Position } from './position.ts';

export type Learning = {
  readonly position: Position;
  readonly learnTime: (dateHeader: string | null) => void;
  readonly sessionEnded: () => void;
};

const callLimitMs = 20_000;

/** The transport of the dashboard. */
export function createTransport(learning: Learning): Transport {
  return createConnectTransport({
    baseUrl: '/app/rpc',
    defaultTimeoutMs: callLimitMs,
    useBinaryFormat: true,
    interceptors: [readingOwnWrites(learning.position), watching(learning)],
  });
}

/** What was written or told is seen by the next question: it carries the highest log position heard of, and the server waits for it. */
function readingOwnWrites(position: Position): Interceptor {
  return (next) => async (request) => {
    const highest = position.highest();
    if (highest !== undefined) request.header.set(positionHeader, highest);
    const response = await next(request);
    position.learn(response.header.get(positionHeader));
    return response;
  };
}

function watching({ learnTime, sessionEnded }: Learning): Interceptor {
  return (next) => async (request) => {
    try {
      const response = await next(request);
      learnTime(response.header.get('date'));
      return response;
    } catch (cause) {
      if (cause instanceof ConnectError && cause.code === Code.Unauthenticated) sessionEnded();
      throw cause;
    }
  };
}
