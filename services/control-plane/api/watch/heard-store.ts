/** The log, with somebody told of every append of this process that took. */
import type { EventStore, LogUpkeep } from '@clustral/kernel/event-store-port.ts';

export type HeardStore = {
  readonly store: EventStore & LogUpkeep;
  /** `listener` is told the stream, after the log has the facts. One listener. */
  readonly listen: (listener: (stream: string) => void) => void;
};

/** Wraps the log. */
export function heardStore(log: EventStore & LogUpkeep): HeardStore {
  let heard: (stream: string) => void = () => undefined;
  return {
    listen: (listener) => {
      heard = listener;
    },
    store: {
      async append(stream, expected, facts) {
        const appended = await log.append(stream, expected, facts);
        heard(stream);
        return appended;
      },
      load: (stream, from) => log.load(stream, from),
      subscribe: (options) => log.subscribe(options),
      readBackwards: (options) => log.readBackwards(options),
      ping: (deadlineMs) => log.ping(deadlineMs),
      close: () => log.close(),
      walk: (stream, take) => log.walk(stream, take),
      tombstone: (stream, expected) => log.tombstone(stream, expected),
    },
  };
}
