import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import {
  AccessRequestSchema,
  AccessRequestStatus,
  type AccessRequest,
} from '@clustral/schemas/gen/clustral/v1/access_pb.ts';
import { exitCodes } from '../failure.ts';
import { approvedOrThrow, waitForDecision, type Waiting } from './wait.ts';

const request = (status: AccessRequestStatus, given: Partial<Omit<AccessRequest, '$typeName'>> = {}): AccessRequest =>
  create(AccessRequestSchema, { status, clusterName: 'prod', roleName: 'sre', ...given });
const pending = request(AccessRequestStatus.PENDING);
const passing = new Error('the server restarts');

/** A wait on a clock that moves when somebody sleeps; `looks` are the answers, the last one for ever. */
function waiting(looks: readonly (AccessRequest | Error)[], given: Partial<Waiting> = {}) {
  let now = 0;
  let looked = 0;
  const pauses: number[] = [];
  const options: Waiting = {
    look: async () => {
      const answer = looks[Math.min(looked, looks.length - 1)];
      looked += 1;
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no look was given');
      return answer;
    },
    isPassing: (thrown) => thrown === passing,
    now: () => now,
    sleep: async (milliseconds) => {
      pauses.push(milliseconds);
      now += milliseconds;
    },
    random: () => 1,
    limitMs: 60_000,
    ...given,
  };
  return { ended: waitForDecision(options), pauses };
}

describe('waiting for a decision', () => {
  it('ends with the first answer that is one, whichever it is', async () => {
    const denied = request(AccessRequestStatus.DENIED);
    const { ended, pauses } = waiting([pending, pending, denied]);
    expect(await ended).toBe(denied);
    expect(pauses).toEqual([1_250, 1_750]);
  });

  it('asks less and less often, at most every ten seconds or so', async () => {
    const { ended, pauses } = waiting(
      [...Array.from({ length: 12 }, () => pending), request(AccessRequestStatus.APPROVED)],
      {
        limitMs: 600_000,
      },
    );
    await ended;
    expect(pauses.slice(0, 7).every((pause, index) => index === 0 || pause > (pauses[index - 1] ?? 0))).toBe(true);
    expect(Math.max(...pauses)).toBe(10_250);
  });

  it('never asks without a pause, whatever chance says', async () => {
    const { ended, pauses } = waiting([pending, request(AccessRequestStatus.APPROVED)], { random: () => 0 });
    await ended;
    expect(pauses).toEqual([250]);
  });

  it('ends in time with exit code 7, having looked once more at the end', async () => {
    const { ended, pauses } = waiting([pending], { limitMs: 3_000 });
    await expect(ended).rejects.toMatchObject({ exitCode: exitCodes.unavailable });
    expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBe(3_000);
  });

  it('goes on when the server is away for a while, and not when it refuses', async () => {
    const approved = request(AccessRequestStatus.APPROVED);
    expect(await waiting([passing, passing, approved]).ended).toBe(approved);
    await expect(waiting([new Error('refused'), approved]).ended).rejects.toThrow('refused');
  });
});

describe('what a decision means for whoever waited', () => {
  it('is the request when it was approved', () => {
    const approved = request(AccessRequestStatus.APPROVED);
    expect(approvedOrThrow(approved)).toBe(approved);
  });

  it.each([
    [AccessRequestStatus.DENIED, exitCodes.forbidden, 'bob denied sre on prod: no\\u001b[2J'],
    [AccessRequestStatus.REVOKED, exitCodes.forbidden, 'sre on prod was approved and revoked again: no\\u001b[2J'],
    [AccessRequestStatus.EXPIRED, exitCodes.unavailable, 'nobody decided about sre on prod in time'],
    [AccessRequestStatus.WITHDRAWN, exitCodes.conflict, 'the request for sre on prod was withdrawn'],
  ])('is an exit code of its own: %i', (status, exitCode, message) => {
    const decided = request(status, { reviewerName: 'bob', endReason: 'no\u001b[2J' });
    expect(() => approvedOrThrow(decided)).toThrow(expect.objectContaining({ exitCode, message }));
  });
});
