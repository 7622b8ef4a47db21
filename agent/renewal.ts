/**
 * When an identity is to be renewed: plain arithmetic on dates. The rule it lives by (F-26): whatever the clock says, two tries
 * are minutes apart, so that a clock which is wrong by a year costs a warning, not a storm.
 */
import type { IdentityDates } from './identity.ts';
import { backoff, spread } from './backoff.ts';

/** Milliseconds. */
export type RenewalRules = {
  readonly certificateRenewThresholdMs: number;
  readonly tokenRenewThresholdMs: number;
  readonly renewalCheckIntervalMs: number;
};

export type Renewal = 'certificate' | 'token' | 'nothing';

/** What is due. A certificate comes with a new token, so it goes first. */
export function renewalDue(dates: IdentityDates, now: number, rules: RenewalRules): Renewal {
  if (dates.certificateUntil - now <= rules.certificateRenewThresholdMs) return 'certificate';
  if (dates.tokenUntil - now <= rules.tokenRenewThresholdMs) return 'token';
  return 'nothing';
}

const retry = { shortest: 60_000, first: 120_000 };

/**
 * Milliseconds until the next look: the interval when all is well, and after `failures` tries that failed, in a row, from a minute
 * up to the interval.
 */
export function nextLook(failures: number, rules: RenewalRules, random: () => number): number {
  const interval = rules.renewalCheckIntervalMs;
  if (failures === 0) return spread(interval, random);
  return backoff(failures, random, { ...retry, longest: Math.max(interval, retry.first) });
}

/** Why the certificate cannot be used now, naming both times (F-26, F-30); undefined when it can. */
export function certificateProblem(dates: IdentityDates, now: number): string | undefined {
  const clock = `the clock here says ${new Date(now).toISOString()}`;
  if (now >= dates.certificateUntil) {
    return (
      `The agent's certificate expired at ${new Date(dates.certificateUntil).toISOString()} and ${clock}. ` +
      'Issue a new bootstrap token for the cluster and give it to the agent, or set the clock.'
    );
  }
  if (now < dates.certificateFrom) {
    return `The agent's certificate is good from ${new Date(dates.certificateFrom).toISOString()} on and ${clock}: set the clock.`;
  }
  return undefined;
}
