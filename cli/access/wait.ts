/**
 * Waiting for a decision: asks again and again, slower each time, never all at once with others, until the request is no longer pending or the time is over. A server
 * that does not answer for a while ends nothing, because a person may wait an hour for a colleague.
 */
import { AccessRequestStatus, type AccessRequest } from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { CliError, exitCodes } from '../failure.ts';
import { visible } from '../text.ts';

export type Waiting = {
  /** The request as it stands now. */
  readonly look: () => Promise<AccessRequest>;
  /** True when the same look may work later. */
  readonly isPassing: (thrown: unknown) => boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** From 0 to 1. */
  readonly random: () => number;
  /** How long to wait in all, in milliseconds. */
  readonly limitMs: number;
};

const shortestPauseMs = 250;
const firstPauseMs = 1_000;
const longestPauseMs = 10_000;
const growth = 1.5;

/** The request once it is decided, whichever way. Throws exit code 7 when the time is over. */
export async function waitForDecision({
  look,
  isPassing,
  now,
  sleep,
  random,
  limitMs,
}: Waiting): Promise<AccessRequest> {
  const deadline = now() + limitMs;
  for (let pause = firstPauseMs; ; pause = Math.min(pause * growth, longestPauseMs)) {
    try {
      const request = await look();
      if (request.status !== AccessRequestStatus.PENDING) return request;
    } catch (cause) {
      if (!isPassing(cause)) throw cause;
    }
    const left = deadline - now();
    if (left <= 0)
      throw new CliError(exitCodes.unavailable, 'nobody has decided the request yet', 'clustral access list --mine');
    // Full jitter above a floor, and never past the deadline.
    await sleep(Math.min(left, shortestPauseMs + pause * random()));
  }
}

/** The request when it was approved. Throws exit code 5 for a no, 7 when nobody decided in time, 6 when it was taken back. */
export function approvedOrThrow(request: AccessRequest): AccessRequest {
  const { status, clusterName, roleName, reviewerName, endReason } = request;
  const what = visible(`${roleName} on ${clusterName}`);
  const why = endReason === '' ? '' : `: ${visible(endReason)}`;
  const again = `clustral access request ${visible(clusterName)} --role ${visible(roleName)}`;
  switch (status) {
    case AccessRequestStatus.APPROVED:
      return request;
    case AccessRequestStatus.DENIED:
      throw new CliError(exitCodes.forbidden, `${visible(reviewerName || 'a reviewer')} denied ${what}${why}`);
    case AccessRequestStatus.REVOKED:
      throw new CliError(exitCodes.forbidden, `${what} was approved and revoked again${why}`);
    case AccessRequestStatus.EXPIRED:
      throw new CliError(exitCodes.unavailable, `nobody decided about ${what} in time`, again);
    default:
      throw new CliError(exitCodes.conflict, `the request for ${what} was withdrawn`, again);
  }
}
