/**
 * When the lease may be taken (D18): at once where nobody else has it, and otherwise only after its holder gave no sign of life
 * for eight seconds although somebody waits. It writes nothing but signs, and it does not make two holders impossible: the exact
 * revision of the take-over does that.
 */
import { leaseHeartbeatStream, leaseWaitingStream } from '@clustral/schemas/events/lease.ts';
import type { LeaseOptions } from './lease.ts';
import { Signs } from './lease-signs.ts';

/** Of both kinds of signs. */
export const signEveryMs = 2_000;
const silentForMs = 8_000;

export class Turn {
  readonly #options: LeaseOptions;
  readonly #waiting: Signs;
  readonly #heartbeats: Signs;
  #incumbent: string | undefined;
  #signedAt = -Infinity;
  /** Since when the incumbent has been silent while this one waited. */
  #silentSince: number | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#waiting = new Signs({ ...options, stream: leaseWaitingStream, type: 'control_plane.waiting' });
    this.#heartbeats = new Signs({ ...options, stream: leaseHeartbeatStream, type: 'control_plane.alive' });
  }

  /** To be asked about once a second. `incumbent` is who took the lease last. Rejects when the log does not answer. */
  async hasCome(incumbent: string | undefined): Promise<boolean> {
    const { holder, monotonic, log, onWaiting } = this.#options;
    if (incumbent === undefined || incumbent === holder) return true;
    if (incumbent !== this.#incumbent) {
      this.#incumbent = incumbent;
      this.startAgain();
      const sentence = `Another control plane (${incumbent}) is active; this one waits to take over.`;
      log.info({ incumbent }, sentence);
      await onWaiting?.(sentence);
    }
    if (monotonic() - this.#signedAt >= signEveryMs) {
      this.#signedAt = monotonic();
      await this.#waiting.give();
    }
    const isAlive = (await this.#heartbeats.look()) !== undefined;
    if (isAlive || this.#silentSince === undefined) this.#silentSince = monotonic();
    return monotonic() - this.#silentSince >= silentForMs;
  }

  /** Silence that was not listened to is none. */
  startAgain(): void {
    this.#silentSince = undefined;
  }
}
