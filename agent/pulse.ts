/**
 * Whether the other end of an HTTP/2 connection still answers (F-22). A kernel would notice a dead path after a quarter of an hour;
 * this asks every 5 s. The rule it lives by (D35): silent for 15 s, nothing new is begun; silent for 30 s, it is over.
 */
import type { ClientHttp2Session } from 'node:http2';

const pingEveryMs = 5_000;
const silentAfterMs = 15_000;
const deadAfterMs = 30_000;

export class Pulse {
  readonly #session: ClientHttp2Session;
  #pingedAt: number;
  #heardAt: number;
  /** Milliseconds; undefined until the first answer. */
  roundTripMs: number | undefined;

  /** `now` is monotonic, milliseconds. */
  constructor(session: ClientHttp2Session, now: number) {
    this.#session = session;
    this.#pingedAt = now;
    this.#heardAt = now;
  }

  isSilent(now: number): boolean {
    return now - this.#heardAt >= silentAfterMs;
  }

  /** Asks, and ends what is dead. To be called several times a second. */
  tick(now: number): void {
    if (this.#session.destroyed) return;
    if (now - this.#heardAt >= deadAfterMs) {
      this.#session.destroy(Object.assign(new Error('no answer to pings for 30 s'), { code: 'ETIMEDOUT' }));
      return;
    }
    if (now - this.#pingedAt < pingEveryMs) return;
    this.#pingedAt = now;
    this.#session.ping((error, roundTripMs) => {
      if (error) return;
      this.roundTripMs = roundTripMs;
      // As of the question, not the answer: a process that was stopped must not take an old answer for a sign of life (F-18).
      this.#heardAt = Math.max(this.#heardAt, now);
    });
  }
}
