/**
 * Puts refused agents on record as `agent.auth_failed` (CAG001W): the first of a kind at once, the rest of a minute as one with
 * a count, so that whoever knocks a thousand times fills a counter and not the log. It never holds up the refusal itself,
 * and a record that the log does not take now is tried again with the next minute's.
 */
import { randomUUID } from 'node:crypto';
import { agentAuthStream, type AgentFact } from '@clustral/schemas/events/agent.ts';
import type { ErrorCode } from '@clustral/schemas/errors.ts';
import type { ClusterId } from '@clustral/schemas/ids.ts';
import type { Log } from '@clustral/kernel/log.ts';
import type { Commands } from '../ports.ts';

const countedForMs = 60_000;
const mostKinds = 1_000;

/** What was refused. `clusterId` only when that cluster exists. */
export type AuthFailure = {
  readonly clusterId: ClusterId | null;
  readonly code: ErrorCode;
  readonly method: string;
  readonly sourceAddress: string | undefined;
};

type Counter = { readonly failure: AuthFailure; readonly since: number; count: number };

export type AuthFailuresOptions = {
  readonly commands: Commands;
  readonly monotonic: () => number;
  readonly log: Log;
};

export class AuthFailures {
  readonly #options: AuthFailuresOptions;
  /** Kinds that were recorded within the last minute, with how often they came since. */
  readonly #counters = new Map<string, Counter>();

  constructor(options: AuthFailuresOptions) {
    this.#options = options;
  }

  /** True when it is recorded now, and not only counted. */
  note(failure: AuthFailure): boolean {
    const key = [failure.clusterId, failure.code, failure.method].join(' ');
    const counter = this.#counters.get(key);
    if (counter) {
      counter.count += 1;
      return false;
    }
    if (this.#counters.size >= mostKinds) return false;
    this.#counters.set(key, { failure, since: this.#options.monotonic(), count: 0 });
    void this.#record(failure, 1);
    return true;
  }

  /** Records what was counted for a minute. To be called about once a second. */
  flush(now: number): void {
    for (const [key, { failure, since, count }] of this.#counters) {
      if (now - since < countedForMs) continue;
      this.#counters.delete(key);
      if (count > 0) void this.#record(failure, count);
    }
  }

  async #record(failure: AuthFailure, count: number): Promise<void> {
    const { clusterId, code, method, sourceAddress } = failure;
    const fact: AgentFact = { type: 'agent.auth_failed', data: { clusterId, reason: code, method, count } };
    try {
      await this.#options.commands.run<null, AgentFact>({
        stream: agentAuthStream(clusterId),
        initial: null,
        evolve: () => null,
        decide: () => [fact],
        cause: {
          actor: { kind: 'agent', id: clusterId ?? 'unknown' },
          $correlationId: randomUUID(),
          ...(sourceAddress === undefined ? {} : { sourceAddress }),
        },
      });
    } catch (cause) {
      // A refused agent stays refused; what is lost is the note of it, and the next minute's is kept again.
      this.#options.log.warn({ err: cause, clusterId, reason: code, count }, 'a refused agent could not be recorded');
    }
  }
}
