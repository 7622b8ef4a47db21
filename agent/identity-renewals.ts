/**
 * Renews the identity while the agent serves with it: looks now and then whether something is due, and asks for a new token when
 * the present one was refused. What a failure means for serving is decided by whoever is told of it.
 */
import type { Log } from '@clustral/kernel/log.ts';
import { pause } from './backoff.ts';
import type { Connections } from './connections.ts';
import { datesOf, type Identity } from './identity.ts';
import type { IdentityKeeper } from './identity-keeper.ts';
import { nextLook, renewalDue, type RenewalRules } from './renewal.ts';

/** Between two renewals of the token because it was refused. */
const tokenRenewalRestMs = 60_000;

/** Milliseconds. */
export type RenewalPatience = {
  /** The first look whether a renewal is due comes within so much time. */
  readonly firstRenewalLookMs: number;
  /** Between the first and the second connection's change to a new certificate. */
  readonly changeApartMs: number;
};

export type IdentityRenewalsParts = {
  readonly config: RenewalRules;
  readonly keeper: IdentityKeeper;
  readonly connections: Connections;
  readonly patience: RenewalPatience;
  readonly now: () => Date;
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly onFailed: (error: unknown, identity: Identity) => Promise<void>;
  readonly log: Log;
};

export class IdentityRenewals {
  readonly #parts: IdentityRenewalsParts;
  #tokenAskedAt = -Infinity;
  #asking: Promise<void> | undefined;

  constructor(parts: IdentityRenewalsParts) {
    this.#parts = parts;
  }

  /** Looks and renews until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { config, random, patience } = this.#parts;
    await pause(random() * Math.min(patience.firstRenewalLookMs, config.renewalCheckIntervalMs), signal);
    let failures = 0;
    while (!signal.aborted) {
      failures = (await this.#renewIfDue()) ? 0 : failures + 1;
      await pause(nextLook(failures, config, random), signal);
    }
  }

  /** A new token instead of the identity's. Several may ask at once; then nothing is asked for a while. Rejects as the call does. */
  async renewToken(identity: Identity): Promise<void> {
    const now = this.#parts.monotonic();
    if (this.#asking === undefined && now - this.#tokenAskedAt >= tokenRenewalRestMs) {
      this.#tokenAskedAt = now;
      this.#asking = this.#askForToken(identity).finally(() => (this.#asking = undefined));
    }
    await this.#asking;
  }

  async #askForToken(identity: Identity): Promise<void> {
    const { keeper, connections, log } = this.#parts;
    await keeper.renewToken(identity);
    connections.showToken();
    log.info("the agent's token was renewed");
  }

  async #renewIfDue(): Promise<boolean> {
    const { keeper, config, now, log, connections, patience, onFailed } = this.#parts;
    const identity = await keeper.load();
    if (!identity) return true;
    const dates = datesOf(identity);
    const due = renewalDue(dates, now().getTime(), config);
    if (due === 'nothing') return true;
    try {
      if (due === 'certificate') await keeper.renewCertificate(identity);
      else await keeper.renewToken(identity);
    } catch (error) {
      await onFailed(error, identity);
      const until = new Date(due === 'certificate' ? dates.certificateUntil : dates.tokenUntil).toISOString();
      log.warn({ what: due, until, err: error }, 'the identity could not be renewed; it is tried again');
      return false;
    }
    log.info({ what: due }, 'the identity was renewed');
    if (due === 'certificate') connections.replaceAll(patience.changeApartMs);
    else connections.showToken();
    return true;
  }
}
